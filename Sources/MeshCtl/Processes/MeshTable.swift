import Domain
import ServiceKit
import Supervision

/// What `start` and `restart` print.
enum MeshTable {
    static func showStarted(_ mesh: Mesh, _ ready: [ReadyService], totalMilliseconds: Int64) {
        if mesh.options.isDemo { showBanner() }
        // The last column counts from the start of the first of the seven: its largest figure is when all were ready.
        var table = Table([
            .text("service"), .number("pid"), .text("ports"), .number("start ms"), .number("ready in ms"),
        ])
        for service in ready {
            table.add([
                Table.Cell(service.name), "\(service.pid)", Table.Cell(ports(mesh, service.name)),
                "\(service.ownMilliseconds)", "\(service.sinceFirstMilliseconds)",
            ])
        }
        table.show()
        let seven = Set(ServiceName.startOrder.map(\.rawValue))
        let last = ready.filter { seven.contains($0.name) }.map(\.sinceFirstMilliseconds).max() ?? 0
        print()
        print(
            "all seven ready \(last) ms after the first was started; with Redis and the supervisor \(totalMilliseconds) ms"
        )
        showPlaces(mesh)
    }

    static func showRestarted(_ mesh: Mesh, _ ready: [ReadyService]) {
        var table = Table([.text("service"), .number("pid"), .text("ports"), .number("ready in ms")])
        for service in ready {
            table.add([
                Table.Cell(service.name), "\(service.pid)", Table.Cell(ports(mesh, service.name)),
                "\(service.ownMilliseconds)",
            ])
        }
        table.show()
    }

    /// A second start: what runs, and that nothing was changed.
    /// - Parameter wanted: the mesh as this start would have it.
    static func showUnchanged(_ mesh: Mesh, wanted: Mesh) {
        if mesh.options.isDemo { showBanner() }
        var table = Table([.text("service"), .text("state"), .number("pid"), .text("ports"), .number("up for")])
        var isOutdated = false
        for name in mesh.serviceNames {
            let status = mesh.supervisor.status(name)
            if let pid = status.pid, let uptime = status.uptimeSeconds, name != ServiceName.redis.rawValue {
                isOutdated = isOutdated || Processes.isOutdated(pid, uptimeSeconds: uptime)
            }
            table.add([
                Table.Cell(name), .state(status.state.rawValue), Table.Cell(status.pid.map { "\($0)" } ?? "-"),
                Table.Cell(ports(mesh, name)),
                Table.Cell(status.uptimeSeconds.map { Fields.duration(milliseconds: Int64($0 * 1000)) } ?? "-"),
            ])
        }
        table.show()
        print()
        print("already running, nothing changed")
        if isOutdated {
            print(
                "the running build is older than \(mesh.executables); ./start_all_services.sh --restart or meshctl restart"
            )
        }
        if mesh.options.changed(by: wanted.options) != mesh.options {
            print("it runs with other options than these; meshctl restart with the new ones applies them")
        }
        if mesh.configuration.ports != wanted.configuration.ports {
            print("\(wanted.configuration.portsFile) was changed since it was started; meshctl restart applies that")
        }
        showPlaces(mesh)
    }

    private static func ports(_ mesh: Mesh, _ name: String) -> String {
        let ports = mesh.ports(of: name).map { "\($0.port)" }
        return ports.isEmpty ? "-" : ports.joined(separator: " ")
    }

    private static func showPlaces(_ mesh: Mesh) {
        print("dashboard: \(mesh.dashboardAddress)")
        print("logs: \(mesh.configuration.logDirectory)/<service>.log   state: \(mesh.configuration.varDirectory)")
        if mesh.configuration.isOpenToTheWorld {
            print(
                "the EA ports are open on \(mesh.configuration.listenAddress): whoever reaches them can pose as a terminal"
            )
        }
    }

    private static func showBanner() {
        let line = "DEMO: simulated terminals and prices; no order here reaches a market"
        print(Style.warning.applied(to: line))
        print()
    }
}
