import Domain
import ServiceKit
import Synchronization
import Wire

/// What `/events` tells to refresh.
enum Part: String, Sendable, CaseIterable {
    case health, services, nodes, positions, fires, signals, levels, alerts, stats, reconciliation, users, audit
}

/// The mesh's Redis as the dashboard's own connection knows it.
struct RedisStatus: Sendable, Equatable {
    enum State: String, Sendable { case ready, stalled, away, unsafe }

    var state = State.away
    var address = ""
    var isOwn = true
    /// How long the last PING took.
    var latencyMicroseconds: Int64?
    /// Fields of INFO; empty until it was first read.
    var information: [String: String] = [:]

    var isReady: Bool { state == .ready }

    var json: JSON {
        func integer(_ key: String) -> JSON { Schema.json(information[key], .integer) }
        return .object([
            "state": .string(state.rawValue), "ready": .bool(isReady), "address": .string(address),
            "own": .bool(isOwn), "version": .text(information["redis_version"]),
            "latency_ms": latencyMicroseconds.map { .rounded(Double($0) / 1000, 2) } ?? .null,
            "used_memory_bytes": integer("used_memory"), "connected_clients": integer("connected_clients"),
            "uptime_s": integer("uptime_in_seconds"),
            "append_only": Schema.json(information["aof_enabled"], .flag),
            "last_write_status": .text(information["aof_last_write_status"]),
        ])
    }
}

/// The score heartbeat-monitor published in the hash `health`.
struct PublishedScore: Sendable {
    let score: Int
    let factors: JSON
    let computedAt: Timestamp

    init?(_ fields: [String: String]) {
        guard let score = fields["score"].flatMap({ Double($0) }), score.isFinite,
            let computed = fields["computed_at"].flatMap({ Int64($0) })
        else { return nil }
        self.score = Int(max(0, min(100, score)).rounded())
        factors = fields["factors"].flatMap { try? JSON($0) } ?? .array([])
        computedAt = Timestamp(milliseconds: computed)
    }
}

/// What the page and the interface show: one moment of the mesh, immutable, published as a whole.
struct Snapshot: Sendable {
    /// Counts publications in which something was different.
    var version: UInt64 = 0
    /// For each part the version in which it was different last.
    var partVersions: [Part: UInt64] = [:]
    var publishedAt = Timestamp(milliseconds: 0)
    /// A clock that never steps, in milliseconds: how old this snapshot is.
    var publishedMonotonic: Int64 = 0
    /// When Redis was last read through; nil before the first time.
    var readAt: Timestamp?
    var readMonotonic: Int64?

    var startedAt = Timestamp(milliseconds: 0)
    var isDemo = false
    var redis = RedisStatus()
    var system = SystemStatus()
    var services: [ServiceStatus] = []
    var ports: [PortList.Entry] = []
    var listening: Set<Int> = []
    var score: PublishedScore?

    var nodes: [Record] = []
    /// Each active node's last sign of life, newer than what its record says.
    var lastSeen: [String: Int64] = [:]
    /// Each broker server's newest current quote.
    var brokerQuotes: [String: Int64] = [:]
    var positions: [Record] = []
    var fires: [Record] = []
    var signals: [Record] = []
    var alerts: [Record] = []
    var activeAlerts: Set<String> = []
    /// What an operator was asked, answered ones included.
    var questions: [Record] = []
    /// `<server>|<account>` to what was compared there.
    var reconciliations: [String: AccountReconciliation] = [:]
    /// Scope (`global`, `symbol:EURUSD`, `account:843859`) to the fields of its hash.
    var statistics: [String: [String: String]] = [:]
    /// Symbol to the published levels.
    var levels: [String: JSON] = [:]
    /// Fields of the hash `ledger`.
    var ledger: [String: String] = [:]
    /// Scope to its brake, see ``BrakeSetting``.
    var brakes: [String: String] = [:]
    /// How many there are in Redis; the snapshot holds the newest of them.
    var closedPositions: Int64 = 0
    var firesKept: Int64 = 0

    /// `user:<uuid>` of every user.
    var users: [Record] = []
    /// The newest liquidity sweeps, newest first; entries of `events:sweeps`.
    var sweeps: [JSONObject] = []
    /// What people and the mesh did, newest first: `events:audit` and `events:alert-actions`.
    var audit: [JSONObject] = []
    /// Silences and maintenance windows by their id, as heartbeat-monitor keeps them.
    var silences: [String: JSON] = [:]
    var maintenance: [String: JSON] = [:]
    /// How terminals drift from what they should be, as heartbeat-monitor sees it; its fields are JSON.
    var drift: JSON = .object([:])
    /// What was drawn over time.
    var history = History.Rings()
    var stages = StageHistograms()
    var summary = MeshSummary()

    var judgement = Judgement()

    var redisMemory: RedisMemory? { RedisMemory(redis.information, machine: redis.isOwn ? system.memoryTotal : 0) }

    /// Which run of the dashboard counts the versions.
    var instance: String { String(startedAt.milliseconds, radix: 36) }

    func age(monotonic now: Int64) -> Int64 { max(0, now - publishedMonotonic) }
}

/// The one place where the loop puts a snapshot and HTTP handlers take it.
final class SnapshotBoard: Sendable {
    private let current = Mutex(Snapshot())

    func publish(_ snapshot: Snapshot) { current.withLock { $0 = snapshot } }
    var snapshot: Snapshot { current.withLock { $0 } }
}
