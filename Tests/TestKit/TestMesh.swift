public import Domain
import Foundation
public import ServiceKit

/// A mesh of this test's own: its ports, state, logs and Redis, in a temporary directory, with the project's products.
///
/// Services are direct children without a supervisor: what dies stays dead until ``start(_:)``. All of it ends with
/// its owner. One thread uses it.
public final class TestMesh {
    public let directory: TemporaryDirectory
    public let configurationFile: String
    public let ports: PortList
    public let redis: RedisServer
    private var processes: [ServiceName: ChildProcess] = [:]
    private let logLevel: String

    public static var areServicesBuilt: Bool { Project.isBuilt(ServiceName.startOrder.map(\.rawValue)) }

    /// - Parameters:
    ///   - settings: more lines of `mesh.yaml`, for example `["zmtp_heartbeat_ms": "500"]`.
    ///   - redisSettings: more of redis-server's command line.
    public init(
        settings: [String: String] = [:], redisSettings: [String] = [], logLevel: String = "info"
    ) throws {
        directory = try TemporaryDirectory("test")
        self.logLevel = logLevel
        let portsFile = try directory.write("ports.yaml", try TestMesh.renumberedPorts())
        ports = try PortList.load(path: portsFile)
        var lines = [
            "var: \(directory.path)/var", "logs: \(directory.path)/logs", "ports: \(portsFile)",
            "symbols: \(Project.root)/deploy/config/symbols.yaml", "tiers: \(Project.root)/deploy/config/tiers.yaml",
            "redis_config: \(Project.root)/deploy/config/redis.conf",
        ]
        lines += settings.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        configurationFile = try directory.write("mesh.yaml", lines.joined(separator: "\n") + "\n")
        for folder in ["var", "var/run", "logs"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory.path)/\(folder)", withIntermediateDirectories: true)
        }
        redis = try RedisServer(port: ports[.state].port, settings: redisSettings)
    }

    deinit { processes = [:] }

    /// The project's list of ports with every number replaced by a free one.
    private static func renumberedPorts() throws -> String {
        var text = ""
        for line in try ConfigurationFile.text(path: Project.root + "/ports.yaml").split(separator: "\n") {
            guard let range = line.firstRange(of: /port: +[0-9]+/), !line.hasPrefix("#") else {
                text += line + "\n"
                continue
            }
            text += line.replacingCharacters(in: range, with: "port: \(try FreePorts.next())") + "\n"
        }
        return text
    }

    public func endpoint(_ name: PortList.Name) -> String { "tcp://127.0.0.1:\(ports[name].port)" }

    // MARK: - Services

    /// Starts services side by side and waits until each has said that it is ready.
    public func start(_ services: [ServiceName], within seconds: Double = 10) throws {
        for service in services { try launch(service) }
        for service in services { try waitUntilReady(service, within: seconds) }
    }

    public func start(_ service: ServiceName, within seconds: Double = 10) throws {
        try start([service], within: seconds)
    }

    /// Starts a service without waiting for it.
    public func launch(_ service: ServiceName, arguments: [String] = []) throws {
        processes[service] = try ChildProcess(
            Project.product(service.rawValue),
            ["--config", configurationFile, "--log-level", logLevel] + arguments, environment: environment,
            log: "\(directory.path)/logs/\(service.rawValue)")
    }

    public func waitUntilReady(_ service: ServiceName, within seconds: Double = 10) throws {
        let file = ReadinessFile(directory: directory.path + "/var/run", service: service)
        let process = processes[service]
        try eventually("\(service.rawValue) is ready", within: seconds) {
            if process?.isRunning != true { return "it has ended:\n\(process?.tail() ?? "never started")" }
            guard file.read()?.pid == process?.pid else { return "not ready:\n\(process?.tail() ?? "")" }
            return ""
        } until: {
            $0.isEmpty
        }
    }

    /// SIGTERM, and waits for its end.
    @discardableResult
    public func terminate(_ service: ServiceName, within seconds: Double = 10) throws -> ChildProcess.Exit? {
        processes[service]?.kill(SIGTERM)
        return try processes.removeValue(forKey: service)?.wait(within: seconds)
    }

    /// SIGKILL, and waits for its end.
    public func kill(_ service: ServiceName) throws {
        processes[service]?.kill(SIGKILL)
        try processes.removeValue(forKey: service)?.wait(within: 5)
    }

    public func process(_ service: ServiceName) -> ChildProcess? { processes[service] }

    /// What a service wrote to its log.
    public func log(_ service: ServiceName) -> String {
        text(ofFile: "\(directory.path)/logs/\(service.rawValue).err")
    }

    /// The ends of all logs, for a failure's text.
    public var logTails: String {
        ServiceName.startOrder.map { name in
            "-- \(name.rawValue)\n" + log(name).split(separator: "\n").suffix(10).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// A tool of the project on this mesh, waited for: its exit and what it printed.
    public func run(_ product: String, _ arguments: [String], within seconds: Double = 20) throws -> ToolRun {
        let process = try tool(product, arguments)
        let exit = try process.wait(within: seconds)
        return ToolRun(exit: exit, output: process.output, errors: process.errors)
    }

    public struct ToolRun {
        public let exit: ChildProcess.Exit
        public let output: String
        public let errors: String
    }

    /// A tool of the project on this mesh, left running.
    public func tool(_ product: String, _ arguments: [String]) throws -> ChildProcess {
        toolRuns += 1
        return try ChildProcess(
            Project.product(product), arguments + ["--config", configurationFile], environment: environment,
            log: "\(directory.path)/logs/\(product)-\(toolRuns)")
    }

    private var toolRuns = 0

    private var environment: [String: String] {
        Project.cleanEnvironment.merging(["MESH_ROOT": Project.root]) { _, new in new }
    }
}
