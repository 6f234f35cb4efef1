import Domain
import Redis
import ServiceKit

/// Redis at one moment, taken and given back.
///
/// Taken as a replica takes it (`redis-cli --rdb`): the server forks, so that all keys are of the same moment while
/// the mesh goes on, nothing is written to its disk, and no writer waits. Reading key by key would mix moments: a sum
/// that has an event and a mark that does not would count it twice after a restore. Given back key by key, so that it
/// goes into the mesh's own Redis as into an operator's.
enum RedisSnapshot {
    /// Writes the snapshot of a Redis to a file, and reads it through once.
    /// - Returns: how many keys it has, those included that expire meanwhile.
    static func take(_ address: RedisAddress, to path: String) throws(ToolError) -> Int {
        var arguments = ["-h", address.host, "-p", String(address.port)]
        if let user = address.user { arguments += ["--user", user] }
        let variables = address.password.map { ["REDISCLI_AUTH": $0] } ?? [:]
        let taken = try SystemProgram.run(
            "redis-cli", arguments + ["--rdb", path], variables: variables, withErrors: true)
        guard taken.status == 0 else {
            throw ToolError(
                ExitStatus.unavailable,
                "Redis at \(address) gives no snapshot: \(TerminalText.sanitised(String(taken.output.suffix(300))))")
        }
        let checked = try SystemProgram.run("redis-check-rdb", [path], withErrors: true)
        guard checked.status == 0 else {
            throw ToolError(ExitStatus.software, "the snapshot of Redis at \(address) can't be read back")
        }
        for line in checked.output.split(separator: "\n") where line.hasSuffix(" keys read") {
            return line.split(separator: " ").compactMap { Int($0) }.last ?? 0
        }
        return 0
    }

    private static let keysPerCall = 100

    /// Puts every key of one Redis into another, server to server, with what is left of its time.
    static func copy(from source: RedisAddress, to target: RedisAddress) throws -> Int {
        let connection = RedisConnection(RedisAddress(source, database: target.database))
        var copied = 0
        try RedisSnapshot.scan(connection) { keys throws(RedisConnectionError) in
            var command = [
                "MIGRATE", target.host, String(target.port), "", String(target.database), "60000", "COPY", "REPLACE",
            ]
            if let user = target.user {
                command += ["AUTH2", user, target.password ?? ""]
            } else if let password = target.password {
                command += ["AUTH", password]
            }
            let reply = try connection.call(command + ["KEYS"] + keys, milliseconds: 120_000)
            if let refusal = reply.errorMessage { throw RedisConnectionError(code: .other, message: refusal) }
            copied += keys.count
        }
        return copied
    }

    /// All keys, some at a time.
    static func scan(
        _ connection: RedisConnection, _ body: ([String]) throws(RedisConnectionError) -> Void
    ) throws(RedisConnectionError) {
        var cursor = "0"
        repeat {
            let reply = try connection.call(["SCAN", cursor, "COUNT", "1000"], milliseconds: 30_000)
            guard let parts = reply.array, parts.count == 2, let next = parts[0].text else {
                throw RedisConnectionError(code: .other, message: reply.errorMessage ?? "SCAN answered in another form")
            }
            let keys = parts[1].texts
            for start in stride(from: 0, to: keys.count, by: keysPerCall) {
                try body(Array(keys[start..<min(start + keysPerCall, keys.count)]))
            }
            cursor = next
        } while cursor != "0"
    }
}

extension RedisAddress {
    /// The same server, another database.
    init(_ address: RedisAddress, database: Int) {
        self.init(
            host: address.host, port: address.port, user: address.user, password: address.password, database: database)
    }
}
