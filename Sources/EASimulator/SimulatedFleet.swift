import Domain
import ServiceKit
import Wire
import ZeroMQ

/// All terminals in one loop on one thread: prices in, ticks and timers out, nothing blocks.
final class SimulatedFleet {
    let context: FleetContext
    let terminals: [Terminal]
    private let options: FleetOptions
    private let endpoints: Endpoints
    private let feed: MarketFeed
    private let zeroMQ: ZMQContext
    private let startedAt: Int64
    private var scenario: Scenario
    private var bot: OrderBot?
    private var nextStart = 0
    /// The terminal that floods, and up to when it has.
    private var flooding: Int?
    private var floodedAt: Int64 = 0
    /// What libzmq queues for a server that is away.
    private static let usualBacklog = 1000
    /// Terminals by the market place of their chart's symbol.
    private let charts: [Int: [Terminal]]

    /// Call it on the thread that will call ``round()``.
    init(_ options: FleetOptions, endpoints: Endpoints, events: EventLog, ledger: BrokerLedger? = nil) throws {
        self.options = options
        self.endpoints = endpoints
        let now = SystemClock.now()
        startedAt = SystemClock.monotonicMilliseconds()
        let plan = try FleetPlan(options, wall: now.milliseconds, monotonic: startedAt)
        feed = plan.feed
        let context = FleetContext(
            market: plan.market, behaviour: options.behaviour, events: events, ledger: ledger, seed: options.seed,
            now: now)
        context.monotonic = startedAt
        self.context = context
        let sockets = (options.sockets + options.terminals) * (options.scenario == .halfOpen ? 4 : 1) + 16
        zeroMQ = try ZMQContext(maximumSockets: Int32(clamping: max(1023, sockets)))
        terminals = plan.profiles.enumerated().map { Terminal(index: $0, profile: $1, context: context) }
        charts = Dictionary(grouping: terminals) { $0.profile.chartSymbol.marketIndex }
        scenario = Scenario(
            options.scenario, terminals: options.terminals, period: options.scenarioPeriod,
            pause: options.scenarioPause, seed: options.seed)
        if let interval = options.orderInterval {
            bot = try OrderBot(zeroMQ, endpoint: endpoints.orders, interval: interval, context: context)
        }
        // What was quoted before the start: an EA finds last ticks and bars when it comes up.
        feed.advance(monotonic: startedAt, limit: .max) { update, seconds in apply(update, seconds) }
        events.write("started", at: now, [("terminals", .integer(options.terminals))])
    }

    /// How long a caller may wait between two rounds, in milliseconds.
    var cadence: Int64 {
        if options.behaviour.readsEveryMillisecond || options.behaviour.usesReceipts { return 1 }
        if options.versions.contains(.own) { return options.terminals > 200 ? 5 : 1 }
        return options.terminals > 200 ? 10 : 5
    }

    /// Everything that is due now. Never waits.
    func round() throws {
        context.now = SystemClock.now()
        context.monotonic = SystemClock.monotonicMilliseconds()
        try startDue()
        for action in scenario.due(elapsed: context.monotonic - startedAt) { try perform(action) }
        try feed.advance(monotonic: context.monotonic) { update, seconds in
            apply(update, seconds)
            for terminal in terminals { terminal.brokerQuoted(symbol: update.symbol) }
            for terminal in charts[update.symbol] ?? [] { try terminal.chartTick() }
        }
        for terminal in terminals {
            try terminal.round()
            if let due = terminal.reopenAt, due <= context.monotonic { try terminal.reconnect(zeroMQ, endpoints) }
        }
        try flood()
        try bot?.round(terminals, context)
        context.events.flush()
    }

    private func flood() throws {
        guard let flooding else { return }
        let due = Int64(options.behaviour.floodRate) * (context.monotonic - floodedAt) / 1000
        guard due > 0 else { return }
        floodedAt = context.monotonic
        try terminals[flooding].flood(Int(min(due, Int64(options.behaviour.floodRate))))
    }

    /// Whether every confirmation that wants a receipt has one.
    var isSettled: Bool { terminals.allSatisfy(\.isSettled) }

    /// The end: DISCONNECT from everybody who still lives, unless exits are abrupt.
    func stop() throws {
        context.now = SystemClock.now()
        for terminal in terminals {
            try terminal.stop(reason: "EA removed from chart", isAbrupt: options.behaviour.exitsAbruptly)
            context.ledger?.ended(terminal, unanswered: terminal.unsent.count)
        }
        bot = nil
        let fields = context.statistics.fields.map { ($0.name, JSON.integer($0.value)) }
        context.events.write("summary", at: context.now, summaryHead + fields)
        context.events.flush()
    }

    var summary: String {
        let head = summaryHead.map { "\($0.0)=\($0.1.text ?? "")" }
        let counters = context.statistics.fields.map { "\($0.name)=\($0.value)" }
        return (["summary"] + head + counters).joined(separator: " ")
    }

    private var summaryHead: [(String, JSON)] {
        [
            ("terminals", .integer(terminals.count)),
            ("seconds", .integer((SystemClock.monotonicMilliseconds() - startedAt) / 1000)),
        ]
    }

    private func apply(_ update: QuoteUpdate, _ utcSeconds: Int64) {
        context.market.apply(update.symbol, bid: update.bid, ask: update.ask, utcSeconds: utcSeconds)
    }

    private func startDue() throws {
        let elapsed = context.monotonic - startedAt
        while nextStart < terminals.count, elapsed >= options.ramp * Int64(nextStart) / Int64(terminals.count) {
            try terminals[nextStart].start(zeroMQ, endpoints)
            nextStart += 1
        }
    }

    private func perform(_ action: ScenarioAction) throws {
        switch action {
        case .freeze, .thaw:
            feed.setFrozen(action == .freeze, monotonic: context.monotonic)
            context.events.write(action == .freeze ? "market_closed" : "market_open", at: context.now)
        case .restart(let index):
            guard terminals[index].state != .stopped else { return }
            try terminals[index].stop(reason: "Parameters changed", isAbrupt: options.behaviour.exitsAbruptly)
            try terminals[index].start(zeroMQ, endpoints)
        case .switchAccount(let index):
            guard terminals[index].state != .stopped else { return }
            try terminals[index].stop(reason: "Account changed", isAbrupt: options.behaviour.exitsAbruptly)
            // Past every number the fleet began with, so that no two terminals ever share one.
            let number = terminals[index].profile.account + Int64(options.terminals)
            terminals[index].switchAccount(to: number, balance: options.balance)
            try terminals[index].start(zeroMQ, endpoints)
        case .reconnect(let index): try terminals[index].reconnect(zeroMQ, endpoints)
        case .halfOpen(let index): try terminals[index].restartHalfOpen(zeroMQ, endpoints)
        case .offline(let index): terminals[index].goOffline()
        case .comeBack(let index):
            guard terminals[index].state != .stopped else { return }
            try terminals[index].reconnect(zeroMQ, endpoints)
            let usual = SimulatedFleet.usualBacklog
            terminals[index].expert?.sendBacklog(options.behaviour.backlog > 0 ? options.behaviour.backlog : usual)
        case .flood(let index):
            flooding = index
            floodedAt = context.monotonic
            context.log("flood", terminals[index])
        case .calm(let index):
            flooding = nil
            context.log("calm", terminals[index])
        case .silence(let index): terminals[index].setSilent(true)
        case .wake(let index): terminals[index].setSilent(false)
        }
    }
}
