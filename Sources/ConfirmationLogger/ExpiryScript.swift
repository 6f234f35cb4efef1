import Domain
import Redis
import Trading

/// Gives rows of trades their end: 90 days after they were booked, once their records are in an archived segment.
///
/// A position's life that is not over has no end, however long it is held: without it a later closing would be taken for
/// an earlier one that is told again. The record of its last closing gives it one.
///
/// A row that was told anew since (a correction, a later closing of its position) has another number and is left to
/// the record that told it. The mark `archived_seq.<journal>` of `journal:state` says up to which record it was done;
/// a Redis that has another one, or has not booked as far, changes nothing.
enum ExpiryScript {
    static func make() -> RedisScript { RedisScript(name: "expiry", source: source) }

    static let markPrefix = "archived_seq."
    /// How long rows of trades stay, in milliseconds.
    static let keepMilliseconds: Int64 = 90 * 86_400_000

    /// What one decision booked and when its rows end.
    struct Row: Equatable, Sendable {
        /// The key's last part: `trade:<this>`.
        let eventID: String
        /// `lifecycle:<this>`; empty where the event is of no position.
        let lifecycle: String
        /// The frame's number, which the rows have while nothing newer was told.
        let sequence: UInt64
        let endsAt: Timestamp

        init(_ event: TradeEvent, bookedAt: Timestamp) {
            eventID = event.eventID
            sequence = event.sequence
            endsAt = Timestamp(milliseconds: bookedAt.milliseconds + keepMilliseconds)
            if let account = event.account, let ticket = event.ticket, event.kind == .opened || event.kind == .closed {
                lifecycle = EventIdentity.lifecycle(user: event.userUUID, account: account, ticket: ticket)
            } else {
                lifecycle = ""
            }
        }
    }

    /// - Parameters:
    ///   - expected: the mark as Redis should have it, empty for none.
    ///   - through: the mark afterwards.
    ///   - booked: the highest frame among the rows: Redis must have booked that far.
    static func values(
        journal: String, expected: String, through: UInt64, booked: UInt64, _ rows: [Row]
    ) -> [String] {
        [journal, expected, String(through), String(booked)]
            + rows.flatMap { [$0.eventID, $0.lifecycle, String($0.sequence), String($0.endsAt.milliseconds)] }
    }

    /// Whether the position of a `lifecycle:<user>|<account>|<ticket>` is over, and nowhere among the open ones.
    static let isOver = """
        local function is_over(key)
            local closed, server = redis.pcall('HGET', key, 'closed'), redis.pcall('HGET', key, 'server')
            if closed ~= '1' then return false end
            local account, ticket = string.match(key, '|([^|]*)|([^|]*)$')
            if not account then return true end
            local holder = string.gsub(type(server) == 'string' and server or 'unknown', '[%z\\1-\\32\\127|%%]',
                function(byte) return string.format('%%%02X', string.byte(byte)) end) .. '|' .. account
            return redis.pcall('SISMEMBER', 'account_positions:' .. holder, holder .. '|' .. ticket) ~= 1
        end
        """

    // Numbers of rows are compared as text: what wrote them wrote them the same way.
    private static let source = """
        local state, mark = 'journal:state', 'archived_seq.' .. ARGV[1]
        local known = redis.call('HMGET', state, mark, 'applied_seq.' .. ARGV[1])
        if (known[1] or '') ~= ARGV[2] then return redis.error_reply('GAP ' .. (known[1] or '')) end
        if (tonumber(known[2]) or 0) < tonumber(ARGV[4]) then return redis.error_reply('GAP not booked') end
        local given = 0
        local function expire(key, sequence, moment)
            if redis.pcall('HGET', key, 'seq') ~= sequence then return end
            redis.call('PEXPIREAT', key, moment)
            given = given + 1
        end
        \(isOver)
        for at = 5, #ARGV, 4 do
            expire('trade:' .. ARGV[at], ARGV[at + 2], ARGV[at + 3])
            local life = 'lifecycle:' .. ARGV[at + 1]
            if ARGV[at + 1] ~= '' and is_over(life) then expire(life, ARGV[at + 2], ARGV[at + 3]) end
        end
        redis.call('HSET', state, mark, ARGV[3])
        return given
        """
}
