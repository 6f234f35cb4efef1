import Domain
import ServiceKit
import Supervision
import Wire

/// Whether the mesh runs as it should: its processes, ports, Redis, reports and dashboard.
struct MeshCheckup {
    let mesh: Mesh

    init(_ mesh: Mesh) { self.mesh = mesh }

    var checkups: [Checkup] {
        [
            Checkup("services", seconds: 8) {
                let direct = DirectStatus(mesh)
                return direct.services.map { service($0, isRedisAway: direct.redisProblem != nil) }
            },
            Checkup("running build") { [build()] }, Checkup("ports") { [ports()] },
            Checkup("dashboard") { [dashboard()] }, Checkup("reach") { [openness()] },
        ]
    }

    var checkupsOfNone: [Checkup] {
        [
            Checkup("mesh") { [.warning("mesh", "not running", "./start_all_services.sh starts it")] },
            Checkup("ports") { [freePorts()] },
        ]
    }

    /// - Parameter onDisk: what the files say now; the mesh may run with what they said at its start.
    func configuration(_ onDisk: Mesh) -> Finding {
        let (now, inForce) = (onDisk.configuration, mesh.configuration)
        let files = "\(now.file ?? "defaults"), \(now.portsFile)"
        guard mesh.isPresent, !mesh.options.isDemo, now.ports.all.map(Self.words) != inForce.ports.all.map(Self.words)
        else { return .good("configuration", "\(files): \(now.ports.all.count) ports, all in order") }
        return .warning(
            "configuration", "\(now.portsFile) is in order and was changed since the start",
            "./start_all_services.sh --restart brings it into force")
    }

    private static func words(_ entry: PortList.Entry) -> String {
        "\(entry.port) \(entry.label) \(entry.service.rawValue) \(entry.socket.rawValue)"
    }

    private func service(_ service: DirectStatus.Service, isRedisAway: Bool) -> Finding {
        let log = "look at \(mesh.logFile(service.name))"
        switch service.state {
        case "running":
            let history = mesh.supervisor.history(service.name)
            guard !history.isAlarmed else {
                return .critical(service.name, "keeps ending; restarted \(history.restarts) times", log)
            }
            let restarts = history.restarts > 0 ? ", restarted \(history.restarts) times" : ""
            return .good(service.name, "process \(service.pid ?? 0), last progress \(progress(service))\(restarts)")
        case "degraded": return .warning(service.name, service.problems.isEmpty ? "degraded" : service.problems, log)
        case "starting" where isRedisAway:
            return .unknown(service.name, "process \(service.pid ?? 0); Redis does not say how it is", "see redis")
        case "starting": return .warning(service.name, "starting", "wait a moment, then \(log)")
        case "stale": return .critical(service.name, "no progress for \(progress(service))", log)
        default: return .critical(service.name, "not running", log)
        }
    }

    private func progress(_ service: DirectStatus.Service) -> String {
        guard let milliseconds = service.progressMilliseconds else { return "unknown" }
        return "\(Fields.duration(milliseconds: milliseconds)) ago"
    }

    private func build() -> Finding {
        let outdated = ServiceName.startOrder.filter { name in
            let status = mesh.supervisor.status(name.rawValue)
            guard let pid = status.pid, let uptime = status.uptimeSeconds else { return false }
            return Processes.isOutdated(pid, uptimeSeconds: uptime)
        }
        guard !outdated.isEmpty else { return .good("running build", "the one in \(mesh.executables)") }
        let names = outdated.map(\.rawValue).joined(separator: ", ")
        return .warning("running build", "older than \(mesh.executables): \(names)", "meshctl restart")
    }

    private var usedPorts: [PortList.Entry] {
        mesh.configuration.ports.entries.filter { $0.name != .state || mesh.usesOwnRedis }
    }

    private func ports() -> Finding {
        let entries = usedPorts
        let listeners = Processes.listeners(on: entries.map(\.port))
        let silent = entries.filter { listeners[$0.port] == nil }
        guard silent.isEmpty else {
            let names = silent.map { "\($0.port) (\($0.name.rawValue))" }.joined(separator: ", ")
            return .critical("ports", "nobody listens on \(names)", "look at the log of the service that owns it")
        }
        let strange = entries.filter { entry in
            guard let pid = listeners[entry.port]?.pid else { return false }
            return mesh.supervisor.status(entry.service.rawValue).pid != pid
        }
        guard let first = strange.first else {
            return .good("ports", "all \(entries.count) are served by their owners")
        }
        return .critical(
            "ports",
            "\(first.port) (\(first.name.rawValue)) is held by \(listeners[first.port]?.words ?? "somebody else")",
            "stop that process, then meshctl restart \(first.service.rawValue)")
    }

    private func freePorts() -> Finding {
        do throws(ToolError) {
            try PortCheck.run(mesh)
            return .good("ports", "all are free")
        } catch {
            return .critical("ports", error.message, "free it before the start")
        }
    }

    private func dashboard() -> Finding {
        let log = "look at \(mesh.logFile(ServiceName.healthDashboard.rawValue))"
        do throws(ToolError) {
            let answer = try HTTPClient(port: mesh.configuration.ports[.health].port).get("/readyz")
            guard answer.status == 200 else {
                let reasons = answer.json?.object?["reasons"].map { Fields.text($0) } ?? "status \(answer.status)"
                return .warning("dashboard", "not ready: \(reasons)", log)
            }
            return .good("dashboard", mesh.dashboardAddress)
        } catch {
            return .critical("dashboard", error.message, log)
        }
    }

    private func openness() -> Finding {
        let address = mesh.configuration.listenAddress
        guard mesh.configuration.isOpenToTheWorld else { return .good("reach", "this machine only") }
        return .good(
            "reach", "the EA ports are open on \(address): let only your terminals' machines through the firewall")
    }
}
