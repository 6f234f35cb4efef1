import Domain
import Fleet
import Redis
import ServiceKit

/// Broker and connection statistics in Redis, once a second, continuing what earlier processes counted.
final class StatisticsWriter {
    private static let days90 = String(90 * 86_400)

    private let redis: RedisLink
    private var isLoading = false
    private var isLoaded = false
    private var earlier: [String: Int64] = [:]
    private var written: ConnectionStatistics?

    init(_ redis: RedisLink) { self.redis = redis }

    // MARK: - Loading

    /// Reads what earlier processes counted; until then nothing is written.
    func load(into intake: TelemetryIntake) {
        guard !isLoaded, !isLoading else { return }
        isLoading = true
        redis.send(["HGETALL", "connection_stats"]) { [weak self] reply in
            self?.earlier = (reply?.dictionary ?? [:]).compactMapValues { Int64($0) }
        }
        redis.send(["SMEMBERS", "brokers"]) { [weak self, weak intake] reply in
            guard let self, let intake else { return }
            guard let reply, reply.errorMessage == nil else { return isLoading = false }
            let servers = reply.texts
            guard !servers.isEmpty else { return isLoaded = true }
            var fields: [String: [String: String]] = [:]
            for (index, server) in servers.enumerated() {
                redis.send(["HGETALL", "broker:\(server)"]) { [weak self, weak intake] reply in
                    guard let self, let intake else { return }
                    if let known = reply?.dictionary { fields[server] = known }
                    guard index == servers.count - 1 else { return }
                    isLoading = false
                    // Half of them would be counted twice at the next attempt: all or nothing.
                    guard reply != nil else { return }
                    for (server, known) in fields {
                        guard !known.isEmpty else {
                            forget(server)
                            continue
                        }
                        intake.engine.restore(broker: server, known, at: SystemClock.now())
                    }
                    isLoaded = true
                }
            }
        }
    }

    /// Its hash has expired: nothing came from there for a long time.
    private func forget(_ server: String) {
        redis.send(["SREM", "brokers", server])
        redis.send(["ZREM", "broker_last_quote", server])
    }

    // MARK: - Writing

    func write(of intake: TelemetryIntake) {
        guard isLoaded, redis.outstanding < 10_000 else { return }
        writeConnections(intake.engine.connectionStatistics)
        for broker in intake.engine.takeChangedBrokers() {
            let key = "broker:\(broker.server)"
            redis.send(["HSET", key] + broker.fields.flatMap { [$0.name, $0.value] }) { [weak intake] reply in
                if reply == nil { intake?.engine.markChanged([broker.server]) }
            }
            redis.send(["EXPIRE", key, StatisticsWriter.days90])
            redis.send(["SADD", "brokers", broker.server])
            if let quote = broker.lastQuoteAt {
                // Not the greatest: after a step of our clock, back, it would stand still until the time came again.
                redis.send(["ZADD", "broker_last_quote", String(quote.milliseconds), broker.server])
            }
        }
    }

    private func writeConnections(_ statistics: ConnectionStatistics) {
        guard statistics != written else { return }
        let fields = [
            "accepted", String(statistics.accepted + (earlier["accepted"] ?? 0)),
            "handshakes_failed", String(statistics.handshakesFailed + (earlier["handshakes_failed"] ?? 0)),
            "disconnects", String(statistics.disconnects + (earlier["disconnects"] ?? 0)),
            "current", String(statistics.current), "peak", String(max(statistics.peak, earlier["peak"] ?? 0)),
            "updated_at", String(SystemClock.now().milliseconds),
        ]
        written = statistics
        redis.send(["HSET", "connection_stats"] + fields) { [weak self] reply in
            if reply == nil { self?.written = nil }
        }
    }
}
