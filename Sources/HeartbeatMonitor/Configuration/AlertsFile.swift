import Domain
import Fleet
import Foundation
import ServiceKit

/// What `deploy/config/alerts.yaml` says: rules, causes, calendars, outlets.
struct AlertsConfiguration: Sendable {
    var rules = AlertRules()
    var outlets: [OutletConfiguration] = []
    /// How often the dead man's switch is sent, milliseconds, and through which outlet; nil: not at all.
    var deadMansSwitch: (every: Int64, outlet: String)?
    /// Server names (`*` at the end stands for any rest) and their week, the first that fits counts.
    var calendars: [(server: String, calendar: MarketCalendar)] = []
    /// Where people find the dashboard, for links in messages.
    var externalURL = ""

    func calendar(_ server: String) -> MarketCalendar {
        let found = calendars.first { entry in
            entry.server.hasSuffix("*") ? server.hasPrefix(entry.server.dropLast()) : server == entry.server
        }
        return found?.calendar ?? .forex
    }
}

/// Reads and checks the file of alert rules; each complaint names the place and what is allowed there.
struct AlertsFile {
    let path: String
    let environment: [String: String]

    private static let sections: Set<String> = [
        "defaults", "flapping", "causes", "rules", "outlets", "dead_mans_switch", "calendars", "external_url",
    ]

    /// The file in force; where there is none at the usual place, the rules that are built in and no outlet.
    static func load(
        _ configuration: MeshConfiguration,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) -> AlertsConfiguration {
        let path = configuration.alertsFile
        let isUsual = path == configuration.root + "/deploy/config/alerts.yaml"
        guard !isUsual || FileManager.default.fileExists(atPath: path) else { return AlertsConfiguration() }
        let values = try AlertsFile.mapping(path)
        return try AlertsFile(path: path, environment: environment).read(values)
    }

    /// A parser's complaint shows the line it stumbled over, and a URL with a token may stand there: only its place is told.
    private static func mapping(_ path: String) throws(ConfigurationError) -> [String: Any] {
        do throws(ConfigurationError) {
            return try ConfigurationFile.mapping(path: path)
        } catch {
            guard error.message.hasPrefix("it is not YAML") else { throw error }
            let place = error.message.firstMatch(of: /(\d+):(\d+): error/)
            let words = place.map { ": look at line \($0.1), column \($0.2)" } ?? ""
            throw ConfigurationError(path, "it is not YAML\(words)")
        }
    }

    func read(_ values: [String: Any]) throws(ConfigurationError) -> AlertsConfiguration {
        let file = Section(path: path, name: "", values: values)
        try file.allow(AlertsFile.sections)
        var result = AlertsConfiguration()
        result.externalURL = try file.text("external_url") ?? ""
        var names: [String] = []
        if let outlets = try file.section("outlets") {
            result.outlets = try OutletReader(environment: environment).read(outlets)
            names = result.outlets.map(\.name)
        }
        if let defaults = try file.section("defaults") {
            try defaults.allow(RuleReader.keys)
            try RuleReader(outlets: names).read(defaults, into: &result.rules.defaults)
        }
        for section in try file.sections("rules") {
            let rule = try RuleReader(outlets: names).rule(section, defaults: result.rules.defaults)
            guard result.rules.rules[rule.type] == nil else { throw section.complaint("'\(rule.type)' has two rules") }
            result.rules.rules[rule.type] = rule
        }
        if let flapping = try file.section("flapping") {
            try flapping.allow(["count", "window"])
            result.rules.flappingCount = try flapping.number("count", in: 2...100) ?? result.rules.flappingCount
            result.rules.flappingWindow = try flapping.duration("window") ?? result.rules.flappingWindow
        }
        if let causes = try file.section("causes") { result.rules.causes = try read(causes: causes) }
        if let dead = try file.section("dead_mans_switch") {
            try dead.allow(["every", "outlet"])
            guard let outlet = try dead.text("outlet"), names.contains(outlet) else {
                throw dead.complaint("'outlet' must name one of the outlets: \(names.sorted().joined(separator: ", "))")
            }
            let every = try dead.duration("every") ?? 60_000
            guard every >= 1_000 else { throw dead.complaint("'every' is at least 1s") }
            result.deadMansSwitch = (every, outlet)
        }
        for section in try file.sections("calendars") {
            try section.allow(["server", "calendar"])
            guard let server = try section.text("server"), !server.isEmpty,
                let calendar = try section.text("calendar").flatMap(MarketCalendar.init(rawValue:))
            else { throw section.complaint("a calendar has 'server' and 'calendar': forex or always") }
            result.calendars.append((server, calendar))
        }
        return result
    }

    private func read(causes section: Section) throws(ConfigurationError) -> CauseSettings {
        try section.allow(["wait", "longest_wait", "minimum", "individual_limit", "after_restart"])
        var settings = CauseSettings()
        settings.calm = try section.duration("wait") ?? settings.calm
        settings.longestWait = try section.duration("longest_wait") ?? settings.longestWait
        settings.minimum = try section.number("minimum", in: 2...10_000) ?? settings.minimum
        settings.individualLimit =
            try section.number("individual_limit", in: 1...10_000) ?? settings.individualLimit
        settings.restartWindow = try section.duration("after_restart") ?? settings.restartWindow
        guard settings.longestWait >= settings.calm else {
            throw section.complaint("'longest_wait' can't be shorter than 'wait'")
        }
        return settings
    }
}

/// One rule of the file.
private struct RuleReader {
    static let keys: Set<String> = [
        "enabled", "severity", "failures_before_critical", "success_before_passing", "for", "cool_down", "repeat",
        "send", "send_resolved", "action",
    ]
    let outlets: [String]

    func rule(_ section: Section, defaults: AlertRule) throws(ConfigurationError) -> AlertRule {
        try section.allow(RuleReader.keys.union(["alert"]))
        guard let type = try section.text("alert"), AlertType.known[type] != nil else {
            let known = AlertType.known.keys.sorted().joined(separator: ", ")
            throw section.complaint("'alert' must be one of \(known)")
        }
        var rule = defaults
        rule.type = type
        try read(section, into: &rule)
        return rule
    }

    func read(_ section: Section, into rule: inout AlertRule) throws(ConfigurationError) {
        rule.isEnabled = try section.truth("enabled") ?? rule.isEnabled
        if let word = try section.text("severity") {
            guard let severity = Alert.Severity(rawValue: word) else {
                throw section.complaint("'severity' is info, warning or critical, not '\(word)'")
            }
            rule.severity = severity
        }
        rule.failuresBeforeCritical =
            try section.number("failures_before_critical", in: 1...1_000) ?? rule.failuresBeforeCritical
        rule.successBeforePassing =
            try section.number("success_before_passing", in: 1...1_000) ?? rule.successBeforePassing
        rule.hold = try section.duration("for") ?? rule.hold
        rule.coolDown = try section.duration("cool_down") ?? rule.coolDown
        rule.repeatEvery = try section.duration("repeat") ?? rule.repeatEvery
        rule.tellsResolved = try section.truth("send_resolved") ?? rule.tellsResolved
        rule.action = try section.text("action") ?? rule.action
        guard let names = try section.texts("send") else { return }
        if let stranger = names.first(where: { !outlets.contains($0) }) {
            let known = outlets.isEmpty ? "there are none" : "there are \(outlets.sorted().joined(separator: ", "))"
            throw section.complaint("'send' names the outlet '\(stranger)'; \(known)")
        }
        rule.outlets = names
    }
}
