public import Logging
public import Redis

/// Follows a Redis stream on a connection of its own: XREADGROUP or XREAD with BLOCK, which would hold up others.
///
/// Entries come in order; the next read is asked for when the handler has taken the last ones. With a group, first
/// those that this consumer was given before and did not acknowledge, then new ones. Owned by the loop's thread.
/// Source: the Redis manual, XREADGROUP, XREAD.
public final class StreamReader {
    public struct Entry: Sendable {
        public let identifier: String
        public let fields: [String: String]
    }

    private let connection: RedisConnection
    private let stream: String
    private let group: String?
    private let consumer: String
    private var cursor: String
    private let handler: ([Entry]) -> Void
    private let log: Logger
    private let isWanted: () -> Bool
    private var nextAttempt: Int64 = 0
    private var isReading = false
    private var askedAt: Int64 = 0
    private static let blockMilliseconds: Int64 = 5000
    /// An answer comes when the block is over at the latest; past this the connection is dead.
    private static let giveUpMilliseconds: Int64 = 10_000

    /// - Parameters:
    ///   - group: the consumer group, made where it is missing; nil reads without one from `after`.
    ///   - after: where to begin without a group: an entry's id, or `$` for what comes from now on.
    ///   - isWanted: whether more can be taken; while it can't, entries wait in the stream.
    public init(
        address: RedisAddress, stream: String, group: String?, consumer: String = "main", after: String = "$",
        reactor: Reactor, log: Logger, while isWanted: @escaping () -> Bool = { true },
        handler: @escaping ([Entry]) -> Void
    ) {
        self.isWanted = isWanted
        connection = RedisConnection(address)
        self.stream = stream
        self.group = group
        self.consumer = consumer
        cursor = group == nil ? after : "0"
        self.handler = handler
        self.log = log
        reactor.watch(
            descriptor: { [connection] in connection.descriptor },
            wantsWrite: { [connection] in connection.wantsWrite },
            readable: { [unowned self] in guarded { () throws(RedisConnectionError) in try connection.readReplies() } },
            writable: { [unowned self] in guarded { () throws(RedisConnectionError) in try connection.flush() } })
        reactor.beforeWait { [unowned self] in
            // Where reading paused it goes on as soon as more is wanted.
            if connection.isOpen { read() }
            guarded { () throws(RedisConnectionError) in try connection.flush() }
        }
        reactor.every(milliseconds: 100) { [unowned self] in reconnect() }
        reconnect()
    }

    private func reconnect() {
        let now = SystemClock.monotonicMilliseconds()
        if isReading, now - askedAt > StreamReader.giveUpMilliseconds { connection.close() }
        guard !connection.isOpen, now >= nextAttempt else { return }
        nextAttempt = now + 200
        isReading = false
        guarded { [self] () throws(RedisConnectionError) in
            try connection.open()
            if let group {
                // What this consumer was given and did not finish comes first after every reconnection.
                cursor = "0"
                connection.send(["XGROUP", "CREATE", stream, group, "0", "MKSTREAM"]) { _ in }
            }
            if cursor == "$" { findEnd() } else { read() }
        }
    }

    /// `$` means the end at the moment of each XREAD: what comes between two of them would be lost. It is looked up
    /// once and followed from there.
    private func findEnd() {
        isReading = true
        askedAt = SystemClock.monotonicMilliseconds()
        connection.send(["XREVRANGE", stream, "+", "-", "COUNT", "1"]) { [unowned self] reply in
            isReading = false
            guard let reply else { return }
            if reply.errorMessage != nil { return receive(reply) }
            cursor = reply.array?.first?.array?.first?.text ?? "0"
            read()
        }
    }

    private func read() {
        guard !isReading, isWanted() else { return }
        isReading = true
        askedAt = SystemClock.monotonicMilliseconds()
        let block = String(StreamReader.blockMilliseconds)
        let command: [String] =
            if let group {
                ["XREADGROUP", "GROUP", group, consumer, "COUNT", "256", "BLOCK", block, "STREAMS", stream, cursor]
            } else {
                ["XREAD", "COUNT", "256", "BLOCK", block, "STREAMS", stream, cursor]
            }
        connection.send(command) { [unowned self] reply in
            isReading = false
            guard let reply else { return }
            receive(reply)
        }
    }

    private func receive(_ reply: RedisValue) {
        if let message = reply.errorMessage {
            log.info("a stream can't be read", metadata: ["stream": "\(stream)", "answer": "\(message)"])
            return connection.close()
        }
        let entries = StreamReader.entries(reply)
        if group != nil, cursor != ">" {
            // The backlog is read through by id; when it is empty, new entries follow.
            cursor = entries.last?.identifier ?? ">"
        } else if group == nil, let last = entries.last {
            cursor = last.identifier
        }
        if !entries.isEmpty { handler(entries) }
        if connection.isOpen { read() }
    }

    private static func entries(_ reply: RedisValue) -> [Entry] {
        guard let stream = reply.array?.first?.array, stream.count == 2, let rows = stream[1].array else { return [] }
        return rows.compactMap { row in
            guard let parts = row.array, parts.count == 2, let identifier = parts[0].text else { return nil }
            return Entry(identifier: identifier, fields: parts[1].dictionary ?? [:])
        }
    }

    private func guarded(_ body: () throws(RedisConnectionError) -> Void) {
        do throws(RedisConnectionError) {
            try body()
        } catch {
            isReading = false
            nextAttempt = SystemClock.monotonicMilliseconds() + 200
        }
    }
}
