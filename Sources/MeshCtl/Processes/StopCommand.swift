import ArgumentParser
import ServiceKit
import Supervision
import Wire

/// `meshctl stop`.
struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Drain and stop the mesh, in reverse order, within ten seconds.",
        discussion: """
            Stops the mesh that runs, the usual one or the demonstration. State and logs stay.

            Examples:
              meshctl stop
              meshctl stop --demo
            """)

    @OptionGroup var target: MeshOption
    @Flag(help: "Only the demonstration mesh.") var demo = false
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let options = StartOptions(config: target.config)
        let running = try Mesh.running(options)
        let mesh = try demo && !running.options.isDemo ? running.demonstration() : running
        guard mesh.isPresent else {
            let nothing: JSONObject = [
                "ok": .bool(true), "outcome": .string("not_running"), "services": .array([]),
            ]
            let line = "nothing to stop: \(mesh.title) is not running (\(mesh.configuration.varDirectory))"
            return Output.show([json ? nothing.compactText : line])
        }
        Progress.tell("draining and stopping \(mesh.title) …")
        defer { Progress.end() }
        let report = try mesh.supervisor.withLock { try MeshStop(mesh: mesh).run() }
        Progress.end()
        Output.show(json ? [report.json.compactText] : report.lines)
        guard report.isClean else {
            throw ToolError(ExitStatus.software, "everything is stopped, but not everything by itself, see above")
        }
    }
}
