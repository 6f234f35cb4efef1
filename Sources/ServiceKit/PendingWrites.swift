/// Writes that have time: they wait, bounded, while Redis is away. Those whose fate is unknown are written again, so
/// they should be ones that may be. Owned by the loop's thread.
public final class PendingWrites {
    private static let limit = 10_000
    private static let outstandingLimit = 20_000

    private let redis: RedisLink
    private let report: ServiceReport
    private var waiting: [[String]] = []

    public init(_ redis: RedisLink, _ report: ServiceReport) {
        self.redis = redis
        self.report = report
        redis.onReady.append { [unowned self] in writeWaiting() }
    }

    public func write(_ command: [String]) {
        guard redis.isReady, redis.outstanding < PendingWrites.outstandingLimit else { return wait(command) }
        redis.send(command) { [weak self] reply in
            if reply == nil { self?.wait(command) }
        }
    }

    private func wait(_ command: [String]) {
        guard waiting.count < PendingWrites.limit else { return report.count("writes_not_kept") }
        waiting.append(command)
    }

    private func writeWaiting() {
        let commands = waiting
        waiting = []
        for command in commands { write(command) }
    }
}
