public import Domain

/// A silence: alerts whose fields match all of its matchers notify nobody until it ends.
public struct AlertSilence: Sendable, Equatable {
    public static let matchable: Set<String> = [
        "alert_id", "key", "type", "rule", "severity", "scope", "scope_name", "node_id", "user_uuid", "account",
        "server", "broker", "subnet", "version", "service",
    ]

    public let identifier: String
    /// Field name to value; `*` at its end stands for any rest.
    public let matchers: [String: String]
    public let until: Timestamp
    public let by: String
    public let comment: String

    /// Nil without a matcher: nobody silences everything by leaving them out.
    public init?(identifier: String, matchers: [String: String], until: Timestamp, by: String, comment: String) {
        guard !matchers.isEmpty, matchers.keys.allSatisfy(AlertSilence.matchable.contains) else { return nil }
        self.identifier = identifier
        self.matchers = matchers
        self.until = until
        self.by = by
        self.comment = comment
    }

    func covers(_ alert: Alert) -> Bool {
        matchers.allSatisfy { name, wanted in
            guard let value = alert.value(name) else { return false }
            return wanted.hasSuffix("*") ? value.hasPrefix(wanted.dropLast()) : value == wanted
        }
    }
}

/// Planned work on a part of the mesh: what happens there notifies nobody meanwhile.
public struct MaintenanceWindow: Sendable, Equatable {
    /// `all`, or a field and its value, for example `server:Demo-1`.
    public enum Scope: Sendable, Equatable {
        case all
        case field(String, String)

        private static let fields = [
            "node": "node_id", "user": "user_uuid", "account": "account", "server": "server", "broker": "broker",
            "subnet": "subnet", "version": "version", "service": "service",
        ]

        public init?(_ text: String) {
            if text == "all" {
                self = .all
                return
            }
            guard let colon = text.firstIndex(of: ":"), let name = Scope.fields[String(text[..<colon])] else {
                return nil
            }
            let value = text[text.index(after: colon)...]
            guard !value.isEmpty else { return nil }
            self = .field(name, String(value))
        }

        public static let forms =
            "all, node:ID, user:UUID, account:N, server:NAME, broker:NAME, subnet:NET, "
            + "version:V or service:NAME"
    }

    public let identifier: String
    public let scope: Scope
    public let scopeText: String
    public let from: Timestamp
    public let until: Timestamp
    public let by: String
    public let comment: String

    public init?(
        identifier: String, scope text: String, from: Timestamp, until: Timestamp, by: String, comment: String
    ) {
        guard let scope = Scope(text), until > from else { return nil }
        self.identifier = identifier
        self.scope = scope
        scopeText = text
        self.from = from
        self.until = until
        self.by = by
        self.comment = comment
    }

    func covers(_ alert: Alert, at now: Timestamp) -> Bool {
        guard now >= from, now < until else { return false }
        guard case .field(let name, let value) = scope else { return true }
        return alert.fields[name] == value
    }
}

/// Silences and maintenance windows in force, by id. Times are the wall clock's: people set them.
public struct AlertMuting: Sendable, Equatable {
    static let limit = 1_000
    public private(set) var silences: [String: AlertSilence] = [:]
    public private(set) var windows: [String: MaintenanceWindow] = [:]

    public init() {}

    /// Whether there was room.
    public mutating func add(_ silence: AlertSilence) -> Bool {
        guard silences.count < AlertMuting.limit || silences[silence.identifier] != nil else { return false }
        silences[silence.identifier] = silence
        return true
    }

    public mutating func add(_ window: MaintenanceWindow) -> Bool {
        guard windows.count < AlertMuting.limit || windows[window.identifier] != nil else { return false }
        windows[window.identifier] = window
        return true
    }

    public mutating func removeSilence(_ identifier: String) -> Bool {
        silences.removeValue(forKey: identifier) != nil
    }

    /// Ends windows by id or by scope; returns the ids.
    public mutating func removeWindows(_ identifierOrScope: String) -> [String] {
        let found = windows.values.filter {
            $0.identifier == identifierOrScope || $0.scopeText == identifierOrScope
        }.map(\.identifier)
        for identifier in found { windows[identifier] = nil }
        return found
    }

    /// Forgets what is over; returns the ids.
    public mutating func removeExpired(at now: Timestamp) -> (silences: [String], windows: [String]) {
        let past = silences.values.filter { $0.until <= now }.map(\.identifier)
        let over = windows.values.filter { $0.until <= now }.map(\.identifier)
        for identifier in past { silences[identifier] = nil }
        for identifier in over { windows[identifier] = nil }
        return (past, over)
    }

    /// What holds an alert's notifications back now: the longest of them.
    func mute(_ alert: Alert, at now: Timestamp) -> AlertMute? {
        var mutes = silences.values.filter { $0.until > now && $0.covers(alert) }.map {
            AlertMute(identifier: $0.identifier, isMaintenance: false, until: $0.until)
        }
        mutes += windows.values.filter { $0.covers(alert, at: now) }.map {
            AlertMute(identifier: $0.identifier, isMaintenance: true, until: $0.until)
        }
        return mutes.max { ($0.until, $0.identifier) < ($1.until, $1.identifier) }
    }
}
