import Citadel
import Domain
import Logging
import Redis
import ServiceKit
import Wire
import ZeroMQ

/// The CITADEL protection monitor: wiring around ``CitadelEngine``.
///
/// Quotes come from the market relay; queries, signals, alerts and published signals have a port each. Ports open when
/// the state of the last run is back, so that nothing is answered or published out of half a memory; without Redis
/// they open after `restorePatience` all the same.
final class CitadelMonitorService: MeshService {
    private static let restorePatience: Int64 = 3_000
    /// Signals scored again in one step of 5 ms: a query never waits long behind them.
    private static let rescoresPerStep = 8
    /// Signals ended in one step: each is a row and a publication.
    private static let endingsPerStep = 32

    let environment: ServiceEnvironment
    let report: ServiceReport
    let log: Logger
    let redis: RedisLink
    let settings: CitadelConfiguration
    let feed: MarketFeed
    let signalStore: SignalStore
    let barStore: BarStore
    let levelStore: LevelStore
    let sweepStore: AlertStore
    let manipulationStore: AlertStore
    let outbox = Outbox()
    var engine: CitadelEngine
    var outputs: [CitadelOutput] = []
    /// Live signals by their id.
    var records: [String: SignalRecord] = [:]
    var endings = SignalEndings(capacity: 20_000)
    /// Live signals whose curves are looked at next, and when the last round began (monotonic milliseconds).
    var curveQueue: [String] = []
    var curvesAt: Int64 = 0
    var summaries = SummaryCache()

    private let nodes: NodeFollower
    private let signals: ZMQSocket
    private let alerts: ZMQSocket
    private var relay: MarketRelay?
    private(set) var queries: RequestServer?
    private(set) var intake: RequestServer?
    private var isRestoring = false
    private var isRestored = false
    private var upkeepPlace = 0

    init(_ environment: ServiceEnvironment) throws {
        self.environment = environment
        report = environment.report
        log = environment.log
        var settings = CitadelConfiguration()
        settings.rescoresPerAdvance = CitadelMonitorService.rescoresPerStep
        settings.endingsPerStep = CitadelMonitorService.endingsPerStep
        self.settings = settings
        let instruments = environment.instruments
        engine = CitadelEngine(configuration: settings, instruments: CitadelMonitorService.profiles(instruments))
        feed = MarketFeed(
            instruments: instruments, maximumUnconfigured: settings.maximumSymbols - instruments.instruments.count)
        let signalScript = SignalStore.makeScript()
        let barScript = BarStore.makeScript()
        let replacingScript = BarStore.makeReplacingScript()
        redis = environment.makeRedisLink(scripts: [signalScript, barScript, replacingScript])
        signalStore = SignalStore(redis: redis, script: signalScript, report: report)
        barStore = BarStore(
            redis: redis, script: barScript, replacing: replacingScript, report: report, kept: settings.barsKept)
        levelStore = LevelStore(redis: redis)
        sweepStore = AlertStore(redis: redis, report: report, stream: "events:sweeps", missing: "sweeps_not_kept")
        manipulationStore = AlertStore(
            redis: redis, report: report, stream: "events:manipulation", missing: "manipulation_not_kept")
        nodes = NodeFollower(feed: feed, redis: redis, reactor: environment.reactor, log: log)
        signals = try ZMQSocket(environment.context, .publish, SocketProfile.publisher)
        try signals.bind(environment.configuration.bindEndpoint(.signals))
        alerts = try ZMQSocket(environment.context, .publish, SocketProfile.publisher)
        try alerts.bind(environment.configuration.bindEndpoint(.citadelAlerts))
        redis.onReady.append { [unowned self] in redisIsReady() }
        startTimers()
    }

    private static func profiles(_ catalogue: InstrumentCatalogue) -> [String: InstrumentProfile] {
        catalogue.instruments.mapValues {
            InstrumentProfile(symbol: $0.symbol, digits: $0.digits, pip: $0.pip.double)
        }
    }

    private func startTimers() {
        let reactor = environment.reactor
        reactor.every(milliseconds: 5) { [unowned self] in advance() }
        reactor.every(milliseconds: 50) { [unowned self] in
            outbox.expire()
            keepUp()
            keepCurves()
        }
        reactor.every(milliseconds: 2_000) { [unowned self] in
            signalStore.retry()
            sweepStore.retry()
            manipulationStore.retry()
        }
        reactor.after(milliseconds: CitadelMonitorService.restorePatience) { [unowned self] in try openPorts() }
    }

    // MARK: - Life

    var isReady: Bool { relay != nil && isRestored && redis.isReady }

    private func redisIsReady() {
        guard !isRestored, !isRestoring else { return }
        isRestoring = true
        let restoration = Restoration(redis: redis) { [unowned self] isWhole in
            isRestoring = false
            isRestored = isWhole
            // What was not answered is asked again when Redis is back.
            if isWhole { environment.reactor.after(milliseconds: 0) { [unowned self] in try openPorts() } }
        }
        restoration.onSymbol = { [unowned self] in restore($0) }
        restoration.onLiveSignal = { [unowned self] in restore(signal: $0, $1) }
        restoration.onEndedSignal = { [unowned self] in endings.remember($0, ended: $1) }
        nodes.load { [log] isWhole in if !isWhole { log.warning("the registered terminals could not all be read") } }
        restoration.start()
    }

    private func openPorts() throws {
        guard relay == nil else { return }
        if !isRestored { log.warning("started without what an earlier run knew: Redis does not answer") }
        let context = environment.context
        let configuration = environment.configuration
        // Watched in this order: queries are answered before the next ticks are taken.
        queries = try RequestServer(
            context: context, endpoint: configuration.bindEndpoint(.citadelQueries), reactor: environment.reactor,
            report: report, errorExtra: ["protection_score": .number("1.0"), "risk_level": .string("ERROR")]
        ) { [unowned self] in answerQuery($0) }
        intake = try RequestServer(
            context: context, endpoint: configuration.bindEndpoint(.signalIntake), reactor: environment.reactor,
            report: report
        ) { [unowned self] in takeSignal($0) }
        let market = try MarketRelay(environment, Quarantine(environment, redis))
        market.onTicks = { [unowned self] in take($0, at: $1) }
        relay = market
    }

    func refreshReport() {
        let away = "Redis does not answer: scores and signals go on, what is to be kept waits in memory"
        report.problem("redis", redis.isReady ? nil : away)
        let waiting = signalStore.waiting + sweepStore.waiting + manipulationStore.waiting + barStore.waiting
        report.problem("unwritten", waiting == 0 || redis.isReady ? nil : "\(waiting) rows wait for Redis")
        for (name, value) in engine.counters { report.set(name, Int64(value)) }
        for reason in MarketFeed.Held.allCases { report.set(reason.rawValue, Int64(feed.held[reason] ?? 0)) }
        let symbols = engine.symbols
        report.gauges = [
            "symbols": Int64(symbols.count), "levels": Int64(symbols.reduce(0) { $0 + $1.levels }),
            "live_signals": Int64(records.count), "nodes_known": Int64(feed.nodeCount),
            "sources": Int64(feed.sourceCount), "rows_waiting": Int64(waiting),
            "outbox": Int64(outbox.waiting), "queue_depth": Int64(waiting + outbox.waiting),
        ]
    }

    func drain() {
        for (identifier, record) in records where engine.liveSignal(identifier)?.curve.last != record.curve.last {
            var record = record
            record.curve = engine.liveSignal(identifier)?.curve ?? record.curve
            signalStore.write(record) { _ in }
        }
        signalStore.retry()
        for summary in engine.symbols { saveOpen(summary.profile.symbol) }
        redis.drain(milliseconds: 1500)
        outbox.expire()
    }

    // MARK: - Time

    private func advance() {
        guard !records.isEmpty else { return }
        engine.advance(to: SystemClock.now().milliseconds, into: &outputs)
        execute()
    }

    /// A little of the upkeep at a time: every symbol's levels within five seconds, its open bars once a minute.
    private func keepUp() {
        let now = SystemClock.now().milliseconds
        barStore.catchUp(engine)
        let list = summaries.list(engine)
        guard !list.isEmpty, redis.isReady else { return }
        let share = list.count / 100 + 1
        for _ in 0..<share {
            upkeepPlace = (upkeepPlace + 1) % list.count
            let summary = list[upkeepPlace]
            levelStore.save(summary, engine, now: now)
            if summaries.isDue(summary.profile.symbol, now: now, ticksUsed: summary.ticksUsed) {
                saveOpen(summary.profile.symbol)
            }
        }
    }

    private func saveOpen(_ symbol: String) {
        if let snapshot = engine.snapshot(of: symbol) { barStore.saveOpen(snapshot) }
    }

    // MARK: - Sending

    func publish(signal frame: [UInt8]) { publish(frame, on: .signals) }
    func publish(alert frame: [UInt8]) { publish(frame, on: .citadelAlerts) }

    private func publish(_ frame: [UInt8], on port: PortList.Name) {
        do throws(ZMQError) {
            let result = port == .signals ? try signals.send(frame) : try alerts.send(frame)
            report.count(result == .sent ? "published" : "not_published")
        } catch {
            report.count("not_published")
            log.error("a message could not be published", metadata: ["why": "\(error)"])
        }
    }
}
