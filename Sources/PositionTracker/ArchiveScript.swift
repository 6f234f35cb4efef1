import Redis

/// Gives rows that are over their end, once the record that ended them is in an archived segment of the ledger's journal.
///
/// Looks at a part of `ledger:unarchived` a call. Whoever is not the Redis of this journal changes nothing.
enum ArchiveScript {
    static func make() -> RedisScript { RedisScript(name: "archive", source: source) }

    /// - Parameters:
    ///   - field: the mark of this journal in `ledger:state`.
    ///   - through: the last record that is archived.
    static func values(field: String, through: UInt64, cursor: String) -> [String] {
        [field, String(through), cursor]
    }

    /// Where to go on (`0`: all was looked at) and how many rows got their end; nil where nothing was done.
    static func outcome(_ reply: RedisValue?) -> (cursor: String, rows: Int64)? {
        guard let parts = reply?.array, parts.count == 2, let cursor = parts[0].text, let rows = parts[1].integer
        else { return nil }
        return (cursor, rows)
    }

    private static let source = """
        if redis.call('HEXISTS', 'ledger:state', ARGV[1]) == 0 then return redis.error_reply('GAP') end
        local part = redis.call('HSCAN', 'ledger:unarchived', ARGV[3], 'COUNT', 200)
        local through, rows = tonumber(ARGV[2]), 0
        for at = 1, #part[2], 2 do
            local key = part[2][at]
            local record, moment = string.match(part[2][at + 1], '^(%d+) (%d+)$')
            if not record then
                redis.call('HDEL', 'ledger:unarchived', key)
            elseif tonumber(record) <= through then
                redis.call('EXPIREAT', key, moment)
                redis.call('HDEL', 'ledger:unarchived', key)
                rows = rows + 1
            end
        end
        return {part[1], rows}
        """
}
