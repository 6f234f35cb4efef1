public import Domain

/// One thing somebody should know, from when it was raised to when it was over.
public struct Alert: Sendable, Equatable {
    public enum Severity: String, Sendable, CaseIterable { case info, warning, critical }

    public let alertID: String
    /// What it is about, for example `node_timeout:NODE_1_2`: one active alert for each.
    public let key: String
    public let type: String
    public let severity: Severity
    public let message: String
    /// Further fields by their wire names.
    public let fields: [String: String]
    public let raisedAt: Timestamp
    public internal(set) var resolvedAt: Timestamp?

    public init(
        alertID: String, key: String, type: String, severity: Severity, message: String, fields: [String: String],
        raisedAt: Timestamp, resolvedAt: Timestamp? = nil
    ) {
        self.alertID = alertID
        self.key = key
        self.type = type
        self.severity = severity
        self.message = message
        self.fields = fields
        self.raisedAt = raisedAt
        self.resolvedAt = resolvedAt
    }
}

/// What is to be raised.
public struct Condition: Sendable, Equatable {
    public var key: String
    public var type: String
    public var severity: Alert.Severity
    public var message: String
    public var fields: [String: String]
    /// The type of the alert for coming and going all the time; nil where that is no trouble of its own.
    public var flappingType: String?

    public init(
        key: String, type: String, severity: Alert.Severity, message: String, fields: [String: String] = [:],
        flappingType: String? = nil
    ) {
        self.key = key
        self.type = type
        self.severity = severity
        self.message = message
        self.fields = fields
        self.flappingType = flappingType
    }
}

/// Raises alerts so that they are worth reading: once for each trouble, not again within the cool-down, and never lost.
///
/// A trouble that comes back within the cool-down waits; if it is still there when the cool-down ends, it is raised then.
/// What comes back three times within an hour is raised once as flapping, and its coming and going is not told meanwhile.
public struct AlertEngine: Sendable {
    public struct Settings: Sendable {
        public var coolDown: Int64 = 300_000
        public var flappingWindow: Int64 = 3_600_000
        public var flappingCount = 3
        /// Active alerts and waiting troubles together.
        public var limit = 20_000
        public init() {}
    }

    public enum Effect: Sendable, Equatable {
        case raised(Alert)
        /// The alert with the time it was over, and a word for people.
        case resolved(Alert, message: String)
    }

    private struct Trouble: Sendable {
        var lastRaised: Timestamp?
        /// Times it came, within the flapping window.
        var comings: [Timestamp] = []
        var waiting: Condition?
        var lastChange: Timestamp
    }

    private let settings: Settings
    public private(set) var active: [String: Alert] = [:]
    private var troubles: [String: Trouble] = [:]
    private var uuids: UUIDSource
    /// Troubles that came within a cool-down, and those past the limit.
    public private(set) var suppressed: Int64 = 0

    public init(settings: Settings = Settings(), uuids: UUIDSource = UUIDSource()) {
        self.settings = settings
        self.uuids = uuids
    }

    /// Takes in an alert that was active when the last process ended.
    public mutating func restore(_ alert: Alert) {
        active[alert.key] = alert
        troubles[alert.key] = Trouble(
            lastRaised: alert.raisedAt, comings: [alert.raisedAt], lastChange: alert.raisedAt)
    }

    public mutating func raise(_ condition: Condition, at now: Timestamp, into effects: inout [Effect]) {
        guard active[condition.key] == nil else { return }
        var trouble = troubles[condition.key] ?? Trouble(lastChange: now)
        guard troubles[condition.key] != nil || troubles.count < settings.limit else {
            suppressed += 1
            return
        }
        defer { troubles[condition.key] = trouble }
        guard trouble.waiting == nil else { return }
        trouble.lastChange = now
        trouble.comings = trouble.comings.filter { now - $0 < settings.flappingWindow }.suffix(settings.flappingCount)
        trouble.comings.append(now)
        let isFlapping = flappingKey(condition).map { active[$0] != nil } ?? false
        if isFlapping || trouble.lastRaised.map({ now - $0 < settings.coolDown }) ?? false {
            suppressed += 1
            trouble.waiting = condition
        } else {
            trouble.lastRaised = now
            publish(condition, now, &effects)
        }
        if let type = condition.flappingType, trouble.comings.count >= settings.flappingCount {
            raiseFlapping(condition, type, trouble.comings.count, now, &effects)
        }
    }

    private mutating func raiseFlapping(
        _ condition: Condition, _ type: String, _ count: Int, _ now: Timestamp, _ effects: inout [Effect]
    ) {
        guard let key = flappingKey(condition), active[key] == nil else { return }
        publish(
            Condition(
                key: key, type: type, severity: .warning,
                message: "it came and went \(count) times within an hour: \(condition.message)",
                fields: condition.fields), now, &effects)
    }

    private func flappingKey(_ condition: Condition) -> String? {
        condition.flappingType.map { "\($0):\(condition.key)" }
    }

    private mutating func publish(_ condition: Condition, _ now: Timestamp, _ effects: inout [Effect]) {
        let alert = Alert(
            alertID: uuids.next(), key: condition.key, type: condition.type, severity: condition.severity,
            message: condition.message, fields: condition.fields, raisedAt: now)
        active[alert.key] = alert
        effects.append(.raised(alert))
    }

    /// The trouble is over.
    public mutating func resolve(
        _ key: String, message: String, at now: Timestamp, into effects: inout [Effect]
    ) {
        troubles[key]?.waiting = nil
        troubles[key]?.lastChange = now
        guard var alert = active.removeValue(forKey: key) else { return }
        alert.resolvedAt = now
        effects.append(.resolved(alert, message: message))
    }

    /// Raises what outlasted its cool-down, ends flapping that is over, forgets old troubles. Once a second or so.
    public mutating func tick(at now: Timestamp, into effects: inout [Effect]) {
        for (key, trouble) in troubles {
            if let waiting = trouble.waiting {
                // What flaps has to stay for a whole cool-down to be told by itself again.
                let isFlapping = flappingKey(waiting).map { active[$0] != nil } ?? false
                let since = isFlapping ? trouble.lastChange : trouble.lastRaised ?? now
                guard now - since >= settings.coolDown else { continue }
                troubles[key]?.waiting = nil
                troubles[key]?.lastRaised = now
                publish(waiting, now, &effects)
            } else if now - trouble.lastChange > settings.flappingWindow, active[key] == nil {
                troubles[key] = nil
            }
        }
        for (key, alert) in active {
            // A flapping alert's key is its type before the key of what flaps.
            guard key.hasPrefix("\(alert.type):"), alert.type.hasSuffix("_flapping") else { continue }
            let subject = String(key.dropFirst(alert.type.utf8.count + 1))
            guard let trouble = troubles[subject] else {
                if now - alert.raisedAt > settings.flappingWindow {
                    resolve(key, message: "calm", at: now, into: &effects)
                }
                continue
            }
            if now - trouble.lastChange > settings.flappingWindow {
                resolve(key, message: "calm for an hour", at: now, into: &effects)
            }
        }
    }
}
