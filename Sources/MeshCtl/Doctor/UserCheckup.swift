import Domain
import Redis
import ServiceKit
import Wire

/// Reads what is known of one user's terminal, from Redis and, where it answers, the dashboard, and judges it.
struct UserCheckup {
    private static let listed = 200
    private static let fires = 50

    let mesh: Mesh
    let user: String

    init(_ mesh: Mesh, _ user: String) {
        self.mesh = mesh
        self.user = user
    }

    func findings() -> [Finding] {
        guard mesh.isPresent || !mesh.usesOwnRedis else {
            return [
                .unknown("terminal", "the mesh is not running: nothing is known", "./start_all_services.sh starts it")
            ]
        }
        do throws(RedisConnectionError) {
            return UserJudgement(try facts()).findings
        } catch {
            return [
                .unknown(
                    "terminal", "Redis at \(mesh.configuration.redis) does not say: \(error.message)",
                    "meshctl doctor says what is wrong with it")
            ]
        }
    }

    private func facts() throws(RedisConnectionError) -> UserFacts {
        let connection = RedisConnection(mesh.configuration.redis)
        var facts = UserFacts(user: user, now: SystemClock.now())
        facts.isOpenToTheWorld = mesh.configuration.isOpenToTheWorld
        let replies = try connection.call(
            pipeline: [
                ["HGETALL", "user:\(user)"], ["GET", "user_node:\(user)"], ["HGETALL", "fleet_drift"],
                ["SMEMBERS", "held_confirmations"], ["HKEYS", "refused_peers:ea-commands"],
                ["HGETALL", "flooding_terminals"], ["SMEMBERS", "alerts_active"],
            ], milliseconds: 3000)
        facts.row = replies[0].dictionary ?? [:]
        if let node = replies[1].text {
            facts.node = try connection.call(["HGETALL", "node:\(node)"]).dictionary ?? [:]
        }
        readDrift(replies[2].dictionary ?? [:], &facts)
        facts.heldAddresses = replies[3].texts.compactMap { entry in
            entry.hasPrefix(user + "|") ? String(entry.dropFirst(user.count + 1)) : nil
        }.sorted()
        facts.refusedPeers = replies[4].texts.sorted()
        let flooding = replies[5].dictionary ?? [:]
        facts.isFlooding = [facts.text("node_id"), facts.text("peer_address")].contains { name in
            name.map { flooding[$0] != nil } ?? false
        }
        facts.alarms = try alarms(Array(replies[6].texts.sorted().prefix(UserCheckup.listed)), facts, connection)
        if facts.node.isEmpty { try look(forOthers: &facts, connection) }
        facts.fires = punctuality()
        return facts
    }

    /// `fleet_drift`: lists of terminals with what is the matter with each.
    private func readDrift(_ drift: [String: String], _ facts: inout UserFacts) {
        let nodeID = facts.text("node_id")
        func why(_ name: String) -> String? {
            let cases = drift[name].flatMap { try? JSON($0) }?.array?.compactMap(\.object) ?? []
            let mine = cases.first { $0["user_uuid"]?.text == user || (nodeID != nil && $0["node_id"]?.text == nodeID) }
            return mine.map { $0["why"]?.text ?? name }
        }
        facts.frozenChart = why("frozen_charts")
        facts.tradingDisabled = why("trading_disabled")
        facts.wrongSymbol = why("wrong_symbols")
        for field in drift["versions"].flatMap({ try? JSON($0) })?.object?.fields ?? [] {
            facts.versions[field.name] = field.value.text.flatMap { Int64($0) }
        }
    }

    private func alarms(
        _ identifiers: [String], _ facts: UserFacts, _ connection: RedisConnection
    ) throws(RedisConnectionError) -> [UserFacts.Alarm] {
        guard !identifiers.isEmpty else { return [] }
        let fields = ["type", "message", "action", "user_uuid", "node_id"]
        let rows = try connection.call(
            pipeline: identifiers.map { ["HMGET", "alert:\($0)"] + fields }, milliseconds: 3000)
        return rows.compactMap { row in
            let texts = (row.array ?? []).map { $0.text ?? "" }
            guard texts.count == fields.count else { return nil }
            let isMine = texts[3] == user || (!texts[4].isEmpty && texts[4] == facts.node["node_id"])
            return isMine ? UserFacts.Alarm(type: texts[0], message: texts[1], action: texts[2]) : nil
        }
    }

    /// No terminal of that name: who has the account, and whose name is nearly the same.
    private func look(
        forOthers facts: inout UserFacts, _ connection: RedisConnection
    ) throws(RedisConnectionError) {
        if let account = facts.row["account"], !account.isEmpty, let server = facts.row["server"], !server.isEmpty,
            let node = try connection.call(["GET", "account_node:\(server)|\(account)"]).text
        {
            let holder = try connection.call(["HGET", "node:\(node)", "user_uuid"]).text
            facts.accountHolder = holder == user ? nil : holder
        }
        guard facts.row.isEmpty else { return }
        let users = try connection.call(["SRANDMEMBER", "users", "20000"], milliseconds: 3000).texts
        let near = users.compactMap { name in
            NameDistance.between(name, user, atMost: 2).map { (distance: $0, name: name) }
        }
        facts.similarUsers = near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    /// The dashboard knows each fire's deadline; without it nothing is said of them.
    private func punctuality() -> [UserFacts.Fire] {
        var client = HTTPClient(port: mesh.configuration.ports[.health].port)
        client.timeoutMilliseconds = 1500
        let answer = try? client.get("/fires", [("user", user), ("limit", "\(UserCheckup.fires)")])
        return (answer?.json?.object?["items"]?.array?.compactMap(\.object) ?? []).map { fire in
            UserFacts.Fire(
                fireID: fire["fire_id"]?.text ?? "-", isOverdue: fire["overdue"]?.bool == true,
                isLate: fire["late"]?.bool == true)
        }
    }
}
