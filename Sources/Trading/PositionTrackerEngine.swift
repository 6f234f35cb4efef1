public import Domain

/// The position tracker's whole judgement: who may fire what, where every fire stands, what every position is worth.
///
/// A value without clock or I/O: inputs are method calls with the time, decisions leave as ``TrackerOutput``. The same
/// inputs at the same times give the same outputs. Its memory is a projection of Redis, loaded by `restore…` at a start.
public struct PositionTrackerEngine: Sendable {
    public let policy: RiskPolicy
    public let catalogue: InstrumentCatalogue
    public internal(set) var quotes: QuoteBook
    public internal(set) var terminals = TerminalRegister()
    public internal(set) var users: [String: User] = [:]
    public internal(set) var brakes = Brakes()
    /// Fires whose story is not over.
    public internal(set) var fires: [String: Fire] = [:]
    /// Open positions.
    public internal(set) var positions: [PositionKey: Position] = [:]
    /// Whether state can be written; without it nothing is let through.
    public var stateIsAvailable = false

    /// Fires per terminal that were handed over or are about to be, and those waiting behind them.
    var outstanding: [String: Set<String>] = [:]
    var queues: [String: [String]] = [:]
    var pending: [Int: PendingRequest] = [:]
    /// Which request a fire's answer belongs to, until it is given.
    var tokenOfFire: [String: Int] = [:]
    var positionsByQuote: [QuoteBook.Key: Set<PositionKey>] = [:]
    var dirtyPositions: Set<PositionKey> = []
    var recentFires: [String: [Timestamp]] = [:]
    /// Fires whose slot Redis may have taken without telling us; they were not sent.
    var withdrawn: Set<String> = []

    public init(policy: RiskPolicy, catalogue: InstrumentCatalogue) {
        self.policy = policy
        self.catalogue = catalogue
        quotes = QuoteBook(catalogue: catalogue)
    }

    // MARK: - Loading what Redis has

    public mutating func restore(user: User) { users[user.uuid] = user }

    public mutating func restore(brake scope: BrakeScope, _ setting: Brakes.Setting) { brakes.set(scope, setting) }

    public mutating func restore(position: Position) { insert(position) }

    /// A row that was open when we ended. What was in `sending` may have left: it is unknown, and never sent again.
    /// What only had its slot is withdrawn, since the one who asked was told nothing or `queued` by a process that is gone.
    public mutating func restore(fire: Fire, now: Timestamp, into outputs: inout [TrackerOutput]) {
        guard fires[fire.fireID] == nil else { return }
        fires[fire.fireID] = fire
        if withdrawn.remove(fire.fireID) != nil {
            move(
                fire.fireID, to: .denied, by: "redis outage", reason: DenialReason.stateUnavailable.rawValue, now: now,
                into: &outputs)
            return
        }
        switch fire.state {
        case .sending: move(fire.fireID, to: .unknown, by: "restart", now: now, into: &outputs)
        case .reserved:
            move(fire.fireID, to: .expired, by: "restart", reason: "withdrawn by a restart", now: now, into: &outputs)
        case .sent: outstanding[fire.userUUID, default: []].insert(fire.fireID)
        default: break
        }
    }

    // MARK: - Users

    /// The user, as RECRUIT (or the policy's default) where nobody registered him.
    public func user(_ uuid: String, now: Timestamp) -> User {
        users[uuid] ?? User(uuid: uuid, tier: policy.defaultTier, createdAt: now)
    }

    public mutating func set(user: User, into outputs: inout [TrackerOutput]) {
        users[user.uuid] = user
        outputs.append(.writeUser(user))
        outputs.append(
            .audit(
                event: "user_set",
                ["user_uuid": user.uuid, "tier": user.tier, "state": user.state.rawValue]))
    }

    public func slotsMaximum(of uuid: String, now: Timestamp) -> Int { policy.tier(user(uuid, now: now).tier).slots }

    // MARK: - Brake

    /// Sets or lifts a brake; returns how many terminals it covers.
    public mutating func set(
        brake scope: BrakeScope, to state: BrakeState, reason: String, now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> Int {
        brakes.set(scope, Brakes.Setting(state: state, reason: reason, setAt: now))
        outputs.append(
            .audit(event: "brake", ["scope": scope.description, "state": state.rawValue, "reason": reason]))
        return terminals.byUser.values.count { covers(scope, $0, now) }
    }

    private func covers(_ scope: BrakeScope, _ terminal: Terminal, _ now: Timestamp) -> Bool {
        switch scope {
        case .all, .symbol: true
        case .user(let uuid): terminal.userUUID == uuid
        case .broker(let name): terminal.server == name
        case .tier(let name): user(terminal.userUUID, now: now).tier == name
        }
    }

    // MARK: - Rows

    /// Moves a fire one step, if the table has it; returns whether it moved.
    @discardableResult
    mutating func move(
        _ fireID: String, to state: FireState, by mover: String, reason: String? = nil, now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> Bool {
        guard var fire = fires[fireID], fire.state.canBecome(state) else {
            outputs.append(.count("transitions_refused"))
            return false
        }
        fire.state = state
        if let reason { fire.reason = reason }
        fire.timeline.append(TimelineEntry(state: state.rawValue, at: now, by: mover))
        remember(fire)
        let releases = state == .expired || state == .denied || state == .rejected || state == .neverExecuted
        outputs.append(.move(fire, releasesSlot: releases))
        return true
    }

    /// Keeps a fire while its story goes on, and the terminal's outstanding set in step with it.
    mutating func remember(_ fire: Fire) {
        fires[fire.fireID] = fire.state.isFinal ? nil : fire
        if fire.state.isOutstanding {
            outstanding[fire.userUUID, default: []].insert(fire.fireID)
        } else {
            outstanding[fire.userUUID]?.remove(fire.fireID)
            if outstanding[fire.userUUID]?.isEmpty == true { outstanding[fire.userUUID] = nil }
        }
        if fire.state != .reserved { queues[fire.userUUID]?.removeAll { $0 == fire.fireID } }
        if queues[fire.userUUID]?.isEmpty == true { queues[fire.userUUID] = nil }
    }

    mutating func insert(_ position: Position) {
        positions[position.key] = position
        let key = QuoteBook.Key(source: position.key.server, symbol: position.symbol)
        positionsByQuote[key, default: []].insert(position.key)
    }

    mutating func removePosition(_ key: PositionKey) -> Position? {
        guard let position = positions.removeValue(forKey: key) else { return nil }
        dirtyPositions.remove(key)
        let quoteKey = QuoteBook.Key(source: key.server, symbol: position.symbol)
        positionsByQuote[quoteKey]?.remove(key)
        if positionsByQuote[quoteKey]?.isEmpty == true { positionsByQuote[quoteKey] = nil }
        return position
    }
}

/// A fire request on its way through score, slot and route.
struct PendingRequest: Sendable {
    var request: FireRequest
    var candidates: [FireCandidate]
    var answers: [FireAnswer]
    /// Fires whose slot or hand-over has not been answered.
    var awaiting: Set<String> = []
    var score: Amount?
}

/// A target that passed every check that needs no I/O.
struct FireCandidate: Sendable {
    let fireID: String
    let user: User
    let terminal: Terminal
    let symbol: String
    let canonicalSymbol: String
    let instrument: Instrument
    let entry: Amount
    let equity: Amount
    let currency: String
    let conversionRate: Amount
}
