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
    /// It replaces what a witness told of the same effect, or the money that was estimated: same id, nothing is opened
    /// or closed once more.
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
    /// The position's net profit over all its closings: of the one that is counted, and of a correction of another one
    /// that comes after it.
    public var positionProfit: Amount?
    /// A closing that is not the counted one, or a correction of such a one: the position was counted before, with this
    /// profit.
    public var recounted: CountedProfit?
    /// Another closing of the position may still be corrected or told, and ``positionProfit`` with it.
    public var isRevisable = false
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

    /// Whether its figures may still be corrected. Its opposite is final: a repeat changes nothing.
    public var isRevocable: Bool { awaitsTerminal || awaitsMoney }

    /// A witness' word, of which terminals have told nothing or a part.
    var awaitsTerminal: Bool {
        guard source != .inferred else { return true }
        guard let toldVolume, let volume = lot.flatMap({ Amount($0) }) else { return false }
        return toldVolume < volume
    }

    /// A closing whose money is an estimate, or nobody's knowledge: a terminal may still say it.
    var awaitsMoney: Bool { kind == .closed && profitSource != .message }

    /// The scopes it is counted in, as one text: a position moves from class to class only within the same ones.
    var statisticsPlace: String {
        [canonicalSymbol ?? "", account ?? "", server ?? "", statisticsCurrency].map { KeyPart.encode($0) }
            .joined(separator: "|")
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
