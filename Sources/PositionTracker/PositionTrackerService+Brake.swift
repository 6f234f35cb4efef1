import Domain
import Redis
import ServiceKit
import Trading
import Wire

// `brake` on port `orders`: what is stopped, for whom, and who lifted it why.
extension PositionTrackerService {
    /// A brake on nothing is worse than none: the operator believes it is on.
    private func check(_ scope: BrakeScope) throws(OrderError) {
        switch scope {
        case .tier(let name) where engine.policy.tiers[name] == nil: throw .bad("scope", "names no tier of tiers.yaml")
        case .user(let uuid) where engine.users[uuid] == nil && engine.terminals[uuid] == nil:
            throw .bad("scope", "names a user nobody here has seen")
        case .symbol(let name) where environment.instruments.instrument(for: name) == nil:
            throw .bad("scope", "names no symbol of symbols.yaml")
        default: break
        }
    }

    func brake(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        guard let stateText = try fields.optionalText("state") else {
            return orders?.reply(request, ["brakes": .array(engine.brakes.json)]) ?? ()
        }
        guard let state = BrakeState(rawValue: stateText.uppercased()) else {
            throw .bad("state", "must be ACTIVE, REDUCING or HALTED")
        }
        let scopeText = try fields.optionalText("scope", else: "all") ?? "all"
        guard var scope = BrakeScope(scopeText) else {
            throw .bad("scope", "must be all, tier:<name>, broker:<server>, symbol:<name> or user:<uuid>")
        }
        if case .symbol(let name) = scope { scope = .symbol(environment.instruments.canonical(name)) }
        try check(scope)
        guard let reason = try fields.optionalText("reason", maximum: 200), reason.contains(where: { $0 != " " }) else {
            throw OrderError(
                code: "missing_field", message: "'reason' is missing: setting and lifting a brake need one")
        }
        let actor = try fields.actor()
        guard !reason.hasPrefix(AutomaticBrake.reasonPrefix) else {
            throw .bad("reason", "must not begin with '\(AutomaticBrake.reasonPrefix)'")
        }
        var covered = 0
        let before = engine.brakes.settings[scope]?.state ?? .active
        let awaits = store.isAvailable
        if awaits {
            brakeReplies.append(
                BrakeReply(scope: scope, state: state, reason: reason) { [unowned self] isRecorded in
                    reply(request, scope, state, reason, before, covered, isRecorded)
                })
        }
        decide { engine, now, outputs in
            covered = engine.set(brake: scope, to: state, reason: reason, by: actor, now: now, into: &outputs)
        }
        if !awaits { reply(request, scope, state, reason, before, covered, false) }
    }

    /// - Parameter isRecorded: whether Redis has it, so that it survives whatever happens to this process now.
    private func reply(
        _ request: Request, _ scope: BrakeScope, _ state: BrakeState, _ reason: String, _ before: BrakeState,
        _ covered: Int, _ isRecorded: Bool
    ) {
        orders?.reply(
            request,
            [
                "state": .string(state.rawValue), "scope": .string(scope.description),
                "before": .string(before.rawValue), "reason": .string(reason), "terminals": .integer(covered),
                "recorded": .bool(isRecorded), "warning": .text(brakeWarning(scope, covered: covered)),
            ])
    }

    /// Redis has a brake, or refused it.
    func brakeWritten(_ scope: BrakeScope, _ setting: Brakes.Setting, isDone: Bool) {
        let index = brakeReplies.firstIndex {
            $0.scope == scope && $0.state == setting.state && $0.reason == setting.reason
        }
        if let index { brakeReplies.remove(at: index).answer(isDone) }
    }

    /// Redis went away: whoever waits hears that his brake is in force and not recorded yet.
    func answerBrakes() {
        let waiting = brakeReplies
        brakeReplies = []
        for reply in waiting { reply.answer(false) }
    }
}

/// A request whose brake is on the way to Redis.
struct BrakeReply {
    let scope: BrakeScope
    let state: BrakeState
    let reason: String
    let answer: (Bool) -> Void
}
