import ArgumentParser
import Domain
import ServiceKit

/// `confirmation-logger`: what terminals confirm, journaled, booked once, and handed on.
@main
struct ConfirmationLogger: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirmation-logger",
        abstract: "Keeps every confirmation of every terminal, books each once, and hands it on.",
        discussion: """
            Takes the ports ea-confirmations and ea-receipts of ports.yaml. Each frame goes into the journal \
            (<var>/journal) before anything else; only then is it acknowledged, understood and booked in Redis, and \
            published on trade-events.
            """,
        version: MeshVersion.current)

    @OptionGroup var options: ServiceOptions
    @Option(
        name: .customLong("hold-connections"),
        help: ArgumentHelp("Only hold what is given on this socket; the service starts itself so.", visibility: .hidden)
    )
    var holdConnections: String?

    func run() {
        if let holdConnections { ConnectionHolder.run(path: holdConnections) }
        ServiceRunner.run(ConfirmationLoggerService.self, as: .confirmationLogger, options)
    }
}
