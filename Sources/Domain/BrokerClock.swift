/// What one broker server's clock is to ours, learned from its quotes' times, and so: which quotes are the present.
///
/// Terminals stamp quotes with the broker's clock, whole seconds and no zone. After a start they send last quotes
/// that may be days old, after an outage a thousand queued ones. Only a quote whose time keeps up with the newest
/// seen from that server counts as current. A value; the caller brings the time. Source: ea-wire 1.2 to 1.4.
public struct BrokerClock: Sendable, Equatable {
    /// A quote older than this against the newest is not the present.
    public static let currentWithinMilliseconds: Int64 = 5_000
    /// An offset that is no whole number of hours must hold this long before it is believed.
    static let settlingMilliseconds: Int64 = 10_000
    /// After a jump even an offset beside a whole hour must hold this long: a backlog passes by every one.
    static let jumpMilliseconds: Int64 = 1_000
    /// How long quotes must keep missing the offset until it is given up (a clock change).
    static let windowMilliseconds: Int64 = 60_000
    /// Time zones reach from -12 to +14 hours; past that a time is not of today.
    static let bounds: ClosedRange<Int64> = (-12 * 3_600_000 - 60_000)...(14 * 3_600_000 + 60_000)

    /// Broker clock minus UTC in milliseconds, nil until a plausible quote was seen.
    public private(set) var offset: Int64?
    /// When the offset was first seen or last moved by a second and more.
    private var movedAt = Timestamp(milliseconds: 0)
    private var hasJumped = false
    /// Since when quotes come that do not reach the offset, and the best of them; nil after one that does.
    private var missing: Missing?

    private struct Missing: Equatable {
        let since: Timestamp
        var best: Int64
    }

    public init() {}

    /// Takes one quote's time in and says how many milliseconds it is behind the present; nil while nothing is known.
    public mutating func age(ofBrokerSeconds seconds: Int64, now: Timestamp) -> Int64? {
        let difference = Timestamp(seconds: seconds) - now
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
        return Timestamp(seconds: seconds).adding(milliseconds: -BrokerClock.quarterHours(offset))
    }

    /// Brokers live on zones of whole hours, so such an offset is believed at once, and any other only after a while. Zones
    /// with half hours and quarters exist, but a quote that is a quarter of an hour old is much more common.
    private func isSettled(_ now: Timestamp) -> Bool {
        guard let offset else { return false }
        let held = now - movedAt
        let distance = offset - BrokerClock.rounded(offset, to: 3_600_000)
        guard (-4_000...2_000).contains(distance) else { return held >= BrokerClock.settlingMilliseconds }
        return !hasJumped || held >= BrokerClock.jumpMilliseconds
    }

    private mutating func learn(_ difference: Int64, _ now: Timestamp) {
        guard let known = offset else {
            offset = difference
            movedAt = now
            return
        }
        if difference > known {
            if difference - known >= 1_000 { jump(now) }
            offset = difference
            missing = nil
        } else if known - difference <= BrokerClock.currentWithinMilliseconds {
            missing = nil
        } else if let missed = missing {
            let best = max(missed.best, difference)
            missing = Missing(since: missed.since, best: best)
            // Silence proves nothing, and a backlog comes in one burst: only a minute of late quotes is another clock.
            if now - missed.since > BrokerClock.windowMilliseconds {
                offset = best
                missing = nil
                jump(now)
            }
        } else {
            missing = Missing(since: now, best: difference)
        }
    }

    private mutating func jump(_ now: Timestamp) {
        movedAt = now
        hasJumped = true
    }

    static func quarterHours(_ milliseconds: Int64) -> Int64 { rounded(milliseconds, to: 900_000) }

    private static func rounded(_ milliseconds: Int64, to unit: Int64) -> Int64 {
        let shifted = milliseconds + (milliseconds >= 0 ? unit / 2 : -unit / 2)
        return shifted / unit * unit
    }
}
