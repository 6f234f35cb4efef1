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
            case "remove_user": try removeUser(request, fields)
            case "clear_conflict": try clearConflict(request, fields)
            case "conflicts": conflicts(request)
            case "outcome": try outcome(request, fields)
            case "ledger": ledger(request)
            case "settle": try settle(request, fields)
            case "withdraw": try withdraw(request, fields)
            case "reconciliation": reconciliation(request, fields)
            case "questions": questions(request, fields)
            case "answer": try answerQuestion(request, fields)
            case "brake": try brake(request, fields)
            case "open": try open(request, fields)
            case "update_pnl": try updateProfit(request, fields)
            case "force_close": try forceClose(request, fields)
            case nil: throw .missing("type")
            case let type?:
                throw OrderError(
                    code: "unknown_type",
                    message: "'\(type.prefix(64))' is none of fire close close_all ping slots positions user set_user "
                        + "remove_user clear_conflict conflicts "
                        + "outcome ledger settle withdraw brake open update_pnl force_close reconciliation questions answer"
                )
            }
        } catch {
            report.reject(error.code)
            orders?.fail(request, error.code, error.message)
        }
    }

    /// Takes back what waits here: one fire, or all of a user's. What has left can only be closed.
    private func withdraw(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let fireID = try fields.optionalText("fire_id")
        let user = try fields.optionalText("user_uuid")
        guard (fireID == nil) != (user == nil) else {
            throw OrderError(code: "missing_field", message: "say which: 'fire_id' or 'user_uuid'")
        }
        let said = try fields.optionalText("reason", maximum: 200)
        let reason = "withdrawn\(said.map { ": \($0)" } ?? "")"
        let actor = try fields.actor()
        var list: [String] = []
        decide { engine, now, outputs in
            if let user {
                list = engine.withdrawAll(of: user, by: "withdraw", reason: reason, now: now, into: &outputs)
            } else if let fireID,
                engine.withdraw(fireID: fireID, by: "withdraw", reason: reason, now: now, into: &outputs)
            {
                list = [fireID]
            }
        }
        if let fireID, list.isEmpty {
            throw OrderError(code: "not_queued", message: withdrawHint(fireID))
        }
        store.audit(
            "withdraw",
            ["fires": list.joined(separator: " "), "user_uuid": user ?? "", "reason": reason, "by": actor],
            now: request.receivedAt)
        orders?.reply(request, ["withdrawn": .array(list.map(JSON.string))])
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
        let actor = try fields.actor()
        decide { engine, now, outputs in
            isSettled = engine.settle(fireID: fireID, as: state, reason: reason, by: actor, now: now, into: &outputs)
        }
        guard isSettled else {
            throw OrderError(code: "not_unknown", message: settleHint(fireID))
        }
        orders?.reply(request, ["fire_id": .string(fireID), "state": .string(state.rawValue)])
    }

    // MARK: - Close and ping

    private func close(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.text("user_uuid")
        guard let ticket = try fields.integer("ticket"), ticket > 0 else { throw .missing("ticket") }
        let force = try fields.flag("force")
        let actor = try fields.actor()
        let isKnown = engine.position(ticket: ticket, of: user) != nil
        // Before the books are read nobody can say what is in them: then it is the terminal's to know.
        let isRefused = !isKnown && !force && isLoaded
        var result: CloseResult?
        if isRefused {
            result = .nothing(to: user)
        } else {
            decide { engine, now, outputs in
                result = engine.close(ticket: ticket, of: user, force: force, now: now, into: &outputs)
            }
        }
        guard let result else { return }
        store.audit(
            "close",
            [
                "user_uuid": user, "ticket": String(ticket), "force": force ? "1" : "0", "by": actor,
                "outcome": result.outcomeWord(isRefused: isRefused),
            ], now: request.receivedAt)
        var reply = result.json.merging(["ticket": .integer(ticket), "known": .bool(isKnown)])
        if isRefused {
            reply = reply.merging([
                "state": .string("denied"), "reason": .string("unknown_position"),
                "message": .string("no open position \(ticket) of '\(user)' is known here"),
            ])
        }
        orders?.reply(request, reply.merging(["hint": isKnown ? .null : .string(ticketHint(ticket, of: user))]))
    }

    private func closeAll(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.optionalText("user_uuid")
        let symbol = try fields.optionalText("symbol", maximum: 64)
        let isAll = try fields.flag("all")
        guard user != nil || symbol != nil || isAll else {
            throw OrderError(code: "missing_field", message: "say which: 'user_uuid', 'symbol' or 'all': true")
        }
        let force = try fields.flag("force")
        let actor = try fields.actor()
        var results: [CloseResult] = []
        decide { engine, now, outputs in
            if let user {
                results = [engine.closeAll(of: user, force: force, now: now, into: &outputs)]
            } else if let symbol {
                results = engine.closeAll(symbol: symbol, force: force, now: now, into: &outputs)
            } else {
                results = engine.terminals.byUser.keys.sorted().map {
                    engine.closeAll(of: $0, force: force, now: now, into: &outputs)
                }
            }
        }
        let withdrawn = results.flatMap(\.withdrawn)
        let halted = results.compactMap { $0.denial }.filter { $0.reason == .halted }
        store.audit(
            "close_all",
            [
                "user_uuid": user ?? "", "symbol": symbol ?? "", "all": isAll ? "1" : "0", "force": force ? "1" : "0",
                "by": actor, "commands": String(results.reduce(0) { $0 + $1.commands }),
                "withdrawn": String(withdrawn.count),
            ], now: request.receivedAt)
        let unknown = results.flatMap(\.hybridPartsUnknown)
        if user != nil, let only = results.first { return orders?.reply(request, only.json) ?? () }
        var reply: JSONObject = [
            "terminals": .integer(results.filter { $0.commands > 0 }.count),
            "commands": .integer(results.reduce(0) { $0 + $1.commands }),
            "withdrawn": .array(withdrawn.sorted().map(JSON.string)),
            "unreachable": .array(
                results.filter { $0.denial != nil && $0.denial?.reason != .halted }.map { .string($0.userUUID) }),
            "halted": .integer(halted.count), "hint": .text(halted.first?.message),
        ]
        if !unknown.isEmpty { reply.append("hybrid_parts_unknown", .array(unknown.map { .integer($0) })) }
        orders?.reply(request, reply)
    }

    private func ping(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.text("user_uuid")
        let pingID =
            try fields.optionalText("ping_id", else: nil) ?? "p-\(request.receivedAt.milliseconds)"
        var result: CloseResult?
        decide { engine, now, outputs in result = engine.ping(pingID, user: user, now: now, into: &outputs) }
        if let result { orders?.reply(request, result.json.merging(["ping_id": .string(pingID)])) }
    }
}

extension JSONObject {
    func merging(_ other: JSONObject) -> JSONObject {
        var merged = self
        for field in other.fields { merged[field.name] = field.value }
        return merged
    }
}
