public import Domain

/// Who is alive: judges each active node by its last sign of life, its connections and what its broker quotes to others.
///
/// Terminals stand still when the market does: they send nothing for a whole weekend while all is well. So silence alone
/// is no death. A node is dead when it was silent for 60 s and either all its connections are lost, or its broker went on
/// quoting to others for most of that time. Silent otherwise it is quiet, and nobody is alarmed.
///
/// Silence counts only while somebody listened: from the last sign of life, or the start of those who hear it, if that
/// was later. While they are down nobody is judged. So a restart of this judge changes nothing, and a restart of the
/// listeners gives everybody 60 s to speak. Source: ea-wire 1.3, the contract's `liveness`.
public struct LivenessEngine: Sendable {
    public struct Settings: Sendable {
        public var late: Int64 = 35_000
        public var dead: Int64 = 60_000
        /// How long a broker has to have quoted to others during a node's silence, for the silence to be the node's own.
        /// Less than `dead`, since quotes have gaps; much, since at the close terminals fall silent one by one.
        public var quoted: Int64 = 45_000
        /// A pause in a broker's quotes after which quoting has begun anew: terminals need a moment at the opening.
        public var pause: Int64 = 60_000
        /// Quiet longer than any holiday is dead.
        public var quietLimit: Int64 = 5 * 86_400_000
        public init() {}
    }

    /// What the registry knows of a node.
    public struct Detail: Sendable, Equatable {
        public var userUUID: String?
        public var account: String?
        public var server: String?
        public var broker: String?
        public var connection = ConnectionState.unknown
        public var heartbeats: Int64 = 0
        public var connections: Int64 = 1
        public init() {}
    }

    public enum Cause: String, Sendable {
        case connectionLost = "its connection is lost"
        case silentAmongQuotes = "it is silent while its broker quotes to others"
        case quietTooLong = "it has been quiet longer than any holiday"
    }

    public struct Death: Sendable, Equatable {
        public let nodeID: String
        public let lastSeen: Timestamp
        public let cause: Cause
        public let detail: Detail
    }

    public enum Effect: Sendable, Equatable {
        /// Ask the registry's hash for the node and hand it in with ``LivenessEngine/learn(_:_:earlier:at:)``.
        case ask(String)
        /// An active node nobody here knew: new, or back.
        case appeared(String)
        case liveness(String, Liveness)
        case dead(Death)
    }

    struct Node: Sendable {
        var lastSeen: Timestamp
        var liveness = Liveness.live
        var detail: Detail?
        var detailAt = Timestamp(milliseconds: 0)
        var askedAt = Timestamp(milliseconds: 0)
        var stability = NodeStability()
        var writtenAt = Timestamp(milliseconds: 0)
        var generation: UInt64
    }

    private struct Quoting: Sendable {
        var since: Timestamp
        var last: Timestamp
    }

    private let settings: Settings
    var nodes: [String: Node] = [:]
    private var brokers: [String: Quoting] = [:]
    private var generation: UInt64 = 0

    public init(settings: Settings = Settings()) { self.settings = settings }

    public var nodeCount: Int { nodes.count }

    /// How many nodes are of each liveness.
    public func counts() -> [Liveness: Int] {
        nodes.values.reduce(into: [:]) { $0[$1.liveness, default: 0] += 1 }
    }

    public func liveness(of nodeID: String) -> Liveness? { nodes[nodeID]?.liveness }

    /// Servers of nodes that are heard now: those whose quotes should come.
    public func liveServers() -> Set<String> {
        var servers: Set<String> = []
        for node in nodes.values where node.liveness == .live {
            if let server = node.detail?.server { servers.insert(server) }
        }
        return servers
    }

    // MARK: - A look at everybody, once a second

    /// - Parameters:
    ///   - sightings: all active nodes with their last sign of life.
    ///   - quotes: per broker server its newest current quote.
    ///   - listeningSince: since when everybody who hears terminals has been running; nil while one of them is down.
    public mutating func look(
        sightings: [(nodeID: String, lastSeen: Timestamp)], quotes: [(server: String, at: Timestamp)],
        listeningSince: Timestamp?, at now: Timestamp, into effects: inout [Effect]
    ) {
        generation += 1
        for quote in quotes { note(quote.server, min(quote.at, now)) }
        for sighting in sightings {
            var node =
                nodes[sighting.nodeID]
                ?? {
                    effects.append(.appeared(sighting.nodeID))
                    return Node(lastSeen: sighting.lastSeen, generation: generation)
                }()
            node.generation = generation
            if sighting.lastSeen > node.lastSeen {
                node.stability.note(interval: sighting.lastSeen - node.lastSeen)
                node.lastSeen = sighting.lastSeen
            }
            judge(sighting.nodeID, &node, listeningSince, now, &effects)
            nodes[sighting.nodeID] = node
        }
        if nodes.count > sightings.count { nodes = nodes.filter { $0.value.generation == generation } }
    }

    private mutating func note(_ server: String, _ at: Timestamp) {
        guard var known = brokers[server] else {
            brokers[server] = Quoting(since: at, last: at)
            return
        }
        guard at > known.last else { return }
        if at - known.last > settings.pause { known.since = at }
        known.last = at
        brokers[server] = known
    }

    private func judge(
        _ nodeID: String, _ node: inout Node, _ listeningSince: Timestamp?, _ now: Timestamp,
        _ effects: inout [Effect]
    ) {
        guard let listeningSince else { return }
        let silentSince = max(node.lastSeen, listeningSince)
        let silence = now - silentSince
        // A little early, so that the answer is there when it is needed.
        let patience: Int64 = silence < settings.dead - 3_000 ? 30_000 : node.liveness == .quiet ? 10_000 : 1_000
        if now - max(node.detailAt, node.askedAt) >= patience {
            node.askedAt = now
            effects.append(.ask(nodeID))
        }
        let before = node.liveness
        if silence < settings.late {
            node.liveness = .live
        } else if silence < settings.dead {
            if before != .quiet { node.liveness = .late }
        } else if before != .dead, let detail = node.detail, now - node.detailAt <= 15_000 {
            if let cause = causeOfDeath(detail, silentSince, now) {
                node.liveness = .dead
                effects.append(.dead(Death(nodeID: nodeID, lastSeen: node.lastSeen, cause: cause, detail: detail)))
            } else {
                node.liveness = .quiet
            }
        }
        guard node.liveness != before else { return }
        note(before, &node, now)
        if before == .dead { effects.append(.appeared(nodeID)) }
        if node.liveness != .dead { effects.append(.liveness(nodeID, node.liveness)) }
    }

    private func note(_ before: Liveness, _ node: inout Node, _ now: Timestamp) {
        switch (before, node.liveness) {
        case (.live, .late): node.stability.noteMissed(at: now)
        case (.late, .quiet): node.stability.takeBackMissed(at: now)
        case (_, .dead):
            node.stability.noteMissed(at: now)
            node.stability.noteTimeout(at: now)
        default: break
        }
        node.writtenAt = Timestamp(milliseconds: 0)
    }

    private func causeOfDeath(_ detail: Detail, _ silentSince: Timestamp, _ now: Timestamp) -> Cause? {
        if detail.connection == .lost { return .connectionLost }
        if let server = detail.server, let quoting = brokers[server],
            quoting.last - max(silentSince, quoting.since) >= settings.quoted
        {
            return .silentAmongQuotes
        }
        return now - silentSince >= settings.quietLimit ? .quietTooLong : nil
    }

    // MARK: - Details and statistics

    /// Takes in what the registry knows of a node, and its statistics of earlier processes where they were asked for.
    public mutating func learn(_ nodeID: String, _ detail: Detail, earlier: [String: String]?, at now: Timestamp) {
        guard var node = nodes[nodeID] else { return }
        if node.detail == nil, let earlier { node.stability.restore(earlier, at: now) }
        node.stability.heartbeats = max(node.stability.heartbeats, detail.heartbeats)
        node.stability.note(connections: detail.connections, at: now)
        node.detail = detail
        node.detailAt = now
        nodes[nodeID] = node
    }

    public func isKnown(_ nodeID: String) -> Bool { nodes[nodeID]?.detail != nil }

    /// Statistics to write: of each node at most every 30 s, or when it was judged anew.
    public mutating func takeStatistics(
        limit: Int, at now: Timestamp
    ) -> [(nodeID: String, fields: [(name: String, value: String)])] {
        var result: [(nodeID: String, fields: [(name: String, value: String)])] = []
        for (nodeID, node) in nodes where now - node.writtenAt >= 30_000 && node.detail != nil {
            guard result.count < limit else { break }
            nodes[nodeID]?.writtenAt = now
            result.append((nodeID, node.stability.fields(at: now)))
        }
        return result
    }
}
