public import ArgumentParser
public import Domain
import Foundation
public import Logging
public import Redis
public import ZeroMQ

/// The flags every service takes.
public struct ServiceOptions: ParsableArguments {
    @Option(name: .long, help: "Configuration file (YAML). Default: deploy/config/mesh.yaml; environment: MESH_CONFIG.")
    public var config: String?
    @Flag(name: .long, help: "Check the configuration and ports.yaml, say what is wrong, and exit.")
    public var check = false
    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical. Environment: MESH_LOG_LEVEL.")
    public var logLevel: String?
    @Option(name: .long, help: "json or text. Environment: MESH_LOG_FORMAT.")
    public var logFormat: String?
    @Option(name: .long, help: "redis://[user:password@]host:port[/database]. Environment: MESH_REDIS or REDIS_URL.")
    public var redis: String?
    @Option(name: .long, help: "Address for the EA ports, for example 0.0.0.0. Default: 127.0.0.1.")
    public var listen: String?
    @Flag(name: .long, help: "Run on a Redis that may lose what it was told. Not with real money.")
    public var allowUnsafeRedis = false

    public init() {}

    public var overrides: MeshConfiguration.Overrides {
        var overrides = MeshConfiguration.Overrides()
        overrides.config = config
        overrides.redis = redis
        overrides.logLevel = logLevel
        overrides.logFormat = logFormat
        overrides.listen = listen
        overrides.allowUnsafeRedis = allowUnsafeRedis
        return overrides
    }
}

/// What a service is given to wire itself up with; everything lives on the loop's thread.
public final class ServiceEnvironment {
    public let service: ServiceName
    public let configuration: MeshConfiguration
    public let instruments: InstrumentCatalogue
    public let context: ZMQContext
    public let reactor: Reactor
    public let report: ServiceReport
    public let log: Logger

    init(service: ServiceName, configuration: MeshConfiguration, log: Logger) throws {
        self.service = service
        self.configuration = configuration
        self.log = log
        instruments = try InstrumentFile.load(path: configuration.symbolsFile)
        context = try ZMQContext(maximumSockets: 1023)
        reactor = Reactor()
        report = ServiceReport(service: service, now: SystemClock.now())
    }

    /// A connection to the mesh's Redis with this service's scripts. An unsafe Redis ends the process, with its reason.
    public func makeRedisLink(scripts: [RedisScript] = []) -> RedisLink {
        let link = RedisLink(
            address: configuration.redis, scripts: scripts, allowUnsafe: configuration.allowUnsafeRedis,
            reactor: reactor, log: log)
        link.onUnsafe = { [report] problem in
            StandardError.write(
                line:
                    "\(report.service.rawValue): Redis is not safe: \(problem). Configure it as deploy/config/redis.conf does,"
                    + " or start with --allow-unsafe-redis where nothing of value is kept.")
            exit(ExitStatus.configuration)
        }
        return link
    }
}

/// Exit statuses after sysexits(3).
public enum ExitStatus {
    public static let usage: Int32 = 64
    public static let unavailable: Int32 = 69
    public static let software: Int32 = 70
    public static let configuration: Int32 = 78
}

/// One of the seven: wiring only. Created on the loop's thread.
public protocol MeshService: AnyObject {
    init(_ environment: ServiceEnvironment) throws
    /// Whether it can do its job now; asked until it first says yes, and each second for the report.
    var isReady: Bool { get }
    /// Once a second: refresh counters and problems in the report.
    func refreshReport()
    /// The process ends: finish what was accepted. Sockets still work, nothing new is taken.
    func drain()
}

/// Runs a service from the command line to its end.
public enum ServiceRunner {
    public static func run<Service: MeshService>(_ type: Service.Type, as name: ServiceName, _ options: ServiceOptions)
        -> Never
    {
        let configuration: MeshConfiguration
        do throws(ConfigurationError) {
            configuration = try MeshConfiguration.load(options.overrides)
            _ = try InstrumentFile.load(path: configuration.symbolsFile)
        } catch {
            StandardError.write(line: "\(name.rawValue): \(error)")
            exit(ExitStatus.configuration)
        }
        guard let level = Logger.Level(rawValue: configuration.logLevel) else {
            StandardError.write(line: "\(name.rawValue): unknown log level '\(configuration.logLevel)'")
            exit(ExitStatus.configuration)
        }
        if options.check {
            let ports = configuration.ports.ports(of: name).map { "\($0.name.rawValue) \($0.port)" }
            print("\(name.rawValue): configuration is good; ports: \(ports.joined(separator: ", "))")
            exit(0)
        }
        let signals = TerminationSignals()
        raiseOpenFileLimit()
        let log = Logger(label: name.rawValue) { label in
            MeshLogHandler(label: label, level: level, format: configuration.logFormat)
        }
        do {
            try serve(type, name, configuration, signals, log)
            exit(0)
        } catch {
            log.critical("the service ends", metadata: ["why": "\(error)"])
            exit(ExitStatus.software)
        }
    }

    private static func serve<Service: MeshService>(
        _ type: Service.Type, _ name: ServiceName, _ configuration: MeshConfiguration, _ signals: TerminationSignals,
        _ log: Logger
    ) throws {
        let began = SystemClock.monotonicMilliseconds()
        let environment = try ServiceEnvironment(service: name, configuration: configuration, log: log)
        let readiness = ReadinessFile(directory: configuration.runDirectory, service: name)
        readiness.remove()
        let reactor = environment.reactor
        let report = environment.report
        let service = try Service(environment)
        let reporter = ServiceReporter(environment)
        reactor.watch(descriptor: { signals.descriptor }, readable: { if signals.take() != nil { reactor.stop() } })
        reactor.every(milliseconds: 5) { [unowned service] in
            guard !report.isReady, service.isReady else { return }
            report.isReady = true
            report.readyAfterMilliseconds = SystemClock.monotonicMilliseconds() - began
            readiness.write(milliseconds: report.readyAfterMilliseconds)
            log.info("ready", metadata: ["after_ms": "\(report.readyAfterMilliseconds)"])
            reporter.send()
        }
        reactor.every(milliseconds: 1000) { [unowned service] in
            report.lastProgress = SystemClock.now()
            report.problem("not_ready", service.isReady ? nil : "it can't do its whole job now")
            report.gauges["oldest_unread_ms"] = reactor.oldestUnread
            service.refreshReport()
            reporter.send()
        }
        log.info("started", metadata: ["version": "\(MeshVersion.current)", "pid": "\(getpid())"])
        try reactor.run()
        log.info("draining")
        readiness.remove()
        service.drain()
        reporter.farewell()
        log.info("stopped")
    }
}

/// Writes `service:<name>` on a connection of its own, so that a busy service still says that it lives.
final class ServiceReporter {
    private static let expirySeconds = "15"
    private let environment: ServiceEnvironment
    private let link: RedisLink

    init(_ environment: ServiceEnvironment) {
        self.environment = environment
        link = RedisLink(
            address: environment.configuration.redis, scripts: [], allowUnsafe: true, reactor: environment.reactor,
            log: Logger(label: environment.service.rawValue) { _ in SwiftLogNoOpLogHandler() })
        // Whoever asks right after the start must not hear `starting` from a service that is ready.
        link.onReady.append { [unowned self] in send() }
    }

    func send() {
        guard link.isReady, link.outstanding < 16 else { return }
        let key = "service:\(environment.service.rawValue)"
        let fields = environment.report.fields(
            ports: environment.configuration.ports.ports(of: environment.service), now: SystemClock.now(),
            longestTurn: environment.reactor.takeLongestTurn(), version: MeshVersion.current)
        link.send(["HSET", key] + fields)
        link.send(["EXPIRE", key, ServiceReporter.expirySeconds])
    }

    func farewell() {
        environment.report.isReady = false
        link.send(["HSET", "service:\(environment.service.rawValue)", "state", "stopped"])
        link.drain(milliseconds: 300)
    }
}

/// `var/run/<service>.ready`: its pid and how long it took, for whoever waits for it without Redis.
public struct ReadinessFile {
    public let path: String

    public init(directory: String, service: ServiceName) {
        path = "\(directory)/\(service.rawValue).ready"
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    func remove() { unlink(path) }

    func write(milliseconds: Int64) {
        let text = "\(ProcessInfo.processInfo.processIdentifier) \(milliseconds)\n"
        try? text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// The pid and milliseconds a service wrote when it became ready, or nil.
    public func read() -> (pid: Int32, milliseconds: Int64)? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let parts = text.split(whereSeparator: \.isWhitespace)
        guard parts.count == 2, let pid = Int32(parts[0]), let milliseconds = Int64(parts[1]) else { return nil }
        return (pid, milliseconds)
    }
}
