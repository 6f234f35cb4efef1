import Domain
import Redis
import ServiceKit
import Supervision
import Wire

/// The mesh's state without its dashboard: the supervisor and the services' own reports in Redis.
struct DirectStatus {
    struct Service {
        let name: String
        let state: String
        let pid: Int32?
        let restarts: Int
        let problems: String
        let progressMilliseconds: Int64?

        var isUp: Bool { state == "running" || state == "degraded" }
    }

    static let freshMilliseconds: Int64 = 5000

    let isPresent: Bool
    let redisProblem: String?
    let services: [Service]

    init(_ mesh: Mesh) {
        isPresent = mesh.isPresent
        let reports = DirectStatus.reports(mesh.configuration.redis)
        redisProblem = reports.problem
        let now = SystemClock.now()
        services = ServiceName.startOrder.map { name in
            DirectStatus.service(name.rawValue, mesh.supervisor, reports.fields[name.rawValue] ?? [:], now)
        }
    }

    private static func reports(_ address: RedisAddress) -> (fields: [String: [String: String]], problem: String?) {
        let names = ServiceName.startOrder.map(\.rawValue)
        do throws(RedisConnectionError) {
            let replies = try RedisConnection(address).call(
                pipeline: names.map { ["HGETALL", "service:\($0)"] }, milliseconds: 2000)
            if let refusal = replies.first?.errorMessage { return ([:], refusal) }
            let fields = zip(names, replies).map { ($0, $1.dictionary ?? [:]) }
            return (Dictionary(fields) { first, _ in first }, nil)
        } catch {
            return ([:], error.message)
        }
    }

    private static func service(
        _ name: String, _ supervisor: Supervisor, _ report: [String: String], _ now: Timestamp
    ) -> Service {
        let status = supervisor.status(name)
        let progress = report["last_progress"].flatMap { Int64($0) }.map { max(0, now.milliseconds - $0) }
        let state: String =
            if status.state != .run {
                "down"
            } else if let progress, progress <= freshMilliseconds {
                report["state"] == "ready" ? "running" : report["state"] ?? "starting"
            } else {
                progress == nil ? "starting" : "stale"
            }
        let problems = report["problems"].flatMap { try? JSON($0) }?.object?.fields ?? []
        return Service(
            name: name, state: state, pid: status.pid, restarts: supervisor.history(name).restarts,
            problems: problems.map { Fields.text($0.value) }.joined(separator: "; "), progressMilliseconds: progress)
    }

    /// Never better than a warning: the dashboard is one of the seven.
    var verdict: Verdict {
        let carriers: [ServiceName] = [.nodeRegistry, .handshakeProcessor, .confirmationLogger, .positionTracker]
        let areUp = carriers.allSatisfy { carrier in services.contains { $0.name == carrier.rawValue && $0.isUp } }
        return isPresent && redisProblem == nil && areUp ? .warning : .critical
    }

    var table: Table {
        var table = Table([
            .text("service"), .text("state"), .number("pid", rank: 5), .number("restarts", rank: 6), .text("problems"),
        ])
        for service in services {
            table.add([
                Table.Cell(service.name), .state(service.state), Table.Cell(service.pid.map { "\($0)" } ?? "-"),
                "\(service.restarts)", Table.Cell(service.problems, .warning),
            ])
        }
        return table
    }

    func json(why: String) -> JSONObject {
        let items = services.map { service -> JSON in
            .object([
                "name": .string(service.name), "state": .string(service.state),
                "pid": service.pid.map { .integer($0) } ?? .null, "restarts": .integer(service.restarts),
                "problems": .string(service.problems),
            ])
        }
        let reason: JSON = .object([
            "severity": .string(verdict == .critical ? "fail" : "warn"), "code": .string("dashboard_away"),
            "message": .string(isPresent ? why : "the mesh is not running"),
        ])
        return [
            "source": .string("redis"), "status": .string(verdict == .critical ? "fail" : "warn"),
            "reasons": .array([reason]), "running": .bool(isPresent),
            "redis": .object(["ready": .bool(redisProblem == nil), "problem": .text(redisProblem)]),
            "services_running": .integer(services.count { $0.isUp }), "services_total": .integer(services.count),
            "services": .array(items),
        ]
    }
}
