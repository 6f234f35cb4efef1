public import Redis

/// Whether a Redis keeps what it is told: version 7, append-only file, fsync before each answer, nothing evicted.
/// Source: Redis manual, "Persistence", "Key eviction", "INFO".
public enum RedisSafety {
    /// Scripts here use what came with it: several append-only files, `XAUTOCLAIM` with deleted entries, `EXPIRE` options.
    public static let minimumVersion = "7.0"

    static let questions = [["INFO", "server"], ["CONFIG", "GET", "appendonly", "appendfsync", "maxmemory-policy"]]

    /// Asks and calls back with the first problem in words, or nil.
    public static func check(_ connection: RedisConnection, _ done: @escaping (String?) -> Void) {
        var replies: [RedisValue] = []
        for question in questions {
            connection.send(question) { reply in
                guard let reply else { return }
                replies.append(reply)
                if replies.count == questions.count { done(problem(replies)) }
            }
        }
    }

    /// The same, waiting for the answers.
    public static func problem(of address: RedisAddress) throws(RedisConnectionError) -> String? {
        let connection = RedisConnection(address)
        var replies: [RedisValue] = []
        for question in questions { replies.append(try connection.call(question)) }
        return problem(replies)
    }

    static func problem(_ replies: [RedisValue]) -> String? {
        if let message = replies[0].errorMessage { return "its version can't be read (\(message))" }
        if let message = replies[1].errorMessage { return "its configuration can't be read (\(message))" }
        return problem(version: field("redis_version", in: replies[0].text ?? ""))
            ?? problem(replies[1].dictionary ?? [:])
    }

    /// One field of what `INFO` answers.
    public static func field(_ name: String, in information: String) -> String? {
        for line in information.split(whereSeparator: \.isNewline) where line.hasPrefix(name + ":") {
            return String(line.dropFirst(name.utf8.count + 1))
        }
        return nil
    }

    static func problem(version: String?) -> String? {
        guard let version else { return "it does not say its version; \(minimumVersion) or newer is needed" }
        let major = version.prefix { $0 != "." }
        guard let number = Int(major), number >= 7 else {
            return "its version is \(version.prefix(32)), \(minimumVersion) or newer is needed"
        }
        return nil
    }

    static func problem(_ settings: [String: String]) -> String? {
        if settings["appendonly"] != "yes" {
            return "appendonly is '\(settings["appendonly"] ?? "unknown")', not 'yes'"
        }
        if settings["appendfsync"] != "always" {
            return "appendfsync is '\(settings["appendfsync"] ?? "unknown")', not 'always'"
        }
        if settings["maxmemory-policy"] != "noeviction" {
            return "maxmemory-policy is '\(settings["maxmemory-policy"] ?? "unknown")', not 'noeviction'"
        }
        return nil
    }
}
