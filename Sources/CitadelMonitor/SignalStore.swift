import Citadel
import Domain
import Redis
import ServiceKit

/// The signals' rows in Redis. Each write is one script that does the same when it runs twice; what Redis did not
/// confirm stays here and is written when it is back.
final class SignalStore {
    /// A row is of interest for so long; `signals` forgets older ones.
    private static let keepMilliseconds: Int64 = 7 * 86_400_000
    private static let maximumUnwritten = 20_000

    static func makeScript() -> RedisScript {
        RedisScript(
            name: "signal",
            source: """
                redis.call('HSET', KEYS[1], unpack(ARGV, 6))
                redis.call('PEXPIRE', KEYS[1], ARGV[3])
                redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
                redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[5])
                if ARGV[2] == 'live' then redis.call('SADD', KEYS[2], ARGV[1])
                else
                  redis.call('SREM', KEYS[2], ARGV[1])
                  redis.call('HDEL', KEYS[1], 'engine', 'contributions')
                end
                return 1
                """)
    }

    private struct Unwritten {
        let version: Int
        let record: SignalRecord
    }

    private let redis: RedisLink
    private let script: RedisScript
    private let report: ServiceReport
    private var unwritten: [String: Unwritten] = [:]
    private var nextVersion = 0

    init(redis: RedisLink, script: RedisScript, report: ServiceReport) {
        self.redis = redis
        self.script = script
        self.report = report
    }

    /// Rows that Redis has not confirmed.
    var waiting: Int { unwritten.count }

    func isRecorded(_ identifier: String) -> Bool { unwritten[identifier] == nil }

    /// Writes a row; the completion says whether Redis has it.
    func write(_ record: SignalRecord, _ completion: @escaping (Bool) -> Void) {
        if unwritten[record.identifier] == nil, unwritten.count >= SignalStore.maximumUnwritten {
            report.count("signals_not_kept")
            return completion(false)
        }
        nextVersion += 1
        let entry = Unwritten(version: nextVersion, record: record)
        unwritten[record.identifier] = entry
        send(entry, completion)
    }

    /// Writes again what was not confirmed, oldest first.
    func retry() {
        guard redis.isReady, redis.outstanding == 0, !unwritten.isEmpty else { return }
        for entry in unwritten.values.sorted(by: { $0.version < $1.version }).prefix(500) { send(entry) { _ in } }
    }

    private func send(_ entry: Unwritten, _ completion: @escaping (Bool) -> Void) {
        let record = entry.record
        let oldest = SystemClock.now().milliseconds - SignalStore.keepMilliseconds
        redis.run(
            script, keys: [record.key, "live_signals", "signals"],
            [
                record.identifier, record.state.rawValue, String(SignalStore.keepMilliseconds),
                String(record.signal.createdMilliseconds), "(\(oldest)",
            ] + record.row
        ) { [unowned self] reply in
            guard let reply else { return completion(false) }
            if let message = reply.errorMessage {
                report.reject("signal_write_refused")
                report.problem("signal_rows", message)
                return completion(false)
            }
            if unwritten[record.identifier]?.version == entry.version { unwritten[record.identifier] = nil }
            if unwritten.isEmpty { report.problem("signal_rows", nil) }
            completion(true)
        }
    }
}
