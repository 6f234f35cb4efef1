public import Domain

/// Raises alerts so that they are worth reading: once for each trouble, not again within the cool-down, and never lost.
///
/// A check must fail some times in a row, and last, before it is a trouble, and pass some times before it is over: the
/// rule says how often. A trouble that comes back within the cool-down waits; if it is still there when the cool-down
/// ends, it is raised then. What comes back three times within an hour is raised once as flapping, and its coming and
/// going is not told meanwhile. Silences and maintenance windows hold notifications back, not the record, and not the end
/// of what was told before they began.
///
/// Times given as `at` come from a clock that never steps; `wall` is the time people set silences by.
public struct AlertEngine: Sendable {
    public struct Settings: Sendable {
        /// Active alerts and waiting troubles together.
        public var limit = 20_000
        public init() {}
    }

    public enum Effect: Sendable, Equatable {
        case raised(Alert)
        /// More terminals, or worse than it was: to be kept, and to be told where its severity rose.
        case updated(Alert, isWorse: Bool)
        /// It lasts, and nobody acknowledged it; or what held it back is over.
        case reminded(Alert)
        /// Somebody acknowledged it, or a silence began or ended: to be kept.
        case noted(Alert)
        /// The alert with the time it was over, and a word for people.
        case resolved(Alert, message: String)
    }

    struct Trouble: Sendable {
        var lastRaised: Timestamp?
        /// Times it came, within the flapping window.
        var comings: [Timestamp] = []
        var waiting: Condition?
        var lastChange: Timestamp
        /// Checks that failed in a row, since when, and checks that passed in a row.
        var failures = 0
        var failingSince: Timestamp?
        var successes = 0
    }

    let settings: Settings
    public internal(set) var rules: AlertRules
    public internal(set) var active: [String: Alert] = [:]
    var troubles: [String: Trouble] = [:]
    public internal(set) var muting = AlertMuting()
    private var uuids: UUIDSource
    /// Troubles that came within a cool-down, and those past the limit.
    public private(set) var suppressed: Int64 = 0

    public init(settings: Settings = Settings(), rules: AlertRules = AlertRules(), uuids: UUIDSource = UUIDSource()) {
        self.settings = settings
        self.rules = rules
        self.uuids = uuids
    }

    /// Takes in an alert that was active when the last process ended.
    public mutating func restore(_ alert: Alert) {
        active[alert.key] = alert
        var trouble = Trouble(lastRaised: alert.raisedAt, comings: [alert.raisedAt], lastChange: alert.raisedAt)
        trouble.failures = rules.rule(alert.type).failuresBeforeCritical
        trouble.failingSince = alert.raisedAt
        troubles[alert.key] = trouble
    }

    // MARK: - A check failed

    public mutating func raise(
        _ condition: Condition, at now: Timestamp, wall: Timestamp? = nil, into effects: inout [Effect]
    ) {
        let rule = rules.rule(condition.type)
        guard rule.isEnabled else { return }
        guard troubles[condition.key] != nil || troubles.count < settings.limit else {
            suppressed += 1
            return
        }
        var trouble = troubles[condition.key] ?? Trouble(lastChange: now)
        trouble.successes = 0
        if active[condition.key] != nil {
            troubles[condition.key] = trouble
            return update(condition, rule, now, &effects)
        }
        defer { troubles[condition.key] = trouble }
        guard trouble.waiting == nil else { return }
        trouble.failures += 1
        let since = trouble.failingSince ?? now
        trouble.failingSince = since
        guard trouble.failures >= rule.failuresBeforeCritical, now - since >= rule.hold else { return }
        trouble.lastChange = now
        trouble.comings = trouble.comings.filter { now - $0 < rules.flappingWindow }.suffix(rules.flappingCount)
        trouble.comings.append(now)
        let isFlapping = flappingKey(condition).map { active[$0] != nil } ?? false
        if isFlapping || trouble.lastRaised.map({ now - $0 < rule.coolDown }) ?? false {
            suppressed += 1
            trouble.waiting = condition
        } else {
            trouble.lastRaised = now
            publish(condition, now, wall ?? now, &effects)
        }
        if let type = condition.flappingType, trouble.comings.count >= rules.flappingCount {
            raiseFlapping(condition, type, trouble.comings.count, now, wall ?? now, &effects)
        }
    }

    private mutating func update(
        _ condition: Condition, _ rule: AlertRule, _ now: Timestamp, _ effects: inout [Effect]
    ) {
        guard var alert = active[condition.key] else { return }
        let severity = rule.severity ?? condition.severity
        let isWorse = severity > alert.severity
        let fields = alert.fields.merging(condition.fields) { $1 }
        guard
            isWorse || condition.story.count != alert.story.count || condition.story.heldBack != alert.story.heldBack
                || fields != alert.fields
        else { return }
        let action = alert.story.action
        alert.severity = max(severity, alert.severity)
        alert.message = condition.message
        // A user's alert moves with him to the node that takes the place of another.
        alert.fields = fields
        alert.story = condition.story
        if alert.story.action.isEmpty { alert.story.action = action }
        alert.updatedAt = now
        if isWorse, alert.mute == nil { alert.noteNotified(at: now) }
        active[alert.key] = alert
        effects.append(.updated(alert, isWorse: isWorse))
    }

    private mutating func raiseFlapping(
        _ condition: Condition, _ type: String, _ count: Int, _ now: Timestamp, _ wall: Timestamp,
        _ effects: inout [Effect]
    ) {
        guard let key = flappingKey(condition), active[key] == nil, rules.rule(type).isEnabled else { return }
        publish(
            Condition(
                key: key, type: type, severity: .warning,
                message: "it came and went \(count) times within an hour: \(condition.message)",
                fields: condition.fields, story: condition.story), now, wall, &effects)
    }

    func flappingKey(_ condition: Condition) -> String? {
        condition.flappingType.map { "\($0):\(condition.key)" }
    }

    mutating func publish(
        _ condition: Condition, _ now: Timestamp, _ wall: Timestamp, _ effects: inout [Effect]
    ) {
        let rule = rules.rule(condition.type)
        var story = condition.story
        if story.action.isEmpty { story.action = rules.action(condition.type) }
        var alert = Alert(
            alertID: uuids.next(), key: condition.key, type: condition.type,
            severity: rule.severity ?? condition.severity, message: condition.message, fields: condition.fields,
            story: story, raisedAt: now)
        alert.mute = muting.mute(alert, at: wall)
        if alert.mute == nil { alert.noteNotified(at: now) }
        active[alert.key] = alert
        effects.append(.raised(alert))
    }

    // MARK: - A check passed

    public mutating func resolve(
        _ key: String, message: String, at now: Timestamp, into effects: inout [Effect]
    ) {
        guard var trouble = troubles[key] else {
            guard let alert = active.removeValue(forKey: key) else { return }
            return finish(alert, message, now, &effects)
        }
        if trouble.waiting != nil { trouble.lastChange = now }
        trouble.waiting = nil
        trouble.failures = 0
        trouble.failingSince = nil
        trouble.successes += 1
        guard let alert = active[key] else {
            troubles[key] = trouble.lastRaised == nil ? nil : trouble
            return
        }
        let isOver = trouble.successes >= rules.rule(alert.type).successBeforePassing
        if isOver { trouble.lastChange = now }
        troubles[key] = trouble
        guard isOver else { return }
        active[key] = nil
        finish(alert, message, now, &effects)
    }

    private func finish(_ alert: Alert, _ message: String, _ now: Timestamp, _ effects: inout [Effect]) {
        var alert = alert
        alert.resolvedAt = now
        alert.updatedAt = now
        effects.append(.resolved(alert, message: message))
    }
}

extension Alert {
    mutating func noteNotified(at now: Timestamp) {
        notifiedAt = now
        notifications += 1
        notifiedSeverity = severity
    }
}
