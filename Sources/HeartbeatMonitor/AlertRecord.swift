import Domain
import Fleet
import Wire

/// An alert as the hash `alert:<id>` and back; times are epoch milliseconds of the wall clock.
enum AlertRecord {
    /// Names that are the record's own; everything else is a field of the alert.
    private static let reserved: Set<String> = [
        "alert_id", "key", "rule", "type", "severity", "state", "cause", "scope", "scope_name", "count", "held_back",
        "message", "action", "time", "starts_at", "updated_at", "ends_at", "resolved_at", "resolution",
        "acknowledged_by", "acknowledged_at", "silenced_until", "silence_id", "maintenance_id", "notified_at",
        "notifications", "notified_severity",
    ]

    static func fields(_ alert: Alert, resolution: String?, _ clock: SteadyClock) -> [String] {
        func time(_ moment: Timestamp) -> String { String(clock.wall(moment).milliseconds) }
        let began = time(alert.raisedAt)
        let story = alert.story
        var fields = [
            "alert_id", alert.alertID, "key", alert.key, "rule", alert.type, "type", alert.type,
            "severity", alert.severity.rawValue, "state", alert.resolvedAt == nil ? "firing" : "resolved",
            "cause", story.cause, "scope", story.scope.rawValue, "scope_name", story.scopeName,
            "count", String(story.count), "held_back", String(story.heldBack), "message", alert.message,
            "action", story.action, "time", began, "starts_at", began, "updated_at", time(alert.updatedAt),
            "notifications", String(alert.notifications),
        ]
        func add(_ name: String, _ value: String?) { if let value { fields += [name, value] } }
        add("ends_at", alert.resolvedAt.map(time))
        add("resolved_at", alert.resolvedAt.map(time))
        add("resolution", resolution)
        add("acknowledged_by", alert.acknowledgedBy)
        add("acknowledged_at", alert.acknowledgedAt.map(time))
        add("notified_at", alert.notifiedAt.map(time))
        add("notified_severity", alert.toldSeverity?.rawValue)
        if let mute = alert.mute {
            add("silenced_until", String(mute.until.milliseconds))
            add(mute.isMaintenance ? "maintenance_id" : "silence_id", mute.identifier)
        }
        for (name, value) in alert.fields where !reserved.contains(name) { fields += [name, value] }
        return fields
    }

    static func alert(_ identifier: String, _ fields: [String: String], _ clock: SteadyClock) -> Alert? {
        func moment(_ name: String) -> Timestamp? {
            fields[name].flatMap { Int64($0) }.map { clock.moment(Timestamp(milliseconds: $0)) }
        }
        guard let key = fields["key"], let type = fields["type"],
            let severity = fields["severity"].flatMap(Alert.Severity.init(rawValue:)),
            let raised = moment("starts_at") ?? moment("time")
        else { return nil }
        let scope = fields["scope"].flatMap(Alert.Scope.init(rawValue:)) ?? .mesh
        var story = AlertStory(scope, fields["scope_name"] ?? "", cause: fields["cause"] ?? "")
        story.count = fields["count"].flatMap { Int($0) } ?? 1
        story.heldBack = fields["held_back"].flatMap { Int($0) } ?? 0
        story.action = fields["action"] ?? ""
        var alert = Alert(
            alertID: identifier, key: key, type: type, severity: severity, message: fields["message"] ?? "",
            fields: fields.filter { !reserved.contains($0.key) }, story: story, raisedAt: raised)
        alert.restore(
            acknowledgedBy: fields["acknowledged_by"], at: moment("acknowledged_at"), notifiedAt: moment("notified_at"),
            notifications: fields["notifications"].flatMap { Int($0) } ?? 1,
            notifiedSeverity: fields["notified_severity"].flatMap(Alert.Severity.init(rawValue:)))
        return alert
    }

    // MARK: - Silences and maintenance windows

    static func text(_ silence: AlertSilence) -> String {
        let object: JSONObject = [
            "id": .string(silence.identifier), "matchers": .object(silence.matchers.sortedJSON),
            "until_ms": .integer(silence.until.milliseconds), "by": .string(silence.by),
            "comment": .string(silence.comment),
        ]
        return object.compactText
    }

    static func silence(_ text: String) -> AlertSilence? {
        guard let object = (try? JSON(text))?.object, let identifier = object["id"]?.text,
            let until = object["until_ms"]?.text.flatMap({ Int64($0) })
        else { return nil }
        var matchers: [String: String] = [:]
        for field in object["matchers"]?.object?.fields ?? [] { matchers[field.name] = field.value.text }
        return AlertSilence(
            identifier: identifier, matchers: matchers, until: Timestamp(milliseconds: until),
            by: object["by"]?.text ?? "", comment: object["comment"]?.text ?? "")
    }

    static func text(_ window: MaintenanceWindow) -> String {
        let object: JSONObject = [
            "id": .string(window.identifier), "scope": .string(window.scopeText),
            "from_ms": .integer(window.from.milliseconds), "until_ms": .integer(window.until.milliseconds),
            "by": .string(window.by), "comment": .string(window.comment),
        ]
        return object.compactText
    }

    static func window(_ text: String) -> MaintenanceWindow? {
        guard let object = (try? JSON(text))?.object, let identifier = object["id"]?.text,
            let scope = object["scope"]?.text, let from = object["from_ms"]?.text.flatMap({ Int64($0) }),
            let until = object["until_ms"]?.text.flatMap({ Int64($0) })
        else { return nil }
        return MaintenanceWindow(
            identifier: identifier, scope: scope, from: Timestamp(milliseconds: from),
            until: Timestamp(milliseconds: until), by: object["by"]?.text ?? "",
            comment: object["comment"]?.text ?? "")
    }
}
