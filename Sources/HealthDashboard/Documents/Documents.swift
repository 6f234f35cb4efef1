import Domain
import ServiceKit
import Wire

/// The bodies of the interface that are not lists.
enum Documents {
    static func health(_ snapshot: Snapshot, now: Timestamp) -> JSON {
        let judgement = snapshot.judgement
        return .object([
            "status": .string(judgement.status.rawValue), "health_score": .integer(judgement.score),
            "health_score_source": .string(judgement.scoreSource), "health_factors": judgement.factors,
            "reasons": .array(judgement.reasons.map(\.json)), "demo": .bool(snapshot.isDemo),
            "services_running": .integer(snapshot.services.filter(\.state.isUp).count),
            "services_total": .integer(snapshot.services.count), "redis": redis(snapshot),
            "ports": .array(snapshot.ports.map { port($0, snapshot) }), "system": snapshot.system.json,
            "nodes": snapshot.summary.nodes.json,
            "positions": snapshot.summary.positions.json(closed: snapshot.closedPositions),
            "ledger": FireLedger(snapshot, now: now).json,
            "reconciliation": ReconciliationCounts(snapshot).json, "journal": JournalStorage(snapshot).json,
            "brake": brakes(snapshot),
            "alerts_active": .integer(snapshot.activeAlerts.count), "time": .string("\(now)"), "as_of": asOf(snapshot),
            "version": .string(MeshVersion.current), "started_at": .string("\(snapshot.startedAt)"),
            "uptime_s": .integer(max(0, (now - snapshot.startedAt) / 1000)),
        ])
    }

    private static func redis(_ snapshot: Snapshot) -> JSON {
        guard var object = snapshot.redis.json.object else { return .null }
        object.append("memory", snapshot.redisMemory?.json ?? .null)
        return .object(object)
    }

    /// When the shown state was read from Redis: while Redis is away this stands still and the figures are of then.
    static func asOf(_ snapshot: Snapshot) -> JSON { snapshot.readAt.map { .string("\($0)") } ?? .null }

    static func port(_ entry: PortList.Entry, _ snapshot: Snapshot) -> JSON {
        // The mesh's own Redis port means nothing where the operator named another Redis.
        let isUsed = entry.name != .state || snapshot.redis.isOwn
        return .object([
            "port": .integer(entry.port), "name": .string(entry.name.rawValue),
            "service": .string(entry.service.rawValue), "socket": .string(entry.socket.rawValue),
            "listening": isUsed ? .bool(snapshot.listening.contains(entry.port)) : .null,
            "open": .bool(entry.isOpen), "carries": .string(entry.carries),
        ])
    }

    private static func brakes(_ snapshot: Snapshot) -> JSON {
        var scopes: [JSON] = []
        for (scope, text) in snapshot.brakes.sorted(by: { $0.key < $1.key }) {
            let brake = BrakeSetting(text)
            guard brake.state != "ACTIVE" else { continue }
            scopes.append(
                .object([
                    "scope": .string(scope), "state": .string(brake.state), "reason": .string(brake.reason),
                    "since": Schema.json(brake.since, .time),
                ]))
        }
        let all = scopes.first { $0.object?["scope"]?.text == "all" }
        return .object(["state": all?.object?["state"] ?? .string("ACTIVE"), "scopes": .array(scopes)])
    }

    static func services(_ snapshot: Snapshot) -> [JSON] {
        snapshot.services.map { service in
            service.json(ports: snapshot.ports.filter { $0.service == service.name }.map { port($0, snapshot) })
        }
    }

    static func version(_ snapshot: Snapshot) -> JSON {
        .object([
            "name": .string("terminal-mesh"), "version": .string(MeshVersion.current), "demo": .bool(snapshot.isDemo),
            "started_at": .string("\(snapshot.startedAt)"),
        ])
    }

    /// - Returns: whether it can serve, and the body that says why not.
    static func readiness(_ snapshot: Snapshot, monotonic now: Int64) -> (isReady: Bool, body: JSON) {
        var reasons: [String] = []
        if snapshot.publishedMonotonic == 0 || snapshot.age(monotonic: now) > 5000 {
            reasons.append("the dashboard's own loop has not published for more than 5 s")
        }
        if !snapshot.redis.isReady { reasons.append("Redis is \(snapshot.redis.state.rawValue)") }
        if let read = snapshot.readMonotonic {
            let age = max(0, now - read)
            if age > 5000 { reasons.append("the state was last read from Redis \(age / 1000) s ago") }
        } else {
            reasons.append("the state has not been read from Redis yet")
        }
        let body: JSON = .object([
            "ready": .bool(reasons.isEmpty), "reasons": .array(reasons.map { .string($0) }),
        ])
        return (reasons.isEmpty, body)
    }

    /// The envelope of every list.
    static func list(
        _ items: [JSON], total: Int, _ query: (offset: Int, limit: Int), _ snapshot: Snapshot, now: Timestamp
    )
        -> JSON
    {
        .object([
            "now": .string("\(now)"), "as_of": asOf(snapshot), "total": .integer(total),
            "offset": .integer(query.offset),
            "limit": .integer(query.limit), "items": .array(items),
        ])
    }
}
