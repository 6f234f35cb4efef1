public import Domain

/// A terminal that says who it is.
public struct Registration: Sendable, Equatable {
    public enum Via: String, Sendable, CaseIterable { case hello, handshake, heartbeat }

    public var nodeID: String
    public var details: NodeDetails
    public var via: Via
    public var receivedAt: Timestamp
    /// Seconds of the broker's clock: tells a message of the present from one out of a backlog.
    public var brokerSeconds: Int64?
    /// Whether the fence vouches for the address it came from.
    public var isBelieved = false

    public init(
        nodeID: String, details: NodeDetails, via: Via, receivedAt: Timestamp, brokerSeconds: Int64? = nil
    ) {
        self.nodeID = nodeID
        self.details = details
        self.via = via
        self.receivedAt = receivedAt
        self.brokerSeconds = brokerSeconds
    }
}

/// A sign of life: a heartbeat, or prices having come.
public struct Heartbeat: Sendable, Equatable {
    public var nodeID: String
    public var details: NodeDetails
    /// Seconds of the broker's clock.
    public var brokerSeconds: Int64?
    public var receivedAt: Timestamp
    /// Whether prices were the sign; then it is no heartbeat in the statistics.
    public var isTicks: Bool
    /// Whether the fence vouches for the address it came from.
    public var isBelieved = false

    public init(
        nodeID: String, details: NodeDetails = NodeDetails(), brokerSeconds: Int64? = nil, receivedAt: Timestamp,
        isTicks: Bool = false
    ) {
        self.nodeID = nodeID
        self.details = details
        self.brokerSeconds = brokerSeconds
        self.receivedAt = receivedAt
        self.isTicks = isTicks
    }
}

/// The end of a node: said by itself, or judged by the heartbeat monitor.
public struct NodeEnd: Sendable, Equatable {
    public var nodeID: String
    public var reason: String
    public var receivedAt: Timestamp
    /// The last sign of life the judgement rests on: a later one makes it void.
    public var judgedLastSeen: Timestamp?
    /// The address it came from, whom it names, and whether the fence vouches for him there.
    public var peerAddress: String?
    public var userUUID: String?
    public var isBelieved = false

    public init(nodeID: String, reason: String, receivedAt: Timestamp, judgedLastSeen: Timestamp? = nil) {
        self.nodeID = nodeID
        self.reason = reason
        self.receivedAt = receivedAt
        self.judgedLastSeen = judgedLastSeen
    }

    /// The word by which a node is given up, not ended.
    public static let timeoutReason = "timeout"
    var isTimeout: Bool { reason == NodeEnd.timeoutReason }
}

public struct AccountSwitch: Sendable, Equatable {
    public var nodeID: String
    /// Of the new account's node; made up where it is nil.
    public var newNodeID: String?
    public var details: NodeDetails
    public var receivedAt: Timestamp

    public init(nodeID: String, newNodeID: String?, details: NodeDetails, receivedAt: Timestamp) {
        self.nodeID = nodeID
        self.newNodeID = newNodeID
        self.details = details
        self.receivedAt = receivedAt
    }
}

/// What changes the registry.
public enum RegistryRequest: Sendable, Equatable {
    case register(Registration)
    case heartbeat(Heartbeat)
    case disconnect(NodeEnd)
    case connection(nodeID: String, port: NodePort, state: ConnectionState, at: Timestamp)
    case liveness(nodeID: String, Liveness)
    case switchAccount(AccountSwitch)
    /// position-tracker's fence found out that a name is in doubt, or an operator ended it.
    case conflict(ConflictNotice)
    case conflictCleared(ConflictNotice)
    /// Somebody spoke for a terminal on the telemetry port from where it does not speak.
    case foreign(ConflictNotice)
}

/// A request that can't be done: a stable code and what to do about it.
public struct RegistryRefusal: Error, Sendable, Equatable {
    public let code: String
    public let message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    public static func missingField(_ name: String) -> RegistryRefusal {
        RegistryRefusal(code: "missing_field", message: "'\(name)' is missing")
    }

    public static func badValue(_ name: String, _ complaint: String) -> RegistryRefusal {
        RegistryRefusal(code: "bad_value", message: "'\(name)' \(complaint)")
    }

    public static func unknownNode(_ nodeID: String) -> RegistryRefusal {
        RegistryRefusal(code: "unknown_node", message: "no node '\(nodeID)' is known; register it first")
    }

    static func nodeExists(_ nodeID: String) -> RegistryRefusal {
        RegistryRefusal(
            code: "node_exists", message: "'\(nodeID)' is known already; give the new account another node_id")
    }

    static func replaced(_ node: NodeRecord) -> RegistryRefusal {
        let successor = node.replacedBy ?? "a newer node"
        return RegistryRefusal(code: "node_replaced", message: "'\(node.nodeID)' was replaced by \(successor)")
    }

    static func identityConflict(_ nodeID: String) -> RegistryRefusal {
        RegistryRefusal(
            code: "identity_conflict", message: "'\(nodeID)' is active for another user; a node belongs to one user")
    }

    static func spokenElsewhere(_ user: String, _ known: String, _ other: String) -> RegistryRefusal {
        RegistryRefusal(
            code: "identity_conflict",
            message: "'\(user)' is connected from \(known) and this comes from \(other); stop one of the two")
    }

    static let registryFull = RegistryRefusal(
        code: "registry_full", message: "no more nodes can be held; all that are known are active")
}

/// What became of a request.
public enum RegistryOutcome: Sendable, Equatable {
    case registered(NodeRecord, replaced: String?)
    case accepted
    /// Understood and left without effect; the word says why.
    case ignored(String)
    case refused(RegistryRefusal)
}

/// What has to be kept.
public enum RegistryEffect: Sendable, Equatable {
    /// Any of the node's fields may be another one.
    case changed(String)
    /// Only what a heartbeat changes.
    case pulse(String)
    case event(NodeEvent)
    case sessionEnded(String)
    case forgotten(NodeRecord)
}
