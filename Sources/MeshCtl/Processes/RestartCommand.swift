import ArgumentParser
import Domain
import ServiceKit
import Supervision
import Wire

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
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let given = arguments.options
        let running = try Mesh.running(given)
        guard services.isEmpty else { return try restart(services, of: running) }
        if arguments.demo && running.isPresent && !running.options.isDemo {
            throw ToolError(ExitStatus.unavailable, "the mesh is running: \(MeshStart.stopCommand) first")
        }
        var options = running.isPresent ? running.options.changed(by: given) : given
        options.isDemo = arguments.demo || running.options.isDemo
        // Nothing is stopped for a configuration that can't be started.
        let next = try Mesh(options)
        _ = try next.supervisedServices()
        let start = MeshStart(mesh: next)
        var stopped: StopReport?
        if running.isPresent {
            stopped = try running.supervisor.withLock { try MeshStop(mesh: running).run() }
        }
        if let stopped, !json { Output.show(stopped.lines + [""]) }
        let report = try start.run()
        guard json else { return Output.show(report.lines) }
        let answer: JSONObject = [
            "stopped": stopped.map { .object($0.json) } ?? .null, "started": .object(report.json),
        ]
        Output.show([answer.compactText])
    }

    private func restart(_ wanted: [String], of mesh: Mesh) throws {
        let names = mesh.serviceNames.filter(wanted.contains)
        if let stranger = wanted.first(where: { !names.contains($0) }) {
            throw ValidationError(
                "'\(stranger)' is not a service of this mesh: \(mesh.serviceNames.joined(separator: " "))")
        }
        guard mesh.supervisor.isRunning else {
            throw ToolError(ExitStatus.denied, "the mesh is not running: ./start_all_services.sh starts it")
        }
        let starter = ServiceStarter(mesh: mesh, patience: Patience())
        let ready = try mesh.supervisor.withLock {
            try names.flatMap { name in
                _ = try mesh.supervisor.down(name, timeoutSeconds: 8)
                return try starter.bringUp([name])
            }
        }
        let report = StartReport(mesh, .restarted, ready)
        Output.show(json ? [report.json.compactText] : report.lines)
    }
}
