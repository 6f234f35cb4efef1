import Domain
import Redis

/// Writes `terminal_addresses`, by which others judge who is believed from where: never half of it.
///
/// A list that is there is added to. One that is not is only written whole: whoever read it in between would take
/// everybody who is missing for somebody nothing can be held against.
enum AddressListScript {
    static func make() -> RedisScript { RedisScript(name: "terminal-addresses", source: source) }

    /// - Parameter isWhole: whether these are all there are.
    static func values(isWhole: Bool, seconds: String, _ rows: [(user: String, addresses: String)]) -> [String] {
        [isWhole ? "1" : "", seconds] + rows.flatMap { [$0.user, $0.addresses] }
    }

    /// The list as Redis has it; nil where it can't say. A key of another type has none, and is written anew.
    static func list(_ reply: RedisValue) -> [String: String]? {
        guard let message = reply.errorMessage else { return reply.dictionary ?? [:] }
        return message.hasPrefix("WRONGTYPE") ? [:] : nil
    }

    /// What is written whole is all there is: who is not in it goes, and where that is nobody the marker says so. Answers 0 where the list is not there and these are not all of it: then nothing is done.
    private static let source = """
        local key = KEYS[1]
        if ARGV[1] == '' and redis.call('EXISTS', key) == 0 then return 0 end
        if ARGV[1] ~= '' then
            redis.call('DEL', key)
            redis.call('HSET', key, '\(TerminalAddressBook.marker)', '')
        end
        for at = 3, #ARGV, 2 do redis.call('HSET', key, ARGV[at], ARGV[at + 1]) end
        redis.call('EXPIRE', key, ARGV[2])
        return 1
        """
}

/// Writes `bound_accounts` whole, in one step.
enum AccountListScript {
    static func make() -> RedisScript { RedisScript(name: "bound-accounts", source: source) }

    private static let source = """
        redis.call('DEL', KEYS[1])
        for at = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
        if #ARGV > 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
        return 1
        """
}
