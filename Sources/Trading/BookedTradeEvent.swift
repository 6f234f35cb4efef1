public import Domain

/// One booked event of `events:trades`: what confirmation-logger made durable and handed over.
public struct BookedTradeEvent: Sendable, Equatable {
    public var entryID: String
    public var eventID: String
    public var kind: TradeReport.Kind
    public var fireID: String?
    public var userUUID: String?
    public var nodeID: String?
    public var account: String?
    public var server: String?
    public var currency: String?
    public var ticket: Int64?
    public var symbol: String?
    public var direction: Direction?
    public var lot: String?
    public var openPrice: String?
    public var closePrice: String?
    public var profit: String?
    public var profitSource: String?
    public var stopLoss: String?
    public var takeProfit: String?
    public var reason: String?
    public var message: String?
    public var balance: String?
    public var equity: String?
    public var isOrphan: Bool
    /// Whether a close leaves nothing open; a partial one does.
    public var isFinal: Bool
    public var receivedAt: Timestamp

    /// Reads a stream entry; nil where its kind is none of ours.
    public init?(entryID: String, fields: [String: String]) {
        guard let kind = fields["kind"].flatMap(TradeReport.Kind.init(rawValue:)) else { return nil }
        func text(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }
        self.entryID = entryID
        self.kind = kind
        eventID = text("event_id") ?? entryID
        fireID = text("fire_id")
        userUUID = text("user_uuid")
        nodeID = text("node_id")
        account = text("account")
        server = text("server")
        currency = text("currency")
        ticket = text("ticket").flatMap { Int64($0) }
        symbol = text("symbol")
        direction = text("direction").flatMap { Direction(wire: $0) }
        lot = text("lot")
        openPrice = text("open_price")
        closePrice = text("close_price")
        profit = text("profit")
        profitSource = text("profit_source")
        stopLoss = text("sl")
        takeProfit = text("tp")
        reason = text("reason")
        message = text("message")
        balance = text("balance")
        equity = text("equity")
        isOrphan = text("orphan") == "1"
        isFinal = text("final") != "0"
        receivedAt = Timestamp(milliseconds: text("received_at").flatMap { Int64($0) } ?? 0)
    }

    /// The position's name, where server, account and ticket are known.
    public var positionKey: PositionKey? {
        guard let account, let ticket else { return nil }
        return PositionKey(server: server ?? "unknown", account: account, ticket: ticket)
    }
}
