import Domain
import Fleet
import ServiceKit

/// What services report of themselves, as conditions for alerts.
struct ServiceTroubles {
    /// Messages waiting in a service, and the age of the oldest, that are too much.
    static let queueLimit: Int64 = 10_000
    static let unreadLimit: Int64 = 5_000
    /// Problems that have an alert of their own.
    private static let named: Set<String> = [
        "brake", "terminals_need_restart", "foreign_confirmations", "redis", "not_ready", "clock",
    ]

    var degraded: [Condition] = []
    var restarts: [Condition] = []
    var queues: [Condition] = []

    init(_ words: [String: ServiceWords], ready: (String) -> Bool) {
        for (service, word) in words where ready(service) {
            note(service, word)
        }
    }

    private mutating func note(_ service: String, _ word: ServiceWords) {
        let story = AlertStory(.service, service)
        let fields = ["service": service]
        let plain = word.problems.filter { !ServiceTroubles.named.contains($0.key) }
        if !plain.isEmpty {
            let text = plain.sorted { $0.key < $1.key }.map(\.value).joined(separator: "; ")
            degraded.append(
                Condition(
                    key: "service_degraded:\(service)", type: "service_degraded", severity: .warning,
                    message: "\(service): \(text)", fields: fields, story: story))
        }
        if let text = word.problems["terminals_need_restart"] {
            restarts.append(
                Condition(
                    key: "terminals_need_restart:\(service)", type: "terminals_need_restart", severity: .warning,
                    message: text, fields: fields, story: story))
        }
        let depth = word.gauges["queue_depth"] ?? 0
        let age = word.gauges["oldest_unread_ms"] ?? 0
        // While Redis is away everything that is for it waits: that is told.
        let isDeep = depth >= ServiceTroubles.queueLimit && word.problems["redis"] == nil
        if isDeep || age >= ServiceTroubles.unreadLimit {
            queues.append(
                Condition(
                    key: "queue_growth:\(service)", type: "queue_growth", severity: .warning,
                    message: "\(service): \(depth) messages wait, the oldest for \(age / 1000) s", fields: fields,
                    story: story))
        }
    }
}
