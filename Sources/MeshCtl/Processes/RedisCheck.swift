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
        return RedisSafety.field("process_id", in: text).flatMap { Int32($0) }
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

    /// - Throws: ``ToolError`` with code `configuration` where it may lose what it acknowledged and nobody allowed that.
    static func isSafe(_ mesh: Mesh) throws {
        guard let problem = try RedisSafety.problem(of: mesh.configuration.redis) else { return }
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
