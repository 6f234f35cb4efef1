import Domain
import Fleet
import Logging
import Redis
import ServiceKit

/// Wiring: telemetry in, relay out, the registry and Redis behind.
///
/// The telemetry port is drained whatever Redis or the registry do: their part waits in bounded memory.
final class HandshakeProcessorService: MeshService {
    private let report: ServiceReport
    private let redis: RedisLink
    private let registry: RegistryNotices
    private let statistics: StatisticsWriter
    private let intake: TelemetryIntake

    init(_ environment: ServiceEnvironment) throws {
        let configuration = environment.configuration
        report = environment.report
        redis = environment.makeRedisLink()
        let writes = PendingWrites(redis, report)
        registry = try RegistryNotices(environment, writes)
        let trades = try TradeForwarder(environment)
        intake = try TelemetryIntake(
            environment, registry: registry, trades: trades, quarantine: Quarantine(environment, redis), redis: redis)
        statistics = StatisticsWriter(redis)
        redis.onReady.append { [unowned self] in statistics.load(into: intake) }
        environment.reactor.every(milliseconds: 1000) { [unowned self] in
            if redis.isReady { statistics.write(of: intake) }
        }
        environment.log.info(
            "relaying",
            metadata: [
                "from": "\(configuration.bindEndpoint(.eaTelemetry))",
                "to": "\(configuration.bindEndpoint(.marketRelay))",
            ])
    }

    /// Its sockets are bound since it exists.
    var isReady: Bool { redis.isReady }

    func refreshReport() {
        let connections = intake.engine.connectionStatistics
        report.gauges["connections"] = connections.current
        report.gauges["nodes_followed"] = Int64(intake.engine.nodeCount)
        report.gauges["registry_undelivered"] = Int64(registry.undelivered)
        report.set("connections_accepted", connections.accepted)
        report.set("connections_ended", connections.disconnects)
        report.set("nodes_not_followed", intake.engine.unfollowed)
        report.problem("redis", redis.isReady ? nil : "Redis is away; statistics wait in memory, the relay goes on")
        report.problem(
            "registry", registry.isSilent ? "the registry does not answer; registrations wait in memory" : nil)
    }

    func drain() {
        try? intake.drainAll()
        if redis.isReady { statistics.write(of: intake) }
        redis.drain(milliseconds: 1_000)
    }
}
