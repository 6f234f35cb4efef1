public import Domain

/// Who is connected: every terminal's registration, sessions, uptime, and which node stands for a user or an account.
///
/// A value that decides; one owner feeds it requests in order and carries out its effects. Times a request brings are
/// bounded by the time it is handled at, which itself never runs backwards here. Source: the contract, section 2, registry.
public struct NodeRegistryEngine: Sendable {
    public struct Limits: Sendable {
        /// Nodes held in memory. At the limit those that ended longest ago make room.
        public var nodes = 200_000
        /// Milliseconds after which a node that isn't active is forgotten.
        public var forgetAfter: Int64 = 30 * 86_400_000
        /// Broker servers whose clock is followed.
        public var servers = 10_000
        /// Lines of history held in memory.
        public var history = 1000
        public init() {}
    }

    public let limits: Limits
    public internal(set) var nodes: [String: NodeRecord] = [:]
    public internal(set) var activeCount = 0
    var nodeOfUser: [String: String] = [:]
    var nodeOfAccount: [String: String] = [:]
    var nodeOfSession: [String: String] = [:]
    var recent: [NodeEvent] = []
    var uuids: UUIDSource
    var latest = Timestamp(milliseconds: 0)
    var clocks: [String: BrokerClock] = [:]
    /// Doubts about users whose nodes are not registered yet.
    var awaited: [String: NodeConflict] = [:]

    /// A HELLO read from another socket may be older than the DISCONNECT that was seen before it.
    static let helloSlack: Int64 = 5_000

    public init(limits: Limits = Limits(), uuids: UUIDSource = UUIDSource()) {
        self.limits = limits
        self.uuids = uuids
    }

    /// Decides one request.
    public mutating func handle(
        _ request: RegistryRequest, at now: Timestamp, into effects: inout [RegistryEffect]
    ) -> RegistryOutcome {
        notice(now)
        switch request {
        case .register(let registration): return register(registration, &effects)
        case .heartbeat(let heartbeat): return take(heartbeat, &effects)
        case .disconnect(let end):
            let outcome = disconnect(end, &effects)
            if end.nodeID == ProbeTerminal.nodeID { forget(ended: end.nodeID, &effects) }
            return outcome
        case .connection(let nodeID, let port, let state, let at):
            return note(nodeID, port, state, bounded(at), &effects)
        case .liveness(let nodeID, let liveness): return set(nodeID, liveness, &effects)
        case .switchAccount(let change): return switchAccount(change, &effects)
        case .conflict(let notice): return note(notice, &effects)
        case .conflictCleared(let notice): return clear(notice, &effects)
        case .foreign(let notice): return noteForeign(notice, &effects)
        }
    }

    func bounded(_ time: Timestamp) -> Timestamp { min(time, latest) }

    // MARK: - Heartbeats

    private mutating func take(_ beat: Heartbeat, _ effects: inout [RegistryEffect]) -> RegistryOutcome {
        let at = bounded(beat.receivedAt)
        guard nodes[beat.nodeID] != nil else {
            let registration = Registration(
                nodeID: beat.nodeID, details: beat.details, via: .heartbeat, receivedAt: beat.receivedAt)
            let outcome = register(registration, &effects)
            guard case .registered = outcome else { return outcome }
            count(beat, at)
            return .accepted
        }
        if let refusal = elsewhere(
            beat.nodeID, beat.details[.peerAddress], isBelieved: beat.isBelieved, user: beat.details[.userUUID], at,
            &effects)
        {
            return .refused(refusal)
        }
        return change(beat.nodeID) { engine, node in
            switch node.status {
            case .replaced, .disconnected:
                node.ignoredHeartbeats += 1
                return .ignored(node.status.rawValue)
            case .timeout: engine.recover(&node, at, &effects)
            case .active: break
            }
            let changed = node.details.merge(beat.details)
            node.note(sign: at)
            if !beat.isTicks {
                let latency = engine.latency(of: beat, server: node.details[.server], at)
                node.note(heartbeat: at, latency: latency)
            }
            let isIdentity = changed.contains { !$0.isFigure }
            if isIdentity { engine.claim(&node, at, &effects) }
            effects.append(isIdentity ? .changed(node.nodeID) : .pulse(node.nodeID))
            return .accepted
        }
    }

    /// The first heartbeat of a node that it registered.
    private mutating func count(_ beat: Heartbeat, _ at: Timestamp) {
        guard !beat.isTicks, var node = nodes[beat.nodeID], node.status == .active else { return }
        let latency = latency(of: beat, server: node.details[.server], at)
        node.note(heartbeat: at, latency: latency)
        nodes[beat.nodeID] = node
    }

    private mutating func latency(of beat: Heartbeat, server: String?, _ at: Timestamp) -> Int64? {
        guard let seconds = beat.brokerSeconds, let server else { return nil }
        guard clocks[server] != nil || clocks.count < limits.servers else { return nil }
        return clocks[server, default: BrokerClock()].age(ofBrokerSeconds: seconds, now: at)
    }

    // MARK: - Ends and signs

    private mutating func disconnect(_ end: NodeEnd, _ effects: inout [RegistryEffect]) -> RegistryOutcome {
        let at = bounded(end.receivedAt)
        let address = end.peerAddress
        if let refusal = elsewhere(end.nodeID, address, isBelieved: end.isBelieved, user: end.userUUID, at, &effects) {
            return .refused(refusal)
        }
        return change(end.nodeID) { engine, node in
            switch node.status {
            case .replaced, .disconnected: return .ignored(node.status.rawValue)
            case .timeout where end.isTimeout: return .ignored(node.status.rawValue)
            case .timeout, .active: break
            }
            if end.isTimeout, let judged = end.judgedLastSeen, node.lastSeen > judged {
                return .ignored("heard_since")
            }
            // Of a connection before this one: requests that had to be repeated may overtake each other.
            if at < node.connectedAt { return .ignored("before_connect") }
            if node.status == .active {
                node.finishConnection(at: end.isTimeout ? node.lastSeen : max(at, node.lastSeen))
                engine.activeCount -= 1
            }
            node.end(end.isTimeout ? .timeout : .disconnected)
            node.disconnectedAt = at
            node.disconnectReason = end.reason
            effects.append(.changed(node.nodeID))
            engine.record(end.isTimeout ? .timeout : .disconnected, node, end.reason, &effects)
            return .accepted
        }
    }

    private mutating func set(
        _ nodeID: String, _ liveness: Liveness, _ effects: inout [RegistryEffect]
    ) -> RegistryOutcome {
        change(nodeID) { _, node in
            guard node.status == .active else { return .ignored(node.status.rawValue) }
            guard node.liveness != liveness else { return .accepted }
            node.liveness = liveness
            effects.append(.pulse(node.nodeID))
            return .accepted
        }
    }

    private mutating func note(
        _ nodeID: String, _ port: NodePort, _ state: ConnectionState, _ at: Timestamp,
        _ effects: inout [RegistryEffect]
    ) -> RegistryOutcome {
        change(nodeID) { engine, node in
            // The connection of a node that ended says nothing about it any more.
            guard node.status == .active || node.status == .timeout else { return .ignored(node.status.rawValue) }
            if let newest = node.connectionReports[port], at < newest { return .ignored("overtaken") }
            node.connectionReports[port] = at
            let before = node.connection
            switch port {
            case .telemetry: node.telemetry = state
            case .commands: node.commands = state
            }
            let after = node.connection
            effects.append(.changed(node.nodeID))
            guard before != after else { return .accepted }
            if node.status == .active {
                if after == .lost {
                    node.lostAt = max(at, node.connectedAt, node.lastSeen)
                } else if before == .lost {
                    engine.reconnect(&node, at, &effects)
                }
            }
            engine.record(.connection, node, "\(port.rawValue) \(state.rawValue)", &effects)
            return .accepted
        }
    }

    /// Works on one node and puts it back; unknown nodes are refused.
    mutating func change(
        _ nodeID: String, _ body: (inout NodeRegistryEngine, inout NodeRecord) -> RegistryOutcome
    ) -> RegistryOutcome {
        guard var node = nodes[nodeID] else { return .refused(.unknownNode(nodeID)) }
        let outcome = body(&self, &node)
        nodes[nodeID] = node
        return outcome
    }

    mutating func record(
        _ kind: NodeEvent.Kind, _ node: NodeRecord, _ reason: String?, _ effects: inout [RegistryEffect]
    ) {
        guard node.nodeID != ProbeTerminal.nodeID else { return }
        keep(NodeEvent(kind: kind, node: node, reason: reason, time: latest), &effects)
    }

    mutating func keep(_ event: NodeEvent, _ effects: inout [RegistryEffect]) {
        recent.append(event)
        // Trimmed in bulk: removing the first of an array moves all others.
        if recent.count >= 2 * limits.history { recent.removeFirst(recent.count - limits.history) }
        effects.append(.event(event))
    }
}
