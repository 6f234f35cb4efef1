import Domain
import Fleet
import Redis
import ServiceKit
import Wire

/// Wiring: once a second everything that tells of life is read in one pipeline, judged, and the verdicts carried out.
final class HeartbeatMonitorService: MeshService {
    private static let redisPatience: Int64 = 5_000
    /// A round that took longer tells of the past.
    private static let roundPatience: Int64 = 2_000

    private let report: ServiceReport
    private let redis: RedisLink
    private let alerts: AlertDesk
    private let judge: FleetJudge
    private let survey: ServiceSurvey
    private var events: StreamReader?
    private var services: ServiceWatch
    private var ledger = LedgerWatch()
    private var quoteWatch = QuoteWatch()
    private var isLoaded = false
    private var isRoundOpen = false
    /// When Redis came back: what was heard while it was away is written only now.
    private var redisBackAt: Timestamp?
    private var redisLostAt: Timestamp?

    init(_ environment: ServiceEnvironment) throws {
        report = environment.report
        redis = environment.makeRedisLink()
        let writes = PendingWrites(redis, environment.report)
        alerts = try AlertDesk(environment, writes)
        judge = try FleetJudge(environment, redis, alerts, writes)
        survey = ServiceSurvey(environment, redis)
        services = ServiceWatch(startedAt: environment.report.startedAt)
        redis.onReady.append { [unowned self] in becomeReady() }
        redis.onLost.append { [unowned self] in isRoundOpen = false }
        events = StreamReader(
            address: environment.configuration.redis, stream: "events:nodes", group: nil, reactor: environment.reactor,
            log: environment.log
        ) { [unowned self] entries in
            for entry in entries { judge.note(event: entry.fields) }
        }
        environment.reactor.every(milliseconds: 1000) { [unowned self] in beginRound() }
    }

    var isReady: Bool { redis.isReady && isLoaded }

    func refreshReport() {
        let counts = judge.engine.counts()
        for liveness in Liveness.allCases { report.gauges["nodes_\(liveness.rawValue)"] = Int64(counts[liveness] ?? 0) }
        report.gauges["nodes_lost"] = Int64(judge.lostCount)
        report.gauges["alerts_active"] = Int64(alerts.engine.active.count)
        report.set("alerts_suppressed", alerts.engine.suppressed)
        report.problem("redis", redis.isReady ? nil : "Redis is away; nobody is judged meanwhile")
    }

    func drain() { redis.drain(milliseconds: 1_000) }

    private func becomeReady() {
        guard !isLoaded else { return }
        alerts.load(redis) { [weak self] isWhole in
            guard let self, isWhole, !isLoaded else { return }
            isLoaded = true
            judge.review(at: SystemClock.now())
        }
    }

    // MARK: - Rounds

    private func beginRound() {
        let now = SystemClock.now()
        watchRedis(now)
        alerts.tick(at: now)
        guard isLoaded, redis.isReady, !isRoundOpen else { return }
        isRoundOpen = true
        var sightings: [(nodeID: String, lastSeen: Timestamp)] = []
        var quotes: [(server: String, at: Timestamp)] = []
        survey.ask()
        redis.send(["ZRANGE", "node_last_seen", "0", "-1", "WITHSCORES"]) { reply in
            sightings = HeartbeatMonitorService.scored(reply).map { ($0.0, $0.1) }
        }
        redis.send(["ZRANGE", "broker_last_quote", "0", "-1", "WITHSCORES"]) { reply in
            quotes = HeartbeatMonitorService.scored(reply).map { ($0.0, $0.1) }
        }
        redis.send(["HMGET", "ledger", "sent", "filled", "rejected", "never_executed"]) { [weak self] reply in
            guard let self else { return }
            isRoundOpen = false
            guard let counts = reply?.array else { return }
            guard SystemClock.now() - now <= HeartbeatMonitorService.roundPatience else {
                // Redis was stuck, and what it says of the living is as old as that.
                return redisBackAt = SystemClock.now()
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

    private func watchRedis(_ now: Timestamp) {
        guard !redis.isReady else {
            if let lost = redisLostAt, now - lost > HeartbeatMonitorService.roundPatience { redisBackAt = now }
            redisLostAt = nil
            return alerts.resolve("redis_down", "Redis answers again", at: now)
        }
        let lost = redisLostAt ?? now
        redisLostAt = lost
        guard now - lost > HeartbeatMonitorService.redisPatience else { return }
        alerts.raise(
            Condition(
                key: "redis_down", type: "redis_down", severity: .critical,
                message: "Redis has not answered for \((now - lost) / 1000) s"), at: now)
    }

    private func finishRound(
        _ sightings: [(nodeID: String, lastSeen: Timestamp)], _ quotes: [(server: String, at: Timestamp)],
        ledgerCounts: [Int64]
    ) {
        let now = SystemClock.now()
        let listening = survey.listeningSince(at: now).map { max($0, redisBackAt ?? $0) }
        judge.look(sightings: sightings, quotes: quotes, listeningSince: listening, at: now)
        let judgement = services.judge(survey.sightings, readableSince: redisBackAt, at: now)
        for condition in judgement.raise { alerts.raise(condition, at: now) }
        for (key, message) in judgement.resolve { alerts.resolve(key, message, at: now) }
        var facts = HealthScore.Facts()
        facts.servicesExpected = survey.sightings.count
        facts.silentServices = judgement.silent
        facts.degradedServices = judgement.degraded
        facts.isRedisReady = redis.isReady
        facts.activeNodes = sightings.count
        facts.deadNodes = judge.lostCount
        let live = judge.engine.liveServers()
        facts.quotingBrokers = live.count
        facts.staleBrokers = quoteWatch.note(live: live, quotes: quotes, at: now)
        if ledgerCounts.count == 4 {
            facts.unaccountedFires = ledger.note(
                sent: ledgerCounts[0], accounted: ledgerCounts[1] + ledgerCounts[2] + ledgerCounts[3], at: now)
        }
        facts.warnings = alerts.count(.warning)
        facts.criticals = alerts.count(.critical)
        write(HealthScore(facts), facts, at: now)
    }

    private func write(_ health: HealthScore, _ facts: HealthScore.Facts, at now: Timestamp) {
        let factors: [JSON] = health.factors.map { factor in
            .object([
                "name": .string(factor.name), "points": .integer(factor.points),
                "max_points": .integer(factor.maximum), "why": .string(factor.why),
            ])
        }
        let counts = judge.engine.counts()
        report.gauges["health_score"] = Int64(health.score)
        redis.send([
            "HSET", "health", "score", String(health.score), "factors", JSON.array(factors).compactText,
            "computed_at", String(now.milliseconds), "nodes_active", String(facts.activeNodes),
            "nodes_lost", String(facts.deadNodes), "nodes_quiet", String(counts[.quiet] ?? 0),
            "nodes_late", String(counts[.late] ?? 0), "unaccounted_fires", String(facts.unaccountedFires),
        ])
    }
}
