import ArgumentParser
import ServiceKit
import Supervision

/// `meshctl stop`.
struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Drain and stop the mesh, in reverse order, within ten seconds.",
        discussion: "Stops the mesh that runs, the usual one or the demonstration. State and logs stay.")

    @OptionGroup var target: MeshOption
    @Flag(help: "Only the demonstration mesh.") var demo = false

    func run() throws {
        let options = StartOptions(config: target.config)
        let running = try Mesh.running(options)
        let mesh = try demo && !running.options.isDemo ? running.demonstration() : running
        guard mesh.isPresent else {
            print("nothing to stop: \(mesh.title) is not running (\(mesh.configuration.varDirectory))")
            return
        }
        try mesh.supervisor.withLock { try MeshStop(mesh: mesh, patience: Patience()).run() }
    }
}
