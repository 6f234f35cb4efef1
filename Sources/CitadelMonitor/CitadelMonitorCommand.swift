import ArgumentParser
import Domain
import ServiceKit

@main
struct CitadelMonitor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "citadel-monitor",
        abstract: "Watches the market: bars, liquidity levels and sweeps; scores trades and signals, follows signals.",
        discussion:
            "Binds the ports signals, signal-intake, citadel-alerts and citadel-queries of ports.yaml and reads "
            + "the market relay. One of the mesh's seven services; start_all_services.sh starts them all.",
        version: MeshVersion.current)

    @OptionGroup var options: ServiceOptions

    func run() { ServiceRunner.run(CitadelMonitorService.self, as: .citadelMonitor, options) }
}
