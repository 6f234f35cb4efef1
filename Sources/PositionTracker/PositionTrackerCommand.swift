import ArgumentParser
import Domain
import ServiceKit

@main
struct PositionTracker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "position-tracker",
        abstract: "Fires trades at terminals, enforces slots and risk, follows every position, keeps the fire ledger.",
        discussion:
            "Binds the EA command port and the order port named in ports.yaml. One of the mesh's seven services; "
            + "start_all_services.sh starts them all.",
        version: MeshVersion.current)

    @OptionGroup var options: ServiceOptions

    func run() { ServiceRunner.run(PositionTrackerService.self, as: .positionTracker, options) }
}
