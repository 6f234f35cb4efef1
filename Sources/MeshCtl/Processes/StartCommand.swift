import ArgumentParser
import Wire

/// `meshctl start`: what `./start_all_services.sh` calls once everything is built.
struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start the mesh: its Redis and the seven services, under a supervisor.",
        discussion: """
            Checks the configuration and every port first. Each service is started when the one before is ready; the
            last column of the table is the time since the first was started. After a failure nothing is left running.
            Where the mesh runs already, nothing changes.

            Examples:
              meshctl start
              meshctl start --demo
              meshctl start --config second.yaml --listen 0.0.0.0
            """)

    @OptionGroup var arguments: StartArguments
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        Progress.tell("starting …")
        defer { Progress.end() }
        let report = try MeshStart(mesh: Mesh(arguments.options)).run()
        Progress.end()
        Output.show(json ? [report.json.compactText] : report.lines)
    }
}
