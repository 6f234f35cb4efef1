import Domain
import Foundation
import Glibc
import Redis
import ServiceKit
import Supervision

/// One mesh on this machine: its configuration, its supervisor, and the programs it runs.
struct Mesh {
    let options: StartOptions
    let configuration: MeshConfiguration
    let supervisor: Supervisor
    /// The directory of this very program, where the seven stand as well.
    let executables: String

    init(_ options: StartOptions) throws(ConfigurationError) {
        self.options = options
        configuration = try Mesh.configuration(options)
        supervisor = Supervisor(
            runDirectory: configuration.runDirectory, logDirectory: configuration.logDirectory,
            scriptDirectory: configuration.root + "/deploy/runit")
        executables = Mesh.ownDirectory()
    }

    /// The mesh that runs where these options point: the usual one or its demonstration, with the options it was
    /// started with. The usual one where neither runs.
    static func running(_ options: StartOptions) throws(ConfigurationError) -> Mesh {
        var usual = options
        usual.isDemo = false
        let mesh = try Mesh(usual)
        if mesh.isPresent { return try mesh.asStarted() }
        let demo = try mesh.demonstration()
        return demo.isPresent ? try demo.asStarted() : mesh
    }

    /// The demonstration beside this mesh.
    func demonstration() throws(ConfigurationError) -> Mesh {
        var options = options
        options.isDemo = true
        options.redis = nil
        return try Mesh(options)
    }

    /// The same mesh with the options it was started with.
    func asStarted() throws(ConfigurationError) -> Mesh {
        guard let record = MeshRecord.read(recordFile), let mesh = try? Mesh(record.options),
            mesh.configuration.varDirectory == configuration.varDirectory
        else { return self }
        return mesh
    }

    private static func configuration(_ options: StartOptions) throws(ConfigurationError) -> MeshConfiguration {
        var overrides = MeshConfiguration.Overrides()
        overrides.config = options.config
        overrides.redis = options.redis
        overrides.listen = options.listen
        overrides.allowUnsafeRedis = options.allowUnsafeRedis
        let usual = try MeshConfiguration.load(overrides, environment: options.environment)
        guard options.isDemo else { return usual }
        var environment = options.environment
        environment["MESH_VAR"] = usual.varDirectory + "/demo"
        environment["MESH_LOGS"] = usual.varDirectory + "/demo/logs"
        environment["MESH_DEMO"] = "1"
        environment["MESH_REDIS"] = nil
        environment["REDIS_URL"] = nil
        overrides.redis = nil
        var demo = try MeshConfiguration.load(overrides, environment: environment)
        demo.externalRedis = nil
        return demo
    }

    private static func ownDirectory() -> String {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (path as NSString).deletingLastPathComponent
    }

    // MARK: - What belongs to it

    var recordFile: String { configuration.runDirectory + "/mesh.json" }
    var journalDirectory: String { configuration.varDirectory + "/journal" }
    var redisDirectory: String { configuration.varDirectory + "/redis" }
    var dashboardAddress: String { "http://127.0.0.1:\(configuration.ports[.health].port)/dashboard" }
    var usesOwnRedis: Bool { configuration.externalRedis == nil }

    static let simulator = "ea-simulator"

    /// What the supervisor runs for this mesh, in the order of the start.
    var serviceNames: [String] {
        (usesOwnRedis ? [ServiceName.redis.rawValue] : []) + ServiceName.startOrder.map(\.rawValue)
            + (options.isDemo ? [Mesh.simulator] : [])
    }

    /// Whether its supervisor lives, or anything that a killed one left.
    var isPresent: Bool {
        guard FileManager.default.fileExists(atPath: configuration.runDirectory + "/sv") else { return false }
        return supervisor.isRunning || supervisor.serviceNames.contains { supervisor.status($0).state != .absent }
    }

    /// How it is called in messages.
    var title: String { options.isDemo ? "the demonstration mesh" : "the mesh" }

    func ports(of service: String) -> [PortList.Entry] {
        ServiceName(rawValue: service).map { configuration.ports.ports(of: $0) } ?? []
    }

    func logFile(_ service: String) -> String { "\(configuration.logDirectory)/\(service).log" }
}

extension RedisAddress {
    /// The whole address with its password: for a service's environment, never for people.
    var url: String {
        let login = user != nil || password != nil ? "\(user ?? ""):\(password ?? "")@" : ""
        return "redis://\(login)\(host):\(port)" + (database == 0 ? "" : "/\(database)")
    }
}
