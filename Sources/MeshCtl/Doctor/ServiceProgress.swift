import Domain
import Glibc
import Redis
import ServiceKit

/// Whether each service's own report moves on: a process that is there may still stand still.
struct ServiceProgress: Sendable {
    private static let waitMilliseconds: Int64 = 4000

    let mesh: Mesh

    init(_ mesh: Mesh) { self.mesh = mesh }

    var checkup: Checkup { Checkup("progress", seconds: 8) { [finding()] } }

    private var names: [String] { ServiceName.startOrder.map(\.rawValue) }

    private func finding() -> Finding {
        let connection = RedisConnection(mesh.configuration.redis)
        guard let first = progress(connection) else {
            return .unknown("progress", "Redis does not say what the services report", "see redis")
        }
        let deadline = SystemClock.monotonicMilliseconds() + ServiceProgress.waitMilliseconds
        var standing = names
        while !standing.isEmpty, SystemClock.monotonicMilliseconds() < deadline {
            poll(nil, 0, 100)
            guard let now = progress(connection) else { continue }
            standing.removeAll { name in
                guard let new = now[name] else { return false }
                return first[name].map { new > $0 } ?? true
            }
        }
        return ServiceProgress.judge(standing: standing, of: names.count)
    }

    static func judge(standing: [String], of count: Int) -> Finding {
        guard let first = standing.first else {
            return .good("progress", "the reports of all \(count) move on")
        }
        return .critical(
            "progress", "the report stands still: \(standing.joined(separator: ", "))",
            "meshctl restart \(standing.count == 1 ? first : standing.joined(separator: " "))")
    }

    /// When each last got anything done, epoch milliseconds; nil while Redis is away.
    private func progress(_ connection: RedisConnection) -> [String: Int64]? {
        let commands = names.map { ["HGET", "service:\($0)", "last_progress"] }
        guard let replies = try? connection.call(pipeline: commands, milliseconds: 1000) else { return nil }
        var result: [String: Int64] = [:]
        for (name, reply) in zip(names, replies) { result[name] = reply.text.flatMap { Int64($0) } }
        return result
    }
}
