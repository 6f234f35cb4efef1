import Domain
import Journal
import Logging
import Redis
import ServiceKit

/// Gives rows their end that another journal's logger booked into this Redis: that journal was put away, and nothing would
/// ever tell that their records are archived.
///
/// Looks at the other journals' marks each minute. One that moves belongs to a logger that works: nothing is touched. Once
/// they have stood still for so long that this journal has archived everything up to then, and its own rows have their
/// end, what was booked before and has none is the others'. It ends 90 days from now, so never too early. Walks through the
/// keys a part at a time; where it is stands in `journal:state`. Owned by the loop's thread.
final class ForeignRows {
    private static let intervalMilliseconds: Int64 = 60_000
    private static let pauseMilliseconds: Int64 = 20

    private let redis: RedisLink
    private let reactor: Reactor
    private let report: ServiceReport
    private let log: Logger
    private let script = ForeignRowsScript.make()
    private let journal: JournalWriter
    /// Answers of an earlier connection no longer mean anything.
    private var epoch = 0
    private var isWalking = false

    init(_ redis: RedisLink, _ environment: ServiceEnvironment, _ journal: JournalWriter) {
        self.redis = redis
        self.journal = journal
        reactor = environment.reactor
        report = environment.report
        log = environment.log
        redis.onReady.append { [unowned self] in look() }
        redis.onLost.append { [unowned self] in
            epoch += 1
            isWalking = false
        }
        reactor.every(milliseconds: ForeignRows.intervalMilliseconds) { [unowned self] in look() }
        if redis.isReady { look() }
    }

    private func look() {
        guard !isWalking, redis.isReady else { return }
        redis.send(["HGETALL", "journal:state"]) { [weak self, epoch] reply in
            guard let self, epoch == self.epoch, !isWalking, let state = reply?.dictionary else { return }
            let look = ForeignMarks(state, journal.recovery.identifier)
            switch look.step(journal.status.archive, now: SystemClock.now()) {
            case .nothing: break
            case .note(let fields): redis.send(["HSET", "journal:state"] + fields)
            case .walk(let before, let cursor):
                if cursor == "0" { log.notice("Redis has rows of another journal: those without an end get one") }
                isWalking = true
                walk(look, cursor, before: before)
            }
        }
    }

    private func walk(_ look: ForeignMarks, _ cursor: String, before: Timestamp) {
        let values = ForeignRowsScript.values(look, cursor: cursor, before: before, now: SystemClock.now())
        redis.run(script, keys: [], values) { [weak self, epoch] reply in
            guard let self, epoch == self.epoch else { return }
            guard let outcome = ForeignRowsScript.outcome(reply) else {
                let why = reply?.errorMessage ?? "no answer"
                log.warning("rows of another journal get no end yet", metadata: ["why": "\(why)"])
                return isWalking = false
            }
            report.count("foreign_rows_ended", outcome.rows)
            guard outcome.cursor != "0" else { return isWalking = false }
            reactor.after(milliseconds: ForeignRows.pauseMilliseconds) { [weak self] in
                guard let self, epoch == self.epoch else { return }
                walk(look, outcome.cursor, before: before)
            }
        }
    }
}

/// What `journal:state` says of other journals' marks.
struct ForeignMarks: Equatable {
    enum Step: Equatable {
        case nothing
        /// They are others than before: since now.
        case note([String])
        case walk(before: Timestamp, cursor: String)
    }

    /// `<journal>:<mark>` of each, in order; empty where there is none.
    let text: String
    let identifier: String
    private let since: Int64?
    private let cursor: String?
    private let isDone: Bool
    private let archived: UInt64?

    init(_ state: [String: String], _ identifier: String) {
        self.identifier = identifier
        let prefix = "applied_seq."
        text = state.filter { $0.key.hasPrefix(prefix) && $0.key != prefix + identifier }
            .map { "\($0.key.dropFirst(prefix.count)):\($0.value)" }.sorted().joined(separator: ",")
        // `<since when in ms> <marks>`
        let seen = (state["foreign_rows_seen.\(identifier)"] ?? "").split(separator: " ", maxSplits: 1)
        since = seen.count == 2 && seen[1] == text ? Int64(seen[0]) : nil
        cursor = state["foreign_rows_cursor.\(identifier)"]
        isDone = state["foreign_rows_ended.\(identifier)"] == text
        archived = state["archived_seq.\(identifier)"].flatMap { UInt64($0) }
    }

    func step(_ archive: JournalArchive, now: Timestamp) -> Step {
        guard !text.isEmpty, !isDone else { return .nothing }
        guard let since else {
            let seen = ["foreign_rows_seen.\(identifier)", "\(now.milliseconds) \(text)"]
            return .note(seen + ["foreign_rows_cursor.\(identifier)", "0"])
        }
        // This journal's own rows of that time have their end: what has none is not its own.
        guard let archived, archived > 0, archived >= archive.through, archive.before.milliseconds > since
        else { return .nothing }
        return .walk(before: Timestamp(milliseconds: since), cursor: cursor ?? "0")
    }
}

/// A part of a walk through rows: those without an end that were told before a moment end 90 days from now. A position's
/// life that is not over has none.
enum ForeignRowsScript {
    static func make() -> RedisScript { RedisScript(name: "foreign-rows", source: source) }

    static func values(_ look: ForeignMarks, cursor: String, before: Timestamp, now: Timestamp) -> [String] {
        let end = now.milliseconds + ExpiryScript.keepMilliseconds
        return [cursor, String(before.milliseconds), String(end), look.identifier, look.text]
    }

    /// Where to go on (`0`: all was looked at) and how many rows got their end; nil where nothing was done.
    static func outcome(_ reply: RedisValue?) -> (cursor: String, rows: Int64)? {
        guard let parts = reply?.array, parts.count == 2, let cursor = parts[0].text, let rows = parts[1].integer
        else { return nil }
        return (cursor, rows)
    }

    // A position's life does not say when its last closing was told: that closing's row does.
    private static let source = """
        local state, before = 'journal:state', tonumber(ARGV[2])
        local part = redis.call('SCAN', ARGV[1], 'COUNT', 500)
        local function moment(key, name)
            local text = redis.pcall('HGET', key, name)
            return type(text) == 'string' and tonumber(text) or nil
        end
        \(ExpiryScript.isOver)
        local function told(key)
            if string.sub(key, 1, 6) == 'trade:' then return moment(key, 'received_at') end
            if string.sub(key, 1, 10) ~= 'lifecycle:' or not is_over(key) then return end
            local at, volume = moment(key, 'opened_at'), redis.pcall('HGET', key, 'closed_volume')
            local row = 'trade:' .. string.sub(key, 11) .. '|closed|'
            local closed = type(volume) == 'string' and moment(row .. volume, 'received_at')
            return closed and math.max(closed, at or 0) or at
        end
        local given = 0
        for _, key in ipairs(part[2]) do
            local at = told(key)
            if at and at <= before and redis.call('PTTL', key) == -1 then
                redis.call('PEXPIREAT', key, ARGV[3])
                given = given + 1
            end
        end
        redis.call('HSET', state, 'foreign_rows_cursor.' .. ARGV[4], part[1])
        if part[1] == '0' then redis.call('HSET', state, 'foreign_rows_ended.' .. ARGV[4], ARGV[5]) end
        return {part[1], given}
        """
}
