/// What one broker server's clock is to ours, learned from the times in its quotes, and so: which quotes are the present.
///
/// Terminals stamp quotes with the broker's clock, whole seconds and no zone. After a start they send last quotes
/// that may be days old, after an outage a thousand queued ones. Only a quote whose time keeps up with the newest
/// seen from that server counts as current. A value; the caller brings the time. Source: ea-wire 1.2 to 1.4.
public struct BrokerClock: Sendable, Equatable {
    /// A quote older than this against the newest is not the present.
    public static let currentWithinMilliseconds: Int64 = 5_000
    /// An offset that is no multiple of a quarter of an hour must hold this long before it is believed.
    static let settlingMilliseconds: Int64 = 10_000
    /// The window after which an offset nothing reaches any more (a clock change) is given up.
    static let windowMilliseconds: Int64 = 60_000
    /// Time zones reach from -12 to +14 hours; past that a time is not of today.
    static let bounds: ClosedRange<Int64> = (-12 * 3_600_000 - 60_000)...(14 * 3_600_000 + 60_000)

    /// Broker clock minus UTC in milliseconds, nil until a plausible quote was seen.
    public private(set) var offset: Int64?
    private var raisedAt = Timestamp(milliseconds: 0)
    private var reachedAt = Timestamp(milliseconds: 0)
    private var windowBest: Int64 = .min

    public init() {}

    /// Takes one quote's time in and says how many milliseconds it is behind the present; nil while nothing is known.
    public mutating func age(ofBrokerSeconds seconds: Int64, now: Timestamp) -> Int64? {
        let difference = seconds * 1000 - now.milliseconds
        guard BrokerClock.bounds.contains(difference) else { return nil }
        learn(difference, now)
        guard let offset else { return nil }
        return max(0, offset - difference)
    }

    /// Whether a quote of that broker time is the present.
    public mutating func isCurrent(brokerSeconds seconds: Int64, now: Timestamp) -> Bool {
        guard let age = age(ofBrokerSeconds: seconds, now: now) else { return false }
        return age <= BrokerClock.currentWithinMilliseconds && isSettled(now)
    }

    /// UTC of a broker time, exact to the second once the offset is known.
    public func utc(brokerSeconds seconds: Int64) -> Timestamp? {
        guard let offset else { return nil }
        return Timestamp(milliseconds: seconds * 1000 - BrokerClock.quarterHours(offset))
    }

    /// Brokers live on quarter-hour zones: an offset beside one is believed at once, any other only after a while.
    private func isSettled(_ now: Timestamp) -> Bool {
        guard let offset else { return false }
        let distance = offset - BrokerClock.quarterHours(offset)
        return (-4_000...2_000).contains(distance) || now - raisedAt >= BrokerClock.settlingMilliseconds
    }

    private mutating func learn(_ difference: Int64, _ now: Timestamp) {
        windowBest = max(windowBest, difference)
        guard let known = offset else {
            offset = difference
            raisedAt = now
            reachedAt = now
            return
        }
        if difference > known {
            if difference - known > 2_000 { raisedAt = now }
            offset = difference
            reachedAt = now
            windowBest = .min
        } else if known - difference <= BrokerClock.currentWithinMilliseconds {
            reachedAt = now
            windowBest = .min
        } else if now - reachedAt > BrokerClock.windowMilliseconds {
            // Nothing reached the old offset for a whole window: the broker's clock went back (daylight saving).
            offset = windowBest
            raisedAt = now
            reachedAt = now
            windowBest = .min
        }
    }

    static func quarterHours(_ milliseconds: Int64) -> Int64 {
        let quarter: Int64 = 900_000
        let shifted = milliseconds + (milliseconds >= 0 ? quarter / 2 : -quarter / 2)
        return shifted / quarter * quarter
    }
}
