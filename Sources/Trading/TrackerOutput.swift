public import Domain

/// What a terminal is told. The service writes it as compact flat JSON.
public enum TerminalCommand: Sendable, Equatable {
    case fire(Fire)
    case closeTicket(Int64)
    case closeAll
    case ping(String)
}

/// What a booked event changes, to be written and acknowledged in one step.
public struct EventEffect: Sendable, Equatable {
    public let entryID: String
    /// The fire in its new state, if it moved.
    public var fire: Fire?
    /// Whether the fire's slot is given back.
    public var releasesSlot = false
    /// Whether the fire was settled as one that did not trade, and this is the first to show that it did.
    public var contradicts = false
    public var opened: [Position] = []
    public var closed: [Position] = []
    /// Still open, with less in them.
    public var reduced: [Position] = []
    /// Rows whose figures a real confirmation puts right after a witness's word. Nothing is opened, closed or freed.
    public var corrected: [PositionCorrection] = []
    /// What a closing realised, booked into its user's day.
    public var day: DayBooking?

    public init(entryID: String) { self.entryID = entryID }

    /// Another booking of the same user's day: its sums are the newer ones.
    mutating func add(_ booking: DayBooking?) {
        guard let booking else { return }
        day = day.map { $0.followed(by: booking) } ?? booking
    }
}

/// What the tracker wants done, in this order. The service does it and feeds answers back.
public enum TrackerOutput: Sendable, Equatable {
    /// Take a slot and write the row if the id is new; answered by `reservationAnswered`.
    case reserve(Fire, slotsMaximum: Int)
    /// Make a many-user request one: answered by `batchClaimed`.
    case claimBatch(token: Int, fireID: String)
    /// Ask CITADEL; answered by `scoreAnswered`.
    case requestScore(token: Int, ScoreRequest)
    /// Write a denied row.
    case recordDenial(Fire)
    /// Move a row if Redis has it in a state it may come from. `sending` is answered by `moveAnswered`.
    case move(Fire, releasesSlot: Bool)
    /// Hand a command to libzmq; for a fire answered by `commandHandedOver`.
    case send(identity: [UInt8], userUUID: String, TerminalCommand)
    /// The request is decided.
    case answer(token: Int, [FireAnswer])
    /// Write what an event changed and acknowledge it.
    case apply(EventEffect)
    /// Positions whose figures changed.
    case writePositions([Position])
    case writeUser(User)
    case writeBrake(BrakeScope, Brakes.Setting)
    /// A routing identity to be kept over a restart of ours.
    case rememberIdentity(nodeID: String, userUUID: String, identity: [UInt8], heardAt: Timestamp)
    /// Somebody else spoke under it: it must not be used after a restart either.
    case forgetIdentity(nodeID: String)
    /// What is to be done about connections and names on the command port.
    case terminal(TerminalAction)
    case rememberEarlyClose(EarlyClose)
    case forgetEarlyClose(PositionKey)
    case audit(event: String, [String: String])
    /// Something an operator should see counted, by a stable name.
    case count(String)
}

/// What CITADEL is asked about a trade.
public struct ScoreRequest: Sendable, Equatable {
    public var symbol: String
    public var direction: Direction
    public var entry: Amount
    public var stopLoss: Amount?
    public var takeProfit: Amount?
    public var signalID: String?
}

/// What the slot script answered.
public enum ReservationResult: Sendable, Equatable {
    case reserved(slotsUsed: Int)
    case duplicate(state: String)
    case noSlot(slotsUsed: Int)
    /// Redis did not answer: whether the slot is taken is unknown until it is back.
    case unavailable
}

/// What the script said to a position that is opened by hand.
public enum OpenResult: Sendable, Equatable {
    case opened(slotsUsed: Int)
    case exists
    case noSlot(slotsUsed: Int)
    case unavailable
}

/// Fields of a position's row that are to be replaced, if the row is there.
public struct PositionCorrection: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public let name: String
        public let value: String
    }

    public let key: PositionKey
    public var fields: [Field] = []
    /// One of the closings the row has the sum of. The sum of a row that is closed follows it.
    public var closing: Closing?
    public var isClosed = false

    init(
        _ key: PositionKey, closing: Closing? = nil, isClosed: Bool = false, _ fields: [(name: String, value: String?)]
    ) {
        self.key = key
        self.closing = closing
        self.isClosed = isClosed
        self.fields = fields.compactMap { field in field.value.map { Field(name: field.name, value: $0) } }
    }
}

public enum HandOver: Sendable, Equatable { case sent, unreachable, full }
