import Domain
import Wire

/// The health score while heartbeat-monitor does not publish one: simpler than its own, from what the dashboard sees.
///
/// 30 points for Redis, 40 for the seven services, 20 for the terminals, 10 for every trade being accounted for.
struct FallbackScore {
    let score: Int
    let factors: JSON

    private struct Factor {
        let name: String
        let maximum: Int
        let share: Double
        let why: String

        var points: Int { Int((Double(maximum) * max(0, min(1, share))).rounded()) }
        var json: JSON {
            .object([
                "name": .string(name), "points": .integer(points), "max_points": .integer(maximum),
                "why": .string(why),
            ])
        }
    }

    init(_ snapshot: Snapshot, reasons: [Judgement.Reason]) {
        let running = snapshot.services.filter { $0.state == .running }.count
        let degraded = snapshot.services.filter { $0.state == .degraded }.count
        let total = max(1, snapshot.services.count)
        let nodes = NodeCounts(snapshot.nodes)
        let expected = nodes.active + nodes.timeout
        let overdue = reasons.contains { $0.code == "unaccounted" }
        let factors = [
            Factor(
                name: "redis", maximum: 30, share: snapshot.redis.isReady ? 1 : 0,
                why: snapshot.redis.isReady ? "Redis answers" : "Redis does not answer"),
            Factor(
                name: "services", maximum: 40, share: (Double(running) + Double(degraded) / 2) / Double(total),
                why: "\(running) of \(snapshot.services.count) services run without a problem"),
            Factor(
                name: "terminals", maximum: 20,
                share: expected == 0 ? 1 : Double(nodes.active) / Double(expected),
                why: expected == 0
                    ? "no terminal is expected" : "\(nodes.active) of \(expected) expected terminals are connected"),
            Factor(
                name: "trades", maximum: 10, share: overdue ? 0 : 1,
                why: overdue ? "fires are past their deadline without an answer" : "every fire is accounted for"),
        ]
        score = factors.reduce(0) { $0 + $1.points }
        self.factors = .array(factors.map(\.json))
    }
}
