import Domain
import Journal
import Logging
import Redis
import ServiceKit

/// Gives rows their end that another journal's logger booked into this Redis: that journal was put away, and nothing would
/// ever tell that their records are archived.
///
/// Such a row has no end and is older than the oldest segment that is kept here; of this journal's own rows those have been
/// archived and have theirs. Walks through the rows once, a part at a time, where Redis has the mark of another journal.
/// Owned by the loop's thread.
final class ForeignRows {
    static let doneField = "foreign_rows_ended."
    private static let pauseMilliseconds: Int64 = 20

    private let redis: RedisLink
    private let reactor: Reactor
    private let report: ServiceReport
    private let log: Logger
    private let script = ForeignRowsScript.make()
    private let identifier: String
    private let since: Timestamp?
    /// Answers of an earlier connection no longer mean anything.
    private var epoch = 0

    init(_ redis: RedisLink, _ environment: ServiceEnvironment, _ journal: JournalRecovery) {
        self.redis = redis
        reactor = environment.reactor
        report = environment.report
        log = environment.log
        identifier = journal.identifier
        since = journal.since
        redis.onReady.append { [unowned self] in look() }
        redis.onLost.append { [unowned self] in epoch += 1 }
        if redis.isReady { look() }
    }

    private func look() {
        epoch += 1
        guard let since else { return }
        redis.send(["HGETALL", "journal:state"]) { [weak self, epoch] reply in
            guard let self, epoch == self.epoch, let state = reply?.dictionary else { return }
            guard ForeignRows.isDue(state, identifier) else { return }
            log.notice("Redis has rows of another journal: those without an end get one")
            walk(ForeignRowsScript.Family.allCases[...], "0", before: since)
        }
    }

    /// Whether Redis has another journal's mark, and its rows were not gone through since this journal is in use.
    static func isDue(_ state: [String: String], _ identifier: String) -> Bool {
        let prefix = "applied_seq."
        return state[doneField + identifier] == nil
            && state.keys.contains { $0.hasPrefix(prefix) && $0 != prefix + identifier }
    }

    private func walk(_ families: ArraySlice<ForeignRowsScript.Family>, _ cursor: String, before: Timestamp) {
        guard let family = families.first else {
            let field = ForeignRows.doneField + identifier
            return redis.send(["HSET", "journal:state", field, String(before.milliseconds)])
        }
        redis.run(script, keys: [], ForeignRowsScript.values(family, cursor: cursor, before: before)) {
            [weak self, epoch] reply in
            guard let self, epoch == self.epoch, let outcome = ForeignRowsScript.outcome(reply) else { return }
            report.count("foreign_rows_ended", outcome.rows)
            let isOver = outcome.cursor == "0"
            reactor.after(milliseconds: ForeignRows.pauseMilliseconds) { [weak self] in
                guard let self, epoch == self.epoch else { return }
                walk(isOver ? families.dropFirst() : families, outcome.cursor, before: before)
            }
        }
    }
}

/// A part of a walk through rows: those without an end that were told before a moment end 90 days after they were told.
enum ForeignRowsScript {
    enum Family: String, CaseIterable {
        case trade
        case lifecycle
    }

    static func make() -> RedisScript { RedisScript(name: "foreign-rows", source: source) }

    static func values(_ family: Family, cursor: String, before: Timestamp) -> [String] {
        [cursor, family.rawValue, String(before.milliseconds), String(ExpiryScript.keepMilliseconds)]
    }

    /// Where to go on (`0`: all was looked at) and how many rows got their end; nil where nothing was done.
    static func outcome(_ reply: RedisValue?) -> (cursor: String, rows: Int64)? {
        guard let parts = reply?.array, parts.count == 2, let cursor = parts[0].text, let rows = parts[1].integer
        else { return nil }
        return (cursor, rows)
    }

    // A position's life does not say when its last closing was told: that closing's row does.
    private static let source = """
        local family, before, keep = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
        local part = redis.call('SCAN', ARGV[1], 'MATCH', family .. ':*', 'COUNT', 200)
        local function moment(key, name)
            local text = redis.pcall('HGET', key, name)
            return type(text) == 'string' and tonumber(text) or nil
        end
        local given = 0
        for _, key in ipairs(part[2]) do
            if redis.call('PTTL', key) == -1 then
                local at = moment(key, family == 'trade' and 'received_at' or 'opened_at')
                local volume = family == 'lifecycle' and redis.pcall('HGET', key, 'closed_volume')
                if type(volume) == 'string' then
                    local row = 'trade:' .. string.sub(key, 11) .. '|closed|' .. volume
                    local closed = moment(row, 'received_at')
                    at = closed and math.max(closed, at or 0) or at
                end
                if at and at < before then
                    redis.call('PEXPIREAT', key, string.format('%.0f', at + keep))
                    given = given + 1
                end
            end
        end
        return {part[1], given}
        """
}
