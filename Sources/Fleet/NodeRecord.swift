public import Domain

/// A node's life cycle.
public enum NodeStatus: String, Sendable, CaseIterable {
    case active
    /// Given up after silence; comes back with its next sign of life.
    case timeout
    /// It said goodbye.
    case disconnected
    /// The same user runs a newer node.
    case replaced
}

/// How lively an active node is; only `dead` turns its status to `timeout`.
public enum Liveness: String, Sendable, CaseIterable {
    case live, quiet, late, stale, dead
}

/// What is known of a node's TCP connections.
public enum ConnectionState: String, Sendable, CaseIterable {
    case up, lost, unknown
}

/// The two ports a terminal keeps a connection to.
public enum NodePort: String, Sendable, CaseIterable {
    case telemetry = "ea-telemetry"
    case commands = "ea-commands"
}

/// One terminal's run as the registry knows it. Times are UTC, durations milliseconds.
public struct NodeRecord: Sendable, Equatable {
    public let nodeID: String
    /// Of the registration; stays for as long as the node is known.
    public var nodeUUID: String
    /// Of the connection: new at every connect.
    public var sessionID: String
    public var details = NodeDetails()
    public var status = NodeStatus.active
    public var liveness = Liveness.live
    public var telemetry = ConnectionState.unknown
    public var commands = ConnectionState.unknown
    public var firstSeen: Timestamp
    public var connectedAt: Timestamp
    public var lastSeen: Timestamp
    public var lastHeartbeat: Timestamp?
    /// Since when every known connection is gone; nil while one is there or none was ever seen.
    public var lostAt: Timestamp?
    public var disconnectedAt: Timestamp?
    public var disconnectReason: String?
    /// Of connections that ended.
    public var finishedUptime: Int64 = 0
    /// How often it connected.
    public var connections: Int64 = 1
    public var heartbeats: Int64 = 0
    /// Heartbeats that came while it was replaced or disconnected.
    public var ignoredHeartbeats: Int64 = 0
    /// How far the last heartbeat's broker time was behind the newest of that broker server; whole seconds at best.
    public var heartbeatLatency: Int64?
    /// Smoothed difference between successive heartbeat intervals.
    public var heartbeatJitter: Int64?
    var heartbeatInterval: Int64?
    /// When each port's connection was last reported, since reports that are repeated may overtake each other.
    var connectionReports: [NodePort: Timestamp] = [:]
    /// The end of the last finished connection.
    var finishedAt: Timestamp?
    public var replacedBy: String?
    /// Who speaks under its name is in doubt.
    public var identityConflict: NodeConflict?

    public init(nodeID: String, nodeUUID: String, sessionID: String, at now: Timestamp) {
        self.nodeID = nodeID
        self.nodeUUID = nodeUUID
        self.sessionID = sessionID
        firstSeen = now
        connectedAt = now
        lastSeen = now
    }

    /// Up while one port is, lost when all that were ever seen are gone.
    public var connection: ConnectionState {
        let known = [telemetry, commands].filter { $0 != .unknown }
        if known.isEmpty { return .unknown }
        return known.contains(.up) ? .up : .lost
    }

    /// Milliseconds connected, over all connections, up to the last sign of life.
    public var uptime: Int64 {
        guard status == .active else { return finishedUptime }
        return finishedUptime + max(0, (lostAt ?? lastSeen) - connectedAt)
    }

    /// Ends the running connection's share of the uptime.
    mutating func finishConnection(at end: Timestamp) {
        let end = max(connectedAt, lostAt ?? end)
        finishedUptime += end - connectedAt
        finishedAt = end
        lostAt = nil
    }

    /// Begins a connection after the last one ended; never before it ended, so that no moment counts twice.
    mutating func beginConnection(session: String, at start: Timestamp) {
        sessionID = session
        connectedAt = max(start, connectedAt, finishedAt ?? start)
        connections += 1
    }

    /// It is no longer active: what is known of its life and its connections is of the past.
    mutating func end(_ status: NodeStatus) {
        self.status = status
        liveness = .dead
        // A node that was given up comes back by itself, with the connections it still has.
        guard status != .timeout else { return }
        telemetry = .unknown
        commands = .unknown
    }

    /// Our clock was set back: nothing of a node may lie in what is the future now, or its silence would be negative.
    mutating func setBack(to now: Timestamp) {
        lastSeen = min(lastSeen, now)
        lastHeartbeat = lastHeartbeat.map { min($0, now) }
        lostAt = lostAt.map { min($0, now) }
        finishedAt = finishedAt.map { min($0, now) }
        disconnectedAt = disconnectedAt.map { min($0, now) }
        connectionReports = connectionReports.mapValues { min($0, now) }
        guard connectedAt > now else { return }
        connectedAt = now
        firstSeen = min(firstSeen, now)
    }

    mutating func note(sign at: Timestamp) {
        if at > lastSeen { lastSeen = at }
        liveness = .live
    }

    /// Heartbeats of one beat come on two ports within moments: closer ones count for the number, not for the rhythm.
    private static let sameBeat: Int64 = 2_000

    mutating func note(heartbeat at: Timestamp, latency: Int64?) {
        heartbeats += 1
        if let latency { heartbeatLatency = latency }
        guard let last = lastHeartbeat else {
            lastHeartbeat = at
            return
        }
        let interval = at - last
        guard interval >= NodeRecord.sameBeat else { return }
        lastHeartbeat = at
        if let previous = heartbeatInterval {
            // RFC 3550, section 6.4.1: J += (|D| - J) / 16.
            let jitter = heartbeatJitter ?? 0
            heartbeatJitter = jitter + (abs(interval - previous) - jitter) / 16
        }
        heartbeatInterval = interval
    }
}

/// One line of the connection history.
public struct NodeEvent: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case registered, replaced, disconnected, timeout, recovered, switched, connection, conflict
        case conflictCleared = "conflict_cleared"
    }

    public let kind: Kind
    public let node: NodeRecord
    public let reason: String?
    public let time: Timestamp
    /// What a conflict was, where this is about one.
    public var conflict: NodeConflict?
}
