import Redis
import ServiceKit

/// The terminals that are there when the process starts, and from where they are believed: read before the first frame
/// is. Otherwise whoever speaks for one of them first would be taken for it. Owned by the loop's thread.
final class KnownNodes {
    private static let names = [
        "server", "broker", "family", "socket_type", "user_uuid", "peer_address", "hears_commands",
        "hears_commands_reason",
    ]

    private(set) var nodes: [(nodeID: String, fields: [String: String])] = []
    private(set) var addresses: [String: String] = [:]
    /// Whether all of it was answered.
    private(set) var isLoaded = false
    private let redis: RedisLink

    init(_ redis: RedisLink) {
        self.redis = redis
        redis.onReady.append { [weak self] in self?.load() }
    }

    static func question(_ nodeID: String) -> [String] { ["HMGET", "node:\(nodeID)"] + names }

    static func fields(_ reply: RedisValue?) -> [String: String]? {
        guard let values = reply?.array, values.count == names.count else { return nil }
        var fields: [String: String] = [:]
        for (name, value) in zip(names, values) { fields[name] = value.text }
        return fields
    }

    private func load() {
        guard !isLoaded else { return }
        redis.send(["HGETALL", AddressFence.key]) { [weak self] reply in
            guard let fresh = reply?.dictionary else { return }
            self?.addresses = fresh
        }
        redis.send(["SMEMBERS", "active_nodes"]) { [weak self] reply in
            guard let self, let reply, reply.errorMessage == nil else { return }
            nodes = []
            for nodeID in reply.texts {
                redis.send(KnownNodes.question(nodeID)) { [weak self] reply in
                    if let fields = KnownNodes.fields(reply) { self?.nodes.append((nodeID, fields)) }
                }
            }
            // Answers come in order.
            redis.send(["PING"]) { [weak self] reply in if reply != nil { self?.isLoaded = true } }
        }
    }
}
