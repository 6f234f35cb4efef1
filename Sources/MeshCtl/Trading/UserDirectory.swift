import Redis
import ServiceKit
import Wire

// The users of Redis as far as commands look through them.
extension UserCommand {
    /// Everybody who was registered or seen.
    static func names(_ redis: RedisConnection, keys: [String] = ["users", "users_seen"]) throws -> Swift.Set<String> {
        var found: Swift.Set<String> = []
        for key in keys {
            var cursor = "0"
            repeat {
                let reply = try redis.call(["SSCAN", key, cursor, "COUNT", "1000"])
                if let refusal = reply.errorMessage { throw ToolError(ExitStatus.unavailable, "Redis: \(refusal)") }
                let parts = reply.array ?? []
                cursor = parts.first?.text ?? "0"
                for name in (parts.count > 1 ? parts[1].array : nil) ?? [] {
                    if let name = name.text { found.insert(name) }
                }
            } while cursor != "0"
        }
        return found
    }

    /// A UUID that nobody has, and that nobody's routing identity equals.
    static func issue(_ mesh: Mesh) throws -> String {
        let known = Swift.Set(try names(RedisConnection(mesh.configuration.redis)).map(UserNames.routed))
        var uuid = UserNames.make()
        while known.contains(UserNames.routed(uuid)) { uuid = UserNames.make() }
        return uuid
    }

    /// Somebody who differs in the last character only.
    static func neighbour(of uuid: String, _ mesh: Mesh) throws -> String? {
        let all = try names(RedisConnection(mesh.configuration.redis))
        return all.sorted().first { $0 != uuid && UserNames.routed($0) == UserNames.routed(uuid) }
    }
}
