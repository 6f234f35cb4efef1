import Foundation
import ServiceKit
import Supervision

/// Drains and stops a whole mesh, in reverse order of its start.
struct MeshStop {
    let mesh: Mesh
    let patience: Patience

    /// For the services; what is left of ten seconds is the supervisor's.
    static let servicesSeconds = 8.0

    /// - Throws: ``ToolError`` where something could not be ended, after everything else was.
    func run() throws {
        let began = SystemClock.monotonicMilliseconds()
        print("stopping \(mesh.title)")
        let starter = ServiceStarter(mesh: mesh, patience: patience)
        let isClean = starter.bringDown(mesh.serviceNames, withinSeconds: MeshStop.servicesSeconds)
        try mesh.supervisor.stopDaemon()
        mesh.forget()
        let seconds = Double(SystemClock.monotonicMilliseconds() - began) / 1000
        guard isClean else {
            throw ToolError(ExitStatus.software, "everything is stopped, but not everything went well, see above")
        }
        print("stopped everything in \(String(format: "%.1f", seconds)) s; state: \(mesh.configuration.varDirectory)")
    }
}
