import Domain
import Redis
import ServiceKit
import Trading
import Wire

// `fire` on port `orders`: from the request to its answer. Source: the contract, section 2.
extension PositionTrackerService {
    func fire(_ request: Request, _ fields: OrderFields) throws(OrderError) {
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

    // MARK: - Requests for many

    /// The id of a many-user request is taken once: another time its users might be numbered differently. The claim is
    /// random, so that one whose answer was lost can be asked for again and is known as the same.
    func claimBatch(_ token: Int, _ fireID: String) {
        let claim = unansweredClaims[fireID] ?? String(UInt64.random(in: .min ... .max), radix: 36)
        if unansweredClaims.count > 10_000 { unansweredClaims.removeAll() }
        unansweredClaims[fireID] = claim
        store.claimBatch(fireID, claim: claim) { [unowned self] isNew in
            if isNew != nil { unansweredClaims[fireID] = nil }
            decide { $0.batchClaimed(token: token, isNew: isNew, now: $1, into: &$2) }
        }
    }
}
