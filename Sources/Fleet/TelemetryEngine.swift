public import Domain

/// What passes through the telemetry port: which terminal, which broker server, on which connection; what the registry
/// has to hear. Frames themselves are relayed by its owner.
///
/// Connections are told apart by their descriptors. One owner; the time is an argument.
public struct TelemetryEngine: Sendable {
    /// What a quote asks of its owner; mostly nothing.
    public struct Notice: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Tell the registry that the node lives.
        public static let activity = Notice(rawValue: 1)
        /// Find out on which connection it came: ``TelemetryEngine/attach(_:to:at:into:)``.
        public static let descriptor = Notice(rawValue: 2)
        /// Look up the node's server: ``TelemetryEngine/learn(server:broker:of:at:)``.
        public static let server = Notice(rawValue: 4)
        /// Nothing was noted: find out whether the terminal speaks on that connection, and say so with
        /// ``TelemetryEngine/believe(_:on:from:at:)``.
        public static let speaker = Notice(rawValue: 8)
    }

    /// How often the registry hears that a node's prices come, in milliseconds, at most.
    public static let activityInterval: Int64 = 10_000
    static let lookUpInterval: Int64 = 30_000
    static let attachInterval: Int64 = 1_000

    var nodes: NodeTable
    var connections = ConnectionBook()
    /// Of terminals without a name, by the node id they were given.
    var identities: [String: Identity] = [:]
    /// How much each connection may send.
    public var quota: TelemetryQuota
    /// Of terminals that introduced themselves, by node id.
    var standings: [String: TerminalStanding] = [:]
    /// Those of them that take their commands from a PUSH.
    var pulling: Set<String> = []
    var lastPulling = 0
    let commandListeners: CommandListeners
    public private(set) var brokers: [BrokerStatistics] = []
    private var brokerIndexes: [String: Int32] = [:]
    private let brokerLimit: Int
    private var clockText = ClockText()
    private var nextClearance: Int64 = 0
    /// Quotes of terminals that aren't followed because the table is full.
    public private(set) var unfollowed: Int64 = 0

    /// - Parameter commandListeners: what terminals find on `ea-commands`.
    public init(
        nodeLimit: Int = 262_144, brokerLimit: Int = 10_000, quota: TelemetryQuota = TelemetryQuota(),
        commandListeners: CommandListeners = CommandListeners(), seed: UInt64
    ) {
        self.quota = quota
        self.commandListeners = commandListeners
        nodes = NodeTable(limit: nodeLimit, seed: seed)
        self.brokerLimit = brokerLimit
    }

    public var nodeCount: Int { nodes.count }
    public var connectionStatistics: ConnectionStatistics { connections.statistics }
    public func nodeID(_ node: Int) -> String { nodes.nodeIDs[node] }

    // MARK: - Quotes: nothing here allocates for a known node

    /// One quote of a terminal that names itself.
    ///
    /// - Parameter descriptor: the connection it came on; nil where that need not be asked (any more).
    /// - Returns: the terminal's index, or nil where it isn't followed, and what is to be done.
    @inline(__always)
    public mutating func tick(
        nodeID: UnsafeBufferPointer<UInt8>, on descriptor: Int32? = nil, timestamp: UnsafeBufferPointer<UInt8>,
        at now: Timestamp
    ) -> (node: Int, notice: Notice)? {
        guard let node = nodes.index(of: nodeID, now: now.milliseconds) ?? admit(nodeID, now) else {
            unfollowed &+= 1
            return nil
        }
        if let descriptor, !isBelieved(node, on: descriptor, now) { return (node, .speaker) }
        return (node, tick(of: node, timestamp: timestamp, at: now))
    }

    /// One quote of a terminal without a name (7.01), known by its connection.
    public mutating func tick(
        descriptor: Int32, timestamp: UnsafeBufferPointer<UInt8>, at now: Timestamp
    ) -> (node: Int, notice: Notice)? {
        guard let node = connections.identity(descriptor) else { return nil }
        return (node, tick(of: node, timestamp: timestamp, at: now))
    }

    @inline(__always)
    private mutating func tick(
        of node: Int, timestamp: UnsafeBufferPointer<UInt8>, at now: Timestamp
    ) -> Notice {
        var notice: Notice = []
        let server = nodes[node].server
        if server >= 0 {
            brokers[Int(server)].note(tick: clockText.seconds(timestamp), at: now)
        } else if nodes[node].nextLookUp <= now.milliseconds {
            nodes[node].nextLookUp = now.milliseconds + Self.lookUpInterval
            notice.insert(.server)
        }
        if nodes[node].connections == 0, nodes[node].nextAttach <= now.milliseconds {
            nodes[node].nextAttach = now.milliseconds + Self.attachInterval
            notice.insert(.descriptor)
        }
        if nodes[node].nextActivity <= now.milliseconds {
            // Spread a little, or all terminals of a restarted mesh would report in the same moment for ever.
            let spread = Int64(truncatingIfNeeded: nodes[node].hash & 1023)
            nodes[node].nextActivity = now.milliseconds + Self.activityInterval + spread
            nodes[node].lastHeard = now.milliseconds
            notice.insert(.activity)
        }
        return notice
    }

    /// The terminal of a bar, where its connection is not one on which it is believed.
    public mutating func strangeSpeaker(
        nodeID: UnsafeBufferPointer<UInt8>, on descriptor: Int32, at now: Timestamp
    ) -> Int? {
        guard let node = nodes.index(of: nodeID, now: now.milliseconds), !isBelieved(node, on: descriptor, now) else {
            return nil
        }
        return node
    }

    /// The table is full: make room, at most once a second.
    private mutating func admit(_ nodeID: UnsafeBufferPointer<UInt8>, _ now: Timestamp) -> Int? {
        guard now.milliseconds >= nextClearance else { return nil }
        nextClearance = now.milliseconds + 1000
        connections.move(nodes.removeIdle(now: now.milliseconds))
        if !identities.isEmpty || !standings.isEmpty {
            let known = Set(nodes.nodeIDs)
            identities = identities.filter { known.contains($0.key) }
            standings = standings.filter { known.contains($0.key) }
            pulling.formIntersection(known)
        }
        return nodes.index(of: nodeID, now: now.milliseconds)
    }

    mutating func index(of nodeID: String, at now: Timestamp) -> Int? {
        var copy = nodeID
        let found = copy.withUTF8 { nodes.index(of: $0, now: now.milliseconds) ?? admit($0, now) }
        if let found { nodes[found].lastHeard = now.milliseconds }
        return found
    }

    // MARK: - Brokers

    /// Notes to which broker server a terminal belongs.
    public mutating func learn(server: String, broker: String?, of nodeID: String, at now: Timestamp) {
        guard let node = index(of: nodeID, at: now), let place = place(server, now) else { return }
        nodes[node].server = place
        if let broker { brokers[Int(place)].broker = broker }
    }

    mutating func place(_ server: String, _ now: Timestamp) -> Int32? {
        if let known = brokerIndexes[server] { return known }
        guard brokers.count < brokerLimit else { return nil }
        brokers.append(BrokerStatistics(server: server, at: now))
        brokerIndexes[server] = Int32(brokers.count - 1)
        return Int32(brokers.count - 1)
    }

    mutating func changeBroker(_ place: Int32, _ change: (inout BrokerStatistics) -> Void) {
        change(&brokers[Int(place)])
        brokers[Int(place)].isChanged = true
    }

    /// Adds what an earlier process had counted for a server.
    public mutating func restore(broker server: String, _ fields: [String: String], at now: Timestamp) {
        guard let place = place(server, now) else { return }
        brokers[Int(place)].add(earlier: fields)
    }

    /// Brokers that changed since the last call.
    public mutating func takeChangedBrokers() -> [BrokerStatistics] {
        var changed: [BrokerStatistics] = []
        for index in brokers.indices where brokers[index].isChanged {
            brokers[index].isChanged = false
            changed.append(brokers[index])
        }
        return changed
    }

    /// Has brokers written again whose writing failed.
    public mutating func markChanged(_ servers: [String]) {
        for server in servers {
            if let place = brokerIndexes[server] { brokers[Int(place)].isChanged = true }
        }
    }
}

/// Reads clock readings of quotes; those that come one after another are mostly the same second.
struct ClockText: Sendable {
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var last: UInt32 = 0
    private var value: Int64?

    /// Seconds of the broker's clock, from `YYYY.MM.DD HH:MM:SS` or a whole number; nil for anything else.
    mutating func seconds(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count == 19 else { return ClockText.number(text) }
        let raw = UnsafeRawBufferPointer(text)
        let words = (
            raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 15, as: UInt32.self)
        )
        if words == (first, second, last) { return value }
        (first, second, last) = words
        value = Timestamp.brokerSeconds(text)
        return value
    }

    private static func number(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard (1...13).contains(text.count) else { return nil }
        var number: Int64 = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            number = number * 10 + Int64(byte - 0x30)
        }
        // Milliseconds are seen as such.
        return number >= 100_000_000_000 ? number / 1000 : number
    }
}
