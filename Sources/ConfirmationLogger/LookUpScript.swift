import Redis
import Trading

/// What Redis knows about many confirmations, in one call that only reads.
enum LookUpScript {
    static func make() -> RedisScript { RedisScript(name: "look-up", source: source) }

    /// Values of one question; the script takes eight a question.
    static func values(_ questions: [ConfirmationQuestion]) -> [String] {
        var values: [String] = []
        values.reserveCapacity(questions.count * 8)
        for question in questions {
            values.append(question.userUUID ?? "")
            values.append(question.nodeID ?? "")
            values.append(question.account ?? "")
            values.append(question.server ?? "")
            values.append(question.fireID ?? "")
            values.append(question.ticket.map { String($0) } ?? "")
            values.append(question.positions.rawValue)
            values.append(question.wantsOutstandingFires ? "1" : "")
        }
        return values
    }

    /// The answers, one for each question; nil where the reply has another shape.
    static func contexts(_ reply: RedisValue, count: Int) -> [ConfirmationContext]? {
        guard let rows = reply.array, rows.count == count else { return nil }
        var contexts: [ConfirmationContext] = []
        contexts.reserveCapacity(count)
        for row in rows {
            guard let parts = row.array, parts.count == 11 else { return nil }
            var context = ConfirmationContext()
            context.userUUID = word(parts[0])
            context.account = word(parts[1])
            context.server = word(parts[2])
            context.ticket = parts[3].text.flatMap { Int64($0) }
            context.node = parts[4].dictionary ?? [:]
            context.fire = parts[5].dictionary ?? [:]
            for pair in parts[6].array ?? [] {
                guard let both = pair.array, both.count == 2, let ticket = both[0].integer else { continue }
                context.lifecycles[ticket] = both[1].dictionary
            }
            context.openTickets = parts[7].texts.compactMap { Int64($0) }
            context.positions = (parts[8].array ?? []).compactMap(\.dictionary)
            context.outstandingFires = (parts[9].array ?? []).compactMap(\.dictionary)
            context.accountNode = parts[10].dictionary ?? [:]
            contexts.append(context)
        }
        return contexts
    }

    private static func word(_ value: RedisValue) -> String? {
        guard let text = value.text, !text.isEmpty else { return nil }
        return text
    }

    // A key of a wrong type reads as absent: one misused key must not hold up everybody's confirmations.
    private static let source = """
        local node_names = {'user_uuid', 'account', 'server', 'currency', 'balance', 'last_heartbeat'}
        local fire_names = {'user_uuid', 'node_id', 'account', 'server', 'symbol', 'direction', 'lot', 'sl', 'tp',
            'signal_id', 'state', 'sent_at', 'expires_at', 'ticket'}
        local position_names = {'ticket', 'server', 'fire_id', 'symbol', 'direction', 'lot', 'opened_lot', 'open_price',
            'sl', 'tp', 'currency', 'current_price', 'current_pnl', 'opened_at', 'state', 'user_uuid'}
        local holder_names = {'user_uuid', 'account', 'server'}
        local most_positions = 200
        local most_fires = 32

        local function encode(text)
            return (string.gsub(text, '[%z\\1-\\32\\127|%%]', function(byte)
                return string.format('%%%02X', string.byte(byte))
            end))
        end

        local function ask(...)
            local reply = redis.pcall(...)
            if type(reply) == 'table' and reply.err then return false end
            return reply
        end

        local function row(key, names, first, value)
            local flat, map = {}, {}
            local values = ask('HMGET', key, unpack(names))
            if not values then return flat, map end
            for index, name in ipairs(names) do
                if values[index] then
                    map[name] = values[index]
                    flat[#flat + 1] = name
                    flat[#flat + 1] = values[index]
                end
            end
            if first and #flat > 0 then
                flat[#flat + 1] = first
                flat[#flat + 1] = value
            end
            return flat, map
        end

        local function pick(...)
            for index = 1, select('#', ...) do
                local value = select(index, ...)
                if value and value ~= '' then return value end
            end
            return ''
        end

        local answers = {}
        for at = 1, #ARGV, 8 do
            local user, node, account, server = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
            local fire, ticket, wanted, outstanding = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], ARGV[at + 7]
            if node == '' and user ~= '' then node = ask('GET', 'user_node:' .. user) or '' end
            local node_row, node_map, fire_row, fire_map = {}, {}, {}, {}
            if node ~= '' then node_row, node_map = row('node:' .. node, node_names, 'node_id', node) end
            if fire ~= '' then fire_row, fire_map = row('fire:' .. fire, fire_names) end
            user = pick(user, node_map.user_uuid, fire_map.user_uuid)
            account = pick(account, node_map.account, fire_map.account)
            if ticket == '' and wanted == 'one' then ticket = fire_map.ticket or '' end

            local lives, life_server = {}, ''
            local function live(own)
                local owner = user == '' and 'unknown' or user
                local life = ask('HGETALL', 'lifecycle:' .. encode(owner) .. '|' .. encode(account) .. '|' .. own) or {}
                if #life == 0 then return end
                lives[#lives + 1] = {own, life}
                for index = 1, #life, 2 do
                    if life[index] == 'server' then life_server = life[index + 1] end
                end
            end
            if ticket ~= '' and account ~= '' then live(ticket) end
            -- A node that has another account by now tells nothing of this one's server.
            local node_server = node_map.account == account and node_map.server or ''
            local fire_server = fire_map.account == account and fire_map.server or ''
            server = pick(server, life_server, node_server, fire_server)

            local tickets, positions = {}, {}
            if wanted ~= '' and account ~= '' then
                local holder = encode(pick(server, 'unknown')) .. '|' .. encode(account)
                local members = wanted ~= 'own' and ask('SMEMBERS', 'account_positions:' .. holder) or {}
                for index = 1, math.min(#members, most_positions) do
                    local own = string.match(members[index], '|(%d+)$')
                    if own then
                        tickets[#tickets + 1] = own
                        if wanted == 'all' then
                            local found = row('position:' .. members[index], position_names)
                            if #found > 0 then positions[#positions + 1] = found end
                            live(own)
                        end
                    end
                end
                if wanted ~= 'all' and ticket ~= '' then
                    local found = row('position:' .. holder .. '|' .. ticket, position_names)
                    if #found > 0 then positions[1] = found end
                end
            end

            local fires = {}
            if outstanding == '1' and user ~= '' then
                local slots = ask('HGETALL', 'slots:' .. user) or {}
                for index = 1, #slots, 2 do
                    if slots[index + 1] == 'reserved' and #fires < most_fires then
                        local found = row('fire:' .. slots[index], fire_names, 'fire_id', slots[index])
                        if #found > 0 then fires[#fires + 1] = found end
                    end
                end
            end
            -- Asked only where the message's own user has no terminal in that account.
            local holder_row, named_server = {}, ARGV[at + 3]
            if account ~= '' then
                -- Logins repeat between brokers: one that is bound at another server is another account.
                local bound
                if server == '' then
                    bound = ask('HGET', 'bound_accounts', account)
                else
                    local both =
                        ask('HMGET', 'bound_accounts', encode(server) .. '|' .. encode(account), '|' .. encode(account))
                    bound = both and (both[1] or both[2])
                end
                local is_own = node_map.account == account
                    and (named_server == '' or named_server == node_map.server)
                if not is_own then
                    local name = named_server == '' and 'login_node:' .. account
                        or 'account_node:' .. encode(named_server) .. '|' .. encode(account)
                    local holder = ask('GET', name) or ''
                    if holder ~= '' then holder_row = row('node:' .. holder, holder_names) end
                end
                if bound then
                    holder_row[#holder_row + 1] = 'bound_to'
                    holder_row[#holder_row + 1] = bound
                end
            end
            answers[#answers + 1] =
                {user, account, server, ticket, node_row, fire_row, lives, tickets, positions, fires, holder_row}
        end
        return answers
        """
}
