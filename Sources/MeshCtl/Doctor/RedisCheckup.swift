import Redis
import ServiceKit

/// Whether Redis answers, keeps what it acknowledges, has room, and is fast enough.
struct RedisCheckup {
    /// How many writes are timed.
    static let writes = 40
    /// Milliseconds that the slowest of twenty writes may take. A booked trade is two such turns.
    static let slow = 25.0
    private static let subject = "redis"
    // A key of our own that is gone in a minute.
    private static let key = "meshctl:doctor"

    let mesh: Mesh

    init(_ mesh: Mesh) { self.mesh = mesh }

    private var address: String { "\(mesh.configuration.redis)" }

    func findings() -> [Finding] {
        guard mesh.isPresent || !mesh.usesOwnRedis else {
            return [.good("redis", "the mesh's own; it is started with the mesh")]
        }
        do throws(RedisConnectionError) {
            if let problem = try RedisSafety.problem(of: mesh.configuration.redis) {
                let remedy = "configure it as deploy/config/redis.conf does"
                let words = "\(address): \(problem)"
                return [
                    mesh.configuration.allowUnsafeRedis
                        ? .warning("redis", words + "; allowed at the start", remedy)
                        : .critical("redis", words, remedy)
                ]
            }
            let connection = RedisConnection(mesh.configuration.redis)
            let information = try connection.call(["INFO", "everything"]).text ?? ""
            var found = [
                Finding.good(
                    "redis", "\(address) answers and keeps what it acknowledges (append-only file, fsync always)"),
                RedisCheckup.memory(information), try speed(connection),
            ]
            if let problem = RedisCheckup.kept(information) { found.insert(problem, at: 1) }
            return found
        } catch {
            let remedy = mesh.usesOwnRedis ? "look at \(mesh.logFile("redis"))" : "start it"
            return [.critical("redis", "\(address) does not answer: \(error.message)", remedy)]
        }
    }

    /// Whether its last writes to disk went well; nil where they did.
    static func kept(_ information: String) -> Finding? {
        for field in ["aof_last_write_status", "aof_last_bgrewrite_status"] {
            guard let status = RedisSafety.field(field, in: information), status != "ok" else { continue }
            return .critical("redis file", "\(field) is '\(status)'", "look at Redis's log and at the disk's room")
        }
        return nil
    }

    static func memory(_ information: String) -> Finding {
        func number(_ name: String) -> Int64 {
            RedisSafety.field(name, in: information).flatMap { Int64($0) } ?? 0
        }
        let (used, most) = (number("used_memory"), number("maxmemory"))
        let text = "\(used >> 20) MB used" + (most > 0 ? " of \(most >> 20) MB" : "")
        guard most > 0, used * 10 > most * 7 else { return .good("redis memory", text) }
        let remedy = "raise maxmemory, or find what grows: meshctl redis -- --bigkeys"
        return used * 10 > most * 9 ? .critical("redis memory", text, remedy) : .warning("redis memory", text, remedy)
    }

    private func speed(_ connection: RedisConnection) throws(RedisConnectionError) -> Finding {
        var times: [Double] = []
        for number in 0..<RedisCheckup.writes {
            let began = SystemClock.monotonicNanoseconds()
            let reply = try connection.call(["SET", RedisCheckup.key, "\(number)", "EX", "60"])
            times.append(Double(SystemClock.monotonicNanoseconds() - began) / 1e6)
            if let refusal = reply.errorMessage {
                return .critical("redis writes", "it refuses them: \(refusal)", "look at Redis's log")
            }
        }
        return RedisCheckup.judge(times)
    }

    /// - Parameter times: milliseconds of single writes, one after the other.
    static func judge(_ times: [Double]) -> Finding {
        let sorted = times.sorted()
        guard let slowest = sorted.dropLast(sorted.count / 20).last else {
            return .unknown("redis writes", "none was measured", "try again")
        }
        func text(_ milliseconds: Double) -> String { "\((milliseconds * 100).rounded() / 100) ms" }
        let words = "a durable write takes \(text(sorted[sorted.count / 2])), 19 of 20 at most \(text(slowest))"
        if slowest <= slow { return .good("redis writes", words) }
        return .warning("redis writes", words, "a faster disk for its append-only file, or less load on this machine")
    }
}
