import Foundation
import Logging
public import Redis

/// Where everything of one mesh is: a flag beats the environment, which beats the file, which beats the default.
///
/// Relative paths in a configuration file are relative to that file; defaults are relative to the project's root,
/// which is found by its `ports.yaml` above the executable or the working directory (or named by `MESH_ROOT`).
public struct MeshConfiguration: Sendable {
    /// What the command line said; nil leaves the choice to the environment and the file.
    public struct Overrides: Sendable {
        public var config: String?
        public var redis: String?
        public var logLevel: String?
        public var logFormat: String?
        public var listen: String?
        public var allowUnsafeRedis = false

        public init() {}
    }

    /// How long the journals' segments stay hot (written), warm (compressed) and cold (archived), and with how many
    /// megabytes one is full; 0: the default.
    public struct JournalKeeping: Sendable, Equatable {
        public var segmentMegabytes = 0
        public var hotHours = 0
        public var warmDays = 0
        public var coldDays = 0
        /// A folder for the cold segments, one below it for each journal; nil: beside the others.
        public var coldDirectory: String?

        public init() {}
    }

    public enum LogFormat: String, Sendable { case text, json }

    public var root: String
    /// The configuration file in force, if any.
    public var file: String?
    public var varDirectory: String
    public var logDirectory: String
    public var portsFile: String
    public var symbolsFile: String
    public var tiersFile: String
    public var redisConfigFile: String
    /// Rules and outlets of alerts.
    public var alertsFile: String
    /// The address the EA ports are bound to.
    public var listenAddress: String
    /// A Redis of the operator's; nil means the mesh's own.
    public var externalRedis: RedisAddress?
    public var allowUnsafeRedis: Bool
    public var logLevel: String
    public var logFormat: LogFormat
    /// Whether this mesh is a demonstration with simulated terminals.
    public var isDemo: Bool
    /// ZMTP heartbeat interval of EA ports in milliseconds, 0 for none; nil where nobody chose one.
    public var zmtpHeartbeatMilliseconds: Int?
    /// After how many milliseconds of silence a peer of `ea-commands` or `ea-telemetry` is asked for a sign of life, by
    /// listeners of our own: they judge only peers that answered before. 0 is never.
    public var usualHeartbeat: Int { zmtpHeartbeatMilliseconds ?? 10_000 }
    /// For how many milliseconds such a peer of `ea-telemetry` may leave that question unanswered at least: what it wrote while
    /// its network was away is lost when it is cut. Whoever chose an interval chose that too.
    public var usualPatience: Int64 { zmtpHeartbeatMilliseconds == nil ? 60_000 : 0 }
    /// The same for libzmq's sockets and for `ea-confirmations`, off unless somebody chose it: libzmq ends each peer that
    /// leaves a PING unanswered, as those before 4.2 do; and what a terminal has on its way while its network is away
    /// would be lost with the connection.
    public var chosenHeartbeat: Int { zmtpHeartbeatMilliseconds ?? 0 }
    /// Messages a second one terminal may send on `ea-telemetry` for long, and at once; 0 is no limit.
    public var terminalRate = 1_000
    public var terminalBurst = 10_000
    public var journalKeeping = JournalKeeping()
    public var ports: PortList

    static let knownKeys: Set<String> = [
        "var", "logs", "ports", "symbols", "tiers", "alerts", "redis_config", "listen", "redis", "allow_unsafe_redis",
        "log_level", "log_format", "demo", "zmtp_heartbeat_ms", "journal_hot_hours", "journal_warm_days",
        "journal_cold_days", "journal_cold", "journal_segment_mb", "terminal_rate", "terminal_burst",
    ]

    public var redis: RedisAddress {
        externalRedis ?? RedisAddress(host: "127.0.0.1", port: ports[.state].port)
    }

    public var runDirectory: String { varDirectory + "/run" }
    public var tokenFile: String { environmentTokenFile ?? varDirectory + "/token" }
    private var environmentTokenFile: String?

    /// Whether the EA ports can be reached from other machines.
    public var isOpenToTheWorld: Bool { !listenAddress.hasPrefix("127.") && listenAddress != "localhost" }

    /// The address to bind or to connect to for a port, for example `tcp://127.0.0.1:…`.
    public func bindEndpoint(_ name: PortList.Name) -> String { bindEndpoint(ports[name]) }

    public func bindEndpoint(_ entry: PortList.Entry) -> String {
        "tcp://\(entry.isOpen ? listenAddress : "127.0.0.1"):\(entry.port)"
    }

    public func connectEndpoint(_ name: PortList.Name) -> String { "tcp://127.0.0.1:\(ports[name].port)" }

    public static func load(
        _ overrides: Overrides = Overrides(),
        environment given: [String: String]? = nil
    ) throws(ConfigurationError) -> MeshConfiguration {
        let environment = given ?? ProcessInfo.processInfo.environment
        let root = projectRoot(environment)
        let configPath = overrides.config ?? environment["MESH_CONFIG"]
        let defaultPath = root + "/deploy/config/mesh.yaml"
        let file = configPath ?? (FileManager.default.fileExists(atPath: defaultPath) ? defaultPath : nil)
        let values = try file.map { path throws(ConfigurationError) in try fileValues(path) } ?? [:]
        return try MeshConfiguration(
            root: root, file: configPath == nil ? nil : file, values: values, overrides: overrides,
            environment: environment)
    }

    private init(
        root: String, file: String?, values: [String: Any], overrides: Overrides, environment: [String: String]
    ) throws(ConfigurationError) {
        let directory = file.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path } ?? root
        func setting(_ key: String, _ variable: String) -> String? {
            if let value = environment[variable], !value.isEmpty { return value }
            return values[key].map { "\($0)" }.flatMap { $0.isEmpty ? nil : $0 }
        }
        func path(_ key: String, _ variable: String, default fallback: String) -> String {
            if let value = environment[variable], !value.isEmpty { return absolute(value, from: currentDirectory()) }
            if let value = values[key] { return absolute("\(value)", from: directory) }
            return absolute(fallback, from: root)
        }
        self.root = root
        self.file = file.map { absolute($0, from: currentDirectory()) }
        varDirectory = path("var", "MESH_VAR", default: "var")
        let isUsualVar = varDirectory == root + "/var"
        logDirectory = path("logs", "MESH_LOGS", default: isUsualVar ? "logs" : varDirectory + "/logs")
        portsFile = path("ports", "MESH_PORTS", default: "ports.yaml")
        symbolsFile = path("symbols", "MESH_SYMBOLS", default: "deploy/config/symbols.yaml")
        tiersFile = path("tiers", "MESH_TIERS", default: "deploy/config/tiers.yaml")
        alertsFile = path("alerts", "MESH_ALERTS", default: "deploy/config/alerts.yaml")
        redisConfigFile = path("redis_config", "MESH_REDIS_CONFIG", default: "deploy/config/redis.conf")
        listenAddress = overrides.listen ?? setting("listen", "MESH_LISTEN") ?? "127.0.0.1"
        logLevel = overrides.logLevel ?? setting("log_level", "MESH_LOG_LEVEL") ?? "info"
        guard Logger.Level(rawValue: logLevel) != nil else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: " ")
            throw ConfigurationError(file ?? "", "the log level is one of \(levels), not '\(logLevel)'")
        }
        let formatText = overrides.logFormat ?? setting("log_format", "MESH_LOG_FORMAT") ?? "text"
        guard let format = LogFormat(rawValue: formatText) else {
            throw ConfigurationError(file ?? "", "the log format is 'text' or 'json', not '\(formatText)'")
        }
        logFormat = format
        let truths: Set<String> = ["1", "true", "yes", "on"]
        func isTrue(_ key: String, _ variable: String) -> Bool {
            truths.contains(setting(key, variable)?.lowercased() ?? "")
        }
        allowUnsafeRedis = overrides.allowUnsafeRedis || isTrue("allow_unsafe_redis", "MESH_ALLOW_UNSAFE_REDIS")
        isDemo = isTrue("demo", "MESH_DEMO")
        if let text = setting("zmtp_heartbeat_ms", "MESH_ZMTP_HEARTBEAT_MS") {
            guard let interval = Int(text), interval == 0 || (100...600_000).contains(interval) else {
                throw ConfigurationError(file ?? "", "zmtp_heartbeat_ms is 0 (off) or 100 to 600000, not '\(text)'")
            }
            zmtpHeartbeatMilliseconds = interval
        }
        let quota = try TerminalQuotaSetting(
            rate: setting("terminal_rate", "MESH_TERMINAL_RATE"),
            burst: setting("terminal_burst", "MESH_TERMINAL_BURST"),
            path: file ?? "")
        (terminalRate, terminalBurst) = (quota.rate, quota.burst)
        journalKeeping.hotHours = Int(setting("journal_hot_hours", "MESH_JOURNAL_HOT_HOURS") ?? "") ?? 0
        journalKeeping.warmDays = Int(setting("journal_warm_days", "MESH_JOURNAL_WARM_DAYS") ?? "") ?? 0
        journalKeeping.coldDays = Int(setting("journal_cold_days", "MESH_JOURNAL_COLD_DAYS") ?? "") ?? 0
        if let text = setting("journal_segment_mb", "MESH_JOURNAL_SEGMENT_MB") {
            guard let size = Int(text), (1...1024).contains(size) else {
                throw ConfigurationError(file ?? "", "journal_segment_mb is 1 to 1024, not '\(text)'")
            }
            journalKeeping.segmentMegabytes = size
        }
        if setting("journal_cold", "MESH_JOURNAL_COLD") != nil {
            journalKeeping.coldDirectory = path("journal_cold", "MESH_JOURNAL_COLD", default: "var/cold")
        }
        environmentTokenFile = environment["MESH_TOKEN_FILE"].flatMap { $0.isEmpty ? nil : $0 }
        ports = try PortList.load(path: portsFile)
        let redisText = overrides.redis ?? setting("redis", "MESH_REDIS") ?? environment["REDIS_URL"]
        if let redisText, !redisText.isEmpty {
            do throws(RedisAddress.InvalidAddress) {
                externalRedis = try RedisAddress(url: redisText)
            } catch {
                throw ConfigurationError("", error.description)
            }
        }
    }

    private static func fileValues(_ path: String) throws(ConfigurationError) -> [String: Any] {
        let values = try ConfigurationFile.mapping(path: path)
        if let stranger = values.keys.sorted().first(where: { !knownKeys.contains($0) }) {
            let all = knownKeys.sorted().joined(separator: " ")
            throw ConfigurationError(path, "unknown setting '\(stranger)'; the settings are \(all)")
        }
        return values
    }

    private static func projectRoot(_ environment: [String: String]) -> String {
        if let named = environment["MESH_ROOT"], !named.isEmpty { return absolute(named, from: currentDirectory()) }
        let executable = Bundle.main.executablePath.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        for start in [executable, currentDirectory()].compactMap({ $0 }) {
            var directory = start
            while directory != "/" && !directory.isEmpty {
                directory = (directory as NSString).deletingLastPathComponent
                if FileManager.default.fileExists(atPath: directory + "/ports.yaml") { return directory }
            }
        }
        return currentDirectory()
    }
}

private func currentDirectory() -> String { FileManager.default.currentDirectoryPath }

private func absolute(_ path: String, from directory: String) -> String {
    let expanded = (path as NSString).expandingTildeInPath
    let full = expanded.hasPrefix("/") ? expanded : directory + "/" + expanded
    return (full as NSString).standardizingPath
}
