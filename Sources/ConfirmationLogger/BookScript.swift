import Domain
import Redis
import Trading

/// Books many events in one step that happens whole or not at all, and moves the journal's mark with them.
///
/// An event whose `trade:` row is there already is a duplicate and changes nothing. The mark is checked first: whoever
/// is not where it thinks it is (Redis was emptied, restored, or has heard another) books nothing.
enum BookScript {
    static func make() -> RedisScript { RedisScript(name: "book", source: source) }

    private static let day = 86_400
    /// Seconds a family stays after its last change.
    static let tradeExpiry = 90 * day
    static let scopeExpiry = 400 * day
    static let receiptExpiry = 30 * day
    static let streamLength = 200_000

    /// One event with everything that is written for it.
    struct Entry {
        let event: TradeEvent
        let lifecycle: (key: String, lifecycle: TradeLifecycle)?
    }

    /// - Parameters:
    ///   - expected: the mark as Redis should have it, empty where it should have none.
    ///   - applied: the mark after this call.
    ///   - receipts: the highest own number heard of each node.
    static func values(
        expected: String, applied: UInt64, journal: String, now: Timestamp, entries: [Entry],
        receipts: [(node: String, sequence: Int64)]
    ) -> [String] {
        var values = [
            expected, String(applied), journal, String(now.milliseconds), String(tradeExpiry), String(scopeExpiry),
            String(receiptExpiry), String(streamLength), String(receipts.count),
        ]
        values.reserveCapacity(values.count + receipts.count * 2 + entries.count * 140)
        for receipt in receipts {
            values.append(receipt.node)
            values.append(String(receipt.sequence))
        }
        values.append(String(entries.count))
        for entry in entries { add(entry, to: &values) }
        return values
    }

    private static func add(_ entry: Entry, to values: inout [String]) {
        values.append(entry.event.eventID)
        add(entry.event.fields, to: &values)
        values.append(entry.lifecycle?.key ?? "")
        add(entry.lifecycle?.lifecycle.fields ?? [], to: &values)
        let change = StatisticsChange(entry.event)
        add(change.scopes.map { ($0.name, $0.suffix) }, to: &values)
        for steps in [change.counts, change.money, change.largest] {
            add(steps.map { ($0.field, String($0.amount)) }, to: &values)
        }
    }

    /// A list of pairs behind its length in values.
    private static func add(_ pairs: [(name: String, value: String)], to values: inout [String]) {
        values.append(String(pairs.count * 2))
        for pair in pairs {
            values.append(pair.name)
            values.append(pair.value)
        }
    }

    /// What became of a call.
    enum Outcome: Equatable {
        /// For each event whether it was booked (true) or a duplicate; and complaints about keys of a wrong type.
        case booked([Bool], complaints: [String])
        /// Redis is at another mark.
        case gap(String)
        case failed(String)
    }

    static func outcome(_ reply: RedisValue, count: Int) -> Outcome {
        if let message = reply.errorMessage {
            let words = message.split(separator: " ", maxSplits: 1)
            return words.first == "GAP" ? .gap(words.count > 1 ? String(words[1]) : "") : .failed(message)
        }
        guard let parts = reply.array, parts.count == 2, let flags = parts[0].array, flags.count == count else {
            return .failed("the script answered in another form")
        }
        return .booked(flags.map { $0.integer == 1 }, complaints: parts[1].texts)
    }

    // Amounts stay text from end to end: Lua's numbers are doubles. HINCRBY adds them as 64-bit integers, and two
    // magnitudes compare by length, then by digits; only counts of a call are summed here. The stream entry comes
    // first: should Redis refuse it, nothing of that event is done, and the mark stays.
    private static let source = """
        local at = 0
        local function take()
            at = at + 1
            return ARGV[at]
        end
        local function span()
            local count = tonumber(take())
            local first = at + 1
            at = at + count
            return first, at
        end
        local complaints = {}
        local function try(...)
            local reply = redis.pcall(...)
            if type(reply) == 'table' and reply.err then
                if #complaints < 8 then complaints[#complaints + 1] = reply.err end
                return false
            end
            return reply
        end
        local function larger(left, right)
            if #left ~= #right then return #left > #right end
            return left > right
        end

        local expected, applied, journal, now = take(), take(), take(), take()
        local trade_expiry, scope_expiry, receipt_expiry, stream_length = take(), take(), take(), take()
        local mark = 'applied_seq.' .. journal
        local current = redis.call('HGET', 'journal:state', mark) or ''
        if current ~= expected then return redis.error_reply('GAP ' .. current) end

        for _ = 1, tonumber(take()) do
            local key, number = 'receipts:' .. take(), take()
            local known = tonumber(try('HGET', key, 'last_seq') or '') or -1
            if tonumber(number) > known then try('HSET', key, 'last_seq', number, 'updated_at', now) end
            try('EXPIRE', key, receipt_expiry)
        end

        local booked, touched, counts, refusal = {}, {}, {}, nil
        for index = 1, tonumber(take()) do
            local key = 'trade:' .. take()
            local first, last = span()
            local life = take()
            local life_first, life_last = span()
            local scope_first, scope_last = span()
            local count_first, count_last = span()
            local money_first, money_last = span()
            local largest_first, largest_last = span()
            if redis.call('EXISTS', key) == 1 then
                booked[index] = 0
            else
                local entry = redis.pcall(
                    'XADD', 'events:trades', 'MAXLEN', '~', stream_length, '*', unpack(ARGV, first, last))
                if type(entry) == 'table' and entry.err then
                    refusal = entry
                    break
                end
                try('HSET', key, unpack(ARGV, first, last))
                try('EXPIRE', key, trade_expiry)
                if life ~= '' then
                    try('HSET', 'lifecycle:' .. life, unpack(ARGV, life_first, life_last))
                    try('EXPIRE', 'lifecycle:' .. life, trade_expiry)
                end
                for scope = scope_first, scope_last, 2 do
                    local name, suffix = ARGV[scope], '.' .. ARGV[scope + 1]
                    local stats = 'stats:' .. name
                    if not touched[name] then touched[name], counts[name] = true, {} end
                    local sums = counts[name]
                    for step = count_first, count_last, 2 do
                        sums[ARGV[step]] = (sums[ARGV[step]] or 0) + ARGV[step + 1]
                    end
                    for step = money_first, money_last, 2 do
                        if not try('HINCRBY', stats, ARGV[step] .. suffix, ARGV[step + 1]) then
                            sums.overflows = (sums.overflows or 0) + 1
                        end
                    end
                    for step = largest_first, largest_last, 2 do
                        local field = ARGV[step] .. suffix
                        local known = try('HGET', stats, field)
                        if not known or larger(ARGV[step + 1], known) then try('HSET', stats, field, ARGV[step + 1]) end
                    end
                end
                booked[index] = 1
            end
        end
        for name in pairs(touched) do
            local stats = 'stats:' .. name
            for field, count in pairs(counts[name]) do try('HINCRBY', stats, field, count) end
            try('HSET', stats, 'last_updated', now)
            if name ~= 'global' then try('EXPIRE', stats, scope_expiry) end
            try('SADD', 'stats_scopes', name)
        end
        if refusal then return refusal end
        redis.call(
            'HSET', 'journal:state', mark, applied, 'applied_seq', applied, 'journal', journal, 'updated_at', now)
        return {booked, complaints}
        """
}
