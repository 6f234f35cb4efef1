import ArgumentParser
import Foundation

/// Which mesh is meant.
struct MeshOption: ParsableArguments {
    @Option(help: "The mesh with this configuration file. Default: deploy/config/mesh.yaml; environment: MESH_CONFIG.")
    var config: String?

    /// The mesh that runs from this configuration, the demonstration included; else the one that would.
    func mesh() throws -> Mesh { try Mesh.running(StartOptions(config: config)) }
}

/// Which mesh, and in which form it answers.
struct QueryOptions: ParsableArguments {
    @OptionGroup var target: MeshOption
    @Flag(help: "Print JSON.") var json = false
    @Flag(help: "Show every column of tables and whole texts, however long the lines.") var wide = false

    /// - Throws: ``ConfigurationError`` where a file that was named on the command line is wrong: nobody who names one
    ///   wants to be told of another mesh.
    func mesh() throws -> Mesh {
        try Mesh.running(StartOptions(config: target.config), isStrict: target.config != nil)
    }
}

/// How a mesh is started.
struct StartArguments: ParsableArguments {
    @OptionGroup var target: MeshOption
    @Flag(help: "A mesh with simulated terminals, a state and a Redis of its own.") var demo = false
    @Option(help: "Address for the EA ports, for example 0.0.0.0. Default: 127.0.0.1; environment: MESH_LISTEN.")
    var listen: String?
    @Option(
        help: "A Redis of yours: redis://[user:password@]host:port[/database]. Environment: MESH_REDIS or REDIS_URL.")
    var redis: String?
    @Flag(help: "Accept a Redis that may lose what it acknowledged. Not with real money.")
    var allowUnsafeRedis = false

    func validate() throws {
        if demo && redis != nil { throw ValidationError("--demo has a Redis of its own: leave out --redis") }
    }

    var options: StartOptions {
        var options = StartOptions(config: target.config)
        options.isDemo = demo
        options.listen = listen
        options.redis = redis
        options.allowUnsafeRedis = allowUnsafeRedis
        return options
    }
}

/// Everything that decides how a mesh runs, besides the files: it is kept beside the running mesh for its restart.
struct StartOptions: Equatable {
    /// Absolute path.
    var config: String?
    var redis: String?
    var listen: String?
    var allowUnsafeRedis = false
    var isDemo = false
    /// Variables `MESH_*` and `REDIS_URL` of the caller; those that are paths are absolute.
    var environment: [String: String]

    private static let pathVariables: Set<String> = [
        "MESH_CONFIG", "MESH_VAR", "MESH_LOGS", "MESH_PORTS", "MESH_SYMBOLS", "MESH_TIERS", "MESH_ALERTS",
        "MESH_REDIS_CONFIG",
        "MESH_ROOT", "MESH_TOKEN_FILE", "MESH_JOURNAL_COLD",
    ]

    init(
        config: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
        directory: String = FileManager.default.currentDirectoryPath
    ) {
        self.config = config.map { StartOptions.absolute($0, from: directory) }
        self.environment = [:]
        for (name, value) in environment where name.hasPrefix("MESH_") || name == "REDIS_URL" {
            guard !value.isEmpty else { continue }
            let isPath = StartOptions.pathVariables.contains(name)
            self.environment[name] = isPath ? StartOptions.absolute(value, from: directory) : value
        }
    }

    /// What was kept of an earlier start, with what is said now on top.
    func changed(by now: StartOptions) -> StartOptions {
        var result = self
        result.redis = now.redis ?? redis
        result.listen = now.listen ?? listen
        result.allowUnsafeRedis = allowUnsafeRedis || now.allowUnsafeRedis
        return result
    }

    private static func absolute(_ path: String, from directory: String) -> String {
        let expanded = (path as NSString).expandingTildeInPath
        return ((expanded.hasPrefix("/") ? expanded : directory + "/" + expanded) as NSString).standardizingPath
    }
}
