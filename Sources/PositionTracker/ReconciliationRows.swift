import Domain
import Trading
import Wire

// What reconciliation keeps, as JSON and rows, and back.

extension InferredTrade {
    /// The own confirmation form, for `ea-receipts`.
    var json: JSONObject {
        var object: JSONObject = [
            "result": .string(kind.rawValue), "source": .string("inferred"), "witness": .string(witness.rawValue),
            "user_uuid": .string(userUUID), "account": .string(key.account), "server": .string(key.server),
            "ticket": .integer(key.ticket),
        ]
        func add(_ name: String, _ value: JSON?) { if let value { object.append(name, value) } }
        add("node_id", nodeID.map(JSON.string))
        add("symbol", symbol.map(JSON.string))
        add("type", direction.map { .string($0 == .buy ? "buy" : "sell") })
        add("volume", volume.map { .number($0.description) })
        add("volume_left", volumeLeft.map { .number($0.description) })
        add(kind == .opened ? "open_price" : "close_price", price.map { .decimal($0) })
        add("profit", profit.map { .decimal($0) })
        add("reason", reason.map(JSON.string))
        add("fire_id", fireID.map(JSON.string))
        add("currency", currency.map(JSON.string))
        add("close_time", closeTime.map(JSON.string))
        return object
    }
}

extension ReconciliationQuestion {
    var redisKey: String { "question:\(identifier)" }

    /// All fields, for `HSET`; an absent one is the empty text.
    var row: [String] {
        var details = JSONObject()
        for item in evidence { details.append(item.name, .string(item.value)) }
        return [
            "question_id", identifier, "kind", kind.rawValue, "account", account, "server", server, "user_uuid",
            userUUID, "node_id", nodeID ?? "", "ticket", ticket.map(String.init) ?? "", "fire_id", fireID ?? "",
            "symbol", symbol ?? "", "money", money ?? "", "currency", currency ?? "", "text", text, "evidence",
            details.compactText, "asked_at", String(askedAt.milliseconds), "state", state.rawValue, "answer",
            answer ?? "", "answered_at", answeredAt.map { String($0.milliseconds) } ?? "", "reason", reason ?? "",
            "subject", subject,
        ]
    }

    init?(row: [String: String]) {
        func text(_ name: String) -> String? { row[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let kind = text("kind").flatMap(Kind.init(rawValue:)), let server = text("server"),
            let account = text("account"), let user = text("user_uuid"), let subject = text("subject"),
            let state = text("state").flatMap(State.init(rawValue:)), let askedAt = Timestamp(row: text("asked_at"))
        else { return nil }
        let details = text("evidence").flatMap { try? JSON($0) }?.object?.fields ?? []
        self.init(
            kind, about: subject, server: server, account: account, userUUID: user, text: text("text") ?? "",
            evidence: details.map { ($0.name, $0.value.text ?? "") }, askedAt: askedAt)
        nodeID = text("node_id")
        ticket = text("ticket").flatMap { Int64($0) }
        fireID = text("fire_id")
        symbol = text("symbol")
        money = text("money")
        currency = text("currency")
        self.state = state
        answer = text("answer")
        answeredAt = Timestamp(row: text("answered_at"))
        reason = text("reason")
    }

    /// As `questions` answers it.
    var json: JSONObject {
        var details = JSONObject()
        for item in evidence { details.append(item.name, .string(item.value)) }
        return [
            "question_id": .string(identifier), "kind": .string(kind.rawValue), "state": .string(state.rawValue),
            "text": .string(text), "user_uuid": .string(userUUID), "account": .string(account),
            "server": .string(server), "node_id": .text(nodeID), "ticket": ticket.map { .integer($0) } ?? .null,
            "fire_id": .text(fireID), "symbol": .text(symbol), "money": .decimal(money), "currency": .text(currency),
            "evidence": .object(details), "asked_at": .string("\(askedAt)"),
            "answers": .array(ReconciliationEngine.words(for: kind).map { .string($0.rawValue) }),
            "answer": .text(answer), "reason": .text(reason),
        ]
    }
}

extension AccountReconciliation {
    /// As `reconciliation:<server>|<account>` has it and the order port answers it.
    var json: JSONObject {
        [
            "user_uuid": .string(state.userUUID), "node_id": .text(state.nodeID), "account": .string(state.account),
            "server": .string(state.server), "currency": .text(state.currency),
            "witness": .string(state.witness.rawValue),
            "seen_at": state.lookedAt.map { .integer($0.milliseconds) } ?? .null,
            "matched": .array(matched.map(\.json)), "only_ours": .array(onlyOurs.map(\.json)),
            "only_theirs": .array(onlyTheirs.map(\.json)),
            "balance": .decimal(state.balance?.money),
            "unexplained": .array(
                state.steps.map { step in
                    .object([
                        "amount": .number(step.amount.money), "from": .number(step.from.money),
                        "to": .number(step.to.money), "at": .integer(step.at.milliseconds),
                        "noted": .bool(step.isNoted),
                    ])
                }),
        ]
    }
}

extension AccountReconciliation.Item {
    fileprivate var json: JSON {
        .object([
            "ticket": ticket.map { .integer($0) } ?? .null, "fire_id": .text(fireID), "symbol": .text(symbol),
            "direction": .text(direction?.rawValue), "lot": .decimal(lot), "open_price": .decimal(openPrice),
            "since": .integer(since.milliseconds), "money": .decimal(money), "kind": .string(kind.rawValue),
        ])
    }
}
