public import Domain

/// One alert for a restart of ours: how many terminals it concerns, until they are heard again.
public struct RestartWatch: Sendable {
    /// So long terminals have to come back; who is missing then is told by itself.
    public static let patience: Int64 = 120_000
    private static let endings = 5
    /// The services terminals are connected to.
    public static let listeners: Set<String> = [
        ServiceName.handshakeProcessor.rawValue, ServiceName.positionTracker.rawValue,
        ServiceName.confirmationLogger.rawValue,
    ]

    /// A process that has just begun has heard nobody yet.
    private static let ownStart: Int64 = 15_000

    private struct Restart: Sendable {
        let why: String
        let at: Timestamp
        let terminals: Int
        let isPlanned: Bool
        /// Not over before this.
        var notBefore: Timestamp
    }

    private var restarts: [String: Restart] = [:]
    private var ended: [String: (message: String, left: Int)] = [:]

    public init() {}

    public static func key(_ service: String) -> String { "service_restarted:\(service)" }

    /// - Parameter terminals: how many were heard before.
    public mutating func note(_ service: String, _ why: String, terminals: Int, at now: Timestamp) {
        ended[service] = nil
        let isListener = RestartWatch.listeners.contains(service)
        restarts[service] = Restart(
            why: why, at: now, terminals: isListener ? terminals : 0, isPlanned: why == RestartWatch.planned,
            notBefore: now.adding(milliseconds: 10_000))
    }

    private static let planned = "was started anew"

    /// Goes on from an active alert of an earlier process; returns the service and what was said of its restart.
    public mutating func restore(_ alert: Alert, at now: Timestamp) -> (service: String, why: String)? {
        guard alert.type == "service_restarted", alert.story.scope == .service else { return nil }
        let service = alert.story.scopeName
        guard alert.key == RestartWatch.key(service) else { return nil }
        let head = "\(service) "
        let why = alert.story.cause.hasPrefix(head) ? String(alert.story.cause.dropFirst(head.count)) : ""
        restarts[service] = Restart(
            why: why, at: alert.raisedAt, terminals: alert.story.heldBack, isPlanned: why == RestartWatch.planned,
            notBefore: now.adding(milliseconds: RestartWatch.ownStart))
        return (service, why)
    }

    /// - Parameter awaited: how many terminals were not heard since a moment.
    public mutating func look(
        at now: Timestamp, awaited: (Timestamp) -> Int
    ) -> (raise: [Condition], resolve: [(key: String, message: String)]) {
        var raise: [Condition] = []
        for (service, restart) in restarts {
            let missing = restart.terminals > 0 ? awaited(restart.at) : 0
            let age = now - restart.at
            guard now < restart.notBefore || (age < RestartWatch.patience && missing > 0) else {
                restarts[service] = nil
                let message =
                    missing == 0
                    ? "\(service) runs; the terminals are heard again"
                    : "\(service) runs; \(missing) terminals have not been heard since"
                ended[service] = (message, RestartWatch.endings)
                continue
            }
            raise.append(RestartWatch.condition(service, restart))
        }
        var resolve: [(key: String, message: String)] = []
        for (service, ending) in ended {
            resolve.append((RestartWatch.key(service), ending.message))
            ended[service] = ending.left > 1 ? (ending.message, ending.left - 1) : nil
        }
        return (raise, resolve)
    }

    private static func condition(_ service: String, _ restart: Restart) -> Condition {
        let terminals = restart.terminals > 0 ? ": \(restart.terminals) terminals connect anew" : ""
        var story = AlertStory(.service, service, cause: "\(service) \(restart.why)", count: max(1, restart.terminals))
        story.heldBack = restart.terminals
        return Condition(
            key: key(service), type: "service_restarted", severity: restart.isPlanned ? .info : .warning,
            message: "\(service) \(restart.why)\(terminals)", fields: ["service": service], story: story)
    }
}
