import Domain
import Testing

@testable import Trading

/// An engine with a model of Redis, of libzmq and of a broker around it: everything a fire can meet, by the dice.
///
/// The model of Redis moves rows as the scripts do: only from the state the engine says they come from. Whatever the
/// process forgets when it dies is read back from it.
struct LedgerWorld {
    struct Trade {
        let ticket: Int64
        let userUUID: String
        /// What is open of it loses so much at its stop.
        var lossAtStop: Amount
        var isOpen = true
        /// What the broker paid for the part that was closed first; nil where none was.
        var partProfit: Amount?
        /// Somebody said that it never traded.
        var isDisowned = false
    }

    var fixture: TrackerFixture
    let policy: RiskPolicy
    let users = ["user_1", "user_22"]
    // What Redis has.
    var rows: [String: Fire] = [:]
    var slots: [String: Set<String>] = [:]
    var counters: [String: Int] = [:]
    var positions: [PositionKey: Position] = [:]
    var days: [String: UserDay] = [:]
    var earlyCloses: [PositionKey: EarlyClose] = [:]
    var pendingEvents: [(entry: String, event: TradeEvent)] = []
    var acknowledged: Set<String> = []
    /// On the way to Redis, answered in order.
    var wire: [TrackerOutput] = []
    /// Moves that Redis carried out before it went away: their answers come when it is back. Nothing takes effect twice,
    /// which is what the mark in the real script is for.
    var swallowed: [(fire: Fire, isDone: Bool)] = []
    var scoreTokens: [Int] = []
    var isRedisUp = true
    // What happened outside.
    var frames: [String: Int] = [:]
    var trades: [String: Trade] = [:]
    var refusedByBroker: Set<String> = []
    /// What confirmation-logger has booked: by event, who told it.
    var booked: [String: String] = [:]
    var lost: [String: Amount] = [:]
    var asked: Set<Int> = []
    var answers: [Int: Int] = [:]
    var violations: [String] = []
    var refusedMoves = 0
    var granted = 0
    private var nextTicket: Int64 = 1000
    private var nextEntry = 0
    private var handled = 0

    static let equity = Amount(10_000)

    init(policy: RiskPolicy) {
        self.policy = policy
        fixture = TrackerFixture(policy: policy)
        start()
    }

    func node(_ user: String) -> String { user == "user_1" ? "NODE_1_1" : "NODE_2_2" }

    /// A process begins: terminals come back, users are known, the market moves.
    mutating func start() {
        let now = fixture.now
        fixture = TrackerFixture(policy: policy)
        fixture.now = now
        for user in users {
            fixture.engine.restore(user: User(uuid: user, tier: "CAPTAIN", createdAt: now))
            fixture.connect(user, node: node(user), identity: Array(user.utf8))
            fixture.moveMarket(node: node(user))
        }
        handled = fixture.outputs.count
        for position in positions.values where position.state == .open { fixture.engine.restore(position: position) }
        for day in days.values { fixture.engine.restore(day: day) }
        for close in earlyCloses.values { fixture.engine.restore(early: close) }
        for row in rows.values { fixture.engine.restore(settled: row) }
        reload()
    }

    /// The process dies where it stands: what it meant to write is gone, what it meant to send is not sent.
    mutating func crash() {
        wire = []
        swallowed = []
        scoreTokens = []
        asked = []
        isRedisUp = true
        start()
        for (entry, event) in pendingEvents {
            fixture.engine.apply(event, entryID: entry, now: fixture.now, into: &fixture.outputs)
        }
    }

    mutating func reload() {
        for row in rows.values.sorted(by: { $0.fireID < $1.fireID }) where !row.isOver {
            fixture.engine.restore(fire: row, now: fixture.now, into: &fixture.outputs)
        }
    }

    // MARK: - Outputs

    mutating func request(_ request: FireRequest, token: Int) {
        asked.insert(token)
        fixture.engine.fire(request, token: token, now: fixture.now, into: &fixture.outputs)
    }

    /// Carries out what the engine wants; the dice decide what fails and how many answers come. Returns false where the
    /// process died on the way.
    mutating func run(_ generator: inout SeededGenerator, answers budget: Int = .max, deadly: Bool) -> Bool {
        guard execute(&generator, deadly: deadly) else { return false }
        for _ in 0..<budget {
            if let token = scoreTokens.first {
                scoreTokens.removeFirst()
                let score = Bool.random(using: &generator) ? Amount(7) : nil
                fixture.engine.scoreAnswered(token: token, score: score, now: fixture.now, into: &fixture.outputs)
            } else if isRedisUp, !wire.isEmpty {
                pump(1)
            } else {
                return true
            }
            guard execute(&generator, deadly: deadly) else { return false }
        }
        return true
    }

    /// What leaves the engine leaves at once: only answers take their time.
    private mutating func execute(_ generator: inout SeededGenerator, deadly: Bool) -> Bool {
        while handled < fixture.outputs.count {
            let output = fixture.outputs[handled]
            handled += 1
            if deadly, Int.random(in: 0..<60, using: &generator) == 0 { return false }
            switch output {
            case .requestScore(let token, _): scoreTokens.append(token)
            case .send(_, _, .fire(let fire)): send(fire, &generator)
            case .answer(let token, _): answers[token, default: 0] += 1
            case .reserve(let fire, _) where !isRedisUp:
                fixture.engine.reservationAnswered(
                    fireID: fire.fireID, .unavailable, now: fixture.now, into: &fixture.outputs)
            case .reserve, .move, .apply, .recordDenial, .rememberEarlyClose, .forgetEarlyClose: wire.append(output)
            default: break
            }
            check()
        }
        return true
    }

    private mutating func send(_ fire: Fire, _ generator: inout SeededGenerator) {
        guard Int.random(in: 0..<10, using: &generator) > 0 else {
            let result: HandOver = Bool.random(using: &generator) ? .unreachable : .full
            return fixture.engine.commandHandedOver(
                fireID: fire.fireID, result, now: fixture.now, into: &fixture.outputs)
        }
        frames[fire.fireID, default: 0] += 1
        granted += 1
        if rows[fire.fireID]?.state != .sending { violations.append("\(fire.fireID) left without a row that says so") }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: break
        case 1: refusedByBroker.insert(fire.fireID)
        default:
            nextTicket += 1
            trades[fire.fireID] = Trade(
                ticket: nextTicket, userUUID: fire.userUUID, lossAtStop: fire.risk?.amount ?? .zero)
        }
        fixture.engine.commandHandedOver(fireID: fire.fireID, .sent, now: fixture.now, into: &fixture.outputs)
    }

    // MARK: - The terminals' answers

    /// A message or a witness's word, as confirmation-logger hands it over: each effect once, and once more as a
    /// correction where a witness was first. Of a closing, the part that was closed first or all the rest.
    mutating func deliver(
        _ kind: TradeReport.Kind, _ fireID: String, source: String = "message", isPart: Bool = false
    ) {
        let name = "\(kind)-\(fireID)\(isPart ? "-part" : "")"
        let isCorrection = booked[name] == "inferred" && source == "message"
        guard booked[name] == nil || isCorrection else { return }
        // The end is what is told last.
        if kind == .closed, !isPart, trades[fireID]?.partProfit != nil, booked[name + "-part"] == nil {
            deliver(.closed, fireID, source: source, isPart: true)
        }
        booked[name] = isCorrection ? "merged" : source
        let user = trades[fireID]?.userUUID ?? rows[fireID]?.userUUID ?? users[0]
        var extra = ["symbol": "EURUSD", "direction": "BUY", "open_price": "1.08510", "source": source]
        var lot = rows[fireID]?.lot ?? .zero
        extra["node_id"] = node(user)
        extra["account"] = "1\(user.count)"
        extra["correction"] = isCorrection ? "1" : nil
        if kind == .closed, let trade = trades[fireID] {
            extra["closed_volume"] = isPart ? "0.01" : lot.description
            extra["final"] = isPart ? "0" : "1"
            if source == "message" {
                extra["profit"] = (isPart ? trade.partProfit ?? .zero : -trade.lossAtStop).description
            }
            if isPart { lot = LedgerWorld.part } else if trade.partProfit != nil { lot = lot - LedgerWorld.part }
        }
        extra["lot"] = lot.description
        nextEntry += 1
        let event = fixture.event(
            kind, entry: name, fireID: kind == .closed ? nil : fireID, user: user, ticket: trades[fireID]?.ticket,
            extra: extra)
        guard let event else { return violations.append("an event could not be made") }
        let entry = "\(nextEntry)-0"
        pendingEvents.append((entry, event))
        fixture.engine.apply(event, entryID: entry, now: fixture.now, into: &fixture.outputs)
    }

    static let part = Amount(units: 1_000_000)

    /// The broker closes one hundredth of a lot; the rest loses less at the stop.
    mutating func closePart(_ fireID: String, _ generator: inout SeededGenerator) -> Bool {
        guard var trade = trades[fireID], trade.isOpen, trade.partProfit == nil, let lot = rows[fireID]?.lot,
            let share = (trade.lossAtStop * LedgerWorld.part).divided(by: lot)
        else { return false }
        let profit = Amount(units: Int64.random(in: -share.units...share.units, using: &generator))
        trade.partProfit = profit
        trade.lossAtStop = trade.lossAtStop - share
        lost[trade.userUUID, default: .zero] += -profit
        trades[fireID] = trade
        return true
    }

    /// An operator settles an unknown fire, rightly or not.
    mutating func settle(_ fireID: String, as state: FireState) {
        guard
            fixture.engine.settle(
                fireID: fireID, as: state, reason: "looked", now: fixture.now, into: &fixture.outputs)
        else { return }
        trades[fireID]?.isDisowned = true
    }
}
