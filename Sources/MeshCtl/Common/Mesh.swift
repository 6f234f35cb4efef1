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

    /// - Parameter ports: a file to use instead of the ports.yaml that the options lead to.
    init(
        _ options: StartOptions, executables: String = Mesh.ownDirectory, ports: String? = nil
    ) throws(ConfigurationError) {
        self.options = options
        self.executables = executables
        configuration = try Mesh.configuration(options, ports: ports)
        supervisor = Supervisor(
            runDirectory: configuration.runDirectory, logDirectory: configuration.logDirectory,
            scriptDirectory: configuration.root + "/deploy/runit")
    }

    /// The demonstration beside this mesh.
    func demonstration() throws(ConfigurationError) -> Mesh {
        var options = options
        options.isDemo = true
        options.redis = nil
        return try Mesh(options, executables: executables)
    }

    private static func configuration(
        _ options: StartOptions, ports: String?
    ) throws(ConfigurationError) -> MeshConfiguration {
        var overrides = MeshConfiguration.Overrides()
        overrides.config = options.config
        overrides.redis = options.redis
        overrides.listen = options.listen
        overrides.allowUnsafeRedis = options.allowUnsafeRedis
        var environment = options.environment
        if let ports { environment["MESH_PORTS"] = ports }
        let usual = try MeshConfiguration.load(overrides, environment: environment)
        guard options.isDemo else { return usual }
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

    static let ownDirectory: String = {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (path as NSString).deletingLastPathComponent
    }()

    // MARK: - What belongs to it

    var recordFile: String { MeshRecord.path(configuration.runDirectory) }
    /// The ports.yaml of the start, kept so that a restart by the supervisor sees what its neighbours run with.
    var portsInForce: String { Mesh.portsInForce(configuration.runDirectory) }
    static func portsInForce(_ runDirectory: String) -> String { runDirectory + "/ports.yaml" }
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

    /// Removes what was kept of the start, once nothing runs any more.
    func forget() {
        for path in [recordFile, portsInForce] { unlink(path) }
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
