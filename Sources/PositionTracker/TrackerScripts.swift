import Redis

/// The one script by which position-tracker changes its ledger in Redis: check, write, and move the mark, in one step.
///
/// The mark `ledger:state` says up to which record of the tracker's own journal Redis has everything. A call names the
/// mark it expects; where Redis has another one (it was emptied, restored, replaced) nothing is done and the answer is
/// `GAP`. So each record takes effect once, whatever connections do.
enum TrackerScripts {
    static let stateKey = "ledger:state"
    /// Which of the last records were refused, in whole or in part: for an answer that a lost connection swallowed.
    static let refusedKey = "ledger:refused"
    static let markPrefix = "seq."
    /// A command of the script's own: a position's row gets the sum of its closings.
    static let sumCommand = "CLOSINGS"
    /// A command of the script's own, `KEEP <key> <seconds since 1970>`: the row ends then, but not before the record
    /// that says so is in an archived segment. With an empty moment: when it was to end anyway.
    static let keepCommand = "KEEP"
    /// Rows that are over and not archived yet: key -> `<record> <moment>`.
    static let unarchivedKey = "ledger:unarchived"

    /// How a call treats its records.
    enum Mode: String {
        /// Done for the first time.
        case live
        /// Read from the journal again.
        case replay
        /// Not in the journal: the mark is checked and stays.
        case free
    }

    static func makeWrite() -> RedisScript { RedisScript(name: "ledger", source: source) }

    /// All records are one argument, `[["<sequence>","<skip>",{…}],…]`: Redis reads 16 kB of a client in a turn, unless they
    /// are of one long argument. In small ones a call waits for turn after turn behind the calls of others.
    ///
    /// - Parameter records: sequence, what is known to have been refused (`,1,3,`; `,0,` for all of it), text.
    static func values(
        field: String, expected: String, _ mode: Mode, _ records: [(sequence: String, skip: String, text: String)]
    ) -> [String] {
        var list = "["
        list.reserveCapacity(records.reduce(64) { $0 + $1.text.utf8.count + 40 })
        for (place, record) in records.enumerated() {
            list += place == 0 ? "[\"" : ",[\""
            list += record.sequence
            list += "\",\""
            list += record.skip
            list += "\","
            list += record.text
            list += "]"
        }
        list += "]"
        return [field, expected, mode.rawValue, records.last?.sequence ?? "", list]
    }

    /// What one record came to.
    struct Answer: Equatable {
        /// Number and reason of each step that was refused: `1 no_slot 3`; number 0 is the record as a whole.
        var refused: [(step: Int, reason: String)] = []
        /// Slots in use afterwards, for what takes one.
        var slotsUsed = 0

        static func == (left: Answer, right: Answer) -> Bool {
            left.text == right.text && left.slotsUsed == right.slotsUsed
        }

        var text: String { refused.map { "\($0.step) \($0.reason)" }.joined(separator: "\n") }

        init(_ text: String, slotsUsed: Int = 0) {
            self.slotsUsed = slotsUsed
            refused = text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ", maxSplits: 1)
                guard let first = words.first, let step = Int(first) else { return nil }
                return (step, words.count > 1 ? String(words[1]) : "")
            }
        }
    }

    enum Outcome: Equatable {
        case done([Answer], complaints: [String])
        /// Redis has another mark.
        case gap
        /// Nothing was done.
        case failed(String)
    }

    static func outcome(_ reply: RedisValue, count: Int) -> Outcome {
        if let message = reply.errorMessage { return message.hasPrefix("GAP") ? .gap : .failed(message) }
        guard let parts = reply.array, parts.count == 2, let answers = parts[0].array, answers.count == count else {
            return .failed("the script answered in another form")
        }
        return .done(
            answers.map { answer in
                let pair = answer.array ?? []
                return Answer(pair.first?.text ?? "", slotsUsed: Int(pair.last?.integer ?? 0))
            }, complaints: parts[1].texts)
    }

    // The mark moves first and is not forgiven: a Redis that takes no writes (full, read-only, its disk failing) says
    // so there, before anything is done. After that a key of a wrong type is complained of and stops nothing else.
    private static let source = """
        local field, expected, mode = ARGV[1], ARGV[2], ARGV[3]
        local state = 'ledger:state'
        local current = redis.call('HGET', state, field) or ''
        if current ~= expected then return redis.error_reply('GAP ' .. current) end
        if mode ~= 'free' then redis.call('HSET', state, field, ARGV[4]) end

        local complaints = {}
        local function try(command)
            local reply = redis.pcall(unpack(command))
            if type(reply) == 'table' and reply.err and command[1] == 'XADD'
                and string.find(reply.err, 'equal or smaller', 1, true) then
                command[6] = '*'
                reply = redis.pcall(unpack(command))
            end
            if type(reply) == 'table' and reply.err then
                if #complaints < 8 then
                    complaints[#complaints + 1] = command[1] .. ' ' .. command[2] .. ': ' .. reply.err
                end
                return false
            end
            return reply
        end

        -- `closing.<name>` is `<units>|<source>|<lot>`. HINCRBY is exact where numbers of this language are not.
        local ranks = {message = 1, operator = 2, balance_step = 3, quote = 4, unknown = 5}
        local function sum(key)
            local row, source = try({'HGETALL', key}) or {}, 'message'
            try({'HSET', key, 'profit_units', '0'})
            for index = 1, #row, 2 do
                if string.sub(row[index], 1, 8) == 'closing.' then
                    local units, word = string.match(row[index + 1], '^([^|]*)|([^|]*)|')
                    if not units or units == 'unknown' then
                        source = 'unknown'
                    else
                        try({'HINCRBY', key, 'profit_units', units})
                        if (ranks[word] or 1) > ranks[source] then source = word end
                    end
                end
            end
            local sign, digits = string.match(try({'HGET', key, 'profit_units'}) or '', '^(-?)(%d+)$')
            try({'HDEL', key, 'profit_units', 'profit'})
            try({'HSET', key, 'profit_source', source})
            if source == 'unknown' or not digits then return end
            digits = string.rep('0', 9 - #digits) .. digits
            local fraction = string.gsub(string.sub(digits, -8), '0+$', '')
            fraction = fraction .. string.rep('0', 2 - #fraction)
            try({'HSET', key, 'profit', sign .. string.sub(digits, 1, -9) .. '.' .. fraction})
        end

        local function keep(key, moment, sequence)
            if moment == '' then
                local held = try({'HGET', 'ledger:unarchived', key})
                local ends = try({'EXPIRETIME', key}) or -1
                if ends > 0 then moment = string.format('%.0f', ends) end
                if held then moment = string.match(held, ' (%d+)$') or moment end
            end
            if moment == '' then return end
            try({'PERSIST', key})
            try({'HSET', 'ledger:unarchived', key, sequence .. ' ' .. moment})
        end

        local function full(key, maximum)
            local used = try({'HLEN', key}) or 0
            if used >= tonumber(maximum) then return 'no_slot ' .. used end
        end
        local function refusal(test)
            local kind = test[1]
            if kind == 'state' then
                local found = try({'HGET', test[2], 'state'}) or 'absent'
                if not string.find(test[3], ' ' .. found .. ' ', 1, true) then return found end
            elseif kind == 'exists' then
                if try({'EXISTS', test[2]}) ~= 1 then return 'absent' end
            elseif kind == 'absent' then
                if try({'EXISTS', test[2]}) == 1 then return 'present' end
            elseif kind == 'reserve' then
                local found = try({'HGET', test[2], 'state'})
                if found and found ~= 'denied' then return 'duplicate ' .. found end
                return full(test[3], test[4])
            elseif kind == 'open' then
                if try({'HGET', test[2], 'state'}) == 'open' then return 'exists' end
                return full(test[3], test[4])
            elseif kind == 'claim' then
                local found = try({'GET', test[2]})
                if found and found ~= test[3] then return 'claimed' end
            end
        end

        -- Events come in the order of their journal; several may be of one sequence. Read and written once a call.
        local events, has_news
        local function note_events()
            if has_news then
                redis.call('HSET', state, 'event_journal', events[1], 'event_seq', events[2], 'event_ids', events[3])
            end
            events, has_news = nil, false
        end
        local function is_known(event)
            events = events or redis.call('HMGET', state, 'event_journal', 'event_seq', 'event_ids')
            local ids = '\\n'
            if events[2] and events[1] == event[1] then
                if tonumber(event[2]) < tonumber(events[2]) then return true end
                if tonumber(event[2]) == tonumber(events[2]) then
                    ids = events[3]
                    if string.find(ids, '\\n' .. event[3] .. '\\n', 1, true) then return true end
                end
            end
            events, has_news = {event[1], event[2], ids .. event[3] .. '\\n'}, true
            return false
        end

        local answers, taken = {}, {'XACK', 'events:trades', 'position-tracker'}
        for _, entry in ipairs(cjson.decode(ARGV[5])) do
            local sequence, skip, record = entry[1], entry[2], entry[3]
            local refused, used = {}, 0
            if string.find(skip, ',0,', 1, true) then
                refused[1] = '0 refused'
            elseif record.event and is_known(record.event) then
                refused[1] = '0 known'
            else
                for number, step in ipairs(record.steps or {}) do
                    local test = step['if']
                    local why = string.find(skip, ',' .. number .. ',', 1, true) and 'refused' or refusal(test)
                    if why then
                        refused[#refused + 1] = number .. ' ' .. why
                    else
                        for _, command in ipairs(step['do']) do
                            if command[1] == 'CLOSINGS' then
                                sum(command[2])
                            elseif command[1] == 'KEEP' then
                                keep(command[2], command[3], sequence)
                            else
                                if command[2] == state then note_events() end
                                try(command)
                            end
                        end
                        if test[1] == 'reserve' or test[1] == 'open' then used = try({'HLEN', test[3]}) or 0 end
                    end
                end
            end
            if record.event then taken[#taken + 1] = record.event[4] end
            local text = table.concat(refused, '\\n')
            if mode == 'live' and text ~= '' then
                try({'LPUSH', 'ledger:refused', sequence .. '\\n' .. text})
                try({'LTRIM', 'ledger:refused', 0, 999})
            end
            answers[#answers + 1] = {text, used}
        end
        note_events()
        if #taken > 3 then try(taken) end
        return {answers, complaints}
        """
}
