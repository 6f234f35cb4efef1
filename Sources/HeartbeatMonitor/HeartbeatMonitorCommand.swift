import ArgumentParser
import Domain
import Fleet
import ServiceKit

/// The process `heartbeat-monitor`.
@main struct HeartbeatMonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heartbeat-monitor",
        abstract: "Judges who is alive, raises alerts worth reading, and scores the mesh's health.",
        version: MeshVersion.current)
    @OptionGroup var options: ServiceOptions

    func run() {
        check(isShown: options.check)
        ServiceRunner.run(HeartbeatMonitorService.self, as: .heartbeatMonitor, options)
    }

    /// Reads the file of alert rules before anything starts: a mistake there is one of configuration. Secrets are read,
    /// never shown.
    private func check(isShown: Bool) {
        do throws(ConfigurationError) {
            let configuration = try MeshConfiguration.load(options.overrides)
            let alerts = try AlertsFile.load(configuration)
            guard isShown else { return }
            print("alerts: \(alerts.rules.rules.count) rules in \(configuration.alertsFile)")
            for outlet in alerts.outlets { print("outlet \(outlet.title)") }
            if alerts.outlets.isEmpty { print("no outlet: alerts go to their port and the dashboard only") }
        } catch {
            StandardError.write(line: "heartbeat-monitor: \(error)")
            Self.exit(withError: ExitCode(ExitStatus.configuration))
        }
    }
}
