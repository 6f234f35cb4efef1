import Domain
import Redis
import ServiceKit
import Trading
import Wire

// Requests on port `orders`. Source: the contract, section 2.
extension PositionTrackerService {
    func handle(_ request: Request) throws {
        let fields = OrderFields(object: request.object)
        do throws(OrderError) {
            switch request.type {
            case "fire": try fire(request, fields)
            case "close": try close(request, fields)
            case "close_all": try closeAll(request, fields)
            case "ping": try ping(request, fields)
            case "slots": try slots(request, fields)
            case "positions": try positions(request, fields)
            case "user": try user(request, fields)
            case "set_user": try setUser(request, fields)
            case "outcome": try outcome(request, fields)
            case "ledger": ledger(request)
            case "settle": try settle(request, fields)
            case "brake": try brake(request, fields)
            case "open": try open(request, fields)
            case "update_pnl": try updateProfit(request, fields)
            case "force_close": try forceClose(request, fields)
            case nil: throw .missing("type")
            case let type?:
                throw OrderError(
                    code: "unknown_type",
                    message: "'\(type.prefix(64))' is none of fire close close_all ping slots positions user set_user "
                        + "outcome ledger settle brake open update_pnl force_close")
            }
        } catch {
            report.reject(error.code)
            orders?.fail(request, error.code, error.message)
        }
    }

    // MARK: - Fire

    private func fire(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        report.count("fires_requested")
        let now = SystemClock.now()
        // A signal that was published a moment ago may still be on its way here: Redis has it already.
        if request.object["symbol"] == nil, let signalID = try fields.optionalText("signal_id"),
            signals.live(signalID, now: now) == nil, redis.isReady
        {
            redis.send(["HGETALL", "signal:\(signalID)"]) { [unowned self] reply in
                let row = reply?.dictionary ?? [:]
                if row["state"] == "live", let object = row["json"].flatMap({ try? JSON($0) })?.object {
                    signals.take(object, now: SystemClock.now())
                }
                decideFire(request, fields)
            }
            return
        }
        decideFire(request, fields)
    }

    private func decideFire(_ request: Request, _ fields: OrderFields) {
        let now = SystemClock.now()
        var missingSignal: String?
        do throws(OrderError) {
            let fire = try FireRequest(fields) { (signalID) throws(OrderError) -> SignalBoard.Entry? in
                let entry = signals.live(signalID, now: now)
                if entry == nil { missingSignal = signalID }
                return entry
            }
            if case .tier(let name) = fire.target, engine.policy.tiers[name] == nil {
                throw OrderError.bad("tier", "is none of tiers.yaml")
            }
            let token = makeToken(for: request)
            decide { $0.fire(fire, token: token, now: $1, into: &$2) }
        } catch {
            if let missingSignal {
                return answerSignalExpired(request, fields, missingSignal)
            }
            report.reject(error.code)
            orders?.fail(request, error.code, error.message)
        }
    }

    private func answerSignalExpired(_ request: Request, _ fields: OrderFields, _ signalID: String) {
        report.count("fires_denied")
        // With Redis away nobody can say that a signal is not live.
        let reason: DenialReason = redis.isReady ? .signalExpired : .stateUnavailable
        let message = redis.isReady ? "the signal '\(signalID)' is not live" : "the mesh's Redis can't be reached"
        var reply: JSONObject = [
            "state": .string("denied"), "reason": .string(reason.rawValue), "message": .string(message),
            "signal_id": .string(signalID),
        ]
        reply["fire_id"] = request.object["fire_id"]
        orders?.reply(request, reply)
    }

    /// The engine decided: one answer for one user, counts and ids for many.
    func answer(_ token: Int, _ answers: [FireAnswer]) {
        for answer in answers { report.count("fires_\(answer.state.rawValue)") }
        guard let request = waiting.removeValue(forKey: token) else { return }
        let isMany = request.object["user_uuid"]?.array != nil || request.object["user_uuid"] == nil
        guard isMany else {
            return orders?.reply(request, answers.first?.json ?? JSONObject()) ?? ()
        }
        var states: [String: Int] = ["sent": 0, "queued": 0, "denied": 0]
        var reasons: [String: Int] = [:]
        for answer in answers {
            states[answer.state.rawValue, default: 0] += 1
            if let denial = answer.denial { reasons[denial.reason.rawValue, default: 0] += 1 }
        }
        orders?.reply(
            request,
            [
                "fire_id": request.object["fire_id"] ?? .null, "total": .integer(answers.count),
                "sent": .integer(states["sent"] ?? 0), "queued": .integer(states["queued"] ?? 0),
                "denied": .integer(states["denied"] ?? 0),
                "reasons": .object(reasons.sortedObject { .integer($0) }),
                "fires": .array(answers.map { .object($0.brief) }),
            ])
    }

    /// An unknown fire keeps its slot until somebody knows: an operator who looked at the account may say so.
    private func settle(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let fireID = try fields.text("fire_id")
        let word = try fields.text("outcome")
        let reason = try fields.text("reason", maximum: 200)
        guard let state = FireState(rawValue: word), state == .neverExecuted || state == .rejected else {
            throw .bad("outcome", "must be never_executed or rejected; a fill comes by its confirmation")
        }
        var isSettled = false
        decide { engine, now, outputs in
            isSettled = engine.settle(fireID: fireID, as: state, reason: reason, now: now, into: &outputs)
        }
        guard isSettled else {
            throw OrderError(code: "not_unknown", message: "'\(fireID)' is not a fire whose outcome is unknown")
        }
        orders?.reply(request, ["fire_id": .string(fireID), "state": .string(state.rawValue)])
    }

    // MARK: - Close and ping

    private func close(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.text("user_uuid")
        guard let ticket = try fields.integer("ticket"), ticket > 0 else { throw .missing("ticket") }
        var result: CloseResult?
        decide { engine, now, outputs in result = engine.close(ticket: ticket, of: user, now: now, into: &outputs) }
        let isKnown = engine.position(ticket: ticket, of: user) != nil
        guard let result else { return }
        store.audit("close", ["user_uuid": user, "ticket": String(ticket)], now: request.receivedAt)
        orders?.reply(request, result.json.merging(["ticket": .integer(ticket), "known": .bool(isKnown)]))
    }

    private func closeAll(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.optionalText("user_uuid")
        let symbol = try fields.optionalText("symbol", maximum: 64)
        let isAll = try fields.flag("all")
        guard user != nil || symbol != nil || isAll else {
            throw OrderError(code: "missing_field", message: "say which: 'user_uuid', 'symbol' or 'all': true")
        }
        var results: [CloseResult] = []
        decide { engine, now, outputs in
            if let user {
                results = [engine.closeAll(of: user, now: now, into: &outputs)]
            } else if let symbol {
                results = engine.closeAll(symbol: symbol, now: now, into: &outputs)
            } else {
                results = engine.terminals.byUser.keys.sorted().map {
                    engine.closeAll(of: $0, now: now, into: &outputs)
                }
            }
        }
        store.audit(
            "close_all", ["user_uuid": user ?? "", "symbol": symbol ?? "", "all": isAll ? "1" : "0"],
            now: request.receivedAt)
        if user != nil, let only = results.first { return orders?.reply(request, only.json) ?? () }
        orders?.reply(
            request,
            [
                "terminals": .integer(results.filter { $0.commands > 0 }.count),
                "commands": .integer(results.reduce(0) { $0 + $1.commands }),
                "withdrawn": .integer(results.reduce(0) { $0 + $1.withdrawn.count }),
                "unreachable": .array(results.filter { $0.denial != nil }.map { .string($0.userUUID) }),
            ])
    }

    private func ping(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.text("user_uuid")
        let pingID =
            try fields.optionalText("ping_id", else: nil) ?? "p-\(request.receivedAt.milliseconds)"
        var result: CloseResult?
        decide { engine, now, outputs in result = engine.ping(pingID, user: user, now: now, into: &outputs) }
        if let result { orders?.reply(request, result.json.merging(["ping_id": .string(pingID)])) }
    }

    // MARK: - Brake

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

    private func brake(_ request: Request, _ fields: OrderFields) throws(OrderError) {
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
        let reason = try fields.text("reason", maximum: 200)
        var covered = 0
        let before = engine.brakes.settings[scope]?.state ?? .active
        decide { engine, now, outputs in
            covered = engine.set(brake: scope, to: state, reason: reason, now: now, into: &outputs)
        }
        store.writeBrake(scope, Brakes.Setting(state: state, reason: reason, setAt: request.receivedAt))
        orders?.reply(
            request,
            [
                "state": .string(state.rawValue), "scope": .string(scope.description),
                "before": .string(before.rawValue), "terminals": .integer(covered), "recorded": .bool(redis.isReady),
            ])
    }
}

extension JSONObject {
    func merging(_ other: JSONObject) -> JSONObject {
        var merged = self
        for field in other.fields { merged[field.name] = field.value }
        return merged
    }
}
