public import Domain

/// What came from one broker server. Times are UTC.
public struct BrokerStatistics: Sendable, Equatable {
    public let server: String
    /// The company behind it, as terminals name it.
    public var broker: String?
    public var handshakes: Int64 = 0
    public var disconnects: Int64 = 0
    public var ticks: Int64 = 0
    public var firstSeen: Timestamp
    public var lastSeen: Timestamp
    public var lastTickAt: Timestamp?
    /// Of the newest quote that was the present when it came.
    public var lastQuoteAt: Timestamp?
    public private(set) var clock = BrokerClock()
    var isChanged = true

    public init(server: String, at now: Timestamp) {
        self.server = server
        firstSeen = now
        lastSeen = now
    }

    /// One quote, with its time on the broker's clock where it has one.
    mutating func note(tick brokerSeconds: Int64?, at now: Timestamp) {
        ticks &+= 1
        lastTickAt = now
        lastSeen = now
        isChanged = true
        if let brokerSeconds, clock.isCurrent(brokerSeconds: brokerSeconds, now: now) { lastQuoteAt = now }
    }

    /// Fields of its hash `broker:<server>`.
    public var fields: [(name: String, value: String)] {
        var list: [(name: String, value: String)] = [
            ("server", server), ("handshakes", String(handshakes)), ("disconnects", String(disconnects)),
            ("ticks", String(ticks)), ("first_seen", String(firstSeen.milliseconds)),
            ("last_seen", String(lastSeen.milliseconds)),
        ]
        if let broker { list.append(("broker", broker)) }
        if let lastTickAt { list.append(("last_tick_at", String(lastTickAt.milliseconds))) }
        if let lastQuoteAt { list.append(("last_quote_at", String(lastQuoteAt.milliseconds))) }
        if let offset = clock.offset { list.append(("clock_offset_ms", String(offset))) }
        return list
    }

    /// Adds what an earlier process had counted.
    mutating func add(earlier fields: [String: String]) {
        func number(_ name: String) -> Int64 { fields[name].flatMap { Int64($0) }.map { max(0, $0) } ?? 0 }
        handshakes &+= number("handshakes")
        disconnects &+= number("disconnects")
        ticks &+= number("ticks")
        if let first = fields["first_seen"].flatMap({ Int64($0) }) {
            firstSeen = min(firstSeen, Timestamp(milliseconds: first))
        }
        broker = broker ?? fields["broker"]
        isChanged = true
    }
}
