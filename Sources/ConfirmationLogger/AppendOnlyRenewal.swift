import Logging
import Redis
import ServiceKit

/// Has the append-only file of a Redis written anew after a start that may have read a torn transaction.
///
/// With `aof-load-truncated yes` (its default) a Redis cuts a torn file behind the last whole command, inside the
/// transaction: what it loaded is right, but the beginning of the transaction stays in the file, and the start after
/// the next applies it in half beside what was written since. A rewrite makes the file what was loaded. The mesh's own
/// Redis says `no` and cuts the transaction itself: deploy/scripts/redis_server.sh. Owned by the loop's thread.
final class AppendOnlyRenewal {
    static let questions = [
        ["INFO", "server"], ["CONFIG", "GET", "appendonly"], ["CONFIG", "GET", "aof-load-truncated"],
        ["HGET", "journal:state", "redis_run_id"],
    ]
    private static let retryMilliseconds: Int64 = 1000

    private let redis: RedisLink
    private let report: ServiceReport
    private let log: Logger
    private let reactor: Reactor
    /// Answers of an earlier connection no longer mean anything.
    private var epoch = 0

    init(_ redis: RedisLink, _ environment: ServiceEnvironment) {
        self.redis = redis
        report = environment.report
        log = environment.log
        reactor = environment.reactor
        redis.onReady.append { [unowned self] in ask() }
        redis.onLost.append { [unowned self] in epoch += 1 }
    }

    private func ask() {
        epoch += 1
        var replies: [RedisValue] = []
        for question in AppendOnlyRenewal.questions {
            redis.send(question) { [weak self, epoch] reply in
                guard let self, epoch == self.epoch, let reply else { return }
                replies.append(reply)
                if replies.count == AppendOnlyRenewal.questions.count { judge(replies) }
            }
        }
    }

    /// The run that has to write its file anew; nil where none has.
    static func run(toRenew replies: [RedisValue]) -> String? {
        guard replies.count == questions.count, let server = replies[0].text,
            replies[1].dictionary?["appendonly"] == "yes", replies[2].dictionary?["aof-load-truncated"] == "yes",
            let run = server.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("run_id:") })?.dropFirst(7),
            !run.isEmpty, replies[3].text != String(run)
        else { return nil }
        return String(run)
    }

    private func judge(_ replies: [RedisValue]) {
        guard let run = AppendOnlyRenewal.run(toRenew: replies) else { return }
        log.warning(
            "Redis may have read a torn file (aof-load-truncated is yes): it is asked to write it anew",
            metadata: ["run_id": "\(run)"])
        renew(run)
    }

    private func renew(_ run: String) {
        redis.send(["BGREWRITEAOF"]) { [weak self, epoch] reply in
            guard let self, epoch == self.epoch, let reply else { return }
            if let message = reply.errorMessage {
                log.warning("Redis does not write its file anew yet", metadata: ["why": "\(message)"])
                reactor.after(milliseconds: AppendOnlyRenewal.retryMilliseconds) { [weak self] in
                    guard let self, epoch == self.epoch else { return }
                    renew(run)
                }
                return
            }
            report.count("append_only_rewrites")
            redis.send(["HSET", "journal:state", "redis_run_id", run])
        }
    }
}
