import Domain
import Foundation
import ServiceKit
import Supervision

/// What the supervisor is told to run for a mesh.
extension Mesh {
    /// Every setting in force, so that a restart by the supervisor hours later sees the same.
    var childEnvironment: [String: String] {
        var result = options.environment
        result["REDIS_URL"] = nil
        result["MESH_ROOT"] = configuration.root
        result["MESH_CONFIG"] = configuration.file
        result["MESH_VAR"] = configuration.varDirectory
        result["MESH_LOGS"] = configuration.logDirectory
        result["MESH_PORTS"] = portsInForce
        result["MESH_SYMBOLS"] = configuration.symbolsFile
        result["MESH_TIERS"] = configuration.tiersFile
        result["MESH_REDIS_CONFIG"] = configuration.redisConfigFile
        result["MESH_TOKEN_FILE"] = configuration.tokenFile
        result["MESH_LISTEN"] = configuration.listenAddress
        result["MESH_ALLOW_UNSAFE_REDIS"] = configuration.allowUnsafeRedis ? "1" : "0"
        result["MESH_DEMO"] = configuration.isDemo ? "1" : "0"
        result["MESH_LOG_LEVEL"] = configuration.logLevel
        result["MESH_LOG_FORMAT"] = configuration.logFormat.rawValue
        result["MESH_ZMTP_HEARTBEAT_MS"] = configuration.zmtpHeartbeatMilliseconds.map { String($0) }
        result["MESH_TERMINAL_RATE"] = String(configuration.terminalRate)
        result["MESH_TERMINAL_BURST"] = String(configuration.terminalBurst)
        // The demonstration never uses an operator's Redis, whatever the configuration file says.
        let isNamed = configuration.externalRedis != nil || options.isDemo
        result["MESH_REDIS"] = isNamed ? configuration.redis.url : nil
        return result
    }

    func supervisedServices() throws(ToolError) -> [SupervisedService] {
        let environment = childEnvironment
        var services: [SupervisedService] = []
        if usesOwnRedis { services.append(try redisService()) }
        for name in ServiceName.startOrder {
            services.append(service(name.rawValue, [], environment))
        }
        if options.isDemo {
            let arguments = ["--scenario", "demo", "--duration", "0", "--fire-every", "3"]
            services.append(service(Mesh.simulator, arguments, environment))
        }
        for service in services where !FileManager.default.isExecutableFile(atPath: service.executable) {
            throw ToolError(
                ExitStatus.software,
                "\(service.executable) is not there: build it with `swift build -c release` in \(configuration.root)")
        }
        return services
    }

    private func service(_ name: String, _ arguments: [String], _ environment: [String: String]) -> SupervisedService {
        SupervisedService(
            name: name, executable: "\(executables)/\(name)", arguments: arguments, environment: environment,
            workingDirectory: configuration.root)
    }

    func redisService() throws(ToolError) -> SupervisedService {
        guard ProgramSearch.find("redis-server") != nil else {
            throw ToolError(
                ExitStatus.unavailable,
                "redis-server is not installed: sudo apt-get install -y --no-install-recommends redis-server")
        }
        let file = configuration.redisConfigFile
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw ToolError(
                ExitStatus.configuration, "\(file): the configuration of the mesh's own Redis can't be read")
        }
        let program = "\(configuration.root)/deploy/scripts/redis_server.sh"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw ToolError(ExitStatus.configuration, "\(program) is missing or not executable")
        }
        return SupervisedService(
            name: ServiceName.redis.rawValue, executable: program,
            arguments: [
                file, "--port", String(configuration.ports[.state].port), "--bind", "127.0.0.1", "--dir",
                redisDirectory,
            ],
            workingDirectory: redisDirectory)
    }
}

/// Programs of the system: on PATH, or where Debian puts them.
enum ProgramSearch {
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        return directories.lazy.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
