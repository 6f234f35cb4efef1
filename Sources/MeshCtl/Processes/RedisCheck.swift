import Domain
import Redis
import ServiceKit

/// Looking at a Redis before trades are trusted to it.
enum RedisCheck {
    /// The process id of the server; nil while it does not answer, or still loads its data.
    static func pid(_ address: RedisAddress) -> Int32? {
        let connection = RedisConnection(address)
        guard let reply = try? connection.call(["INFO", "server"], milliseconds: 500), let text = reply.text else {
            return nil
        }
        return value("process_id", in: text).flatMap { Int32($0) }
    }

    static func value(_ name: String, in information: String) -> String? {
        for line in information.split(whereSeparator: \.isNewline) where line.hasPrefix(name + ":") {
            return String(line.dropFirst(name.utf8.count + 1))
        }
        return nil
    }

    /// - Throws: ``ToolError`` with code `unavailable` and the reason.
    static func answers(_ address: RedisAddress) throws(ToolError) {
        do throws(RedisConnectionError) {
            let reply = try RedisConnection(address).call(["PING"], milliseconds: 2000)
            guard let refusal = reply.errorMessage else { return }
            throw RedisConnectionError(code: .other, message: refusal)
        } catch {
            throw ToolError(
                ExitStatus.unavailable,
                "Redis at \(address) does not serve us (\(error.message)): start it, or unset REDIS_URL for the mesh's own"
            )
        }
    }

    /// What is wrong with its settings, or nil.
    static func safetyProblem(_ address: RedisAddress) throws(RedisConnectionError) -> String? {
        let reply = try RedisConnection(address).call(
            ["CONFIG", "GET", "appendonly", "appendfsync", "maxmemory-policy"])
        if let refusal = reply.errorMessage { return "its configuration can't be read (\(refusal))" }
        return RedisSafety.problem(reply.dictionary ?? [:])
    }

    /// - Throws: ``ToolError`` with code `configuration` where it may lose what it acknowledged and nobody allowed that.
    static func isSafe(_ mesh: Mesh) throws {
        guard let problem = try safetyProblem(mesh.configuration.redis) else { return }
        let words = "Redis at \(mesh.configuration.redis) may lose what it acknowledged: \(problem)"
        guard mesh.configuration.allowUnsafeRedis else {
            throw ToolError(
                ExitStatus.configuration,
                words + ". Configure it as deploy/config/redis.conf does, or start with --allow-unsafe-redis where "
                    + "nothing of value is kept")
        }
        StandardError.write(line: "meshctl: warning: \(words); allowed by --allow-unsafe-redis")
    }
}
