import Domain
import Wire

/// The second half of the story: where it went, what came back, what it became and what that is worth.
extension Explanation {
    var slot: JSON {
        var part = StorySection()
        let untaken = "denied (\(reasonWord)) before a slot was taken"
        part.put("reserved_at", json("reserved_at", .time), wasReserved ? "the row does not say" : untaken)
        let status = sources.slot != nil ? "held" : wasReserved ? "released" : "never_taken"
        part.put("status", .string(status))
        let released = wasReserved ? "the slot is free again" : untaken
        part.put("held_by", .text(sources.slot), released)
        part.put("tier", Schema.json(sources.user["tier"], .text), "nobody registered this user")
        return part.json
    }

    private var unsentReason: String {
        switch state {
        case "reserved": "it has not left yet"
        case "expired": "it never left: \(expiry)"
        case "denied": "denied (\(reasonWord)): nothing left"
        default: "the row does not say"
        }
    }

    var route: JSON {
        var part = StorySection()
        for name in ["node_id", "server", "account"] {
            part.put(
                name, json(name),
                wasReserved ? "the row does not say" : "denied (\(reasonWord)): no terminal was chosen")
        }
        part.put("symbol", json("symbol"), "the row does not say")
        part.put("quote_bid", json("quote_bid", .decimal), "the row kept no quote")
        part.put("quote_ask", json("quote_ask", .decimal), "the row kept no quote")
        part.put("sending_at", json("sending_at", .time), unsentReason)
        let crashed =
            state == "unknown" ? "nobody knows whether it was handed over: the process died then" : unsentReason
        part.put("sent_at", json("sent_at", .time), crashed)
        return part.json
    }

    private var unansweredReason: String {
        guard hasLeft else { return unsentReason }
        switch state {
        case "unknown": return "no answer has come: a time-out is no rejection, it may have traded"
        case "filled" where !has("answered_at"), "never_executed" where isContradicted:
            return "its own answer was not heard; that it traded was found out otherwise"
        case "never_executed": return "it never came; that it did not trade was found out otherwise"
        case "sending", "sent":
            return standing.isOverdue ? "no answer has come, though its time is over" : "no answer yet"
        default: return "the row does not say"
        }
    }

    var answer: JSON {
        var part = StorySection()
        let result = ["filled", "rejected", "never_executed"].contains(state) ? JSON.string(state) : .null
        part.put("result", isContradicted ? .string("filled") : result, unansweredReason)
        part.put("ticket", json("ticket", .integer), state == "rejected" ? "nothing was opened" : unansweredReason)
        part.put(
            "reason", json("reason"), FireStanding.accountedStates.contains(state) ? "none was given" : unansweredReason
        )
        part.put("message", Schema.json(sources.answer["message"], .text), "none came with it")
        part.put("answered_at", json("answered_at", .time), unansweredReason)
        func time(_ name: String) -> Int64? { sources.fire[name].flatMap { Int64($0) } }
        let took = time("answered_at").flatMap { answered in time("sent_at").map { answered - $0 } }
        part.put("took_ms", took.map { .integer($0) } ?? .null, unansweredReason)
        part.put("durable_at", json("durable_at", .time), unansweredReason)
        part.put("applied_at", json("applied_at", .time), unansweredReason)
        part.put("resolved_at", json("resolved_at", .time), unansweredReason)
        let unbooked = hasLeft ? "no confirmation of it is booked" : unsentReason
        part.put("event_id", Schema.json(sources.answer["event_id"], .text), unbooked)
        part.put("journal_seq", Schema.json(sources.answer["seq"], .integer), unbooked)
        let isBooked = !sources.answer.isEmpty
        part.put("source", Schema.json(sources.answer["source"] ?? (isBooked ? "message" : nil), .text), unbooked)
        part.put(
            "witness", Schema.json(sources.answer["witness"], .text),
            isBooked ? "the terminal's own message says it" : unbooked)
        return part.json
    }

    private var unopenedReason: String {
        if isContradicted { return "the position is not there: closed ones are kept for 90 days" }
        return switch state {
        case "rejected": "rejected: nothing was opened"
        case "never_executed": "it never traded"
        case "filled":
            has("ticket")
                ? "the position is not there any more: closed ones are kept for 90 days"
                : "filled, but no ticket was told"
        default: unansweredReason
        }
    }

    private func position(_ name: String, _ kind: FieldKind = .text) -> JSON {
        Schema.json(sources.position[name], kind)
    }

    private var isOpen: Bool { sources.position["state"] == "open" }

    var position: JSON {
        var part = StorySection()
        let missing = sources.position.isEmpty ? unopenedReason : "the position does not say"
        part.put("ticket", sources.position.isEmpty ? json("ticket", .integer) : position("ticket", .integer), missing)
        for name in ["state", "direction", "symbol"] { part.put(name, position(name), missing) }
        for name in ["lot", "open_price"] { part.put(name, position(name, .decimal), missing) }
        part.put("slippage", slippage, "the price it was sized with or opened at is not known")
        for name in ["sl", "tp"] { part.put(name, position(name, .decimal), isOpen ? "it has none" : missing) }
        part.put("current_price", position("current_price", .decimal), isOpen ? "no quote has come for it" : missing)
        part.put("opened_at", position("opened_at", .time), missing)
        let open = isOpen ? "it is open" : missing
        part.put("close_price", position("close_price", .decimal), open)
        part.put("close_reason", position("close_reason"), open)
        part.put("closed_at", position("closed_at", .time), open)
        part.put("duration_s", duration, missing)
        part.put(
            "source",
            sources.position.isEmpty ? .null : position("source") == .null ? .string("message") : position("source"),
            missing)
        return part.json
    }

    private var duration: JSON {
        guard isOpen, let opened = sources.position["opened_at"].flatMap({ Int64($0) }) else {
            return position("duration_s", .integer)
        }
        return .integer(max(0, now.milliseconds - opened) / 1000)
    }

    /// By how much it was opened worse than it was sized with; below 0: better.
    private var slippage: JSON {
        guard let sized = riskObject?["entry_price"]?.text.flatMap({ Amount($0) }),
            let opened = sources.position["open_price"].flatMap({ Amount($0) })
        else { return .null }
        let worse = sources.fire["direction"] == "SELL" ? sized - opened : opened - sized
        return .number(worse.description)
    }

    var money: JSON {
        var part = StorySection()
        let missing = sources.position.isEmpty ? unopenedReason : "the position does not say"
        let currency = position("currency")
        part.put("currency", currency == .null ? riskObject?["currency"] ?? .null : currency, missing)
        let isAtStake = standing.isUnaccounted || isOpen
        part.put(
            "at_risk", isAtStake ? riskObject?["amount"] ?? .null : .null,
            isAtStake ? "the row kept no arithmetic" : "nothing of it is open")
        part.put(
            "unrealised", isOpen ? position("current_pnl", .decimal) : .null,
            isOpen ? "no quote has come for it" : sources.position.isEmpty ? unopenedReason : "it is closed")
        for name in ["max_profit", "max_loss"] { part.put(name, position(name, .decimal), missing) }
        let isUnknown = sources.position["state"] == "closed"
        part.put(
            "realised", position("profit", .decimal),
            isOpen ? "it is open" : isUnknown ? "closed without a witness of its profit" : unopenedReason)
        part.put("profit_source", position("profit_source"), isOpen ? "it is open" : missing)
        return part.json
    }
}
