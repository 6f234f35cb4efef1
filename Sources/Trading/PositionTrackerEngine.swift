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
    /// Who PULLs commands, and from which listener.
    var pulls = PullPeers()
    public internal(set) var users: [String: User] = [:]
    public internal(set) var brakes = Brakes()
    /// Fires whose story is not over, and fills whose ticket is not known.
    public internal(set) var fires: [String: Fire] = [:]
    /// Open positions.
    public internal(set) var positions: [PositionKey: Position] = [:]
    /// What users realised today.
    public internal(set) var days: [String: UserDay] = [:]
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
    /// Fires in `sending` that have not left and must not any more, with what stopped them.
    var stopped: [String: String] = [:]
    var firesByUser: [String: Set<String>] = [:]
    var positionsByUser: [String: Set<PositionKey>] = [:]
    var outcomes = OutcomeWindow()
    /// Closings that came before their openings.
    public internal(set) var earlyCloses: [PositionKey: EarlyClose] = [:]
    var nextEarlyLook = Timestamp(milliseconds: 0)
    /// Fires that are over and of which something may still be told.
    var settled = BoundedMemory<String, Fire>(limit: 10_000)
    /// Hybrids that traded, also when their first position is closed: more of theirs may be found.
    var hybrids = BoundedMemory<String, Fire>(limit: 10_000)
    /// Open positions of fires that had been settled as ones that did not trade.
    var contradicting: Set<PositionKey> = []
    /// Fires whose story ended in this process.
    var ended = BoundedMemory<String, Bool>(limit: 20_000)
    /// Stream entries taken lately: after a reconnection Redis gives again what it has no acknowledgement of yet.
    var recentEntries = BoundedMemory<String, Bool>(limit: 20_000)

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
        guard fires[fire.fireID] == nil, !fire.isOver else { return }
        let wasWithdrawn = withdrawn.remove(fire.fireID) != nil
        // Its end may be on the way to the row that was read.
        guard wasWithdrawn || ended[fire.fireID] != true else { return }
        remember(fire)
        switch fire.state {
        // Its slot script was not answered to this process, so it did not hand the frame over.
        case .sending where wasWithdrawn:
            move(
                fire.fireID, to: .denied, by: "redis outage", reason: DenialReason.stateUnavailable.rawValue, now: now,
                into: &outputs)
        case .sending: move(fire.fireID, to: .unknown, by: "restart", now: now, into: &outputs)
        case .reserved:
            let mover = wasWithdrawn ? "redis outage" : "restart"
            move(fire.fireID, to: .expired, by: mover, reason: "withdrawn by a \(mover)", now: now, into: &outputs)
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
                [
                    "user_uuid": user.uuid, "tier": user.tier, "state": user.state.rawValue,
                    "risk_pct": user.riskPercent?.description ?? "",
                    "daily_loss_pct": user.dailyLossPercent?.description ?? "",
                    "open_risk_pct": user.openRiskPercent?.description ?? "",
                ]))
    }

    public func slotsMaximum(of uuid: String, now: Timestamp) -> Int { policy.tier(user(uuid, now: now).tier).slots }

    // MARK: - Brake

    /// Sets or lifts a brake; in force for whatever leaves next. Returns how many terminals it covers.
    public mutating func set(
        brake scope: BrakeScope, to state: BrakeState, reason: String, by actor: String = "operator", now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> Int {
        let before = brakes.settings[scope]?.state ?? .active
        let setting = Brakes.Setting(state: state, reason: reason, setAt: now)
        brakes.set(scope, setting)
        // What led to a brake must not put it on again the moment it is lifted.
        if scope == .all, state == .active { outcomes.clear() }
        let covered = terminals.byUser.values.count { covers(scope, $0, now) }
        outputs.append(.writeBrake(scope, setting))
        outputs.append(
            .audit(
                event: "brake",
                [
                    "scope": scope.description, "state": state.rawValue, "before": before.rawValue, "reason": reason,
                    "by": actor, "terminals": String(covered),
                ]))
        return covered
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
        guard var fire = fires[fireID], fire.become(state, at: now, by: mover) else {
            outputs.append(.count("transitions_refused"))
            return false
        }
        if let reason { fire.reason = reason }
        remember(fire)
        outputs.append(.move(fire, releasesSlot: state.releasesSlot))
        if state == .unknown, mover != "restart" { weigh(.unknown, now: now, into: &outputs) }
        return true
    }

    /// Keeps a fire while its story goes on, and the terminal's outstanding set in step with it.
    mutating func remember(_ fire: Fire) {
        ended[fire.fireID] = fire.isOver ? true : nil
        if fire.isRevisable {
            settled[fire.fireID] = fire
        } else if fire.isOver, fire.state != .denied, fire.state != .expired {
            // A second request of the same id, which ends denied, says nothing of the first.
            settled[fire.fireID] = nil
        }
        if fire.isOver {
            fires[fire.fireID] = nil
            stopped[fire.fireID] = nil
            firesByUser[fire.userUUID]?.remove(fire.fireID)
            if firesByUser[fire.userUUID]?.isEmpty == true { firesByUser[fire.userUUID] = nil }
        } else {
            fires[fire.fireID] = fire
            firesByUser[fire.userUUID, default: []].insert(fire.fireID)
        }
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
        positionsByUser[position.userUUID, default: []].insert(position.key)
        let key = QuoteBook.Key(source: position.key.server, symbol: position.symbol)
        positionsByQuote[key, default: []].insert(position.key)
        if position.contradicts != nil { contradicting.insert(position.key) }
    }

    mutating func removePosition(_ key: PositionKey) -> Position? {
        guard let position = positions.removeValue(forKey: key) else { return nil }
        dirtyPositions.remove(key)
        contradicting.remove(key)
        positionsByUser[position.userUUID]?.remove(key)
        if positionsByUser[position.userUUID]?.isEmpty == true { positionsByUser[position.userUUID] = nil }
        let quoteKey = QuoteBook.Key(source: key.server, symbol: position.symbol)
        positionsByQuote[quoteKey]?.remove(key)
        if positionsByQuote[quoteKey]?.isEmpty == true { positionsByQuote[quoteKey] = nil }
        return position
    }
}
