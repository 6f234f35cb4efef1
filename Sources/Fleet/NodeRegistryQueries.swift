import Domain

// Reading the registry.

/// Whom a look-up asks for.
public enum NodeQuery: Sendable, Equatable {
    case node(String)
    case user(String)
    case session(String)
    case account(String, server: String?)
}

/// A page of nodes.
public struct NodeListing: Sendable, Equatable {
    public enum Order: String, Sendable, CaseIterable {
        case nodeID = "node_id"
        case firstSeen = "first_seen"
        case connectedAt = "connected_at"
        case lastSeen = "last_seen"
        case lastHeartbeat = "last_heartbeat"
        case uptime = "uptime_s"
        case broker, account, status, balance, equity
    }

    public var status: NodeStatus?
    public var broker: String?
    public var offset = 0
    public var limit = 100
    public var order = Order.nodeID
    public var isDescending = false

    public init() {}
}

/// Counts over all nodes.
public struct RegistryStatistics: Sendable, Equatable {
    public var total = 0
    public var byStatus: [NodeStatus: Int] = [:]
    public var byLiveness: [Liveness: Int] = [:]
    /// Of active nodes.
    public var byBroker: [String: Int] = [:]
    public var byVersion: [String: Int] = [:]
    public var users = 0
    public var averageLatency: Int64?
    public var averageJitter: Int64?
}

extension NodeRegistryEngine {
    public func node(_ query: NodeQuery) -> NodeRecord? {
        switch query {
        case .node(let identifier): nodes[identifier]
        case .user(let user): nodeOfUser[user].flatMap { nodes[$0] }
        case .session(let session): nodeOfSession[session].flatMap { nodes[$0] }
        case .account(let account, let server?):
            nodeOfAccount[PositionKey.accountKey(server: server, account: account)].flatMap { nodes[$0] }
        case .account(let account, nil):
            // The same login may exist at several servers: the one heard last.
            nodes.values.filter { $0.details[.account] == account }.max {
                ($0.status == .active ? 1 : 0, $0.lastSeen) < ($1.status == .active ? 1 : 0, $1.lastSeen)
            }
        }
    }

    public func list(_ listing: NodeListing) -> (total: Int, page: [NodeRecord]) {
        var found = nodes.values.filter { node in
            (listing.status == nil || node.status == listing.status)
                && (listing.broker == nil || node.details[.broker] == listing.broker
                    || node.details[.server] == listing.broker)
        }
        found.sort { NodeRegistryEngine.isBefore($0, $1, listing) }
        return (found.count, Array(found.dropFirst(listing.offset).prefix(listing.limit)))
    }

    private static func isBefore(_ left: NodeRecord, _ right: NodeRecord, _ listing: NodeListing) -> Bool {
        func number(_ field: NodeField, _ node: NodeRecord) -> Int64 {
            node.details[field].flatMap { Amount($0) }?.units ?? .min
        }
        func ordered<Key: Comparable>(_ key: (NodeRecord) -> Key) -> Bool {
            let (first, second) = (key(left), key(right))
            // Ties keep one order, so that pages neither repeat nor lose a node.
            guard first != second else { return left.nodeID < right.nodeID }
            return listing.isDescending ? second < first : first < second
        }
        return switch listing.order {
        case .nodeID: ordered { $0.nodeID }
        case .firstSeen: ordered { $0.firstSeen }
        case .connectedAt: ordered { $0.connectedAt }
        case .lastSeen: ordered { $0.lastSeen }
        case .lastHeartbeat: ordered { $0.lastHeartbeat?.milliseconds ?? 0 }
        case .uptime: ordered { $0.uptime }
        case .broker: ordered { $0.details[.broker] ?? "" }
        case .account: ordered { $0.details[.account] ?? "" }
        case .status: ordered { $0.status.rawValue }
        case .balance: ordered { number(.balance, $0) }
        case .equity: ordered { number(.equity, $0) }
        }
    }

    public func statistics() -> RegistryStatistics {
        var result = RegistryStatistics()
        result.total = nodes.count
        result.users = nodeOfUser.count
        var latency = Mean()
        var jitter = Mean()
        for node in nodes.values {
            result.byStatus[node.status, default: 0] += 1
            guard node.status == .active else { continue }
            result.byLiveness[node.liveness, default: 0] += 1
            result.byBroker[node.details[.broker] ?? node.details[.server] ?? "unknown", default: 0] += 1
            result.byVersion[node.details[.version] ?? "unknown", default: 0] += 1
            if let value = node.heartbeatLatency { latency.add(value) }
            if let value = node.heartbeatJitter { jitter.add(value) }
        }
        result.averageLatency = latency.value
        result.averageJitter = jitter.value
        return result
    }

    /// The newest lines of history, newest first, as far as memory reaches.
    public func history(limit: Int) -> [NodeEvent] { recent.suffix(max(0, limit)).reversed() }
}

/// A mean of whole numbers.
struct Mean: Sendable {
    private var sum: Int64 = 0
    private var count: Int64 = 0

    mutating func add(_ value: Int64) {
        let (next, overflow) = sum.addingReportingOverflow(value)
        guard !overflow else { return }
        sum = next
        count += 1
    }

    var value: Int64? { count == 0 ? nil : sum / count }
}
