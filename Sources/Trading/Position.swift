public import Domain

/// One position at a broker, as the mesh follows it.
public struct Position: Sendable, Equatable {
    public enum State: String, Sendable { case open, closed }

    /// What a position is of a hybrid fire's three.
    public enum HybridPart: String, Sendable {
        /// The one the terminal told of: it holds the fire's slot.
        case first
        /// One that a list showed: the fire's too, without a slot of its own.
        case further
    }

    public let key: PositionKey
    public var userUUID: String
    public var nodeID: String
    public var fireID: String?
    public var symbol: String
    public var canonicalSymbol: String
    public var direction: Direction
    public var lot: Amount
    /// What it had before any part of it was closed.
    public var openedLot: Amount
    public var openPrice: Amount
    /// Decimal text as it arrived.
    public var openPriceText: String
    public var stopLoss: String?
    public var takeProfit: String?
    public var currency: String?
    /// What is lost at the stop, in the account's currency; nil where no stop or no conversion rate is known.
    public var risk: Amount?
    public var openedAt: Timestamp
    public var closedAt: Timestamp?
    public var state: State = .open
    public var currentPrice: Amount?
    /// Unrealised, in the account's currency; nil while no quote or conversion rate is there.
    public var currentProfit: Amount?
    public var maximumProfit: Amount?
    public var maximumLoss: Amount?
    /// Realised over all its closings, decimal text, and where the least certain of them comes from; nil while it is
    /// open, and where a part of it is not known.
    public var profit: String?
    public var profitSource: String?
    /// The closings of which that is the sum.
    public var closings = Closings()
    public var closePrice: String?
    public var closeReason: String?
    public var isOrphan = false
    /// Nil where its fire was a plain one, or it has none.
    public var hybridPart: HybridPart?
    /// `message`, or `inferred` where a witness told of it and the terminal has not.
    public var source: String?
    /// The state its fire had been settled in when this position proved that it traded.
    public var contradicts: FireState?

    public init(
        key: PositionKey, userUUID: String, nodeID: String, symbol: String, canonicalSymbol: String,
        direction: Direction, lot: Amount, openPrice: Amount, openPriceText: String, openedAt: Timestamp
    ) {
        self.key = key
        self.userUUID = userUUID
        self.nodeID = nodeID
        self.symbol = symbol
        self.canonicalSymbol = canonicalSymbol
        self.direction = direction
        self.lot = lot
        openedLot = lot
        self.openPrice = openPrice
        self.openPriceText = openPriceText
        self.openedAt = openedAt
    }

    /// The field of `slots:<uuid>` it occupies, if it takes a slot.
    public var slotField: String { hybridPart == .further ? key.description : fireID ?? key.description }

    /// What nobody here fired takes no slot: it is exposure somebody else chose. Nor do a hybrid's further parts.
    public var takesSlot: Bool { !isOrphan && hybridPart != .further }

    /// Follows a quote; returns whether anything changed.
    mutating func follow(_ quote: Quote, contractSize: Amount, rate: Amount?) -> Bool {
        let price = direction == .buy ? quote.bid : quote.ask
        var isChanged = currentPrice != price
        currentPrice = price
        guard let rate else { return isChanged }
        let profit = Profit.amount(
            direction: direction, lot: lot, open: openPrice, price: price, contractSize: contractSize,
            conversionRate: rate
        ).rounded(decimals: 2)
        if profit != currentProfit {
            currentProfit = profit
            isChanged = true
        }
        maximumProfit = max(maximumProfit ?? .zero, profit)
        maximumLoss = min(maximumLoss ?? .zero, profit)
        return isChanged
    }
}
