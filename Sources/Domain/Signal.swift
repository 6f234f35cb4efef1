/// A trading signal as an engine submits it on 5563 and as it lives in `signal:<id>`.
public struct TradeSignal: Sendable, Equatable {
    public var signalID: String
    public var symbol: String
    public var direction: Direction
    public var entryPrice: String?
    public var stopLoss: String?
    public var takeProfit: String?
    public var confidence: String?
    public var createdAt: Timestamp
    public var expiresAt: Timestamp

    public init(signalID: String, symbol: String, direction: Direction, createdAt: Timestamp, expiresAt: Timestamp) {
        self.signalID = signalID
        self.symbol = symbol
        self.direction = direction
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}
