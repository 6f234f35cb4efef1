import Domain
import Fleet
import Wire

/// The health score while heartbeat-monitor does not publish one: the same scoring, with what the dashboard sees.
struct FallbackScore {
    let score: Int
    let factors: JSON

    init(_ snapshot: Snapshot, now: Timestamp) {
        let health = HealthScore(FallbackScore.facts(snapshot, now: now))
        score = health.score
        factors = .array(
            health.factors.map { factor in
                .object([
                    "name": .string(factor.name), "points": .integer(factor.points),
                    "max_points": .integer(factor.maximum), "why": .string(factor.why),
                ])
            })
    }

    private static func facts(_ snapshot: Snapshot, now: Timestamp) -> HealthScore.Facts {
        func names(_ isWanted: (ServiceStatus.State) -> Bool) -> [String] {
            snapshot.services.filter { isWanted($0.state) }.map(\.name.rawValue)
        }
        let nodes = terminals(snapshot, now)
        let brokers = liveServers(snapshot)
        var facts = HealthScore.Facts()
        facts.servicesExpected = snapshot.services.count
        facts.silentServices = names { $0 == .stale || $0 == .down }
        facts.degradedServices = names { $0 == .degraded || $0 == .starting }
        facts.isRedisReady = snapshot.redis.isReady
        facts.activeNodes = nodes.active
        facts.deadNodes = nodes.lost
        facts.quotingBrokers = brokers.count
        facts.staleBrokers = brokers.filter { server in
            now.milliseconds - (snapshot.brokerQuotes[server] ?? 0) >= QuoteWatch.patience
        }.sorted()
        facts.unaccountedFires = FireLedger(snapshot, now: now).overdue
        // A monitor that has just started reports before it has worked out its first score.
        let isWatched = snapshot.services.contains { $0.name == .heartbeatMonitor && $0.state.isUp }
        if snapshot.score != nil || !isWatched {
            facts.monitorSilence = MonitorSilence.message(computedAt: snapshot.score?.computedAt, now: now)
        }
        facts.criticals = activeAlerts(snapshot, "critical")
        facts.warnings = activeAlerts(snapshot, "warning")
        return facts
    }

    /// As heartbeat-monitor counts them while it lives: nobody gives up those that are lost in its absence, and nobody
    /// lets go of those that were given up long ago.
    private static func terminals(_ snapshot: Snapshot, _ now: Timestamp) -> (active: Int, lost: Int) {
        let schema = Schema.nodes
        guard let status = schema.position("status"), let connection = schema.position("connection"),
            let lastSeen = schema.position("last_seen"), let ended = schema.position("disconnected_at")
        else { return (0, 0) }
        var (active, lost) = (0, 0)
        for node in snapshot.nodes {
            func time(_ position: Int) -> Int64? { node.values[position].flatMap { Int64($0) } }
            switch node.values[status] {
            case NodeStatus.active.rawValue:
                let seen = max(time(lastSeen) ?? 0, snapshot.lastSeen[node.identifier] ?? 0)
                let isLost =
                    node.values[connection] == ConnectionState.lost.rawValue
                    && now.milliseconds - seen >= NodeLoss.silenceMilliseconds
                if isLost { lost += 1 } else { active += 1 }
            case NodeStatus.timeout.rawValue where node.identifier != ProbeTerminal.nodeID:
                let end = time(ended) ?? time(lastSeen) ?? now.milliseconds
                if now.milliseconds - end <= NodeLoss.forgottenMilliseconds { lost += 1 }
            default: break
            }
        }
        return (active, lost)
    }

    private static func liveServers(_ snapshot: Snapshot) -> Set<String> {
        let schema = Schema.nodes
        guard let status = schema.position("status"), let liveness = schema.position("liveness"),
            let server = schema.position("server")
        else { return [] }
        return Set(
            snapshot.nodes.compactMap { node in
                node.values[status] == "active" && node.values[liveness] == "live" ? node.values[server] : nil
            })
    }

    private static func activeAlerts(_ snapshot: Snapshot, _ severity: String) -> Int {
        guard let position = Schema.alerts.position("severity") else { return 0 }
        return snapshot.alerts.count {
            snapshot.activeAlerts.contains($0.identifier) && $0.values[position] == severity
        }
    }
}
