public import Domain

/// One trade event as understood and booked: a row of `trade:<event_id>`, of the stream, and of the live feed.
///
/// Money, prices and lots are the decimal text that arrived, or computed exactly. Absent values are nil.
public struct TradeEvent: Sendable, Equatable {
    public enum ProfitSource: String, Sendable {
        /// The terminal said it.
        case message
        /// The account's balance moved by so much, and only one position can have moved it.
        case balanceStep = "balance_step"
        /// Unrealised profit at the last quote.
        case quote
        /// An operator looked at the account.
        case `operator`
        case unknown
    }

    /// Who said it.
    public enum Source: String, Sendable {
        /// A terminal.
        case message
        /// A second witness: the confirmation itself never came.
        case inferred
        /// A witness first, the terminal later: the figures are the terminal's.
        case merged
    }

    /// Names the effect, not the message: see ``EventIdentity``.
    public var eventID: String
    /// The journal's sequence of the frame.
    public var sequence: UInt64
    public var kind: TradeReport.Kind
    public var fireID: String?
    public var signalID: String?
    /// `unknown` where nothing tells.
    public var userUUID: String
    public var nodeID: String?
    public var account: String?
    public var server: String?
    public var currency: String?
    public var ticket: Int64?
    public var symbol: String?
    public var canonicalSymbol: String?
    public var direction: Direction?
    public var lot: String?
    public var openPrice: String?
    public var closePrice: String?
    /// Realised, without swap and commission where the message has them apart.
    public var profit: String?
    public var profitSource: ProfitSource?
    public var swap: String?
    public var commission: String?
    /// Profit, swap and commission of this closing together.
    public var netProfit: Amount?
    public var stopLoss: String?
    public var takeProfit: String?
    public var reason: String?
    public var message: String?
    public var balance: String?
    public var equity: String?
    public var freeMargin: String?
    /// A fire or ticket nobody here knows.
    public var isOrphan = false
    /// The answer came after its fire's deadline.
    public var isLate = false
    /// Joined to its fire by order of arrival, because the terminal does not say which.
    public var isInferred = false
    public var source = Source.message
    /// What an inferred one was concluded from: `positions`, `flat`, `balance`, `quote`, `operator`.
    public var witness: String?
    /// It replaces what a witness told of the same effect: same id, nothing is opened or closed once more.
    public var isCorrection = false
    /// A correction: the figures it replaces, `name=value|name=value…`.
    public var corrects: String?
    /// A correction of a closing: volume that terminals have told of it by now; the rest may still come.
    public var toldVolume: Amount?
    public var receivedAt: Timestamp
    /// When the frame was on disk, at the latest.
    public var durableAt: Timestamp?
    /// The terminal's clock as it arrived.
    public var brokerTime: String?
    /// From open to close, in seconds.
    public var duration: Int64?
    public var sourcePort: String
    /// A closing: volume of the ticket closed so far, this included.
    public var closedVolume: Amount?
    /// A closing: whether nothing of the position is left.
    public var isFinal = false
    /// A closing: whether it is the one by which the position enters the statistics.
    public var isCounted = false
    /// The position's net profit over all its closings, with the one that is counted.
    public var positionProfit: Amount?
    /// What tells this closing from another of the same ticket.
    public var fingerprint: String?

    public init(eventID: String, kind: TradeReport.Kind, userUUID: String, _ confirmation: Confirmation) {
        self.eventID = eventID
        self.kind = kind
        self.userUUID = userUUID
        sequence = confirmation.sequence
        receivedAt = confirmation.receivedAt
        durableAt = confirmation.durableAt
        sourcePort = confirmation.sourcePort
        witness = confirmation.report.witness
        if confirmation.report.isInferred { source = .inferred }
    }

    /// A correction: the sequence of the booking it replaces.
    public var replacedSequence: UInt64? { corrects.flatMap { BookedFigures($0) }?.event.sequence }

    /// Whether its figures may still be corrected: a witness' word, or one that a terminal has told a part of.
    var isRevocable: Bool {
        guard source != .inferred else { return true }
        guard let toldVolume, let volume = lot.flatMap({ Amount($0) }) else { return false }
        return toldVolume < volume
    }

    /// The currency as statistics name it: letters and digits in upper case, else `unknown`.
    public var statisticsCurrency: String {
        guard let currency, (1...12).contains(currency.utf8.count) else { return "unknown" }
        let isPlain = currency.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        return isPlain ? currency.uppercased() : "unknown"
    }
}

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
            add("fingerprint", fingerprint)
        }
        return fields
    }

    /// Fields whose text is a number, so that JSON can show them as one.
    public static let numericFields: Set<String> = [
        "seq", "ticket", "lot", "open_price", "close_price", "profit", "swap", "commission", "net_profit", "sl", "tp",
        "balance", "equity", "free_margin", "orphan", "late", "inferred", "correction", "received_at",
        "told_volume", "durable_at", "duration_s", "closed_volume", "final", "counted", "position_profit",
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
        fingerprint = fields["fingerprint"]
    }
}
