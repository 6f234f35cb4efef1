import Domain
import ServiceKit
import Supervision
import Wire

/// What a start or a restart did, for people and for programs.
struct StartReport {
    enum Outcome: String {
        case started, restarted
        /// It ran already.
        case unchanged
        /// It ran already, but not all of it.
        case completed
    }

    struct Row {
        let name: String
        var state = "ready"
        let pid: Int32?
        /// From its own start until it was ready.
        var ownMilliseconds: Int64?
        /// From the start of the first of those brought up together.
        var readyMilliseconds: Int64?
        var uptimeSeconds: Double?
    }

    let mesh: Mesh
    let outcome: Outcome
    let rows: [Row]
    var totalMilliseconds: Int64?
    var notes: [String] = []

    init(_ mesh: Mesh, _ outcome: Outcome, _ ready: [ReadyService], totalMilliseconds: Int64? = nil) {
        self.mesh = mesh
        self.outcome = outcome
        self.totalMilliseconds = totalMilliseconds
        rows = ready.map { service in
            Row(
                name: service.name, pid: service.pid, ownMilliseconds: service.ownMilliseconds,
                readyMilliseconds: service.sinceFirstMilliseconds)
        }
        if mesh.configuration.isOpenToTheWorld {
            let address = mesh.configuration.listenAddress
            notes.append("the EA ports are open on \(address): whoever reaches them can pose as a terminal")
        }
    }

    /// What runs, when it ran already.
    /// - Parameter wanted: the mesh as this start would have it.
    init(unchanged mesh: Mesh, wanted: Mesh) {
        self.mesh = mesh
        outcome = .unchanged
        var isOutdated = false
        rows = mesh.serviceNames.map { name in
            let status = mesh.supervisor.status(name)
            if let pid = status.pid, let uptime = status.uptimeSeconds, name != ServiceName.redis.rawValue {
                isOutdated = isOutdated || Processes.isOutdated(pid, uptimeSeconds: uptime)
            }
            return Row(name: name, state: status.state.rawValue, pid: status.pid, uptimeSeconds: status.uptimeSeconds)
        }
        if isOutdated {
            let restart = "./start_all_services.sh --restart or meshctl restart"
            notes.append("the running build is older than \(mesh.executables); \(restart)")
        }
        if mesh.options.changed(by: wanted.options) != mesh.options {
            notes.append("it runs with other options than these; meshctl restart with the new ones applies them")
        }
        if mesh.configuration.ports != wanted.configuration.ports {
            notes.append("\(wanted.configuration.portsFile) was changed since the start; meshctl restart applies that")
        }
    }

    /// When the last of the seven was ready, counted from the start of the first.
    var sevenReadyMilliseconds: Int64 {
        let seven = Set(ServiceName.startOrder.map(\.rawValue))
        return rows.filter { seven.contains($0.name) }.compactMap(\.readyMilliseconds).max() ?? 0
    }

    var json: JSONObject {
        let services = rows.map { row -> JSON in
            .object([
                "name": .string(row.name), "state": .string(row.state), "pid": row.pid.map { .integer($0) } ?? .null,
                "ports": .array(mesh.ports(of: row.name).map { .integer($0.port) }),
                "start_ms": row.ownMilliseconds.map { .integer($0) } ?? .null,
                "ready_ms": row.readyMilliseconds.map { .integer($0) } ?? .null,
                "uptime_s": row.uptimeSeconds.map { .integer(Int64($0)) } ?? .null,
            ])
        }
        return [
            "ok": .bool(true), "outcome": .string(outcome.rawValue), "demo": .bool(mesh.options.isDemo),
            "services": .array(services), "total_ms": totalMilliseconds.map { .integer($0) } ?? .null,
            "dashboard": .string(mesh.dashboardAddress), "logs": .string(mesh.configuration.logDirectory),
            "var": .string(mesh.configuration.varDirectory), "notes": .array(notes.map { .string($0) }),
        ]
    }
}

extension StartReport {
    var lines: [String] {
        var lines: [String] = []
        if mesh.options.isDemo {
            let banner = "DEMO: simulated terminals and prices; no order here reaches a market"
            lines += [Style.warning.applied(to: banner), ""]
        }
        lines += table.lines() + [""]
        switch outcome {
        case .started:
            let total = totalMilliseconds.map { "; with Redis and the supervisor \($0) ms" } ?? ""
            lines.append("all seven ready \(sevenReadyMilliseconds) ms after the first was started\(total)")
        case .restarted: lines.append("restarted; everything else is unchanged")
        case .unchanged: lines.append("already running, nothing changed")
        case .completed: lines.append("the mesh was running without these; everything else is unchanged")
        }
        lines += notes
        guard outcome == .started || outcome == .unchanged else { return lines }
        let configuration = mesh.configuration
        return lines + [
            "dashboard: \(mesh.dashboardAddress)",
            "logs: \(configuration.logDirectory)/<service>.log   state: \(configuration.varDirectory)",
        ]
    }

    /// The last column of a start counts from the start of the first of the seven: its largest figure is when all
    /// were ready.
    private var table: Table {
        let isRunning = outcome == .unchanged
        let last: [Table.Column] =
            isRunning ? [.text("state"), .number("up for")] : [.number("start ms"), .number("ready in ms")]
        var table = Table([.text("service"), .number("pid"), .text("ports")] + last)
        for row in rows {
            let ports = mesh.ports(of: row.name).map { "\($0.port)" }.joined(separator: " ")
            let head: [Table.Cell] = [
                Table.Cell(row.name), Table.Cell(row.pid.map { "\($0)" } ?? "-"),
                Table.Cell(ports.isEmpty ? "-" : ports),
            ]
            guard isRunning else {
                table.add(head + ["\(row.ownMilliseconds ?? 0)", "\(row.readyMilliseconds ?? 0)"])
                continue
            }
            let uptime = row.uptimeSeconds.map { Fields.duration(milliseconds: Int64($0 * 1000)) }
            table.add(head + [.state(row.state), Table.Cell(uptime ?? "-")])
        }
        return table
    }
}
