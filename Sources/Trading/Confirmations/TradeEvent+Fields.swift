public import Domain

extension TradeEvent {
    /// Name and text of every field that has a value, in the order they are shown.
    public var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { fields.append((name, value)) }
        }
        add("event_id", eventID)
        add("seq", String(sequence))
        add("kind", kind.rawValue)
        add("fire_id", fireID)
        add("signal_id", signalID)
        add("user_uuid", userUUID)
        add("node_id", nodeID)
        add("account", account)
        add("server", server)
        add("currency", currency)
        add("ticket", ticket.map { String($0) })
        add("symbol", symbol)
        add("canonical_symbol", canonicalSymbol)
        add("direction", direction?.rawValue)
        add("lot", lot)
        add("open_price", openPrice)
        add("close_price", closePrice)
        add("profit", profit)
        add("profit_source", profitSource?.rawValue)
        add("swap", swap)
        add("commission", commission)
        add("net_profit", netProfit?.text(minimumDecimals: 2))
        add("sl", stopLoss)
        add("tp", takeProfit)
        add("reason", reason)
        add("message", message)
        add("balance", balance)
        add("equity", equity)
        add("free_margin", freeMargin)
        add("orphan", isOrphan ? "1" : "0")
        add("late", isLate ? "1" : "0")
        add("inferred", isInferred ? "1" : nil)
        add("source", source.rawValue)
        add("witness", witness)
        add("correction", isCorrection ? "1" : nil)
        add("corrects", corrects)
        add("told_volume", toldVolume?.description)
        add("received_at", String(receivedAt.milliseconds))
        add("durable_at", durableAt.map { String($0.milliseconds) })
        add("broker_time", brokerTime)
        add("duration_s", duration.map { String($0) })
        add("source_port", sourcePort)
        if kind == .closed {
            add("closed_volume", closedVolume?.description)
            add("final", isFinal ? "1" : "0")
            add("counted", isCounted ? "1" : "0")
            add("position_profit", positionProfit?.text(minimumDecimals: 2))
            add("recounted", recounted?.text)
            add("revisable", isRevisable ? "1" : nil)
            add("fingerprint", fingerprint)
        }
        return fields
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
            let receivedAt = fields["received_at"].flatMap({ Int64($0) })
        else { return nil }
        self.eventID = eventID
        self.kind = kind
        self.sequence = sequence
        self.userUUID = userUUID
        self.receivedAt = Timestamp(milliseconds: receivedAt)
        sourcePort = fields["source_port"] ?? ""
        fireID = fields["fire_id"]
        signalID = fields["signal_id"]
        nodeID = fields["node_id"]
        account = fields["account"]
        server = fields["server"]
        currency = fields["currency"]
        ticket = fields["ticket"].flatMap { Int64($0) }
        symbol = fields["symbol"]
        canonicalSymbol = fields["canonical_symbol"]
        direction = fields["direction"].flatMap(Direction.init(rawValue:))
        lot = fields["lot"]
        openPrice = fields["open_price"]
        closePrice = fields["close_price"]
        profit = fields["profit"]
        profitSource = fields["profit_source"].flatMap(ProfitSource.init(rawValue:))
        swap = fields["swap"]
        commission = fields["commission"]
        netProfit = fields["net_profit"].flatMap { Amount($0) }
        stopLoss = fields["sl"]
        takeProfit = fields["tp"]
        reason = fields["reason"]
        message = fields["message"]
        balance = fields["balance"]
        equity = fields["equity"]
        freeMargin = fields["free_margin"]
        isOrphan = fields["orphan"] == "1"
        isLate = fields["late"] == "1"
        isInferred = fields["inferred"] == "1"
        source = fields["source"].flatMap(Source.init(rawValue:)) ?? .message
        witness = fields["witness"]
        isCorrection = fields["correction"] == "1"
        corrects = fields["corrects"]
        toldVolume = fields["told_volume"].flatMap { Amount($0) }
        durableAt = fields["durable_at"].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
        brokerTime = fields["broker_time"]
        duration = fields["duration_s"].flatMap { Int64($0) }
        closedVolume = fields["closed_volume"].flatMap { Amount($0) }
        isFinal = fields["final"] == "1"
        isCounted = fields["counted"] == "1"
        positionProfit = fields["position_profit"].flatMap { Amount($0) }
        recounted = fields["recounted"].map { CountedProfit($0) }
        isRevisable = fields["revisable"] == "1"
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
