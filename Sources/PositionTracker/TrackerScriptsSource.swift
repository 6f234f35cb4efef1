extension TrackerScripts {
    // The mark moves first and is not forgiven: a Redis that takes no writes (full, read-only, its disk failing) says
    // so there, before anything is done. After that nothing may raise, or the mark would stand for what was not done: a key
    // of a wrong type and a command that can't be called are complained of and stop nothing else, and what the records
    // say is read before the mark moves. A record that can't be read is refused whole.
    static let source = """
        local field, expected, mode = ARGV[1], ARGV[2], ARGV[3]
        local state = 'ledger:state'
        local current = redis.call('HGET', state, field) or ''
        if current ~= expected then return redis.error_reply('GAP ' .. current) end

        local complaints = {}
        local function complain(text)
            if #complaints < 8 then complaints[#complaints + 1] = text end
        end

        local function is_sound(record)
            if type(record) ~= 'table' then return false end
            local steps, event = record.steps or {}, record.event
            if type(steps) ~= 'table' then return false end
            for _, step in ipairs(steps) do
                if type(step) ~= 'table' then return false end
                if type(step['if']) ~= 'table' or type(step['do']) ~= 'table' then return false end
                for _, command in ipairs(step['do']) do
                    if type(command) ~= 'table' or type(command[1]) ~= 'string' then return false end
                end
            end
            return not event or type(event) == 'table' and #event == 4 and tonumber(event[2]) ~= nil
        end

        local entries, at, list = {}, 1, ARGV[5]
        while at <= #list do
            local _, last, sequence, skip, bytes = string.find(list, '^(%d*) (%S*) (%d+)\\n', at)
            if not last then return redis.error_reply('UNREADABLE list of records') end
            at = last + 1 + tonumber(bytes)
            local fine, record = pcall(cjson.decode, string.sub(list, last + 1, at - 1))
            if not fine or not is_sound(record) then
                record = nil
                complain('record ' .. sequence .. ' is unreadable')
            end
            entries[#entries + 1] = {sequence, skip, record}
        end
        if mode ~= 'free' then redis.call('HSET', state, field, ARGV[4]) end

        local function try(command)
            local reply = redis.pcall(unpack(command))
            if type(reply) == 'table' and reply.err and command[1] == 'XADD'
                and string.find(reply.err, 'equal or smaller', 1, true) then
                command[6] = '*'
                reply = redis.pcall(unpack(command))
            end
            if type(reply) == 'table' and reply.err then
                complain(command[1] .. ' ' .. tostring(command[2]) .. ': ' .. reply.err)
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
            local ids, known = '\\n', tonumber(events[2] or '')
            if known and events[1] == event[1] then
                if tonumber(event[2]) < known then return true end
                if tonumber(event[2]) == known then
                    ids = events[3] or ids
                    if string.find(ids, '\\n' .. event[3] .. '\\n', 1, true) then return true end
                end
            end
            events, has_news = {event[1], event[2], ids .. event[3] .. '\\n'}, true
            return false
        end

        local function do_command(command, sequence)
            if command[1] == 'CLOSINGS' then
                sum(command[2])
            elseif command[1] == 'KEEP' then
                keep(command[2], command[3], sequence)
            else
                if command[2] == state then note_events() end
                try(command)
            end
        end

        local answers, taken = {}, {'XACK', 'events:trades', 'position-tracker'}
        for _, entry in ipairs(entries) do
            local sequence, skip, record = entry[1], entry[2], entry[3]
            local refused, used = {}, 0
            if not record then
                record, refused[1] = {}, '0 unreadable'
            elseif string.find(skip, ',0,', 1, true) then
                refused[1] = '0 refused'
            elseif record.event and is_known(record.event) then
                refused[1] = '0 known'
            else
                for number, step in ipairs(record.steps or {}) do
                    local test = step['if']
                    local why = 'refused'
                    if not string.find(skip, ',' .. number .. ',', 1, true) then
                        local fine, found = pcall(refusal, test)
                        why = found
                        if not fine then why = 'unreadable' end
                    end
                    if why then
                        refused[#refused + 1] = number .. ' ' .. why
                    else
                        for _, command in ipairs(step['do']) do
                            -- Too many arguments for a call, for one.
                            local fine, reason = pcall(do_command, command, sequence)
                            if not fine then
                                complain(command[1] .. ' ' .. tostring(command[2]) .. ': ' .. tostring(reason))
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
