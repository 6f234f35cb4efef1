/// Connections of the telemetry port since the process started.
public struct ConnectionStatistics: Sendable, Equatable {
    public var accepted: Int64 = 0
    /// Peers that were no terminal: another protocol, another socket type, or silence.
    public var handshakesFailed: Int64 = 0
    public var disconnects: Int64 = 0
    public var current: Int64 = 0
    public var peak: Int64 = 0
}

/// Which nodes were heard on which TCP connection, by descriptor.
struct ConnectionBook: Sendable {
    private struct Connection: Sendable {
        var isOpen = false
        /// Whether several terminals may stand behind it.
        var isShared = false
        /// Indexes of the nodes that were heard on it.
        var nodes: [Int32] = []
        /// The node that speaks on it without naming itself (7.01), or -1.
        var identity: Int32 = -1
        /// Which one it is of those that had this descriptor.
        var number: UInt32 = 0
    }

    /// One connection may carry many nodes (a gateway, a simulator), but not without end.
    static let nodesPerConnection = 10_000
    private static let highestDescriptor = 1 << 20

    private var connections: [Connection] = []
    private(set) var statistics = ConnectionStatistics()

    private mutating func reach(_ descriptor: Int32) -> Int? {
        guard descriptor >= 0, descriptor < Self.highestDescriptor else { return nil }
        let place = Int(descriptor)
        while connections.count <= place { connections.append(Connection()) }
        return place
    }

    mutating func accepted(_ descriptor: Int32, isShared: Bool = true) {
        statistics.accepted += 1
        guard let place = reach(descriptor) else { return }
        if !connections[place].isOpen { statistics.current += 1 }
        statistics.peak = max(statistics.peak, statistics.current)
        let number = connections[place].number &+ 1
        connections[place] = Connection(isOpen: true, isShared: isShared, number: number)
    }

    func isOpen(_ descriptor: Int32) -> Bool {
        descriptor >= 0 && Int(descriptor) < connections.count && connections[Int(descriptor)].isOpen
    }

    /// Which connection it is of those that had the descriptor.
    @inline(__always)
    func number(_ descriptor: Int32) -> UInt32 {
        descriptor >= 0 && Int(descriptor) < connections.count ? connections[Int(descriptor)].number : 0
    }

    mutating func handshakeFailed() { statistics.handshakesFailed += 1 }

    /// Forgets a connection and returns the nodes that were heard on it.
    mutating func closed(_ descriptor: Int32) -> [Int32] {
        guard let place = reach(descriptor), connections[place].isOpen else { return [] }
        statistics.disconnects += 1
        statistics.current -= 1
        let nodes = connections[place].nodes
        connections[place] = Connection(number: connections[place].number &+ 1)
        return nodes
    }

    /// How many terminals' quotas a connection has. Names are claimed: from another machine it is one, whatever it names.
    func shares(of descriptor: Int32) -> Int {
        guard isOpen(descriptor), connections[Int(descriptor)].isShared else { return 1 }
        return connections[Int(descriptor)].nodes.count
    }

    /// Indexes of the nodes that were heard on a connection.
    func nodes(on descriptor: Int32) -> [Int32] {
        descriptor >= 0 && Int(descriptor) < connections.count ? connections[Int(descriptor)].nodes : []
    }

    /// Notes that a node was heard on a connection; whether that is news.
    mutating func attach(_ node: Int, to descriptor: Int32) -> Bool {
        // Frames of a connection that has ended are read after the news of its end: they must not revive it.
        guard isOpen(descriptor), let place = reach(descriptor) else { return false }
        let index = Int32(node)
        // A terminal mostly is alone on its connection.
        if connections[place].nodes.contains(index) { return false }
        guard connections[place].nodes.count < Self.nodesPerConnection else { return false }
        connections[place].nodes.append(index)
        return true
    }

    mutating func identify(_ descriptor: Int32, as node: Int) {
        guard let place = reach(descriptor) else { return }
        connections[place].identity = Int32(node)
    }

    func identity(_ descriptor: Int32) -> Int? {
        guard descriptor >= 0, Int(descriptor) < connections.count else { return nil }
        let identity = connections[Int(descriptor)].identity
        return identity >= 0 ? Int(identity) : nil
    }

    /// Follows nodes to their new indexes.
    mutating func move(_ moved: [Int32]) {
        for place in connections.indices {
            connections[place].nodes = connections[place].nodes.map { moved[Int($0)] }.filter { $0 >= 0 }
            if connections[place].identity >= 0 {
                connections[place].identity = moved[Int(connections[place].identity)]
            }
        }
    }
}
