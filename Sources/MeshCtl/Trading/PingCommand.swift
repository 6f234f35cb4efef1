import ArgumentParser
import ServiceKit
import Wire

/// `meshctl ping`.
struct PingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping", abstract: "Send a ping to a user's terminal.",
        discussion: """
            Says whether the terminal could be reached; its pong is counted by confirmation-logger and moves the
            terminal's last sign of life (meshctl nodes --user UUID).

            Example:
              meshctl ping --user COMMANDER_DEV_001
            """)

    @Option(help: "The user's UUID.") var user: String
    @OptionGroup var query: QueryOptions

    func run() throws {
        let reply = try RequestPort(query.mesh(), .orders).demand([
            "type": .string("ping"), "user_uuid": .string(user),
        ])
        if query.json {
            print(reply.compactText)
        } else {
            for line in CloseCommand.lines(reply) { print(line) }
        }
        if reply["state"]?.text == "denied" { throw ExitCode(ExitStatus.denied) }
    }
}
