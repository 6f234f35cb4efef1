import Domain
import Redis
import ServiceKit
import Wire

/// Reads whom the command port turned away: position-tracker writes it down, and here the terminals' addresses are known.
final class RefusedPeersReader {
    static let key = "refused_peers:ea-commands"
    private let redis: RedisLink
    private let done: ([String: Timestamp]) -> Void

    init(_ redis: RedisLink, _ done: @escaping ([String: Timestamp]) -> Void) {
        self.redis = redis
        self.done = done
    }

    func read() {
        guard redis.isReady else { return }
        redis.send(["HGETALL", RefusedPeersReader.key]) { [weak self] reply in
            guard let self, let fields = reply?.dictionary else { return }
            done(
                fields.compactMapValues { text in
                    (try? JSON(Array(text.utf8)))?.object?["last_at"]?.text.flatMap { Int64($0) }
                        .map(Timestamp.init(milliseconds:))
                })
        }
    }
}
