public import Domain

/// What a terminal can be held to: what its looks show of the account.
public enum WitnessKind: String, Sendable {
    /// Every open position, with ticket and comment.
    case positions
    /// Balance, equity and margin.
    case figures
    case none
}

/// The balance moved, and nothing booked has explained it yet.
public struct BalanceStep: Sendable, Equatable {
    public let from: Amount
    public let to: Amount
    /// The figure before was true then, the one after at `at`.
    public let after: Timestamp
    public let at: Timestamp
    /// When we first knew, by which patience is measured.
    public let seenAt: Timestamp
    public var isNoted = false

    public init(from: Amount, to: Amount, after: Timestamp, at: Timestamp, seenAt: Timestamp) {
        self.from = from
        self.to = to
        self.after = after
        self.at = at
        self.seenAt = seenAt
    }

    public var amount: Amount { to - from }
    /// Names it after a restart as before.
    public var subject: String { "\(at.seconds)|\(from.money)|\(to.money)" }
}

/// Something booked that moves, or moved, the balance.
public struct BalanceCause: Sendable, Equatable {
    /// Nil: unknown.
    public let amount: Amount?
    /// How far the balance may differ from it: commission, swap, rounding.
    public let band: Amount
    public let at: Timestamp
    public let ticket: Int64?
    /// An opening, by its commission; else a closing, by its money.
    public let isOpening: Bool
    /// Whether `at` is the event's own time; else it is when it was received, which may be much later.
    public let isTimed: Bool
    /// It has explained a step already.
    public var isSpent = false

    public init(
        amount: Amount?, band: Amount, at: Timestamp, ticket: Int64?, isOpening: Bool = false, isTimed: Bool = true
    ) {
        self.isTimed = isTimed
        self.isOpening = isOpening
        self.amount = amount
        self.band = band
        self.at = at
        self.ticket = ticket
    }
}

/// A quote reached a level at which the broker closes.
public struct Touch: Sendable, Equatable {
    public let isTarget: Bool
    public let at: Timestamp

    public init(isTarget: Bool, at: Timestamp) {
        self.isTarget = isTarget
        self.at = at
    }

    public var reason: String { isTarget ? "TP_HIT" : "SL_HIT" }
}

/// What is kept for a fire whose answer has not come.
public struct FireWatch: Sendable, Equatable {
    /// The balance before it was sent; nil where that is not known.
    public let balanceBefore: Amount?
    /// When that balance was true.
    public let balanceAt: Timestamp?
    public let since: Timestamp
    /// Seconds in which its terminal's chart symbol moved: it reads at most one command a tick.
    public var ticks: Int
    public var lastTick: Timestamp?
    /// Commands that may have waited at the terminal when it was sent: read before it, each by a tick of its own.
    public let ahead: Int

    /// Whether the terminal has had ticks enough to read it.
    var isRead: Bool { ticks >= ReconciliationEngine.ticksToRead + ahead }

    public init(
        balanceBefore: Amount?, balanceAt: Timestamp?, since: Timestamp, ticks: Int = 0, lastTick: Timestamp? = nil,
        ahead: Int = 0
    ) {
        self.ahead = ahead
        self.balanceBefore = balanceBefore
        self.balanceAt = balanceAt
        self.since = since
        self.ticks = ticks
        self.lastTick = lastTick
    }
}

/// A count of looks in a row, and since when.
public struct LookCount: Sendable, Equatable {
    public var count: Int
    public let since: Timestamp
    public var volume: Amount?

    public init(count: Int, since: Timestamp, volume: Amount? = nil) {
        self.count = count
        self.since = since
        self.volume = volume
    }
}

/// All that reconciliation remembers of one account; kept in Redis so that a restart changes nothing.
public struct AccountState: Sendable, Equatable {
    public let server: String
    public let account: String
    public var userUUID: String
    public var nodeID: String?
    public var currency: String?
    public var version: String?
    public var leverage: Amount?
    public var witness = WitnessKind.none
    /// When the last usable look was taken, in UTC; older ones say nothing new.
    public var lookedAt: Timestamp?
    public var balance: Amount?
    public var balanceAt: Timestamp?
    /// Equity minus balance of the last look.
    public var floating: Amount?
    /// Looks in a row that show an account without any position.
    public var flatLooks = 0
    /// Whether the last look shows exposure although nothing is listed.
    public var hasExposure = false
    /// Looks in a row whose unrealised money is not that of our positions, and by how much.
    public var mismatch: LookCount?
    /// Margin per traded value when it last fitted our positions.
    public var margin: MarginRate?
    /// Looks in a row whose margin is not what our positions need.
    public var unfitting: LookCount?
    public var isComplete = false
    public var steps: [BalanceStep] = []
    public var causes: [BalanceCause] = []
    public var touches: [Int64: Touch] = [:]
    /// Our tickets that a complete list does not have.
    public var missing: [Int64: LookCount] = [:]
    /// Our tickets that are listed with less than we have.
    public var reduced: [Int64: LookCount] = [:]
    /// Listed tickets that are not ours.
    public var strangers: [Int64: LookCount] = [:]
    /// When a ticket was last listed.
    public var listedAt: [Int64: Timestamp] = [:]
    /// Tickets that ended a short while ago, by our books.
    public var closed: [Int64: Timestamp] = [:]
    /// When our open tickets were opened, by the terminal's own word.
    public var openedAt: [Int64: Timestamp] = [:]
    /// An operator looked and says it is open.
    public var keptOpen: [Int64: Timestamp] = [:]
    public var watches: [String: FireWatch] = [:]
    /// When the last list was taken: figures beside it are newer and say nothing of tickets.
    public var listTakenAt: Timestamp?
    /// The last list.
    public var theirs: [WitnessedPosition] = []

    static let keptClosed = 64
    static let keptSteps = 32
    static let keptCauses = 32

    public init(server: String, account: String, userUUID: String) {
        self.server = server
        self.account = account
        self.userUUID = userUUID
    }

    public var key: String { PositionKey.accountKey(server: server, account: account) }

    /// When a position was really opened: its confirmation may have come late.
    func opened(_ position: Position) -> Timestamp {
        min(openedAt[position.key.ticket] ?? position.openedAt, position.openedAt)
    }

    func positionKey(_ ticket: Int64) -> PositionKey { PositionKey(server: server, account: account, ticket: ticket) }

    /// A figure of the account that was true then. An older one than is known divides the step it lies in.
    mutating func observe(balance new: Amount, at moment: Timestamp, now: Timestamp) {
        if let balance, let before = balanceAt {
            guard moment > before else { return divide(at: moment, new) }
            if new != balance {
                append(BalanceStep(from: balance, to: new, after: before, at: moment, seenAt: now))
            }
        }
        balance = new
        balanceAt = moment
    }

    /// No money is forgotten: where there are too many steps, those somebody noted go first, then the last grows.
    private mutating func append(_ step: BalanceStep) {
        if steps.count >= AccountState.keptSteps, let noted = steps.firstIndex(where: \.isNoted) {
            steps.remove(at: noted)
        }
        guard steps.count >= AccountState.keptSteps, let last = steps.popLast() else { return steps.append(step) }
        let joined = BalanceStep(from: last.from, to: step.to, after: last.after, at: step.at, seenAt: last.seenAt)
        if !joined.amount.isZero { steps.append(joined) }
    }

    private mutating func divide(at moment: Timestamp, _ middle: Amount) {
        guard let index = steps.firstIndex(where: { $0.after < moment && moment < $0.at && !$0.isNoted }) else {
            return
        }
        let whole = steps[index]
        let parts = [
            BalanceStep(from: whole.from, to: middle, after: whole.after, at: moment, seenAt: whole.seenAt),
            BalanceStep(from: middle, to: whole.to, after: moment, at: whole.at, seenAt: whole.seenAt),
        ]
        steps.replaceSubrange(index...index, with: parts.filter { !$0.amount.isZero })
    }

    mutating func note(_ cause: BalanceCause) {
        causes.append(cause)
        if causes.count > AccountState.keptCauses { causes.removeFirst() }
    }

    mutating func noteClosed(_ ticket: Int64, at moment: Timestamp) {
        closed[ticket] = moment
        touches[ticket] = nil
        missing[ticket] = nil
        reduced[ticket] = nil
        listedAt[ticket] = nil
        openedAt[ticket] = nil
        keptOpen[ticket] = nil
        if closed.count > AccountState.keptClosed,
            let oldest = closed.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })
        {
            closed[oldest.key] = nil
        }
    }
}
