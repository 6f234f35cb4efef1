import ArgumentParser
import Domain
import Supervision

/// `meshctl restart`: everything, or some services.
struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Restart the mesh, or only the named services.",
        discussion: """
            The whole mesh keeps the options it was started with, unless others are given. Named services are restarted
            one after the other, each waited for. Nothing is built: ./start_all_services.sh --restart does that first.

            Examples:
              meshctl restart
              meshctl restart citadel-monitor health-dashboard
              meshctl restart --listen 0.0.0.0
            """)

    @Argument(
        help: "Services: \(ServiceName.startOrder.map(\.rawValue).joined(separator: ", ")), redis.") var services:
        [String] = []
    @OptionGroup var arguments: StartArguments

    func run() throws {
        let given = arguments.options
        let running = try Mesh.running(given)
        guard services.isEmpty else { return try restart(services, of: running) }
        guard running.isPresent else {
            print("the mesh was not running")
            return try MeshStart(mesh: Mesh(given)).run()
        }
        var options = running.options.changed(by: given)
        options.isDemo = arguments.demo || running.options.isDemo
        // Nothing is stopped for a configuration that can't be started.
        let next = try Mesh(options)
        _ = try next.supervisedServices()
        let start = MeshStart(mesh: next)
        try running.supervisor.withLock { try MeshStop(mesh: running, patience: start.patience).run() }
        print()
        try start.run()
    }

    private func restart(_ wanted: [String], of mesh: Mesh) throws {
        let names = mesh.serviceNames.filter(wanted.contains)
        if let stranger = wanted.first(where: { !names.contains($0) }) {
            throw ValidationError(
                "'\(stranger)' is not a service of this mesh: \(mesh.serviceNames.joined(separator: " "))")
        }
        guard mesh.supervisor.isRunning else {
            throw ToolError(1, "the mesh is not running: ./start_all_services.sh starts it")
        }
        let starter = ServiceStarter(mesh: mesh, patience: Patience())
        try mesh.supervisor.withLock {
            let ready = try names.map { name in
                _ = try mesh.supervisor.down(name, timeoutSeconds: 8)
                return try starter.bringUp([name])
            }
            MeshTable.showRestarted(mesh, ready.flatMap { $0 })
        }
    }
}
