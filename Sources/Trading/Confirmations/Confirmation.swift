public import Domain

/// One confirmation as the journal has it: what a terminal said, when and where it arrived.
public struct Confirmation: Sendable, Equatable {
    /// The journal's sequence.
    public var sequence: UInt64
    public var receivedAt: Timestamp
    /// When it was on disk, at the latest; nil where nobody has looked yet.
    public var durableAt: Timestamp?
    /// Name of the port it came in on, `ea-confirmations` or `ea-receipts`.
    public var sourcePort: String
    /// Hexadecimal digest of the frame's bytes.
    public var frameHash: String
    public var report: TradeReport

    public init(
        sequence: UInt64, receivedAt: Timestamp, sourcePort: String, frameHash: String, report: TradeReport
    ) {
        self.sequence = sequence
        self.receivedAt = receivedAt
        self.sourcePort = sourcePort
        self.frameHash = frameHash
        self.report = report
    }
}

/// What has to be looked up before a confirmation can be understood. Absent parts are nil.
public struct ConfirmationQuestion: Sendable, Equatable {
    public enum Positions: String, Sendable {
        case none = ""
        /// The ticket's position, if it is known.
        case own
        /// The ticket's position, and the tickets the account has open.
        case one
        /// Every open position of the account.
        case all
    }

    public var userUUID: String?
    public var nodeID: String?
    public var account: String?
    public var server: String?
    public var fireID: String?
    public var ticket: Int64?
    public var positions: Positions
    /// Whether the user's outstanding fires are wanted, to join by order of arrival.
    public var wantsOutstandingFires: Bool

    public init(_ report: TradeReport) {
        userUUID = report.userUUID
        nodeID = report.nodeID
        account = report.account
        server = report.server
        // 7.01 knows no fire_id; it gives back what its command called signal_id.
        fireID = report.fireID ?? report.signalID
        ticket = report.ticket
        switch report.kind {
        case .opened: positions = report.ticket == nil ? .none : .own
        case .closed where report.ticket != nil && report.profit != nil:
            // The money is said: what else is open does not matter.
            positions = .own
        case .closed, .closeFailed: positions = report.ticket == nil && fireID == nil ? .none : .one
        case .closedAll: positions = .all
        case .closedSome, .failed, .unknownCommand: positions = .none
        }
        wantsOutstandingFires = fireID == nil && ConfirmationQuestion.mayAnswerFire(report)
    }

    /// For an event that was decided before: only its position's life, which it goes on.
    public init?(_ event: TradeEvent) {
        guard let ticket = event.ticket, let account = event.account else { return nil }
        userUUID = event.userUUID
        self.account = account
        self.ticket = ticket
        positions = .none
        wantsOutstandingFires = false
    }

    /// 2.01 and 2.02 answer a fire without naming it; the own form, which can, would have.
    static func mayAnswerFire(_ report: TradeReport) -> Bool {
        guard report.kind == .opened || report.kind == .failed, !report.isInferred else { return false }
        return report.openTime == nil && report.comment == nil && report.magicNumber == nil
    }
}

/// What Redis knew about a confirmation. Everything may be absent: the terminal, the fire, the position, all of Redis.
public struct ConfirmationContext: Sendable, Equatable {
    /// The user, account and server as far as message, node, fire and lifecycle tell, in that order.
    public var userUUID: String?
    public var account: String?
    public var server: String?
    /// The ticket; where the message names only its fire, the one that fire was filled with.
    public var ticket: Int64?
    /// Fields of `node:<id>`, with its `node_id`.
    public var node: [String: String] = [:]
    /// Fields of `fire:<id>`; empty where there is no such fire.
    public var fire: [String: String] = [:]
    /// Fields of `lifecycle:<user>|<account>|<ticket>`, of the ticket or of every open position of the account.
    public var lifecycles: [Int64: [String: String]] = [:]
    /// Fields of `position:<key>`, of one or of all open positions of the account.
    public var positions: [[String: String]] = []
    /// Tickets of the account's open positions, as the tracker has them: it may be some events behind.
    public var openTickets: [Int64] = []
    /// Rows of the user's outstanding fires, each with its `fire_id`.
    public var outstandingFires: [[String: String]] = []
    /// `user_uuid`, `account` and `server` of the terminal that runs the account the message is about; of any server
    /// where the message names none. `bound_to`: whom an operator bound to it at that server,
    /// with spaces between them.
    public var accountNode: [String: String] = [:]

    public init() {}
}

extension TradeReport {
    /// Concluded from a witness by position-tracker, not said by a terminal.
    public var isInferred: Bool { source == TradeEvent.Source.inferred.rawValue }
}
