public import Domain

/// One terminal's trouble, before it is known whether it is its own.
public struct NodeTrouble: Sendable, Equatable {
    public var nodeID: String
    public var type: String
    public var severity: Alert.Severity
    public var message: String
    /// For people: why, in a few words that many troubles may share.
    public var reason: String
    public var detail: LivenessEngine.Detail
    public var lastSeen: Timestamp?
    public var flappingType: String?

    public init(
        nodeID: String, type: String, severity: Alert.Severity, message: String, reason: String,
        detail: LivenessEngine.Detail, lastSeen: Timestamp? = nil, flappingType: String? = nil
    ) {
        self.nodeID = nodeID
        self.type = type
        self.severity = severity
        self.message = message
        self.reason = reason
        self.detail = detail
        self.lastSeen = lastSeen
        self.flappingType = flappingType
    }

    public static func key(_ type: String, _ nodeID: String) -> String { "\(type):\(nodeID)" }
    var key: String { NodeTrouble.key(type, nodeID) }

    var fields: [String: String] {
        var fields = ["node_id": nodeID]
        fields["last_seen"] = lastSeen.map { String($0.milliseconds) }
        fields["user_uuid"] = detail.userUUID
        fields["account"] = detail.account
        fields["server"] = detail.server
        fields["broker"] = detail.broker
        fields["version"] = detail.version
        fields["subnet"] = detail.subnet
        return fields
    }

    var condition: Condition {
        Condition(
            key: key, type: type, severity: severity, message: message, fields: fields,
            story: AlertStory(.node, nodeID, cause: reason), flappingType: flappingType)
    }
}

/// What terminals may share.
enum SharedTrait: Int, Sendable, CaseIterable {
    // In the order in which equally good explanations are preferred.
    case fleet, server, subnet, version, broker

    func value(_ detail: LivenessEngine.Detail) -> String? {
        switch self {
        case .fleet: ""
        case .server: detail.server
        case .subnet: detail.subnet
        case .version: detail.version
        case .broker: detail.broker
        }
    }

    var scope: Alert.Scope {
        switch self {
        case .fleet: .fleet
        case .server: .server
        case .subnet: .subnet
        case .version: .version
        case .broker: .broker
        }
    }

    func words(_ value: String) -> String {
        switch self {
        case .fleet: "the whole fleet"
        case .server: "broker server \(value)"
        case .subnet: "subnet \(value)"
        case .version: "EA version \(value)"
        case .broker: "broker \(value)"
        }
    }
}

/// How many terminals there are of each kind: what a loss is compared with.
public struct FleetPopulation: Sendable, Equatable {
    var counts: [SharedTrait: [String: Int]] = [:]

    public init() {}

    public mutating func add(_ detail: LivenessEngine.Detail) {
        for trait in SharedTrait.allCases {
            if let value = trait.value(detail) { counts[trait, default: [:]][value, default: 0] += 1 }
        }
    }

    func count(_ trait: SharedTrait, _ value: String) -> Int { counts[trait]?[value] ?? 0 }
    public var total: Int { counts[.fleet]?[""] ?? 0 }
}
