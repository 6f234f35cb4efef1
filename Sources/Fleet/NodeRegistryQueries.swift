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
    /// Text that a name of it must contain: user, login, broker, server, session, node, address.
    public var text: String?
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
                && (listing.text == nil || node.isNamed(listing.text ?? ""))
        }
        NodeRegistryEngine.sort(&found, listing)
        return (found.count, Array(found.dropFirst(listing.offset).prefix(listing.limit)))
    }

    private static func sort(_ nodes: inout [NodeRecord], _ listing: NodeListing) {
        func sort<Key: Comparable>(_ key: (NodeRecord) -> Key) {
            // Each key is made once: reading a balance is dearer than comparing two.
            var rows = nodes.map { (key: key($0), node: $0) }
            rows.sort { left, right in
                // Ties keep one order, so that pages neither repeat nor lose a node.
                guard left.key != right.key else { return left.node.nodeID < right.node.nodeID }
                return listing.isDescending ? right.key < left.key : left.key < right.key
            }
            nodes = rows.map(\.node)
        }
        func number(_ field: NodeField, _ node: NodeRecord) -> Int64 {
            node.details[field].flatMap { Amount($0) }?.units ?? .min
        }
        switch listing.order {
        case .nodeID: sort { $0.nodeID }
        case .firstSeen: sort { $0.firstSeen }
        case .connectedAt: sort { $0.connectedAt }
        case .lastSeen: sort { $0.lastSeen }
        case .lastHeartbeat: sort { $0.lastHeartbeat?.milliseconds ?? 0 }
        case .uptime: sort { $0.uptime }
        case .broker: sort { $0.details[.broker] ?? "" }
        case .account: sort { $0.details[.account] ?? "" }
        case .status: sort { $0.status.rawValue }
        case .balance: sort { number(.balance, $0) }
        case .equity: sort { number(.equity, $0) }
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
