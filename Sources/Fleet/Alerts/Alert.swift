public import Domain

/// One thing somebody should know, from when it was raised to when it was over.
public struct Alert: Sendable, Equatable {
    public enum Severity: String, Sendable, CaseIterable, Comparable {
        case info, warning, critical

        public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
        private var rank: Int { self == .info ? 0 : self == .warning ? 1 : 2 }
    }

    /// What it is about: one terminal, what many share, one of ours, or all of it.
    public enum Scope: String, Sendable, CaseIterable {
        case node, broker, server, subnet, version, fleet, service, mesh
    }

    public let alertID: String
    /// What it is about, for example `node_timeout:NODE_1_2`: one active alert for each.
    public let key: String
    public let type: String
    public internal(set) var severity: Severity
    public internal(set) var message: String
    /// Further fields by their wire names.
    public internal(set) var fields: [String: String]
    public internal(set) var story: AlertStory
    public let raisedAt: Timestamp
    public internal(set) var updatedAt: Timestamp
    public internal(set) var resolvedAt: Timestamp?
    public internal(set) var acknowledgedBy: String?
    public internal(set) var acknowledgedAt: Timestamp?
    /// Until when a silence or a maintenance window holds its notifications back, and which.
    public internal(set) var mute: AlertMute?
    public internal(set) var notifiedAt: Timestamp?
    public internal(set) var notifications = 0
    /// How bad it was when it was told last; who listens for worse only has not heard of it.
    public internal(set) var notifiedSeverity: Severity?

    public init(
        alertID: String, key: String, type: String, severity: Severity, message: String, fields: [String: String],
        story: AlertStory = AlertStory(), raisedAt: Timestamp, resolvedAt: Timestamp? = nil
    ) {
        self.alertID = alertID
        self.key = key
        self.type = type
        self.severity = severity
        self.message = message
        self.fields = fields
        self.story = story
        self.raisedAt = raisedAt
        updatedAt = raisedAt
        self.resolvedAt = resolvedAt
    }

    /// Takes over what an earlier process kept of who knows of it.
    public mutating func restore(
        acknowledgedBy: String?, at acknowledgedAt: Timestamp?, notifiedAt: Timestamp?, notifications: Int,
        notifiedSeverity: Severity? = nil
    ) {
        self.acknowledgedBy = acknowledgedBy
        self.acknowledgedAt = acknowledgedAt
        self.notifiedAt = notifiedAt
        self.notifications = max(0, notifications)
        self.notifiedSeverity = notifications > 0 ? notifiedSeverity ?? severity : nil
    }

    /// As bad as those know it who were told of its begin: they are told of its end, whatever silence it ends in. nil
    /// where nobody was.
    public var toldSeverity: Severity? { notifications > 0 ? notifiedSeverity ?? severity : nil }

    /// It is over.
    public mutating func finish(at now: Timestamp) {
        resolvedAt = now
        updatedAt = now
    }

    /// A field of it by the name that rules, silences and the port node-alerts know it by.
    public func value(_ name: String) -> String? {
        switch name {
        case "alert_id": alertID
        case "key": key
        case "type", "rule": type
        case "severity": severity.rawValue
        case "scope": story.scope.rawValue
        case "scope_name": story.scopeName
        default: fields[name]
        }
    }
}

/// What an alert says beside its message: how far it reaches, why, and what to do.
public struct AlertStory: Sendable, Equatable {
    public var scope = Alert.Scope.mesh
    /// The broker server, subnet, version, service or terminal; empty for the fleet and the mesh.
    public var scopeName = ""
    /// In words; empty where nothing is known.
    public var cause = ""
    /// How many terminals it is about.
    public var count = 1
    /// How many alerts it stands for that were not raised.
    public var heldBack = 0
    /// What to do; empty takes the rule's.
    public var action = ""

    public init() {}

    public init(_ scope: Alert.Scope, _ name: String, cause: String = "", count: Int = 1, action: String = "") {
        self.scope = scope
        scopeName = name
        self.cause = cause
        self.count = count
        heldBack = max(0, count - 1)
        self.action = action
    }
}

/// Why an alert's notifications wait.
public struct AlertMute: Sendable, Equatable {
    /// The silence's or the maintenance window's id.
    public let identifier: String
    public let isMaintenance: Bool
    public let until: Timestamp
}

/// What is to be raised.
public struct Condition: Sendable, Equatable {
    public var key: String
    public var type: String
    public var severity: Alert.Severity
    public var message: String
    public var fields: [String: String]
    public var story: AlertStory
    /// The type of the alert for coming and going all the time; nil where that is no trouble of its own.
    public var flappingType: String?

    public init(
        key: String, type: String, severity: Alert.Severity, message: String, fields: [String: String] = [:],
        story: AlertStory = AlertStory(), flappingType: String? = nil
    ) {
        self.key = key
        self.type = type
        self.severity = severity
        self.message = message
        self.fields = fields
        self.story = story
        self.flappingType = flappingType
    }
}
