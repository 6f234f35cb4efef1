public import Domain

/// One step in a fire's life.
public struct TimelineEntry: Sendable, Equatable {
    /// `signal score slot sending sent answer durable applied`, or the state it went to otherwise.
    public let state: String
    public let at: Timestamp
    /// What moved it: `request`, `citadel-monitor`, `slot script`, `libzmq`, `terminal`, `deadline`, `restart`, …
    public let by: String

    public init(state: String, at: Timestamp, by: String) {
        self.state = state
        self.at = at
        self.by = by
    }
}

/// A moment of a fire's life that its row has a field for: `<name>_at`, epoch milliseconds.
public enum FireMoment: String, Sendable, CaseIterable {
    /// When the signal it follows was published; absent where it follows none.
    case signal
    /// When CITADEL's score came, or the wait for it was over.
    case score
    case reserved, sending, sent
    /// When the terminal's answer reached us.
    case answered
    /// When the answer was on disk.
    case durable
    /// When the answer's effect was decided and written.
    case applied
    case unknown
    /// When its story was over.
    case resolved
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
    /// In which three parts it is to be opened; nil for one.
    public var hybrid: HybridPlan?
    public var signalID: String?
    public var protectionScore: Amount?
    /// CITADEL's factors as it answered them, JSON text.
    public var factors: String?
    public var risk: RiskAssessment?
    /// The terminal's own quote the risk was taken from.
    public var quoteBid: Amount?
    public var quoteAsk: Amount?
    public internal(set) var state: FireState
    /// The state its last move came from: what the row in Redis must have for the move to be written. Not kept.
    public internal(set) var previousState: FireState
    /// Whether the terminal's answer came after the deadline. It is booked as what happened all the same.
    public var isLate = false
    /// Whether a position proved that it traded after it had been settled as one that did not. Its state stays what it
    /// was, and its counters too: what happened is told beside it.
    public var isContradicted = false
    public var reason: String?
    /// The position it became.
    public var ticket: Int64?
    public var createdAt: Timestamp
    public var expiresAt: Timestamp
    public var times: [FireMoment: Timestamp] = [:]
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
        previousState = state
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }

    /// Whether nothing more is expected of it. A fill without a ticket still waits for its position to be found.
    public var isOver: Bool { state.isFinal && !(state == .filled && ticket == nil) }

    /// Whether it is over without a trade, as far as we know.
    var canBeContradicted: Bool { (state == .neverExecuted || state == .rejected) && ticket == nil }
    /// Whether it is over, and something may still be told of it: that it traded after all, or the terminal's own word.
    public var isRevisable: Bool {
        guard isOver else { return false }
        return canBeContradicted || ((state == .filled || isContradicted) && times[.answered] == nil)
    }

    /// Adds a step to its timeline, and to the moment's field.
    mutating func note(_ step: String, _ moment: FireMoment?, at time: Timestamp, by mover: String) {
        timeline.append(TimelineEntry(state: step, at: time, by: mover))
        if let moment { times[moment] = time }
    }

    /// One step of the transition table; returns whether the table has it.
    mutating func become(_ next: FireState, at now: Timestamp, by mover: String) -> Bool {
        guard state.canBecome(next) else { return false }
        previousState = state
        state = next
        switch next {
        case .sending: note("sending", .sending, at: now, by: mover)
        case .sent: note("sent", .sent, at: now, by: mover)
        case .unknown: note("unknown", .unknown, at: now, by: mover)
        case .reserved, .acknowledged: break
        case .filled, .rejected, .neverExecuted, .expired, .denied:
            note(next.rawValue, .resolved, at: now, by: mover)
        }
        return true
    }

    /// The terminal's or a witness's answer: through `acknowledged` where it was awaited, at once where it was unknown.
    mutating func take(_ answer: FireState, at now: Timestamp, by mover: String) -> Bool {
        let before = state
        let path: [FireState] = before.canBecome(.acknowledged) ? [.acknowledged, answer] : [answer]
        for next in path {
            guard state.canBecome(next) else {
                state = before
                return false
            }
            state = next
        }
        previousState = before
        note("applied", .applied, at: now, by: mover)
        times[.resolved] = now
        return true
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
    public var hybrid: HybridPlan?
    public var signalID: String?
    /// When the signal was published, where that is known.
    public var signalAt: Timestamp?
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
    public var hybrid: HybridPlan?
    public var slotsUsed: Int?
    public var slotsMaximum: Int?
    public var risk: RiskAssessment?
    public var protectionScore: Amount?
}
