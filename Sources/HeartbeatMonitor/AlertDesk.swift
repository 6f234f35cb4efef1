import Domain
import Fleet
import Redis
import ServiceKit
import Wire
import ZeroMQ

/// Alerts out: on the alerts port as `NODE_ALERT {json}`, and into their history in Redis.
final class AlertDesk {
    private static let days30 = String(30 * 86_400)
    private static let historyLimit = 10_000
    private static let reserved: Set<String> = [
        "alert_id", "key", "type", "severity", "message", "time", "state", "resolved_at", "resolution",
    ]

    private let socket: ZMQSocket
    private let writes: PendingWrites
    private let report: ServiceReport
    private(set) var engine = AlertEngine()

    init(_ environment: ServiceEnvironment, _ writes: PendingWrites) throws {
        socket = try ZMQSocket(environment.context, .publish, SocketProfile.publisher)
        try socket.bind(environment.configuration.bindEndpoint(.nodeAlerts))
        self.writes = writes
        report = environment.report
    }

    func raise(_ condition: Condition, at now: Timestamp) {
        var effects: [AlertEngine.Effect] = []
        engine.raise(condition, at: now, into: &effects)
        carryOut(effects)
    }

    func resolve(_ key: String, _ message: String, at now: Timestamp) {
        var effects: [AlertEngine.Effect] = []
        engine.resolve(key, message: message, at: now, into: &effects)
        carryOut(effects)
    }

    func tick(at now: Timestamp) {
        var effects: [AlertEngine.Effect] = []
        engine.tick(at: now, into: &effects)
        carryOut(effects)
    }

    /// Active alerts of a severity.
    func count(_ severity: Alert.Severity) -> Int { engine.active.values.filter { $0.severity == severity }.count }

    private func carryOut(_ effects: [AlertEngine.Effect]) {
        for effect in effects {
            switch effect {
            case .raised(let alert):
                report.count("alerts_raised")
                publish(type: alert.type, alert.severity, alert, alert.message, at: alert.raisedAt)
                keep(alert)
            case .resolved(let alert, let message):
                report.count("alerts_resolved")
                let now = alert.resolvedAt ?? alert.raisedAt
                publish(type: AlertDesk.resolvedType(alert.type), .info, alert, message, at: now)
                writes.write([
                    "HSET", "alert:\(alert.alertID)", "state", "resolved", "resolved_at", String(now.milliseconds),
                    "resolution", message,
                ])
                writes.write(["SREM", "alerts_active", alert.alertID])
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

    private func publish(
        type: String, _ severity: Alert.Severity, _ alert: Alert, _ message: String, at now: Timestamp
    ) {
        var object: JSONObject = [
            "type": .string(type), "alert_id": .string(alert.alertID), "severity": .string(severity.rawValue),
            "message": .string(message), "time": .string("\(now)"),
        ]
        for (name, value) in alert.fields.sorted(by: { $0.key < $1.key }) {
            if name == "last_seen", let milliseconds = Int64(value) {
                object.append(name, .string("\(Timestamp(milliseconds: milliseconds))"))
            } else {
                object.append(name, .string(value))
            }
        }
        do throws(ZMQError) {
            if try socket.send(Array("NODE_ALERT ".utf8) + object.bytes) != .sent { report.count("alerts_not_sent") }
        } catch {
            report.count("alerts_not_sent")
        }
    }

    // MARK: - History

    private func keep(_ alert: Alert) {
        let key = "alert:\(alert.alertID)"
        var fields = [
            "alert_id", alert.alertID, "key", alert.key, "type", alert.type, "severity", alert.severity.rawValue,
            "message", alert.message, "time", String(alert.raisedAt.milliseconds), "state", "active",
        ]
        for (name, value) in alert.fields where !AlertDesk.reserved.contains(name) { fields += [name, value] }
        writes.write(["HSET", key] + fields)
        writes.write(["EXPIRE", key, AlertDesk.days30])
        writes.write(["ZADD", "alerts", String(alert.raisedAt.milliseconds), alert.alertID])
        writes.write(["ZREMRANGEBYRANK", "alerts", "0", String(-AlertDesk.historyLimit - 1)])
        writes.write(["SADD", "alerts_active", alert.alertID])
    }

    /// Takes in what was active when the last process ended, then calls `done`; false where Redis was lost meanwhile.
    func load(_ redis: RedisLink, _ done: @escaping (Bool) -> Void) {
        redis.send(["SMEMBERS", "alerts_active"]) { [weak self] reply in
            guard let reply, reply.errorMessage == nil else { return done(false) }
            let identifiers = reply.texts
            guard !identifiers.isEmpty else { return done(true) }
            for (index, identifier) in identifiers.enumerated() {
                redis.send(["HGETALL", "alert:\(identifier)"]) { [weak self] reply in
                    if let fields = reply?.dictionary { self?.restore(identifier, fields) }
                    if index == identifiers.count - 1 { done(reply != nil) }
                }
            }
        }
    }

    private func restore(_ identifier: String, _ fields: [String: String]) {
        guard let key = fields["key"], let type = fields["type"],
            let severity = fields["severity"].flatMap(Alert.Severity.init(rawValue:)),
            let raised = fields["time"].flatMap({ Int64($0) })
        else { return writes.write(["SREM", "alerts_active", identifier]) }
        engine.restore(
            Alert(
                alertID: identifier, key: key, type: type, severity: severity, message: fields["message"] ?? "",
                fields: fields.filter { !AlertDesk.reserved.contains($0.key) },
                raisedAt: Timestamp(milliseconds: raised)))
    }
}
