/// A server-side script: check and write in one step. Loaded once per connection, called by its SHA-1.
///
/// Source: the Redis manual, EVALSHA and SCRIPT LOAD.
public final class RedisScript {
    public let name: String
    public let source: String
    private var digest: String?

    public init(name: String, source: String) {
        self.name = name
        self.source = source
    }

    /// Queues SCRIPT LOAD; call it after every connect, ahead of the first ``arguments(keys:_:)``.
    public func load(on connection: RedisConnection, failure: @escaping (String) -> Void) {
        connection.send(["SCRIPT", "LOAD", source]) { [self] reply in
            switch reply {
            case .string?, .status?: digest = reply?.text
            case .error(let message)?: failure("script \(name): \(message)")
            default: break
            }
        }
    }

    /// The command that runs it. Until its digest is known the whole source is sent, which loads it as well.
    public func arguments(keys: [String], _ values: [String]) -> [String] {
        let head = digest.map { ["EVALSHA", $0] } ?? ["EVAL", source]
        return head + [String(keys.count)] + keys + values
    }

    /// Forgets the digest, so that a Redis that was emptied or replaced gets the source again.
    public func forget() { digest = nil }
}
