import ArgumentParser
import Glibc
import Redis
import ServiceKit

/// `meshctl redis`.
struct RedisCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redis", abstract: "Open redis-cli on the mesh's Redis.",
        discussion: """
            What follows is passed on as it is; options of redis-cli stand behind `--`.

            Examples:
              meshctl redis
              meshctl redis SMEMBERS active_nodes
              meshctl redis -- --stat
            """)

    @OptionGroup var target: MeshOption
    @Argument(parsing: .remaining, help: "Arguments for redis-cli.") var arguments: [String] = []

    func run() throws {
        let address = try target.mesh().configuration.redis
        guard let program = ProgramSearch.find("redis-cli") else {
            throw ToolError(
                ExitStatus.unavailable,
                "redis-cli is not installed: sudo apt-get install -y --no-install-recommends redis-tools")
        }
        // In the environment, since everybody sees a command line.
        if let password = address.password { setenv("REDISCLI_AUTH", password, 1) }
        var words = [program, "-h", address.host, "-p", String(address.port)]
        if let user = address.user { words += ["--user", user] }
        if address.database != 0 { words += ["-n", String(address.database)] }
        words += arguments.first == "--" ? Array(arguments.dropFirst()) : arguments
        fflush(nil)
        var pointers = words.map { strdup($0) } + [nil]
        execv(program, &pointers)
        throw ToolError(ExitStatus.software, "cannot start \(program): \(String(cString: strerror(errno)))")
    }
}
