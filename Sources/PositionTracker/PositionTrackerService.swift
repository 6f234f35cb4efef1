import Domain
import Logging
import Redis
import ServiceKit
import Trading
import Wire
import ZeroMQ

/// The position tracker's wiring: sockets, Redis and timers around ``PositionTrackerEngine``.
final class PositionTrackerService: MeshService {
    let environment: ServiceEnvironment
    let report: ServiceReport
    let redis: RedisLink
    let store: TrackerStore
    let quarantine: Quarantine
    var engine: PositionTrackerEngine
    var reconciler = ReconciliationEngine()
    let reconciliationDesk: ReconciliationDesk
    var signals = SignalBoard()
    var orders: RequestServer?
    /// Requests whose answer is under way, by the engine's token.
    var waiting: [Int: Request] = [:]
    private var nextToken = 0
    var isLoaded = false
    /// Brakes whose writing is awaited.
    var brakeReplies: [BrakeReply] = []
    /// Claims of many-user requests whose answer was lost: asked again, they are the same.
    var unansweredClaims: [String: String] = [:]

    private(set) var terminals: TerminalPort?
    let registry: RequestClient
    let citadel: RequestClient
    private let market: ZMQSocket
    private let signalFeed: ZMQSocket
    private let message = ZMQMessage()
    var readers: [StreamReader] = []
    /// Which node spoke on which connection of the command port, so that a lost one can be named.
    var nodeOfDescriptor: [Int32: String] = [:]
    var lastConflictLine: Int64 = -10_000
    /// How much each connection of the command port may say.
    var quota = TerminalQuota()
    /// Users whose doubts ended while Redis was away.
    var clearedWhileAway: Set<String> = []
    let addressList = AddressListScript.make()
    let accountList = AccountListScript.make()
    /// As it was written last.
    var boundAccounts: [String] = []
    /// The whole list is on its way: one for all who miss it.
    var isWritingAddresses = false
    private static let tickBudget = 2000
    /// Quotes are valued in batches of so many milliseconds; their age is counted in seconds.
    private static let marketRest: Int64 = 2

    init(_ environment: ServiceEnvironment) throws {
        self.environment = environment
        report = environment.report
        var policy = try TierFile.load(path: environment.configuration.tiersFile)
        policy.commandListeners = environment.configuration.ports.commandListeners
        policy.firesAtUnregistered = !environment.configuration.isOpenToTheWorld
        engine = PositionTrackerEngine(policy: policy, catalogue: environment.instruments)
        store = try TrackerStore(environment)
        redis = store.link
        quarantine = Quarantine(environment, redis)
        reconciliationDesk = try ReconciliationDesk(environment)
        let configuration = environment.configuration
        let context = environment.context
        registry = try RequestClient(
            context: context, endpoint: configuration.connectEndpoint(.registry), reactor: environment.reactor,
            report: report)
        citadel = try RequestClient(
            context: context, endpoint: configuration.connectEndpoint(.citadelQueries), reactor: environment.reactor,
            report: report)
        market = try ZMQSocket(context, .subscribe, SocketProfile.subscriber)
        try market.subscribe()
        try market.connect(configuration.connectEndpoint(.marketRelay))
        signalFeed = try ZMQSocket(context, .subscribe, SocketProfile.subscriber)
        try signalFeed.subscribe("ELITE_GUARD_SIGNAL ")
        try signalFeed.connect(configuration.connectEndpoint(.signals))
        terminals = try TerminalPort(
            // Before it is known who is believed from where, whoever speaks first would be the terminal.
            environment, while: { [unowned self] in isLoaded },
            receive: { [unowned self] identity, payload, descriptor in hear(identity, payload, descriptor) },
            refuse: { [unowned self] frame in refuse("multipart", "EAs send one frame; this message has more", frame) },
            lost: { [unowned self] descriptor in connectionLost(descriptor) })
        orders = try RequestServer(
            context: context, endpoint: configuration.bindEndpoint(.orders), reactor: environment.reactor,
            report: report
        ) { [unowned self] request in try handle(request) }
        let reactor = environment.reactor
        startFencing()
        terminals?.commandSocket = { [unowned self] in engine.commandSocket(of: $0) }
        terminals?.turnedAway = { [unowned self] address, record in keepRefused(address, record) }
        reactor.watch(market, restingMilliseconds: PositionTrackerService.marketRest) { [unowned self] in
            try drainMarket()
        }
        reactor.watch(signalFeed) { [unowned self] in try drainSignals() }
        store.onOpen = { [unowned self] in redisIsBack() }
        redis.onLost.append { [unowned self] in
            engine.stateIsAvailable = false
            answerBrakes()
        }
        startReconciling()
        reactor.every(milliseconds: 100) { [unowned self] in
            decide { engine, now, outputs in engine.advance(to: now, into: &outputs) }
        }
        reactor.every(milliseconds: 1000) { [unowned self] in
            // Figures of quotes are worth nothing later: they wait for nobody.
            guard store.waiting < 1000 else { return }
            decide { engine, _, outputs in engine.flushPositions(into: &outputs) }
        }
    }

    var isReady: Bool { redis.isReady && store.phase == .open && isLoaded && !store.journal.isFailing }

    func makeToken(for request: Request) -> Int {
        nextToken += 1
        waiting[nextToken] = request
        return nextToken
    }

    // MARK: - Decide, record, send

    /// One decision and everything that follows from it, in order.
    func decide(_ body: (inout PositionTrackerEngine, Timestamp, inout [TrackerOutput]) -> Void) {
        let now = SystemClock.now()
        engine.stateIsAvailable = store.isAvailable && isLoaded
        var fresh: [TrackerOutput] = []
        body(&engine, now, &fresh)
        for output in fresh { execute(output, now) }
    }

    private func execute(_ output: TrackerOutput, _ now: Timestamp) {
        switch output {
        case .reserve(let fire, let maximum):
            store.reserve(fire, slotsMaximum: maximum) { [unowned self] result in
                decide { $0.reservationAnswered(fireID: fire.fireID, result, now: $1, into: &$2) }
            }
        case .claimBatch(let token, let fireID): claimBatch(token, fireID)
        case .requestScore(let token, let request): askCitadel(token, request)
        case .recordDenial(let fire): store.recordDenial(fire)
        case .move(let fire, let releasesSlot):
            store.move(fire, releasesSlot: releasesSlot) { [unowned self] isDone in
                if !isDone { report.count("moves_refused") }
                guard fire.state == .sending else { return }
                decide { $0.moveAnswered(fireID: fire.fireID, isDone: isDone, now: $1, into: &$2) }
            }
        case .send(let identity, let userUUID, let command): send(command, identity, userUUID)
        case .answer(let token, let answers): answer(token, answers)
        case .apply(let effect):
            store.apply(effect)
            follow(effect)
        case .writePositions(let positions): store.writeFigures(positions)
        case .writeUser(let user): store.writeUser(user)
        case .writeBrake(let scope, let setting):
            store.writeBrake(scope, setting) { [unowned self] isDone in
                brakeWritten(scope, setting, isDone: isDone)
            }
        case .rememberIdentity(let node, let user, let identity, let heardAt):
            rememberIdentity(node, user, identity, heardAt)
        case .forgetIdentity(let node): redis.send(["DEL", PositionTrackerService.identityKey(node)])
        case .rememberEarlyClose(let close):
            store.write(.always, [["HSET", PositionTrackerService.earlyClosesKey, close.key.description, close.text]])
        case .forgetEarlyClose(let key):
            store.write(.always, [["HDEL", PositionTrackerService.earlyClosesKey, key.description]])
        case .audit(let event, let fields): store.audit(event, fields, now: now)
        case .count(let name): report.count(name)
        case .terminal(let action): carryOut(action)
        }
    }

    private func send(_ command: TerminalCommand, _ identity: [UInt8], _ userUUID: String) {
        let bytes = commandBytes(command, userUUID)
        let result = bytes.flatMap { terminals?.send(identity: identity, userUUID: userUUID, $0) } ?? .unreachable
        report.count(result == .sent ? "commands_sent" : "commands_undeliverable")
        var fireID: String?
        if case .fire(let fire) = command { fireID = fire.fireID }
        if result == .sent { reconciler.commanded(userUUID, fireID: fireID, engine) }
        if case .fire(let fire) = command {
            decide { $0.commandHandedOver(fireID: fire.fireID, result, now: $1, into: &$2) }
        }
    }

    private func askCitadel(_ token: Int, _ request: ScoreRequest) {
        var object: JSONObject = [
            "symbol": .string(request.symbol), "entry_price": .number(request.entry.description),
            "direction": .string(request.direction.rawValue),
        ]
        if let stop = request.stopLoss { object.append("stop_loss", .number(stop.description)) }
        if let target = request.takeProfit { object.append("take_profit", .number(target.description)) }
        if let signalID = request.signalID { object.append("signal_id", .string(signalID)) }
        citadel.send(object, timeout: engine.policy.citadelTimeoutMilliseconds) { [unowned self] reply in
            let isGood = reply?["ok"]?.bool == true && reply?["stale"]?.bool != true
            let score = isGood ? reply?["protection_score"]?.text.flatMap { Amount($0) } : nil
            if score == nil { report.count("scores_missing") }
            let factors = score == nil ? nil : reply?["factors"]?.compactText
            let source =
                score != nil
                ? "citadel-monitor"
                : reply == nil
                    ? "no answer in \(engine.policy.citadelTimeoutMilliseconds) ms"
                    : isGood ? "an answer without a score" : "a stale answer"
            decide { $0.scoreAnswered(token: token, score: score, factors: factors, by: source, now: $1, into: &$2) }
        }
    }

    // MARK: - Market and signals

    private func drainMarket() throws {
        let now = SystemClock.now()
        var ticks: Int64 = 0
        defer { if ticks > 0 { report.count("ticks", ticks) } }
        for _ in 0..<PositionTrackerService.tickBudget {
            guard try market.receive(message) else { return }
            let tick: Tick? = message.withBytes { bytes in
                let scan = scanTelemetry(bytes)
                return scan.kind == .tick ? Tick(scan, bytes) : nil
            }
            guard let tick else { continue }
            ticks += 1
            // The engine is a large value: it is lent only where the quote is of something open.
            guard let user = engine.tick(tick, now: now), reconciler.isFollowing(tick.symbol, of: user) else {
                continue
            }
            reconciler.tick(tick, engine, now: now)
        }
    }

    private func drainSignals() throws {
        while let frames = try signalFeed.receiveFrames(message) {
            if let frame = frames.first { signals.take(frame, now: SystemClock.now()) }
        }
    }

    // MARK: - Report

    func refreshReport() {
        report.problem("redis", redis.isReady ? nil : "Redis can't be reached; fires are denied state_unavailable")
        // Worth an alert: nobody set it, and nobody fires until somebody lifts it.
        report.problem("brake", engine.automaticBrakeReason)
        report.problem("contradicted", engine.contradictionText)
        report.problem("registry", registry.undelivered > 1000 ? "node-registry does not answer" : nil)
        report.gauges["terminals"] = Int64(engine.terminals.count)
        report.gauges["foreign_account_reports"] = reconciler.foreignLooks
        report.gauges["open_positions"] = Int64(engine.positions.count)
        report.gauges["open_fires"] = Int64(engine.fires.count)
        let summary = LedgerSummary(engine.fires.values, now: SystemClock.now())
        report.gauges["fires_unaccounted"] = Int64(summary.unaccounted)
        report.gauges["fires_overdue"] = Int64(summary.overdue)
        report.gauges["fires_oldest_age_s"] = summary.oldestAgeSeconds ?? 0
        report.gauges["quoted_symbols"] = Int64(engine.quotes.count)
        store.refreshReport()
        report.gauges["registry_waiting"] = Int64(registry.undelivered)
        report.gauges["queue_depth"] = Int64(store.waiting + registry.undelivered)
    }

    func drain() {
        // What was decided is written; requests under way are not begun anew.
        store.drain(milliseconds: 1500)
    }
}
