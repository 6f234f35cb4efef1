public import Domain

/// A trade no terminal told of, concluded from a witness: sent through the journal like a confirmation.
public struct InferredTrade: Sendable, Equatable {
    public enum Kind: String, Sendable { case opened = "order_opened", closed = "order_closed" }

    /// Who saw it. Words of the contract.
    public enum Witness: String, Sendable { case positions, flat, balance, quote, `operator` }

    public var kind: Kind
    public var witness: Witness
    public var key: PositionKey
    public var userUUID: String
    public var nodeID: String?
    public var symbol: String?
    public var direction: Direction?
    /// Opened: what was opened. Closed: set only where a part was closed; nil is all of it.
    public var volume: Amount?
    /// Volume left open after a partial closing, by which one part is told from the next.
    public var volumeLeft: Amount?
    public var price: String?
    /// Decimal text in the account's currency; nil is unknown.
    public var profit: String?
    /// `SL_HIT`, `TP_HIT` where a quote touched the level; an operator's word.
    public var reason: String?
    public var fireID: String?
    public var currency: String?
    /// When it happened at the latest, as the broker's clock reads it: `2025.09.15 19:39:23`. The same after a restart.
    public var closeTime: String?

    public init(_ kind: Kind, _ key: PositionKey, userUUID: String, witness: Witness) {
        self.kind = kind
        self.key = key
        self.userUUID = userUUID
        self.witness = witness
    }

    /// Names the effect, so that one that is under way is not sent again.
    var identity: String { "\(key)|\(kind.rawValue)|\(volumeLeft.map { "\($0)" } ?? "")" }
}

/// What an operator is asked because no witness is certain: `question:<id>`.
public struct ReconciliationQuestion: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case silentClose = "silent_close"
        case unexplainedStep = "unexplained_step"
        case unknownFire = "unknown_fire"
        case ghost
    }

    public enum State: String, Sendable { case open, answered, withdrawn }

    /// Deterministic: the kind and what it is about.
    public let identifier: String
    public let kind: Kind
    /// The ticket, the fire or the step it is about.
    public let subject: String
    public let server: String
    public let account: String
    public var userUUID: String
    public var nodeID: String?
    public var ticket: Int64?
    public var fireID: String?
    public var symbol: String?
    /// Decimal text in `currency`: the money it is about.
    public var money: String?
    public var currency: String?
    /// One sentence for the person who reads it.
    public var text: String
    /// Figures it rests on, by name.
    public var evidence: [(name: String, value: String)]
    public var askedAt: Timestamp
    public var state = State.open
    public var answer: String?
    public var answeredAt: Timestamp?
    public var reason: String?

    public init(
        _ kind: Kind, about subject: String, server: String, account: String, userUUID: String, text: String,
        evidence: [(name: String, value: String)] = [], askedAt: Timestamp
    ) {
        self.kind = kind
        self.subject = subject
        let key = PositionKey.accountKey(server: server, account: account)
        identifier = "\(kind.rawValue)|\(key)|\(KeyPart.encode(subject))"
        self.server = server
        self.account = account
        self.userUUID = userUUID
        self.text = text
        self.evidence = evidence
        self.askedAt = askedAt
    }

    public var accountKey: String { PositionKey.accountKey(server: server, account: account) }

    public static func == (left: ReconciliationQuestion, right: ReconciliationQuestion) -> Bool {
        left.identifier == right.identifier && left.state == right.state && left.text == right.text
            && left.money == right.money && left.answer == right.answer && left.askedAt == right.askedAt
    }
}

/// What an operator answered.
public struct ReconciliationAnswer: Sendable, Equatable {
    public enum Word: String, Sendable, CaseIterable {
        case closed, open
        case neverExecuted = "never_executed"
        case rejected, filled, noted
    }

    public var word: Word
    public var profit: String?
    /// The closing price, or with `filled` the opening price.
    public var price: String?
    public var ticket: Int64?
    public var reason: String

    public init(_ word: Word, reason: String) {
        self.word = word
        self.reason = reason
    }
}

/// What reconciliation wants done, in this order.
public enum ReconciliationOutput: Sendable, Equatable {
    /// Send to confirmation-logger until it is answered; sending it twice is one event.
    case infer(InferredTrade)
    /// An unknown fire certainly never traded.
    case settle(fireID: String, FireState, reason: String, by: String)
    /// Write the question, new or changed.
    case ask(ReconciliationQuestion)
    /// A witness answered it meanwhile.
    case withdraw(questionID: String, reason: String)
    /// What is remembered of the account changed: write it, and what is shown.
    case write(accountKey: String)
    /// The terminal's list has another volume than its first report: hybrid parts.
    case adjustLot(PositionKey, Amount)
    /// Look the fire up in the ledger; answered by `fireFound`.
    case findFire(fireID: String, accountKey: String)
    case audit(event: String, [String: String])
    case count(String)
}
