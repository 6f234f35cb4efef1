public import Domain

/// When a broker's terminals speak, learned from its own fleet: quarter hours of New York's week.
///
/// New York's clock and not UTC, since sessions move with its summer time: what was learned in winter holds in summer.
/// A quarter hour counts as observed where somebody listened for most of it and a terminal was connected; two
/// observations are believed, one holiday does not change them. Until then there is the calendar.
public struct BrokerSession: Sendable, Equatable {
    public enum Expectation: String, Sendable { case open, closed, unknown }

    public static let slots = 672
    private static let slotMilliseconds: Int64 = 900_000
    /// Listened to for so long, a quarter hour counts.
    private static let observedMilliseconds: Int64 = 720_000
    private static let believed: UInt8 = 2

    public var calendar: MarketCalendar
    /// Per slot how often it was open, 0 to 200, newer weeks counting more.
    private var activity = [UInt8](repeating: 0, count: BrokerSession.slots)
    private var observations = [UInt8](repeating: 0, count: BrokerSession.slots)
    private var slotNumber: Int64?
    private var listened: Int64 = 0
    private var wasHeard = false
    /// Learned something since the last ``takeChanged()``.
    private var isChanged = false

    public init(calendar: MarketCalendar = .forex) { self.calendar = calendar }

    /// Takes in the time since the last look.
    ///
    /// - Parameters:
    ///   - isHeard: whether any of the broker's terminals gave a sign of life or a quote since then.
    ///   - milliseconds: how long somebody listened to a connected terminal, by a clock that never steps.
    public mutating func note(isHeard: Bool, listened milliseconds: Int64, at now: Timestamp) {
        let number = NewYorkClock.localMinutes(at: now) / 15
        if number != slotNumber {
            if let slotNumber, listened >= BrokerSession.observedMilliseconds { learn(slotNumber) }
            slotNumber = number
            listened = 0
            wasHeard = false
        }
        listened = min(BrokerSession.slotMilliseconds, listened + max(0, milliseconds))
        wasHeard = wasHeard || isHeard
    }

    private mutating func learn(_ number: Int64) {
        let slot = BrokerSession.slot(number)
        let target: Int = wasHeard ? 200 : 0
        let count = Int(observations[slot])
        let known = Int(activity[slot])
        // The mean of the first four weeks, then a quarter for each new one.
        activity[slot] = UInt8(clamping: known + (target - known) / min(count + 1, 4))
        observations[slot] = UInt8(clamping: min(count + 1, 250))
        isChanged = true
    }

    private static func slot(_ number: Int64) -> Int {
        let shifted = (number + 4 * 96) % Int64(slots)
        return Int(shifted < 0 ? shifted + Int64(slots) : shifted)
    }

    /// What its own fleet has shown of this moment; unknown where it has not shown enough.
    public func learned(at time: Timestamp) -> Expectation {
        let slot = BrokerSession.slot(NewYorkClock.localMinutes(at: time) / 15)
        guard observations[slot] >= BrokerSession.believed else { return .unknown }
        return activity[slot] >= 100 ? .open : .closed
    }

    /// The same with the calendar where nothing was learned.
    public func expected(at time: Timestamp) -> Expectation {
        let learned = learned(at: time)
        return learned != .unknown ? learned : calendar.isOpen(at: time) ? .open : .closed
    }

    /// Whether it was learned that terminals speak now and a quarter hour before and after: at the edges they fall
    /// silent and wake up one by one.
    public func isSurelyOpen(at time: Timestamp) -> Bool {
        [-BrokerSession.slotMilliseconds, 0, BrokerSession.slotMilliseconds].allSatisfy {
            learned(at: time.adding(milliseconds: $0)) == .open
        }
    }

    /// Whether it should speak now by what is known, the calendar included, away from the edges.
    public func isLikelyOpen(at time: Timestamp) -> Bool {
        [-BrokerSession.slotMilliseconds, 0, BrokerSession.slotMilliseconds].allSatisfy {
            expected(at: time.adding(milliseconds: $0)) == .open
        }
    }

    /// Whether its market opens or closes about now, a quarter hour early or late.
    public func isAtEdge(at time: Timestamp) -> Bool {
        let now = expected(at: time)
        return [-BrokerSession.slotMilliseconds, BrokerSession.slotMilliseconds].contains {
            expected(at: time.adding(milliseconds: $0)) != now
        }
    }

    /// How many of the week's quarter hours are known.
    public var learnedSlots: Int { observations.count { $0 >= BrokerSession.believed } }

    // MARK: - Keeping

    /// Whether there is news to write.
    mutating func takeChanged() -> Bool {
        defer { isChanged = false }
        return isChanged
    }

    /// Four hexadecimal digits for each quarter hour: activity, observations.
    public var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * BrokerSession.slots)
        let digits = Array("0123456789abcdef".utf8)
        for slot in 0..<BrokerSession.slots {
            for value in [activity[slot], observations[slot]] {
                bytes.append(digits[Int(value >> 4)])
                bytes.append(digits[Int(value & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What an earlier process had learned; false where the text is none of ours.
    public mutating func restore(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 4 * BrokerSession.slots else { return false }
        var values: [UInt8] = []
        for index in stride(from: 0, to: bytes.count, by: 2) {
            guard let high = BrokerSession.digit(bytes[index]), let low = BrokerSession.digit(bytes[index + 1]) else {
                return false
            }
            values.append(high << 4 | low)
        }
        for slot in 0..<BrokerSession.slots {
            activity[slot] = min(200, values[2 * slot])
            observations[slot] = values[2 * slot + 1]
        }
        return true
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
