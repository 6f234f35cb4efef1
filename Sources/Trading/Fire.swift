public import Domain

/// One step in a fire's life.
public struct TimelineEntry: Sendable, Equatable {
    public let state: String
    public let at: Timestamp
    /// What moved it: `request`, `score`, `slot script`, `libzmq`, `confirmation`, `deadline`, `restart`.
    public let by: String

    public init(state: String, at: Timestamp, by: String) {
        self.state = state
        self.at = at
        self.by = by
    }
}

/// One commanded trade: a row of the ledger.
public struct Fire: Sendable, Equatable {
    public let fireID: String
    public let userUUID: String
    public var nodeID: String
    public var server: String
    public var account: String
    /// The broker's own name of the symbol, as the command carries it.
    public var symbol: String
    public var canonicalSymbol: String
    public var direction: Direction
    public var lot: Amount
    public var entry: String?
    public var stopLoss: String?
    public var takeProfit: String?
    public var signalID: String?
    public var protectionScore: Amount?
    public var risk: RiskAssessment?
    public var state: FireState
    public var reason: String?
    /// The position it became.
    public var ticket: Int64?
    public var createdAt: Timestamp
    public var expiresAt: Timestamp
    public var timeline: [TimelineEntry] = []

    public init(
        fireID: String, userUUID: String, nodeID: String, server: String, account: String, symbol: String,
        canonicalSymbol: String, direction: Direction, lot: Amount, state: FireState, createdAt: Timestamp,
        expiresAt: Timestamp
    ) {
        self.fireID = fireID
        self.userUUID = userUUID
        self.nodeID = nodeID
        self.server = server
        self.account = account
        self.symbol = symbol
        self.canonicalSymbol = canonicalSymbol
        self.direction = direction
        self.lot = lot
        self.state = state
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }

    /// The longest id that survives MT5's order comment, which a witness joins on.
    public static let maximumIDLength = 31
    /// What leaves room for `.<n>` where one request addresses many.
    public static let maximumBatchIDLength = 24

    public static func isValidID(_ text: String, maximum: Int = maximumIDLength) -> Bool {
        guard (1...maximum).contains(text.utf8.count) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}

/// What somebody asks to be fired, before anybody's terminal was looked at.
public struct FireRequest: Sendable, Equatable {
    public enum Target: Sendable, Equatable {
        case user(String)
        case users([String])
        case tier(String)
        case all
    }

    public var fireID: String
    public var target: Target
    public var symbol: String
    public var direction: Direction
    public var entry: Amount?
    public var stopLoss: Amount?
    public var takeProfit: Amount?
    public var size: RiskCalculator.Size
    public var signalID: String?
    public var expiresAt: Timestamp?

    public init(
        fireID: String, target: Target, symbol: String, direction: Direction, size: RiskCalculator.Size = .cap
    ) {
        self.fireID = fireID
        self.target = target
        self.symbol = symbol
        self.direction = direction
        self.size = size
    }
}

/// What became of one target of a request.
public struct FireAnswer: Sendable, Equatable {
    public enum State: String, Sendable { case sent, queued, denied }

    public var fireID: String
    public var userUUID: String
    public var state: State
    public var denial: Denial?
    public var lot: Amount?
    public var slotsUsed: Int?
    public var slotsMaximum: Int?
    public var risk: RiskAssessment?
    public var protectionScore: Amount?
}
