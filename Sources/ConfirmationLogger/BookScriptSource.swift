extension BookScript {
    /// The script. Argument: one JSON list, see ``BookScript/values(expected:applied:journal:now:entries:receipts:)``.
    ///
    /// What it costs is calls of Redis for each event (5) and each scope (2 to 3); so the sums of a call are made in
    /// Lua. Amounts stay exact: Lua's numbers are doubles, so an amount is two of them, and what stands in Redis is
    /// split by its digits. Sums saturate at 64 bits, and say so in `overflows`. The stream entry comes first: should
    /// Redis refuse it, nothing of that event is done, and the mark stays.
    ///
    /// `largest_*` fields: figures that may still be corrected stand in `stats_provisional:<scope>` too, by position, so
    /// that a correction can take them back; those that are above all that is certain, the 16 largest of each field.
    static let source = #"""
        local input = cjson.decode(ARGV[1])
        local expected, applied, journal, now = input[1], input[2], input[3], input[4]
        local scope_expiry, receipt_expiry = input[5], input[6]
        local receipts, scopes, entries = input[7], input[8], input[9]
        local mark = 'applied_seq.' .. journal
        local current = redis.call('HGET', 'journal:state', mark) or ''
        if current ~= expected then return redis.error_reply('GAP ' .. current) end

        local call, pcall = redis.call, redis.pcall
        local complaints = {}
        local function try(...)
            local reply = pcall(...)
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

        local part = 1000000000000
        local limit, kept_most = '9223372036854775807', 16
        -- A decimal text plus high * part + low, as text; and whether it left 64 bits.
        local function plus(text, low, high)
            local negative = string.sub(text, 1, 1) == '-'
            local digits = negative and string.sub(text, 2) or text
            local own_low, own_high = tonumber(string.sub(digits, -12)) or 0, tonumber(string.sub(digits, 1, -13)) or 0
            if negative then own_low, own_high = -own_low, -own_high end
            low, high = low + own_low, high + own_high
            local carry = math.floor(low / part)
            low, high = low - carry * part, high + carry
            local sign = ''
            if high < 0 then
                if low > 0 then low, high = part - low, high + 1 end
                sign, high = '-', -high
            end
            local sum = high > 0 and string.format('%.0f%012.0f', high, low) or string.format('%.0f', low)
            if larger(sum, limit) then return sign .. limit, true end
            return sum == '0' and sum or sign .. sum, false
        end

        for at = 1, #receipts, 4 do
            local key = 'receipts:' .. receipts[at]
            try('HSET', key, 'last_seq', receipts[at + 1], 'above', receipts[at + 2], 'owner', receipts[at + 3],
                'updated_at', now)
            try('EXPIRE', key, receipt_expiry)
        end

        local booked, touched, lows, highs, most, refusal = {}, {}, {}, {}, {}, nil
        local function add(own)
            local where, amounts, large = own[1], own[2], own[3]
            for index = 1, #where do
                touched[where[index]] = true
                local cells = own[3 + index]
                for step = 1, #amounts do
                    local cell = cells[step]
                    lows[cell] = (lows[cell] or 0) + amounts[step]
                end
                for step = 1, #large do
                    local cell = cells[step]
                    highs[cell] = (highs[cell] or 0) + large[step]
                end
            end
        end

        for index, entry in ipairs(entries) do
            local key, replaces = 'trade:' .. entry[1], entry[2]
            -- A correction is one of the very row it was made against; told again it is a duplicate.
            local exists = call('EXISTS', key) == 1
            local known = exists and (replaces == '' or try('HGET', key, 'seq') ~= replaces)
            if known then
                booked[index] = 0
            else
                local reply = pcall('XADD', 'events:trades', '*', 'journal', journal, unpack(entry[3]))
                if type(reply) == 'table' and reply.err then
                    refusal = reply
                    break
                end
                try('HSET', key, unpack(entry[3]))
                -- Rows end once they are archived; what is told anew is not archived yet.
                if exists then try('PERSIST', key) end
                if entry[4] ~= '' then
                    local life = 'lifecycle:' .. entry[4]
                    if try('HSET', life, unpack(entry[5])) ~= #entry[5] / 2 then try('PERSIST', life) end
                end
                for _, own in ipairs(entry[6]) do add(own) end
                for _, cell in ipairs(entry[8]) do
                    most[cell] = most[cell] or {}
                    most[cell].open = most[cell].open or {}
                    most[cell].open[entry[9]] = false
                end
                for _, step in ipairs(entry[7]) do
                    for _, cell in ipairs(step[2]) do
                        local own = most[cell] or {}
                        most[cell] = own
                        if step[3] ~= '' then
                            own.open = own.open or {}
                            own.open[step[3]] = step[1]
                        elseif not own.told or larger(step[1], own.told) then
                            own.told = step[1]
                        end
                    end
                end
                booked[index] = 1
            end
        end

        -- A largest figure: certain ones only grow, others may be taken back.
        local function raise(scope, changes, name, own, known, has_side)
            if not has_side and not own.open then
                if not known or larger(own.told, known) then
                    changes[#changes + 1] = name
                    changes[#changes + 1] = own.told
                end
                return
            end
            local side, prefix = 'stats_provisional:' .. scope, name .. '|'
            local stored, kept, told = {}, {}, nil
            local flat = try('HGETALL', side) or {}
            for at = 1, #flat, 2 do
                if flat[at] == name then
                    told = flat[at + 1]
                elseif string.sub(flat[at], 1, #prefix) == prefix then
                    stored[string.sub(flat[at], #prefix + 1)] = flat[at + 1]
                end
            end
            local certain = told
            if not told and not next(stored) and known then told = known end
            if own.told and (not told or larger(own.told, told)) then told = own.told end
            local open = own.open or {}
            for position, amount in pairs(stored) do
                if open[position] == nil and not (told and not larger(amount, told)) then
                    kept[#kept + 1] = {amount, position}
                end
            end
            for position, amount in pairs(open) do
                if amount and not (told and not larger(amount, told)) then kept[#kept + 1] = {amount, position} end
            end
            table.sort(kept, function(left, right)
                if left[1] ~= right[1] then return larger(left[1], right[1]) end
                return left[2] < right[2]
            end)
            local writes, drops = {}, {}
            for at = 1, math.min(#kept, kept_most) do
                local amount, position = kept[at][1], kept[at][2]
                if stored[position] ~= amount then
                    writes[#writes + 1] = prefix .. position
                    writes[#writes + 1] = amount
                end
                stored[position] = nil
            end
            for position in pairs(stored) do drops[#drops + 1] = prefix .. position end
            if told and told ~= certain then
                writes[#writes + 1] = name
                writes[#writes + 1] = told
            end
            if #writes > 0 then try('HSET', side, unpack(writes)) end
            if #drops > 0 then try('HDEL', side, unpack(drops)) end
            changes[#changes + 1] = name
            changes[#changes + 1] = kept[1] and kept[1][1] or told or '0'
        end

        local today = math.floor(tonumber(now) / 86400000)
        for place, scope in ipairs(scopes) do
            if touched[place] then
                local name, stats = scope[1], 'stats:' .. scope[1]
                local sums, sum_cells, tops, top_cells = scope[2], scope[3], scope[4], scope[5]
                local asked = {'last_updated', 'has_provisional', 'overflows'}
                for at = 1, #sums do asked[3 + at] = sums[at] end
                for at = 1, #tops do asked[3 + #sums + at] = tops[at] end
                local known = try('HMGET', stats, unpack(asked))
                if known then
                    local changes, has_side, over = {'last_updated', now}, known[2] == '1', false
                    for at = 1, #sums do
                        local cell = sum_cells[at]
                        if lows[cell] then
                            local sum, is_over = plus(known[3 + at] or '0', lows[cell], highs[cell] or 0)
                            over = over or is_over
                            changes[#changes + 1] = sums[at]
                            changes[#changes + 1] = sum
                        end
                    end
                    local needs_side = false
                    for at = 1, #tops do
                        local own = most[top_cells[at]]
                        if own then
                            raise(name, changes, tops[at], own, known[3 + #sums + at], has_side)
                            needs_side = needs_side or own.open
                        end
                    end
                    if needs_side and not has_side then
                        changes[#changes + 1] = 'has_provisional'
                        changes[#changes + 1] = '1'
                    end
                    if over then
                        changes[#changes + 1] = 'overflows'
                        changes[#changes + 1] = '1'
                        complaints[#complaints + 1] = 'overflow in ' .. stats
                    end
                    try('HSET', stats, unpack(changes))
                    local is_new = not known[1]
                    if is_new then try('SADD', 'stats_scopes', name) end
                    if is_new or math.floor((tonumber(known[1]) or 0) / 86400000) ~= today then
                        if name ~= 'global' then try('EXPIRE', stats, scope_expiry) end
                        try('EXPIRE', 'stats_provisional:' .. name, scope_expiry)
                    end
                end
            end
        end
        if refusal then return refusal end
        call('HSET', 'journal:state', mark, applied, 'applied_seq', applied, 'journal', journal, 'updated_at', now)
        return {booked, complaints}
        """#
}
