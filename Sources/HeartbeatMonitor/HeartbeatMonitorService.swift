import Domain
import Fleet
import Redis
import ServiceKit
import Wire

/// Wiring: once a second everything that tells of life is read in one pipeline, judged, and the verdicts carried out.
final class HeartbeatMonitorService: MeshService {
    static let group = "heartbeat-monitor"
    /// A round that took longer tells of the past.
    static let roundPatience: Int64 = 2_000

    let report: ServiceReport
    let redis: RedisLink
    let alerts: AlertDesk
    let judge: FleetJudge
    let survey: ServiceSurvey
    let clock = SteadyClock()
    private let reactor: Reactor
    private var events: StreamReader?
    private var actions: StreamReader?
    /// Actions that came before the alerts they are about were read.
    private var earlyActions: [StreamReader.Entry] = []
    private let actionDesk: AlertActions
    var services: ServiceWatch
    var restarts = RestartWatch()
    var ledger = LedgerWatch()
    var quoteWatch = QuoteWatch()
    /// Scope -> `STATE|since|reason`, as position-tracker keeps it.
    var brakes: [String: String] = [:]
    private var isLoaded = false
    private var isLoading = false
    private var isRoundOpen = false
    /// When Redis came back, by the steady clock: what was heard while it was away is written only now.
    var redisBackAt: Timestamp?
    private var redisLostAt: Timestamp?

    init(_ environment: ServiceEnvironment) throws {
        report = environment.report
        reactor = environment.reactor
        redis = environment.makeRedisLink()
        let configuration = try AlertsFile.load(environment.configuration)
        let writes = PendingWrites(redis, environment.report)
        alerts = try AlertDesk(environment, writes, configuration, clock)
        judge = try FleetJudge(environment, redis, alerts, writes, configuration)
        survey = ServiceSurvey(environment, redis)
        services = ServiceWatch(startedAt: environment.report.startedAt)
        actionDesk = AlertActions(desk: alerts, report: environment.report, log: environment.log)
        redis.onReady.append { [unowned self] in becomeReady() }
        redis.onLost.append { [unowned self] in
            isRoundOpen = false
            isLoading = false
        }
        events = StreamReader(
            address: environment.configuration.redis, stream: "events:nodes", group: nil, reactor: environment.reactor,
            log: environment.log
        ) { [unowned self] entries in
            for entry in entries { judge.note(event: entry.fields) }
        }
        actions = StreamReader(
            address: environment.configuration.redis, stream: "events:alert-actions",
            group: HeartbeatMonitorService.group, reactor: environment.reactor, log: environment.log
        ) { [unowned self] entries in take(entries) }
        environment.reactor.every(milliseconds: 1000) { [unowned self] in beginRound() }
    }

    var isReady: Bool { redis.isReady && isLoaded }

    func refreshReport() {
        let counts = judge.engine.counts()
        for liveness in Liveness.allCases { report.gauges["nodes_\(liveness.rawValue)"] = Int64(counts[liveness] ?? 0) }
        report.gauges["nodes_lost"] = Int64(judge.lostCount)
        report.gauges["alerts_active"] = Int64(alerts.engine.active.count)
        report.gauges["alerts_held_back"] = Int64(alerts.engine.active.values.reduce(0) { $0 + $1.story.heldBack })
        report.gauges["silences"] = Int64(alerts.engine.muting.silences.count)
        report.gauges["maintenance_windows"] = Int64(alerts.engine.muting.windows.count)
        report.gauges["outlets_waiting"] = Int64(alerts.outlets.waiting)
        report.gauges["queue_depth"] = Int64(alerts.outlets.waiting)
        report.set("alerts_suppressed", alerts.engine.suppressed)
        report.set("clock_steps", Int64(judge.engine.clockSteps))
        report.problem("redis", redis.isReady ? nil : "Redis is away; nobody is judged meanwhile")
        alerts.outlets.refreshReport()
    }

    func drain() {
        redis.drain(milliseconds: 1_000)
        alerts.outlets.drain(reactor)
    }

    private func becomeReady() {
        guard !isLoaded, !isLoading else { return }
        isLoading = true
        judge.loadSessions()
        alerts.load(redis) { [weak self] restored in
            guard let self else { return }
            isLoading = false
            guard let restored, !isLoaded else { return }
            isLoaded = true
            judge.review(restored)
            for alert in alerts.engine.active.values {
                guard let restart = restarts.restore(alert, at: clock.now()) else { continue }
                judge.troubles.noteRestart(restart.service, restart.why, at: alert.raisedAt)
            }
            let early = earlyActions
            earlyActions = []
            take(early)
        }
    }

    // MARK: - What operators do

    private func take(_ entries: [StreamReader.Entry]) {
        guard isLoaded else {
            // Nobody acknowledges them: what has no room here comes again.
            if earlyActions.count < 1_000 { earlyActions += entries }
            return
        }
        for entry in entries {
            actionDesk.carryOut(entry)
            redis.send(["XACK", "events:alert-actions", HeartbeatMonitorService.group, entry.identifier])
        }
    }

    // MARK: - Rounds

    private func beginRound() {
        watchRedis()
        alerts.tick()
        guard isLoaded, redis.isReady, !isRoundOpen else { return }
        isRoundOpen = true
        let began = clock.now()
        var sightings: [(nodeID: String, lastSeen: Timestamp)] = []
        var quotes: [(server: String, at: Timestamp)] = []
        survey.ask()
        redis.send(["ZRANGE", "node_last_seen", "0", "-1", "WITHSCORES"]) { reply in
            sightings = HeartbeatMonitorService.scored(reply).map { ($0.0, $0.1) }
        }
        redis.send(["ZRANGE", "broker_last_quote", "0", "-1", "WITHSCORES"]) { reply in
            quotes = HeartbeatMonitorService.scored(reply).map { ($0.0, $0.1) }
        }
        redis.send(["HGETALL", "brake"]) { [weak self] reply in
            if let known = reply?.dictionary { self?.brakes = known }
        }
        redis.send(["HMGET", "ledger", "sent", "filled", "rejected", "never_executed"]) { [weak self] reply in
            guard let self else { return }
            isRoundOpen = false
            guard let counts = reply?.array else { return }
            guard clock.now() - began <= HeartbeatMonitorService.roundPatience else {
                // Redis was stuck, and what it says of the living is as old as that.
                return redisBackAt = clock.now()
            }
            finishRound(sightings, quotes, ledgerCounts: counts.map { $0.integer ?? 0 })
        }
    }

    private static func scored(_ reply: RedisValue?) -> [(String, Timestamp)] {
        guard let items = reply?.array else { return [] }
        return stride(from: 0, to: items.count - 1, by: 2).compactMap { index in
            guard let member = items[index].text, let score = items[index + 1].text else { return nil }
            // Scores of thirteen digits are printed in full; anything else is none of ours.
            return Int64(score).map { (member, Timestamp(milliseconds: $0)) }
        }
    }

    private func watchRedis() {
        let now = clock.now()
        guard !redis.isReady else {
            if let lost = redisLostAt, now - lost > HeartbeatMonitorService.roundPatience { redisBackAt = now }
            redisLostAt = nil
            return alerts.resolve("redis_down", "Redis answers again")
        }
        let lost = redisLostAt ?? now
        redisLostAt = lost
        guard now - lost > 5_000 else { return }
        alerts.raise(
            Condition(
                key: "redis_down", type: "redis_down", severity: .critical,
                message: "Redis has not answered for \((now - lost) / 1000) s",
                story: AlertStory(.service, ServiceName.redis.rawValue, cause: "Redis does not answer")))
    }
}
