import ArgumentParser
import Domain
import ServiceKit

/// The process `handshake-processor`.
@main struct HandshakeProcessorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handshake-processor",
        abstract: "Takes the terminals' telemetry, relays every tick and bar, and tells the registry who is there.",
        version: MeshVersion.current)
    @OptionGroup var options: ServiceOptions

    func run() { ServiceRunner.run(HandshakeProcessorService.self, as: .handshakeProcessor, options) }
}
