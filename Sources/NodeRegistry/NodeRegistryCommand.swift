import ArgumentParser
import Domain
import ServiceKit

/// The process `node-registry`.
@main struct NodeRegistryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node-registry",
        abstract: "Knows every terminal: registrations, sessions, accounts, uptime. Answers on the registry port.",
        version: MeshVersion.current)
    @OptionGroup var options: ServiceOptions

    func run() { ServiceRunner.run(NodeRegistryService.self, as: .nodeRegistry, options) }
}
