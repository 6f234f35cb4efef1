import Domain
import Trading
import Wire

// What rows look like in Redis: one place that writes fields and reads them back.

extension Fire {
    var key: String { "fire:\(fireID)" }

    /// All fields, for `HSET`.
    var row: [String] {
        var fields = [
            "fire_id", fireID, "state", state.rawValue, "user_uuid", userUUID, "node_id", nodeID, "server", server,
            "account", account, "symbol", symbol, "canonical_symbol", canonicalSymbol, "direction", direction.rawValue,
            "created_at", String(createdAt.milliseconds),
            "expires_at", String(expiresAt.milliseconds), "timeline", timelineText, "late", isLate ? "1" : "0",
        ]
        if isContradicted { fields += ["contradicted", "1"] }
        func add(_ name: String, _ value: String?) { if let value { fields += [name, value] } }
        // Where it was to be computed and was not, there is none.
        add("lot", lot.isZero ? nil : lot.text(minimumDecimals: 2))
        add("entry", entry)
        add("sl", stopLoss)
        add("tp", takeProfit)
        add("hybrid", hybrid.map { $0.row(lot: lot).compactText })
        add("signal_id", signalID)
        add("reason", reason)
        add("protection_score", protectionScore?.description)
        add("factors", factors)
        add("quote_bid", quoteBid?.description)
        add("quote_ask", quoteAsk?.description)
        add("ticket", ticket.map { String($0) })
        for (moment, time) in sortedTimes { add("\(moment.rawValue)_at", String(time.milliseconds)) }
        if let risk { add("risk", JSON.object(risk.json).compactText) }
        return fields
    }

    /// The fields that change when it moves.
    var moveRow: [String] {
        var fields = ["state", state.rawValue, "timeline", timelineText, "late", isLate ? "1" : "0"]
        if isContradicted { fields += ["contradicted", "1"] }
        if let reason { fields += ["reason", reason] }
        if let ticket { fields += ["ticket", String(ticket)] }
        for (moment, time) in sortedTimes where Fire.movedMoments.contains(moment) {
            fields += ["\(moment.rawValue)_at", String(time.milliseconds)]
        }
        return fields
    }

    /// The moments that come after its row was first written.
    private static let movedMoments: Set<FireMoment> = [
        .sending, .sent, .answered, .durable, .applied, .unknown, .resolved,
    ]

    private var sortedTimes: [(FireMoment, Timestamp)] {
        FireMoment.allCases.compactMap { moment in times[moment].map { (moment, $0) } }
    }

    private var timelineText: String {
        JSON.array(
            timeline.map {
                .object(["state": .string($0.state), "at": .integer($0.at.milliseconds), "by": .string($0.by)])
            }
        ).compactText
    }

    init?(row: [String: String]) {
        guard let fireID = row["fire_id"], let state = row["state"].flatMap(FireState.init(rawValue:)),
            let userUUID = row["user_uuid"], let direction = row["direction"].flatMap({ Direction(wire: $0) })
        else { return nil }
        self.init(
            fireID: fireID, userUUID: userUUID, nodeID: row["node_id"] ?? "", server: row["server"] ?? "",
            account: row["account"] ?? "", symbol: row["symbol"] ?? "", canonicalSymbol: row["canonical_symbol"] ?? "",
            direction: direction, lot: row["lot"].flatMap { Amount($0) } ?? .zero, state: state,
            createdAt: Timestamp(row: row["created_at"]) ?? Timestamp(milliseconds: 0),
            expiresAt: Timestamp(row: row["expires_at"]) ?? Timestamp(milliseconds: 0))
        entry = row["entry"]
        stopLoss = row["sl"]
        takeProfit = row["tp"]
        hybrid = HybridPlan(row: row["hybrid"])
        signalID = row["signal_id"]
        reason = row["reason"]
        protectionScore = row["protection_score"].flatMap { Amount($0) }
        factors = row["factors"]
        risk = row["risk"].flatMap { try? JSON($0) }?.object.flatMap { RiskAssessment(json: $0) }
        quoteBid = row["quote_bid"].flatMap { Amount($0) }
        quoteAsk = row["quote_ask"].flatMap { Amount($0) }
        ticket = row["ticket"].flatMap { Int64($0) }
        isLate = row["late"] == "1"
        isContradicted = row["contradicted"] == "1"
        for moment in FireMoment.allCases { times[moment] = Timestamp(row: row["\(moment.rawValue)_at"]) }
        let steps = row["timeline"].flatMap { try? JSON($0) }?.array ?? []
        timeline = steps.compactMap { step in
            guard let object = step.object, let state = object["state"]?.text,
                let at = Timestamp(row: object["at"]?.text)
            else { return nil }
            return TimelineEntry(state: state, at: at, by: object["by"]?.text ?? "")
        }
    }
}

extension User {
    var row: [String] {
        var fields = [
            "user_uuid", uuid, "tier", tier, "state", state.rawValue, "registered", isRegistered ? "1" : "0",
            "created_at", String(createdAt.milliseconds),
        ]
        if let riskPercent { fields += ["risk_pct", riskPercent.description] }
        // Written even where there is none: a cap that was taken back must not stay in the row.
        fields += ["daily_loss_pct", dailyLossPercent?.description ?? ""]
        fields += ["open_risk_pct", openRiskPercent?.description ?? ""]
        fields += ["addresses", addresses.text, "account", account ?? "", "server", server ?? ""]
        return fields
    }

    init?(row: [String: String]) {
        guard let uuid = row["user_uuid"], let tier = row["tier"] else { return nil }
        self.init(
            uuid: uuid, tier: tier, riskPercent: row["risk_pct"].flatMap { Amount($0) },
            state: row["state"].flatMap(State.init(rawValue:)) ?? .active, isRegistered: row["registered"] == "1",
            createdAt: Timestamp(row: row["created_at"]) ?? Timestamp(milliseconds: 0))
        dailyLossPercent = row["daily_loss_pct"].flatMap { Amount($0) }
        openRiskPercent = row["open_risk_pct"].flatMap { Amount($0) }
        addresses = row["addresses"].flatMap { AddressRule(text: $0) } ?? .learned
        account = row["account"].flatMap { $0.isEmpty ? nil : $0 }
        server = row["server"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension Timestamp {
    /// Epoch milliseconds as a row keeps them.
    init?(row text: String?) {
        guard let value = text.flatMap({ Int64($0) }) else { return nil }
        self.init(milliseconds: value)
    }
}

extension TerminalReport {
    /// A row of `node:<id>` or an entry of `events:nodes`.
    init(node fields: [String: String]) {
        self.init(kind: .handshake)
        func text(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }
        nodeID = text("node_id")
        userUUID = text("user_uuid")
        account = text("account")
        server = text("server")
        broker = text("broker")
        currency = text("currency")
        balance = text("balance")
        equity = text("equity")
        version = text("version")
        chartSymbol = text("chart_symbol")
        symbols = text("symbols")?.split(separator: ",").map(String.init) ?? []
    }
}
