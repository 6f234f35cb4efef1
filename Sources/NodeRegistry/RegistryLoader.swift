import Domain
import Fleet
import Redis
import ServiceKit

/// Reads all nodes from Redis at the start, and looks after every reconnection whether they are still there.
final class RegistryLoader {
    private static let chunk = 500

    private let redis: RedisLink
    private let restore: ([NodeRecord]) -> Void
    private let done: () -> Void
    private var isLoading = false
    /// Handed over already, should Redis be lost in the middle: a record taken in twice would count twice.
    private var restored: Set<String> = []

    /// - Parameters:
    ///   - restore: gets the records, some at a time.
    ///   - done: called once when all were handed over.
    init(_ redis: RedisLink, restore: @escaping ([NodeRecord]) -> Void, done: @escaping () -> Void) {
        self.redis = redis
        self.restore = restore
        self.done = done
    }

    func load() {
        guard !isLoading else { return }
        isLoading = true
        redis.send(["ZRANGE", "all_nodes", "0", "-1"]) { [weak self] reply in
            guard let self else { return }
            guard let reply, reply.errorMessage == nil else { return isLoading = false }
            loadNext(reply.texts[...])
        }
    }

    private func loadNext(_ nodeIDs: ArraySlice<String>) {
        let part = nodeIDs.prefix(RegistryLoader.chunk)
        guard !part.isEmpty else {
            restored = []
            return done()
        }
        var records: [NodeRecord] = []
        var expired: [String] = []
        var isBroken = false
        for (index, nodeID) in part.enumerated() {
            let isLast = index == part.count - 1
            redis.send(["HGETALL", "node:\(nodeID)"]) { [weak self] reply in
                guard let self else { return }
                if let fields = reply?.dictionary {
                    if let record = NodeRecord(fields: fields) {
                        records.append(record)
                    } else {
                        expired.append(nodeID)
                    }
                } else {
                    isBroken = true
                }
                guard isLast else { return }
                guard !isBroken else { return isLoading = false }
                finish(records, expired)
                loadNext(nodeIDs.dropFirst(part.count))
            }
        }
    }

    /// Hands records over and puts the sets right, which a crash between two writes may have left wrong.
    private func finish(_ records: [NodeRecord], _ expired: [String]) {
        let fresh = records.filter { restored.insert($0.nodeID).inserted }
        restore(fresh)
        let active = records.filter { $0.status == .active }
        let ended = records.filter { $0.status != .active }.map(\.nodeID) + expired
        if !active.isEmpty {
            redis.send(["SADD", "active_nodes"] + active.map(\.nodeID))
            redis.send(
                ["ZADD", "node_last_seen"] + active.flatMap { [String($0.lastSeen.milliseconds), $0.nodeID] })
        }
        if !ended.isEmpty {
            redis.send(["SREM", "active_nodes"] + ended)
            redis.send(["ZREM", "node_last_seen"] + ended)
        }
        if !expired.isEmpty { redis.send(["ZREM", "all_nodes"] + expired) }
    }
}
