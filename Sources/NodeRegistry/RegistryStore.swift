import Domain
import Fleet
import Redis
import ServiceKit

/// Keeps the registry in Redis: what changed is written in one pipeline a turn, and again when its fate is unknown.
///
/// While Redis is away changes wait in memory, each node once, so that they are bounded by the registry itself.
final class RegistryStore {
    private static let days30 = String(30 * 86_400)
    private static let days31 = String(31 * 86_400)
    private static let eventLimit = 10_000
    /// Nodes written in one turn, and unanswered commands past which nothing more is sent.
    private static let nodesPerTurn = 1_000
    private static let outstandingLimit = 20_000

    /// A heartbeat's figures belong into a row that is there: alone they would be half a node. Tells whether it was.
    private let pulseScript = RedisScript(
        name: "node pulse",
        source: """
            if redis.call('HEXISTS', KEYS[1], 'node_uuid') == 0 then return 0 end
            redis.call('HSET', KEYS[1], unpack(ARGV, 2))
            redis.call('EXPIRE', KEYS[1], ARGV[1])
            return 1
            """)

    private let redis: RedisLink
    private let report: ServiceReport
    private(set) var isLoaded = false
    private var changed: Set<String> = []
    private var pulses: Set<String> = []
    private var events: [[String]] = []
    private var endedSessions: [String] = []
    private var forgotten: [NodeRecord] = []
    private var retryAt: Int64 = 0

    init(_ redis: RedisLink, _ report: ServiceReport) {
        self.redis = redis
        self.report = report
    }

    /// Nodes and events that wait to be written.
    var backlog: Int { changed.count + pulses.count + events.count }

    // MARK: - Taking in effects

    func note(_ effects: [RegistryEffect]) {
        for effect in effects {
            switch effect {
            case .changed(let nodeID): changed.insert(nodeID)
            case .pulse(let nodeID): pulses.insert(nodeID)
            case .event(let event): append(event.fields.flatMap { [$0.name, $0.value] })
            case .sessionEnded(let session): if isBounded(endedSessions.count) { endedSessions.append(session) }
            case .forgotten(let node): if isBounded(forgotten.count) { forgotten.append(node) }
            }
        }
    }

    /// What is dropped here expires in Redis by itself.
    private func isBounded(_ count: Int) -> Bool { count < RegistryStore.eventLimit }

    private func append(_ fields: [String]) {
        if events.count >= RegistryStore.eventLimit {
            events.removeFirst(events.count / 10)
            report.count("events_not_kept", Int64(RegistryStore.eventLimit / 10))
        }
        events.append(fields)
    }

    // MARK: - Writing

    /// Writes what changed; called once a turn.
    func flush(_ engine: NodeRegistryEngine) {
        guard isLoaded, redis.isReady, redis.outstanding < RegistryStore.outstandingLimit,
            SystemClock.monotonicMilliseconds() >= retryAt
        else { return }
        guard !changed.isEmpty || !pulses.isEmpty || !events.isEmpty || !endedSessions.isEmpty || !forgotten.isEmpty
        else { return }
        let batch = Batch(nodes: take(&changed), pulses: take(&pulses), events: events)
        events = []
        var commands = endedSessions.map { ["DEL", "session:\($0)"] }
        endedSessions = []
        for node in forgotten where engine.nodes[node.nodeID] == nil { commands += erasure(node, engine) }
        forgotten = []
        for nodeID in batch.nodes {
            if let node = engine.nodes[nodeID] { commands += record(node, engine) }
        }
        for nodeID in batch.pulses where !batch.nodes.contains(nodeID) {
            if let node = engine.nodes[nodeID] { sendPulse(node) }
        }
        for fields in batch.events {
            commands.append(["XADD", "events:nodes", "MAXLEN", "~", "100000", "*"] + fields)
        }
        send(commands, batch)
    }

    private struct Batch {
        let nodes: Set<String>
        let pulses: Set<String>
        let events: [[String]]
    }

    private func take(_ set: inout Set<String>) -> Set<String> {
        guard set.count > RegistryStore.nodesPerTurn else {
            defer { set = [] }
            return set
        }
        let part = Set(set.prefix(RegistryStore.nodesPerTurn))
        set.subtract(part)
        return part
    }

    private func send(_ commands: [[String]], _ batch: Batch) {
        var failure: String?
        for (index, command) in commands.enumerated() {
            let isLast = index == commands.count - 1
            redis.send(command) { [weak self] reply in
                if reply == nil { failure = failure ?? "" }
                if let message = reply?.errorMessage { failure = message }
                guard isLast else { return }
                self?.finish(batch, failure)
            }
        }
    }

    private func finish(_ batch: Batch, _ failure: String?) {
        guard let failure else { return report.problem("redis_refuses", nil) }
        // Writing twice does no harm; of events a repetition is better than a gap.
        changed.formUnion(batch.nodes)
        pulses.formUnion(batch.pulses)
        if events.count + batch.events.count <= RegistryStore.eventLimit { events = batch.events + events }
        guard !failure.isEmpty else { return }
        report.problem("redis_refuses", failure)
        retryAt = SystemClock.monotonicMilliseconds() + 1_000
    }

    private func record(_ node: NodeRecord, _ engine: NodeRegistryEngine) -> [[String]] {
        let key = "node:\(node.nodeID)"
        let fields = node.fields
        let absent = Set(NodeRecord.optionalFields).subtracting(fields.map(\.name))
        var commands = [
            ["HSET", key] + fields.flatMap { [$0.name, $0.value] },
            ["HDEL", key] + absent.sorted(),
            ["EXPIRE", key, RegistryStore.days30],
            ["ZADD", "all_nodes", String(node.firstSeen.milliseconds), node.nodeID],
        ]
        if node.status == .active {
            commands.append(["SADD", "active_nodes", node.nodeID])
            commands.append(["ZADD", "node_last_seen", String(node.lastSeen.milliseconds), node.nodeID])
            commands.append(["SET", "session:\(node.sessionID)", node.nodeID, "EX", RegistryStore.days30])
        } else {
            commands.append(["SREM", "active_nodes", node.nodeID])
            commands.append(["ZREM", "node_last_seen", node.nodeID])
        }
        if let user = node.details[.userUUID], engine.node(.user(user))?.nodeID == node.nodeID {
            commands.append(["SET", "user_node:\(user)", node.nodeID, "EX", RegistryStore.days31])
            commands.append(["SADD", "users_seen", user])
        }
        if let accountKey = node.details.accountKey, isCurrent(node, engine) {
            commands.append(["SET", "account_node:\(accountKey)", node.nodeID, "EX", RegistryStore.days31])
            commands += loginIndex(node)
        }
        return commands
    }

    /// For messages that name no server: the terminal of a login at any, the one that was written last.
    private func loginIndex(_ node: NodeRecord) -> [[String]] {
        guard let login = node.details[.account] else { return [] }
        return [["SET", "login_node:\(login)", node.nodeID, "EX", RegistryStore.days31]]
    }

    private func isCurrent(_ node: NodeRecord, _ engine: NodeRegistryEngine) -> Bool {
        guard let account = node.details[.account], let server = node.details[.server] else { return false }
        return engine.node(.account(account, server: server))?.nodeID == node.nodeID
    }

    /// Check and write in one step. A row that is gone is written whole with the next turn.
    private func sendPulse(_ node: NodeRecord) {
        let values = [RegistryStore.days30] + node.pulse.flatMap { [$0.name, $0.value] }
        let nodeID = node.nodeID
        redis.run(pulseScript, keys: ["node:\(nodeID)"], values) { [weak self] reply in
            guard let self, reply?.integer != 1 else { return }
            changed.insert(nodeID)
        }
        guard node.status == .active else { return }
        redis.send(["ZADD", "node_last_seen", String(node.lastSeen.milliseconds), nodeID])
    }

    private func erasure(_ node: NodeRecord, _ engine: NodeRegistryEngine) -> [[String]] {
        var commands = [
            ["DEL", "node:\(node.nodeID)", "session:\(node.sessionID)"], ["ZREM", "all_nodes", node.nodeID],
            ["SREM", "active_nodes", node.nodeID], ["ZREM", "node_last_seen", node.nodeID],
        ]
        if let user = node.details[.userUUID], engine.node(.user(user)) == nil {
            commands.append(["DEL", "user_node:\(user)"])
            commands.append(["SREM", "users_seen", user])
        }
        if let key = node.details.accountKey, let account = node.details[.account], let server = node.details[.server],
            engine.node(.account(account, server: server)) == nil
        {
            commands.append(["DEL", "account_node:\(key)"])
        }
        return commands
    }

    /// Everything is to be written again.
    func markAll(_ engine: NodeRegistryEngine) { changed.formUnion(engine.nodes.keys) }

    func finishLoading() { isLoaded = true }
}
