import Domain
import Logging
import Redis
import ServiceKit

/// Keeps the feed's knowledge of which terminal belongs to which broker server: the registered ones once, then every
/// event of `events:nodes` behind that moment.
final class NodeFollower {
    private static let endings: Set<String> = ["replaced", "disconnected", "timeout"]
    private let feed: MarketFeed
    private let redis: RedisLink
    private let reactor: Reactor
    private let log: Logger
    private var reader: StreamReader?

    init(feed: MarketFeed, redis: RedisLink, reactor: Reactor, log: Logger) {
        self.feed = feed
        self.redis = redis
        self.reactor = reactor
        self.log = log
    }

    /// Loads the registered terminals; `done` says whether all of it was answered.
    func load(_ done: @escaping (Bool) -> Void) {
        // The stream's end first: what happens while the terminals are read comes again as an event.
        redis.send(["XREVRANGE", "events:nodes", "+", "-", "COUNT", "1"]) { [unowned self] reply in
            guard let reply else { return done(false) }
            follow(after: reply.array?.first?.array?.first?.text ?? "0-0")
        }
        redis.send(["SMEMBERS", "active_nodes"]) { [unowned self] reply in
            guard let reply else { return done(false) }
            let nodes = reply.texts
            guard !nodes.isEmpty else { return done(true) }
            var missing = nodes.count
            var isWhole = true
            for node in nodes {
                redis.send(["HMGET", "node:\(node)", "server", "user_uuid"]) { [unowned self] reply in
                    if let values = reply?.array, values.count == 2, let server = values[0].text {
                        assign(node, user: values[1].text, server: server)
                    }
                    if reply == nil { isWhole = false }
                    missing -= 1
                    if missing == 0 { done(isWhole) }
                }
            }
        }
    }

    private func follow(after identifier: String) {
        guard reader == nil else { return }
        reader = StreamReader(
            address: redis.address, stream: "events:nodes", group: nil, after: identifier, reactor: reactor, log: log
        ) { [unowned self] entries in
            for entry in entries { take(entry.fields) }
        }
    }

    private func take(_ fields: [String: String]) {
        guard let node = fields["node_id"], let event = fields["event"] else { return }
        if NodeFollower.endings.contains(event) {
            feed.forget(node: node, user: fields["user_uuid"])
        } else if let server = fields["server"] {
            assign(node, user: fields["user_uuid"], server: server)
        }
    }

    private func assign(_ node: String, user: String?, server: String) {
        guard feed.assign(node: node, user: user, server: server) else { return }
        // What handshake-processor learned of the broker's clock keeps an hours-old first quote from passing as another zone.
        redis.send(["HGET", "broker:\(server)", "clock_offset_ms"]) { [unowned self] reply in
            if let offset = reply?.integer { feed.prime(server: server, offset: offset, now: SystemClock.now()) }
        }
    }
}
