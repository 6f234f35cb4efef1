import ArgumentParser
import Domain
import ServiceKit

@main
struct HealthDashboard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health-dashboard",
        abstract:
            "Shows the mesh: health, services, terminals, positions and metrics over HTTP, and the dashboard page.",
        discussion: "Reads Redis and publishes snapshots; every state change asks for the token in <var>/token.",
        version: MeshVersion.current)

    @OptionGroup var options: ServiceOptions

    func run() { ServiceRunner.run(HealthDashboardService.self, as: .healthDashboard, options) }
}
