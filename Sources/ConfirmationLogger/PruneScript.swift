import Redis
import ServiceKit

/// Takes scopes whose statistics have expired out of `stats_scopes`, a part of the set at a time.
enum PruneScript {
    static func make() -> RedisScript { RedisScript(name: "prune", source: source) }

    private static let source = """
        local part = redis.call('SSCAN', KEYS[1], ARGV[1], 'COUNT', 500)
        for _, name in ipairs(part[2]) do
            if redis.call('EXISTS', 'stats:' .. name) == 0 then redis.call('SREM', KEYS[1], name) end
        end
        return part[1]
        """
}

/// Goes through the set again and again, slowly.
final class ScopePruner {
    private static let intervalMilliseconds: Int64 = 60_000

    private let redis: RedisLink
    private let script = PruneScript.make()
    private var cursor = "0"

    init(_ redis: RedisLink, _ reactor: Reactor) {
        self.redis = redis
        reactor.every(milliseconds: ScopePruner.intervalMilliseconds) { [unowned self] in step() }
    }

    private func step() {
        guard redis.isReady else { return }
        redis.run(script, keys: ["stats_scopes"], [cursor]) { [weak self] reply in
            self?.cursor = reply?.errorMessage == nil ? reply?.text ?? "0" : "0"
        }
    }
}
