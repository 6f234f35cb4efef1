import Domain
import Fleet
import Logging
import ServiceKit
import Wire

/// What operators do: entries of `events:alert-actions`, read durably, each carried out once.
///
/// An entry may come twice, after a crash between doing and acknowledging: ids are taken from the entry, so that doing
/// it twice is doing it once.
struct AlertActions {
    private static let longest: Int64 = 366 * 86_400_000
    let desk: AlertDesk
    let report: ServiceReport
    let log: Logger

    func carryOut(_ entry: StreamReader.Entry) {
        let fields = entry.fields
        let problem: String?
        switch fields["action"] ?? "" {
        case "acknowledge": problem = acknowledge(fields)
        case "silence": problem = silence(fields, entry.identifier)
        case "unsilence": problem = unsilence(fields)
        case "maintenance":
            let isEnd = ["off", "end", "ended"].contains(fields["state"] ?? "")
            problem = isEnd ? endMaintenance(fields) : maintenance(fields, entry.identifier)
        case "maintenance_end": problem = endMaintenance(fields)
        case "test":
            test(fields, entry.identifier)
            problem = nil
        default: problem = "unknown action '\(fields["action"] ?? "")'"
        }
        report.count("alert_actions")
        guard let problem else { return }
        report.reject("alert_action")
        log.warning(
            "an alert action is not carried out", metadata: ["why": "\(problem)", "entry": "\(entry.identifier)"])
    }

    private func by(_ fields: [String: String]) -> String { fields["by"] ?? "an operator" }
    private func comment(_ fields: [String: String]) -> String { fields["comment"] ?? fields["reason"] ?? "" }

    private func acknowledge(_ fields: [String: String]) -> String? {
        guard let identifier = fields["alert_id"] else { return "acknowledge needs alert_id" }
        var effects: [AlertEngine.Effect] = []
        let isKnown = desk.engine.acknowledge(identifier, by: by(fields), at: desk.clock.now(), into: &effects)
        desk.carryOut(effects)
        return isKnown ? nil : "no active alert \(identifier)"
    }

    private func silence(_ fields: [String: String], _ entry: String) -> String? {
        let matchers = AlertActions.matchers(fields)
        guard let until = AlertActions.end(fields) else { return "silence needs minutes, until or until_ms" }
        guard
            let silence = AlertSilence(
                identifier: fields["request_id"] ?? entry, matchers: matchers, until: until, by: by(fields),
                comment: comment(fields))
        else { return "silence needs at least one of \(AlertSilence.matchable.sorted().joined(separator: ", "))" }
        guard desk.engine.add(silence) else { return "there are too many silences" }
        desk.write(["HSET", "silences", silence.identifier, AlertRecord.text(silence)])
        return nil
    }

    /// Fields of the entry by their names, or all of them as a JSON object in `matchers`.
    private static func matchers(_ fields: [String: String]) -> [String: String] {
        var found = fields.filter { AlertSilence.matchable.contains($0.key) && !$0.value.isEmpty }
        for field in fields["matchers"].flatMap({ (try? JSON($0))?.object })?.fields ?? [] {
            if let text = field.value.text { found[field.name] = text }
        }
        return found
    }

    private func unsilence(_ fields: [String: String]) -> String? {
        guard let identifier = fields["silence_id"] ?? fields["id"] else { return "unsilence needs silence_id" }
        desk.write(["HDEL", "silences", identifier])
        return desk.engine.removeSilence(identifier) ? nil : "there is no silence \(identifier)"
    }

    private func maintenance(_ fields: [String: String], _ entry: String) -> String? {
        guard let until = AlertActions.end(fields) else { return "maintenance needs minutes, until or until_ms" }
        let from = AlertActions.time(fields, "from") ?? AlertActions.given(fields) ?? SystemClock.now()
        guard
            let window = MaintenanceWindow(
                identifier: fields["request_id"] ?? entry, scope: fields["scope"] ?? "all", from: from, until: until,
                by: by(fields), comment: comment(fields))
        else { return "maintenance needs a scope (\(MaintenanceWindow.Scope.forms)) and an end after its begin" }
        guard desk.engine.add(window) else { return "there are too many maintenance windows" }
        desk.write(["HSET", "maintenance", window.identifier, AlertRecord.text(window)])
        return nil
    }

    private func endMaintenance(_ fields: [String: String]) -> String? {
        let name = fields["maintenance_id"] ?? fields["id"] ?? fields["scope"] ?? "all"
        let ended = desk.engine.removeWindows(name)
        for identifier in ended { desk.write(["HDEL", "maintenance", identifier]) }
        return ended.isEmpty ? "there is no maintenance window \(name)" : nil
    }

    // MARK: - Times

    /// When it was asked for: a silence counts from there, however late it is read.
    private static func given(_ fields: [String: String]) -> Timestamp? {
        fields["at"].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
    }

    private static func time(_ fields: [String: String], _ name: String) -> Timestamp? {
        if let milliseconds = fields["\(name)_ms"].flatMap({ Int64($0) }) {
            return Timestamp(milliseconds: milliseconds)
        }
        return fields[name].flatMap { Timestamp(rfc3339: $0) ?? Int64($0).map { Timestamp(milliseconds: $0) } }
    }

    private static func end(_ fields: [String: String]) -> Timestamp? {
        let now = given(fields) ?? SystemClock.now()
        if let until = time(fields, "until") { return min(until, now.adding(milliseconds: longest)) }
        guard let minutes = fields["minutes"].flatMap({ Int64($0) }), (1...527_040).contains(minutes) else {
            return nil
        }
        let start = time(fields, "from") ?? now
        return start.adding(milliseconds: minutes * 60_000)
    }

    // MARK: - A test

    /// Sends a test through every outlet; the result is an alert in the history that is over at once.
    private func test(_ fields: [String: String], _ entry: String) {
        let now = desk.clock.now()
        let identifier = fields["request_id"] ?? entry
        var alert = Alert(
            alertID: "test-\(identifier)", key: "test:\(identifier)", type: "test", severity: .info,
            message: "a test of the alerts by \(by(fields))", fields: [:], raisedAt: now)
        desk.outlets.test(alert) { results in
            let words = results.map { "\($0.outlet): \($0.result.words)" }
            let text = words.isEmpty ? "no outlet is configured in alerts.yaml" : words.joined(separator: "; ")
            alert.finish(at: desk.clock.now())
            desk.keep(alert, resolution: text, isNew: true)
            log.info("a test of the outlets", metadata: ["result": "\(text)"])
        }
    }
}
