import Foundation
import Glibc
import ServiceKit
import Supervision

/// Drains and stops a whole mesh, in reverse order of its start.
struct MeshStop {
    let mesh: Mesh

    /// For the services; what is left of ten seconds is the supervisor's.
    static let servicesSeconds = 8.0

    func run() throws -> StopReport {
        let began = SystemClock.monotonicMilliseconds()
        let rows = MeshStop.bringDown(mesh, withinSeconds: MeshStop.servicesSeconds)
        try mesh.supervisor.stopDaemon()
        // Where confirmation-logger was down already, nobody told the holder of its connections: without its path it ends.
        unlink(mesh.configuration.runDirectory + "/confirmation-logger.hold")
        mesh.forget()
        return StopReport(
            title: mesh.title, varDirectory: mesh.configuration.varDirectory, rows: rows,
            milliseconds: SystemClock.monotonicMilliseconds() - began)
    }

    /// Stops all services, the last first; a failure doesn't keep the rest running.
    @discardableResult
    static func bringDown(_ mesh: Mesh, withinSeconds seconds: Double) -> [StopReport.Row] {
        mesh.supervisor.stopAll(order: mesh.serviceNames.reversed(), withinSeconds: seconds).map { name, outcome in
            switch outcome {
            case .success(.alreadyDown): StopReport.Row(name: name, words: "was not running", isClean: true)
            case .success(.terminated(let exit)): StopReport.Row(name: name, words: words(exit), isClean: true)
            case .success(.killed(let after)):
                StopReport.Row(
                    name: name, words: String(format: "killed: it did not end within %.1f s", after), isClean: false)
            case .failure(let error): StopReport.Row(name: name, words: error.message, isClean: false)
            }
        }
    }

    private static func words(_ exit: ServiceExit?) -> String {
        guard let exit, exit.exitCode != 0 || exit.signal != 0 else { return "drained and stopped" }
        return exit.signal != 0 ? "ended by signal \(exit.signal)" : "stopped with exit code \(exit.exitCode)"
    }
}
