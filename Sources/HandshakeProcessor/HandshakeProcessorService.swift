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
    private let quotas: QuotaDesk
    private var refusedPeers: RefusedPeersReader?
    private static let refusedPeersInterval: Int64 = 5_000
    private static let mostNamed = 5
    /// How long the start waits for Redis to say who is there and from where terminals speak.
    private static let fenceMilliseconds: Int64 = 2_000

    init(_ environment: ServiceEnvironment) throws {
        let configuration = environment.configuration
        report = environment.report
        redis = environment.makeRedisLink()
        let writes = PendingWrites(redis, report)
        registry = try RegistryNotices(environment, writes)
        let trades = try TradeForwarder(environment)
        let known = KnownNodes(redis)
        _ = try environment.reactor.run(
            until: { known.isLoaded }, milliseconds: HandshakeProcessorService.fenceMilliseconds)
        intake = try TelemetryIntake(
            environment, registry: registry, trades: trades, quarantine: Quarantine(environment, redis), redis: redis)
        intake.fence.begin(with: known.addresses)
        for node in known.nodes { intake.restore(node.nodeID, node.fields) }
        statistics = StatisticsWriter(redis)
        quotas = QuotaDesk(environment, writes)
        let reader = RefusedPeersReader(redis) { [unowned self] in intake.noteRefused($0) }
        refusedPeers = reader
        environment.reactor.every(milliseconds: HandshakeProcessorService.refusedPeersInterval) { reader.read() }
        redis.onReady.append { [unowned self] in statistics.load(into: intake) }
        if redis.isReady { statistics.load(into: intake) }
        environment.reactor.every(milliseconds: 1000) { [unowned self] in
            if redis.isReady { statistics.write(of: intake) }
            quotas.settle(intake.engine.takeBreaches(), at: SystemClock.now())
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
        let queue = intake.queue
        report.gauges["oldest_unread_ms"] = queue.oldestUnread
        report.gauges["queue_depth"] = queue.depth
        report.gauges["redis_outstanding"] = Int64(redis.outstanding)
        report.problem("terminals_need_restart", restartText)
        report.problem("connections", intake.listeners.lazy.compactMap { $0.pull?.refusalText }.first)
        report.problem("redis", redis.isReady ? nil : "Redis is away; statistics wait in memory, the relay goes on")
        report.problem(
            "registry", registry.isSilent ? "the registry does not answer; registrations wait in memory" : nil)
    }

    /// Terminals whose PULL met a ROUTER: nobody but their owners can bring them back.
    private var restartText: String? {
        let terminals = intake.engine.terminalsToRestart
        guard !terminals.isEmpty else { return nil }
        let named = terminals.prefix(HandshakeProcessorService.mostNamed).map { "\($0.nodeID) at \($0.address)" }
        let more = terminals.count - named.count
        return "a ROUTER turned their PULL away: serve them a PUSH in ports.yaml, and restart the EA where it does not "
            + "come back by itself: "
            + named.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }

    func drain() {
        try? intake.drainAll()
        if redis.isReady { statistics.write(of: intake) }
        redis.drain(milliseconds: 1_000)
    }
}
