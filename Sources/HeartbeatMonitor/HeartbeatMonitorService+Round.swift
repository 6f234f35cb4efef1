import Domain
import Fleet
import ServiceKit
import Wire

extension HeartbeatMonitorService {
    /// Judges what one round read, and carries the verdicts out.
    func finishRound(
        _ sightings: [(nodeID: String, lastSeen: Timestamp)], _ quotes: [(server: String, at: Timestamp)],
        ledgerCounts: [Int64]
    ) {
        let now = SystemClock.now()
        let steady = clock.now()
        let judgement = services.judge(
            survey.sightings, readableSince: redisBackAt.map { clock.wall($0) }, at: now, steady: steady.milliseconds)
        // Before the terminals: what a restart of ours did to them is put down to it.
        tellServices(judgement, steady)
        let listening = survey.listeningSince(services, steady: steady.milliseconds).map { since in
            redisBackAt.map { max(since, clock.wall($0)) } ?? since
        }
        judge.look(sightings: sightings, quotes: quotes, listeningSince: listening, at: now)
        var facts = HealthScore.Facts()
        facts.servicesExpected = survey.sightings.count
        facts.silentServices = judgement.silent
        facts.degradedServices = judgement.degraded
        facts.isRedisReady = redis.isReady
        facts.activeNodes = sightings.count
        facts.deadNodes = judge.lostCount
        let live = judge.engine.liveServers()
        facts.quotingBrokers = live.count
        facts.staleBrokers = quoteWatch.note(live: live, quotes: judge.engine.quotes(), at: steady)
        if ledgerCounts.count == 4 {
            facts.unaccountedFires = ledger.note(
                sent: ledgerCounts[0], accounted: ledgerCounts[1] + ledgerCounts[2] + ledgerCounts[3], at: steady)
        }
        tellFires(facts.unaccountedFires)
        facts.warnings = alerts.count(.warning)
        facts.criticals = alerts.count(.critical)
        facts.worst = alerts.worst(3)
        write(HealthScore(facts), facts, at: now)
        alerts.outlets.noteJudged()
    }

    private func tellServices(_ judgement: ServiceWatch.Judgement, _ steady: Timestamp) {
        for (service, why) in judgement.restarted {
            report.count("service_restarts_seen")
            judge.troubles.noteRestart(service, why)
            // Whose absence was told needs no second alert.
            guard alerts.engine.active["service_down:\(service)"] == nil else { continue }
            restarts.note(service, why, terminals: judge.engine.nodeCount, at: steady)
        }
        for condition in judgement.raise { alerts.raise(condition) }
        for (key, message) in judgement.resolve { alerts.resolve(key, message) }
        let anew = restarts.look(at: steady) { judge.awaited(since: $0) }
        for condition in anew.raise { alerts.raise(condition) }
        for (key, message) in anew.resolve { alerts.resolve(key, message) }
        let silent = Set(judgement.silent)
        // Where the record of ends is gone, what an earlier process said of it is over once the service reports.
        for service in survey.sightings where service.lastExit == nil && !silent.contains(service.name) {
            alerts.resolve(ServiceWatch.flappingKey(service.name), "\(service.name) keeps running")
        }
        let words = ServiceTroubles(survey.words) { !silent.contains($0) }
        alerts.set("service_degraded:", words.degraded, "it reports no problem any more")
        let told = alerts.engine.active.values.first { $0.type == "brake" }?.story.cause
        let pulled = BrakeTroubles(
            brakes, automatic: survey.words[ServiceName.positionTracker.rawValue]?.problems["brake"] ?? told)
        alerts.set("brake:", pulled.automatic, "the brake was released")
        alerts.set("brake_on:", pulled.byHand, "the brake was lifted")
        alerts.set("terminals_need_restart:", words.restarts, "they came back")
        tellClock(steady)
        alerts.set("queue_growth:", words.queues, "its queue is short again")
        judge.judgeHeldConfirmations()
    }

    /// This machine's wall clock was set: nobody dies of it, but times in journals and logs jump.
    private func tellClock(_ steady: Timestamp) {
        let words = judge.engine.clockStep(within: 120_000, steady: steady.milliseconds).map { step in
            let direction = step.milliseconds < 0 ? "back" : "forward"
            return "this machine's clock was set \(direction) by \(abs(step.milliseconds) / 1000) s"
                + " \(step.age / 1000) s ago"
        }
        report.problem("clock", words)
        guard let words else { return alerts.set("clock_stepped:", [], "it has kept its pace for two minutes") }
        let condition = Condition(
            key: "clock_stepped:machine", type: "clock_stepped", severity: .warning, message: words,
            story: AlertStory(.mesh, "", cause: "the wall clock was set"))
        alerts.set("clock_stepped:", [condition], "")
    }

    private func tellFires(_ count: Int64) {
        guard count > 0 else { return alerts.set("fires_overdue:", [], "every fire has an outcome") }
        let number = Int(clamping: count)
        let condition = Condition(
            key: "fires_overdue:all", type: "fires_overdue", severity: .critical,
            message: "\(count) fires older than a minute have no known outcome",
            story: AlertStory(.mesh, "", cause: "no outcome is known", count: number))
        alerts.set("fires_overdue:", [condition], "")
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
            "nodes_late", String(counts[.late] ?? 0), "nodes_stale", String(counts[.stale] ?? 0),
            "unaccounted_fires", String(facts.unaccountedFires),
        ])
    }
}
