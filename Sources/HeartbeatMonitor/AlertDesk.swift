import Domain
import Fleet
import Redis
import ServiceKit
import Wire
import ZeroMQ

/// Alerts out: on the alerts port as `NODE_ALERT {json}`, into their history in Redis, and to the outlets.
final class AlertDesk {
    private static let days30 = String(30 * 86_400)
    private static let historyLimit = 10_000

    private let socket: ZMQSocket
    private let writes: PendingWrites
    private let report: ServiceReport
    private let configuration: AlertsConfiguration
    let clock: SteadyClock
    let outlets: OutletDesk
    var engine: AlertEngine

    init(
        _ environment: ServiceEnvironment, _ writes: PendingWrites, _ configuration: AlertsConfiguration,
        _ clock: SteadyClock
    ) throws {
        socket = try ZMQSocket(environment.context, .publish, SocketProfile.publisher)
        try socket.bind(environment.configuration.bindEndpoint(.nodeAlerts))
        self.writes = writes
        self.configuration = configuration
        self.clock = clock
        report = environment.report
        engine = AlertEngine(rules: configuration.rules)
        outlets = OutletDesk(
            configuration, spool: environment.configuration.varDirectory + "/alerts.spool",
            reactor: environment.reactor,
            report: environment.report, log: environment.log, clock: clock)
    }

    // MARK: - Checks

    func raise(_ condition: Condition) {
        var effects: [AlertEngine.Effect] = []
        engine.raise(condition, at: clock.now(), wall: SystemClock.now(), into: &effects)
        carryOut(effects)
    }

    func resolve(_ key: String, _ message: String) {
        var effects: [AlertEngine.Effect] = []
        engine.resolve(key, message: message, at: clock.now(), into: &effects)
        carryOut(effects)
    }

    /// All that fails now of one kind of check: what is open of that kind and not among them has passed.
    func set(_ prefix: String, _ failing: [Condition], _ message: String) {
        let keys = Set(failing.map(\.key))
        for condition in failing { raise(condition) }
        for key in engine.openKeys(prefix) where !keys.contains(key) { resolve(key, message) }
    }

    func tick() {
        var effects: [AlertEngine.Effect] = []
        let wall = SystemClock.now()
        engine.tick(at: clock.now(), wall: wall, into: &effects)
        carryOut(effects)
        let expired = engine.removeExpiredMutes(wall: wall)
        for identifier in expired.silences { writes.write(["HDEL", "silences", identifier]) }
        for identifier in expired.windows { writes.write(["HDEL", "maintenance", identifier]) }
    }

    /// Active alerts of a severity.
    func count(_ severity: Alert.Severity) -> Int { engine.active.values.count { $0.severity == severity } }

    /// What the gravest active alerts say, the newest of them first.
    func worst(_ limit: Int) -> [String] {
        let grave = engine.active.values.filter { $0.severity > .info }
        let ordered = grave.sorted { ($0.severity, $0.raisedAt, $0.key) > ($1.severity, $1.raisedAt, $1.key) }
        return ordered.prefix(limit).map { String($0.message.prefix(200)) }
    }

    func carryOut(_ effects: [AlertEngine.Effect]) {
        for effect in effects {
            switch effect {
            case .raised(let alert):
                report.count("alerts_raised")
                publish(alert, alert.type, alert.severity, alert.message)
                keep(alert, isNew: true)
                if alert.mute == nil { tell(alert) }
            case .updated(let alert, let isWorse):
                keep(alert)
                guard isWorse else { continue }
                publish(alert, alert.type, alert.severity, alert.message)
                if alert.mute == nil { tell(alert) }
            case .reminded(let alert):
                report.count("alerts_repeated")
                publish(alert, alert.type, alert.severity, alert.message, isReminder: true)
                keep(alert)
                tell(alert, isReminder: true)
            case .noted(let alert): keep(alert)
            case .resolved(let alert, let message):
                report.count("alerts_resolved")
                publish(alert, AlertDesk.resolvedType(alert.type), .info, message)
                keep(alert, resolution: message)
                writes.write(["SREM", "alerts_active", alert.alertID])
                writes.write(["DEL", "alert_members:\(alert.alertID)"])
                // Who was never told of its beginning need not hear of its end; who was waits for it, silence or not.
                if alert.toldSeverity != nil { tell(alert, resolution: message) }
            }
        }
    }

    /// `node_timeout` ends as `node_recovered`, `service_down` as `service_recovered`, anything else as `…_resolved`.
    private static func resolvedType(_ type: String) -> String {
        switch type {
        case "node_timeout": "node_recovered"
        case "service_down": "service_recovered"
        default: "\(type)_resolved"
        }
    }

    private func tell(_ alert: Alert, resolution: String = "", isReminder: Bool = false) {
        outlets.tell(
            Notice(
                alert: alert, startsAt: clock.wall(alert.raisedAt), endsAt: alert.resolvedAt.map { clock.wall($0) },
                resolution: resolution, isReminder: isReminder, externalURL: configuration.externalURL))
    }

    private func publish(
        _ alert: Alert, _ type: String, _ severity: Alert.Severity, _ message: String, isReminder: Bool = false
    ) {
        var object: JSONObject = [
            "type": .string(type), "alert_id": .string(alert.alertID), "severity": .string(severity.rawValue),
            "message": .string(message), "time": .string("\(SystemClock.now())"),
        ]
        for (name, value) in alert.fields.sorted(by: { $0.key < $1.key }) {
            if name == "last_seen", let milliseconds = Int64(value) {
                object.append(name, .string("\(Timestamp(milliseconds: milliseconds))"))
            } else {
                object.append(name, .string(value))
            }
        }
        let story = alert.story
        object.append("rule", .string(alert.type))
        object.append("state", .string(alert.resolvedAt == nil ? "firing" : "resolved"))
        object.append("scope", .string(story.scope.rawValue))
        object.append("scope_name", .string(story.scopeName))
        object.append("cause", .string(story.cause))
        object.append("count", .integer(story.count))
        object.append("held_back", .integer(story.heldBack))
        object.append("action", .string(story.action))
        object.append("starts_at", .string("\(clock.wall(alert.raisedAt))"))
        if let ended = alert.resolvedAt { object.append("ends_at", .string("\(clock.wall(ended))")) }
        if let mute = alert.mute { object.append("silenced_until", .string("\(mute.until)")) }
        if isReminder { object.append("reminder", .bool(true)) }
        do throws(ZMQError) {
            if try socket.send(Array("NODE_ALERT ".utf8) + object.bytes) != .sent { report.count("alerts_not_sent") }
        } catch {
            report.count("alerts_not_sent")
        }
    }

    // MARK: - History

    func keep(_ alert: Alert, resolution: String? = nil, isNew: Bool = false) {
        let key = "alert:\(alert.alertID)"
        writes.write(["HSET", key] + AlertRecord.fields(alert, resolution: resolution, clock))
        if alert.mute == nil { writes.write(["HDEL", key, "silenced_until", "silence_id", "maintenance_id"]) }
        guard isNew else { return }
        writes.write(["EXPIRE", key, AlertDesk.days30])
        writes.write(["ZADD", "alerts", String(clock.wall(alert.raisedAt).milliseconds), alert.alertID])
        writes.write(["ZREMRANGEBYRANK", "alerts", "0", String(-AlertDesk.historyLimit - 1)])
        if alert.resolvedAt == nil { writes.write(["SADD", "alerts_active", alert.alertID]) }
    }

    /// The terminals an alert stands for, kept so that another process knows when all of them are back.
    func keep(members: Set<String>, of key: String) {
        guard let alert = engine.active[key] else { return }
        let set = "alert_members:\(alert.alertID)"
        writes.write(["DEL", set])
        let all = members.sorted()
        for start in stride(from: 0, to: all.count, by: 500) {
            writes.write(["SADD", set] + all[start..<min(start + 500, all.count)])
        }
        if !all.isEmpty { writes.write(["EXPIRE", set, AlertDesk.days30]) }
    }

    func write(_ command: [String]) { writes.write(command) }
}
