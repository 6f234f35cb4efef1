public import Domain

extension TradeEvent {
    /// Name and text of every field that has a value, in the order they are shown.
    public var fields: [(name: String, value: String)] {
        var row = RowFields()
        row.add("event_id", eventID)
        row.add("seq", String(sequence))
        row.add("kind", kind.rawValue)
        row.add("fire_id", fireID)
        row.add("signal_id", signalID)
        row.add("user_uuid", userUUID)
        row.add("node_id", nodeID)
        row.add("account", account)
        row.add("server", server)
        row.add("currency", currency)
        row.add("ticket", ticket.map { String($0) })
        row.add("symbol", symbol)
        row.add("canonical_symbol", canonicalSymbol)
        row.add("direction", direction?.rawValue)
        row.add("lot", lot)
        row.add("open_price", openPrice)
        row.add("close_price", closePrice)
        row.add("profit", profit)
        row.add("profit_source", profitSource?.rawValue)
        row.add("swap", swap)
        row.add("commission", commission)
        row.add("net_profit", netProfit?.text(minimumDecimals: 2))
        row.add("sl", stopLoss)
        row.add("tp", takeProfit)
        row.add("reason", reason)
        row.add("message", message)
        row.add("balance", balance)
        row.add("equity", equity)
        row.add("free_margin", freeMargin)
        row.add("orphan", isOrphan)
        row.add("late", isLate)
        row.add("inferred", where: isInferred)
        row.add("source", source.rawValue)
        row.add("witness", witness)
        row.add("correction", where: isCorrection)
        row.add("corrects", corrects)
        row.add("told_volume", toldVolume?.description)
        row.add("received_at", receivedAt)
        row.add("durable_at", durableAt)
        row.add("broker_time", brokerTime)
        row.add("duration_s", duration.map { String($0) })
        row.add("source_port", sourcePort)
        if kind == .closed {
            row.add("closed_volume", closedVolume?.description)
            row.add("final", isFinal)
            row.add("counted", isCounted)
            row.add("position_profit", positionProfit?.text(minimumDecimals: 2))
            row.add("recounted", recounted?.text)
            row.add("revisable", where: isRevisable)
            row.add("fingerprint", fingerprint)
        }
        return row.list
    }

    /// Fields whose text is a number, so that JSON can show them as one.
    public static let numericFields: Set<String> = [
        "seq", "ticket", "lot", "open_price", "close_price", "profit", "swap", "commission", "net_profit", "sl", "tp",
        "balance", "equity", "free_margin", "orphan", "late", "inferred", "correction", "received_at",
        "told_volume", "durable_at", "duration_s", "closed_volume", "final", "counted", "position_profit",
        "revisable",
    ]

    /// Reads what ``fields`` wrote; nil where something is missing that every event has.
    public init?(fields: [String: String]) {
        guard let eventID = fields["event_id"], let kind = fields["kind"].flatMap(TradeReport.Kind.init(rawValue:)),
            let sequence = fields["seq"].flatMap({ UInt64($0) }), let userUUID = fields["user_uuid"],
            let receivedAt = fields.moment("received_at")
        else { return nil }
        self.eventID = eventID
        self.kind = kind
        self.sequence = sequence
        self.userUUID = userUUID
        self.receivedAt = receivedAt
        sourcePort = fields["source_port"] ?? ""
        fireID = fields["fire_id"]
        signalID = fields["signal_id"]
        nodeID = fields["node_id"]
        account = fields["account"]
        server = fields["server"]
        currency = fields["currency"]
        ticket = fields.integer("ticket")
        symbol = fields["symbol"]
        canonicalSymbol = fields["canonical_symbol"]
        direction = fields.direction("direction")
        lot = fields["lot"]
        openPrice = fields["open_price"]
        closePrice = fields["close_price"]
        profit = fields["profit"]
        profitSource = fields["profit_source"].flatMap(ProfitSource.init(rawValue:))
        swap = fields["swap"]
        commission = fields["commission"]
        netProfit = fields.amount("net_profit")
        stopLoss = fields["sl"]
        takeProfit = fields["tp"]
        reason = fields["reason"]
        message = fields["message"]
        balance = fields["balance"]
        equity = fields["equity"]
        freeMargin = fields["free_margin"]
        isOrphan = fields.isSet("orphan")
        isLate = fields.isSet("late")
        isInferred = fields.isSet("inferred")
        source = fields["source"].flatMap(Source.init(rawValue:)) ?? .message
        witness = fields["witness"]
        isCorrection = fields.isSet("correction")
        corrects = fields["corrects"]
        toldVolume = fields.amount("told_volume")
        durableAt = fields.moment("durable_at")
        brokerTime = fields["broker_time"]
        duration = fields.integer("duration_s")
        closedVolume = fields.amount("closed_volume")
        isFinal = fields.isSet("final")
        isCounted = fields.isSet("counted")
        positionProfit = fields.amount("position_profit")
        recounted = fields["recounted"].map { CountedProfit($0) }
        isRevisable = fields.isSet("revisable")
        fingerprint = fields["fingerprint"]
    }
}

/// By which profit a position was counted: nil where it was not known.
public struct CountedProfit: Sendable, Equatable {
    public let profit: Amount?

    public init(_ profit: Amount?) { self.profit = profit }

    static let unknown = "unknown"

    var text: String { profit?.text(minimumDecimals: 2) ?? CountedProfit.unknown }

    init(_ text: String) { profit = Amount(text) }
}
