import ArgumentParser
import Glibc
import ServiceKit

/// `meshctl`: starts, stops, asks and steers the mesh on this machine.
@main
struct MeshCtlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meshctl", abstract: "Starts, stops, asks and steers the mesh on this machine.",
        discussion: """
            Exit codes: 0 good; 1 denied or not there; 64 bad usage; 69 something needed does not answer; 70 a service \
            failed; 75 another start or stop is under way; 77 no permission; 78 the configuration is wrong. \
            `status`, `doctor` and `ledger`: 0 good, 1 warning, 2 critical, 3 unknown.

            Tables fit the terminal (80 columns in a pipe, or COLUMNS); --wide shows everything, --json all there is. \
            Colours only on a terminal and without NO_COLOR.

            Examples:
              meshctl status
              meshctl doctor
              meshctl doctor COMMANDER_DEV_001
              meshctl fire --help
            """,
        version: MeshVersion.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Processes", subcommands: [StartCommand.self, StopCommand.self, RestartCommand.self]),
            CommandGroup(
                name: "Looking",
                subcommands: [
                    StatusCommand.self, NodesCommand.self, PositionsCommand.self, FiresCommand.self, AlertsCommand.self,
                    LedgerCommand.self, ExplainCommand.self, ReconciliationCommand.self, QuestionsCommand.self,
                    TailCommand.self,
                ]),
            CommandGroup(
                name: "Trading",
                subcommands: [
                    FireCommand.self, WithdrawCommand.self, CloseCommand.self, UserCommand.self, BrakeCommand.self,
                    SettleCommand.self, AnswerCommand.self, PingCommand.self,
                ]),
            CommandGroup(
                name: "Operating",
                subcommands: [
                    DoctorCommand.self, LiveCommand.self, PortsCommand.self, RedisCommand.self, JournalCommand.self,
                    BackupCommand.self, RestoreCommand.self,
                    TokenCommand.self, CitadelCommand.self,
                ]),
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            guard let failure = ToolError(error) else { exit(withError: error) }
            fflush(nil)
            StandardError.write(line: "meshctl: \(failure.message)")
            Glibc.exit(failure.code)
        }
    }
}
