import ArgumentParser
import Domain
import ServiceKit

/// The process `heartbeat-monitor`.
@main struct HeartbeatMonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heartbeat-monitor",
        abstract: "Judges who is alive, raises alerts worth reading, and scores the mesh's health.",
        version: MeshVersion.current)
    @OptionGroup var options: ServiceOptions

    func run() { ServiceRunner.run(HeartbeatMonitorService.self, as: .heartbeatMonitor, options) }
}
