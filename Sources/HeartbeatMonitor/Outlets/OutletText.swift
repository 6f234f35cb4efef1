import Domain
import Fleet
import Wire

/// What an outlet is told: one alert, begun, going on, or over, with times of the wall clock.
struct Notice: Sendable, Equatable {
    let alert: Alert
    let startsAt: Timestamp
    /// nil while it lasts.
    let endsAt: Timestamp?
    /// What is said of its end, or empty.
    let resolution: String
    var isReminder = false
    let externalURL: String
}

/// Notices in the form an outlet wants.
enum OutletText {
    static func body(_ notice: Notice, for outlet: OutletConfiguration) -> String {
        switch outlet.kind {
        case .webhook: alertmanager(notice, receiver: outlet.name).compactText
        case .telegram(_, _, let chat): telegram(notice, chat: chat).compactText
        }
    }

    // MARK: - Alertmanager

    /// The body of Alertmanager's webhook. Source: prometheus.io, alerting/latest/configuration, webhook_config, version 4.
    static func alertmanager(_ notice: Notice, receiver: String) -> JSONObject {
        let labels = labels(notice.alert)
        let annotations = annotations(notice)
        let status = notice.endsAt == nil ? "firing" : "resolved"
        let link = notice.externalURL.isEmpty ? "" : "\(notice.externalURL)/dashboard#alerts/\(notice.alert.alertID)"
        let alert: JSONObject = [
            "status": .string(status), "labels": .object(object(labels)), "annotations": .object(object(annotations)),
            "startsAt": .string("\(notice.startsAt)"),
            // Go's zero time stands for an end that is not known.
            "endsAt": .string(notice.endsAt.map { "\($0)" } ?? "0001-01-01T00:00:00Z"),
            "generatorURL": .string(link), "fingerprint": .string(fingerprint(labels)),
        ]
        let group = ["alertname": notice.alert.type]
        return [
            "receiver": .string(receiver), "status": .string(status), "alerts": .array([.object(alert)]),
            "groupLabels": .object(object(group)), "commonLabels": .object(object(labels)),
            "commonAnnotations": .object(object(annotations)), "externalURL": .string(notice.externalURL),
            "version": .string("4"), "groupKey": .string("{}:{alertname=\"\(notice.alert.type)\"}"),
            "truncatedAlerts": .integer(0),
        ]
    }

    /// What names an alert and stays the same until its end.
    static func labels(_ alert: Alert) -> [String: String] {
        var labels = [
            "alertname": alert.type, "severity": alert.severity.rawValue, "alert_id": alert.alertID,
            "scope": alert.story.scope.rawValue,
        ]
        if !alert.story.scopeName.isEmpty { labels["scope_name"] = alert.story.scopeName }
        for name in ["node_id", "user_uuid", "account", "server", "broker", "subnet", "version", "service"] {
            if let value = alert.fields[name], !value.isEmpty { labels[name] = value }
        }
        return labels
    }

    private static func annotations(_ notice: Notice) -> [String: String] {
        var annotations = [
            "summary": notice.alert.message, "action": notice.alert.story.action,
            "count": String(notice.alert.story.count), "held_back": String(notice.alert.story.heldBack),
        ]
        if !notice.alert.story.cause.isEmpty { annotations["cause"] = notice.alert.story.cause }
        if !notice.resolution.isEmpty { annotations["resolution"] = notice.resolution }
        return annotations
    }

    private static func object(_ values: [String: String]) -> JSONObject { values.sortedJSON }

    /// 64-bit FNV-1a over the sorted labels, as Alertmanager's own fingerprints are made.
    static func fingerprint(_ labels: [String: String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        // An alert that grew worse is still the same one.
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) where name != "severity" {
            for byte in name.utf8 { add(byte) }
            add(0xFF)
            for byte in value.utf8 { add(byte) }
            add(0xFF)
        }
        let text = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    // MARK: - Telegram

    private static let longest = 4_000

    /// Source: core.telegram.org/bots/api, sendMessage: 4,096 characters of plain text at most.
    static func telegram(_ notice: Notice, chat: String) -> JSONObject {
        [
            "chat_id": .string(chat), "text": .string(telegramText(notice)),
            "link_preview_options": .object(["is_disabled": .bool(true)]),
        ]
    }

    static func telegramText(_ notice: Notice) -> String {
        let alert = notice.alert
        let isOver = notice.endsAt != nil
        let word =
            isOver ? "RESOLVED" : notice.isReminder ? "STILL \(alert.severity.rawValue)" : alert.severity.rawValue
        var lines = ["\(word.uppercased()): \(alert.type.replacing("_", with: " "))", alert.message]
        if isOver {
            if !notice.resolution.isEmpty { lines.append(notice.resolution) }
        } else {
            if alert.story.heldBack > 1 { lines.append("Stands for \(alert.story.heldBack) alerts.") }
            if !alert.story.action.isEmpty { lines.append("What to do: \(alert.story.action)") }
        }
        lines.append("Since \(notice.startsAt)" + (notice.endsAt.map { " until \($0)" } ?? ""))
        let text = lines.joined(separator: "\n")
        // Counted as Telegram counts, in UTF-16.
        guard text.utf16.count > longest else { return text }
        var short = text
        while short.utf16.count > longest { short.removeLast() }
        return short + "…"
    }
}

extension Dictionary where Key == String, Value == String {
    /// As a JSON object, in the order of the names.
    var sortedJSON: JSONObject {
        var object = JSONObject()
        for (name, value) in sorted(by: { $0.key < $1.key }) { object.append(name, .string(value)) }
        return object
    }
}
