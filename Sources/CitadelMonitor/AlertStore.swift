import Redis
import ServiceKit
import Wire

/// A bounded stream of published alerts (`events:sweeps`, `events:manipulation`), kept in memory while Redis is away.
final class AlertStore {
    private static let maximumUnwritten = 1_000
    private let redis: RedisLink
    private let report: ServiceReport
    private let stream: String
    private let missing: String
    private var unwritten: [[String]] = []

    /// - Parameters:
    ///   - stream: the Redis stream's key.
    ///   - missing: the counter of alerts that could not be kept.
    init(redis: RedisLink, report: ServiceReport, stream: String, missing: String) {
        self.redis = redis
        self.report = report
        self.stream = stream
        self.missing = missing
    }

    var waiting: Int { unwritten.count }

    func write(_ alert: JSONObject, _ completion: @escaping (Bool) -> Void) {
        let fields = alert.fields.flatMap { [$0.name, $0.value.text ?? $0.value.compactText] }
        send(fields, completion)
    }

    func retry() {
        guard redis.isReady else { return }
        let again = unwritten
        unwritten = []
        for fields in again { send(fields) { _ in } }
    }

    private func send(_ fields: [String], _ completion: @escaping (Bool) -> Void) {
        redis.send(["XADD", stream, "MAXLEN", "~", "10000", "*"] + fields) { [weak self] reply in
            let isWritten = reply != nil && reply?.errorMessage == nil
            if !isWritten { self?.keep(fields) }
            completion(isWritten)
        }
    }

    private func keep(_ fields: [String]) {
        guard unwritten.count < AlertStore.maximumUnwritten else { return report.count(missing) }
        unwritten.append(fields)
    }
}
