import Redis
import ServiceKit

/// Lets go of what every group of `events:trades` has read and acknowledged, and nothing else.
enum TrimScript {
    static func make() -> RedisScript { RedisScript(name: "trim", source: source) }

    /// What a call found: entries that wait for the slowest group, and the problem where there is one.
    struct Outcome: Equatable {
        var trimmed: Int64
        var waiting: Int64
    }

    static func outcome(_ reply: RedisValue?) -> Outcome? {
        guard let parts = reply?.array, parts.count == 2, let trimmed = parts[0].integer, let waiting = parts[1].integer
        else { return nil }
        return Outcome(trimmed: trimmed, waiting: waiting)
    }

    // The oldest entry a group still needs is its oldest unacknowledged one, else the one behind its last delivered:
    // that one itself is kept, which costs nothing. Without a group nothing was read.
    private static let source = """
        local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
        if groups.err then return {0, 0} end
        if #groups == 0 then return {0, redis.call('XLEN', KEYS[1])} end
        local function before(left, right)
            local left_ms, left_number = string.match(left, '(%d+)-(%d+)')
            local right_ms, right_number = string.match(right, '(%d+)-(%d+)')
            left_ms, right_ms = tonumber(left_ms), tonumber(right_ms)
            if left_ms ~= right_ms then return left_ms < right_ms end
            return tonumber(left_number) < tonumber(right_number)
        end
        local oldest, waiting = nil, 0
        for _, flat in ipairs(groups) do
            local group = {}
            for index = 1, #flat, 2 do group[flat[index]] = flat[index + 1] end
            local needed = group['last-delivered-id']
            if group.pending > 0 then
                local first = redis.call('XPENDING', KEYS[1], group.name)[2]
                if first and before(first, needed) then needed = first end
            end
            if not oldest or before(needed, oldest) then oldest = needed end
            local lag = type(group.lag) == 'number' and group.lag or 0
            if lag + group.pending > waiting then waiting = lag + group.pending end
        end
        return {redis.call('XTRIM', KEYS[1], 'MINID', '~', oldest), waiting}
        """
}

/// Trims once a minute, and says so when somebody does not read. Owned by the loop's thread.
final class StreamTrimmer {
    private static let intervalMilliseconds: Int64 = 60_000
    /// So many unread entries are a problem, not a pause.
    private static let tolerated: Int64 = 500_000

    private let redis: RedisLink
    private let report: ServiceReport
    private let script = TrimScript.make()

    init(_ redis: RedisLink, _ environment: ServiceEnvironment) {
        self.redis = redis
        report = environment.report
        environment.reactor.every(milliseconds: StreamTrimmer.intervalMilliseconds) { [unowned self] in step() }
    }

    private func step() {
        guard redis.isReady else { return }
        redis.run(script, keys: ["events:trades"], []) { [weak self] reply in
            guard let self, let outcome = TrimScript.outcome(reply) else { return }
            report.count("stream_trimmed", outcome.trimmed)
            report.gauges["stream_unread"] = outcome.waiting
            report.problem(
                "stream",
                outcome.waiting > StreamTrimmer.tolerated
                    ? "\(outcome.waiting) entries of events:trades wait for a group that does not read" : nil)
        }
    }
}
