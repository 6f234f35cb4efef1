/// Whose orders rest at a level: stops of sellers above highs, stops of buyers below lows. Raw values are the
/// contract's words.
public enum LiquiditySide: String, Sendable, Codable, CaseIterable {
    case buySide = "buy_side"
    case sellSide = "sell_side"

    /// +1 where the level is run upwards, -1 where downwards: (price - level) * sign > 0 means beyond.
    var sign: Double { self == .buySide ? 1 : -1 }
}

/// The life of a level. The whole of it is `transitions`.
public enum LevelState: String, Sendable, Codable, CaseIterable {
    /// Untouched orders are believed to rest here.
    case resting
    /// Price went beyond by more than the pierce margin; not yet decided.
    case taken
    /// It closed back in time: the orders were collected and price turned.
    case swept
    /// It did not close back in time.
    case broken
    /// Out of view, about to be forgotten.
    case expired

    enum Event: Sendable, CaseIterable { case pierced, closedBack, windowPassed, retired }

    /// The transition table: whatever is not listed does not happen.
    static let transitions: [(from: LevelState, event: Event, to: LevelState)] = [
        (.resting, .pierced, .taken),
        (.resting, .retired, .expired),
        (.taken, .closedBack, .swept),
        (.taken, .windowPassed, .broken),
        (.swept, .retired, .expired),
        (.broken, .retired, .expired),
    ]

    func next(on event: Event) -> LevelState? {
        Self.transitions.first { $0.from == self && $0.event == event }?.to
    }
}

/// Where a level comes from; several when sources agree within the band.
public struct LevelOrigins: OptionSet, Sendable, Hashable, Codable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let swingFiveMinute = LevelOrigins(rawValue: 1)
    public static let swingFifteenMinute = LevelOrigins(rawValue: 2)
    public static let previousDay = LevelOrigins(rawValue: 4)
    public static let roundNumber = LevelOrigins(rawValue: 8)
    /// Extremes of the session that ended last: Tokyo 00:00 to 07:00, London 07:00 to 16:00, New York 12:00 to 21:00 UTC.
    public static let tokyoSession = LevelOrigins(rawValue: 16)
    public static let londonSession = LevelOrigins(rawValue: 32)
    public static let newYorkSession = LevelOrigins(rawValue: 64)

    public static let sessions: LevelOrigins = [.tokyoSession, .londonSession, .newYorkSession]
    public static let all: LevelOrigins = [
        .swingFiveMinute, .swingFifteenMinute, .previousDay, .roundNumber, .tokyoSession, .londonSession,
        .newYorkSession,
    ]

    /// The words shown to people, strongest first.
    public var names: [String] { Self.allNames[rawValue & 127] }

    /// The words of every combination: each answer shows some.
    private static let allNames = (0..<128).map { LevelOrigins(rawValue: $0).listed }

    private var listed: [String] {
        var names: [String] = []
        if contains(.previousDay) { names.append("previous_day") }
        if contains(.swingFifteenMinute) { names.append("swing_m15") }
        if contains(.tokyoSession) { names.append("tokyo_session") }
        if contains(.londonSession) { names.append("london_session") }
        if contains(.newYorkSession) { names.append("new_york_session") }
        if contains(.swingFiveMinute) { names.append("swing_m5") }
        if contains(.roundNumber) { names.append("round_number") }
        return names
    }
}

/// One extreme that belongs to a level; `time` is the start of the bar that made it.
public struct LevelMember: Sendable, Equatable {
    public var price: Double
    public var time: Int64
    public var origin: LevelOrigins
}

/// A price where orders are believed to rest: one extreme, or a pool of nearly equal ones.
///
/// Prices in quote currency, times in milliseconds of UTC. `band` and `pierceMargin` are fixed at birth.
public struct LiquidityLevel: Sendable, Equatable {
    public internal(set) var identifier: Int
    public internal(set) var side: LiquiditySide
    public internal(set) var state: LevelState = .resting
    public internal(set) var origins: LevelOrigins
    /// The first extreme; what joins lies within `band` of it.
    public internal(set) var anchor: Double
    /// The level: the mean of the members (the round number itself where there is no member).
    public internal(set) var price: Double
    /// The farthest member: beyond it lie the last stops.
    public internal(set) var outer: Double
    public internal(set) var band: Double
    public internal(set) var pierceMargin: Double
    public internal(set) var members: [LevelMember]
    public internal(set) var touches = 0
    public internal(set) var born: Int64
    /// When price went beyond, and the start of that M5 bar.
    public internal(set) var taken: Int64?
    var takenBar: Int64 = 0
    /// The farthest price reached since it was taken.
    public internal(set) var extreme: Double?
    /// When it was swept, broken or expired.
    public internal(set) var ended: Int64?
    var touching = false

    /// Beyond this the level counts as pierced.
    var trigger: Double { outer + side.sign * pierceMargin }

    mutating func apply(_ event: LevelState.Event) -> Bool {
        guard let next = state.next(on: event) else { return false }
        state = next
        return true
    }

    mutating func join(_ member: LevelMember) {
        origins.formUnion(member.origin)
        guard members.count < Self.maximumMembers else { return }
        members.append(member)
        settle()
    }

    /// Recomputes what follows from the members.
    mutating func settle() {
        guard let settled = PoolRule.settle(members.lazy.map(\.price), side) else { return }
        price = settled.level
        outer = settled.outer
    }

    /// How long a resting level of these origins is believed, by its longest-lived source.
    func lifetime(_ configuration: CitadelConfiguration) -> Int64 {
        var longest: Int64 = 0
        if origins.contains(.swingFiveMinute) { longest = max(longest, configuration.swingFiveMinuteAge) }
        if origins.contains(.swingFifteenMinute) { longest = max(longest, configuration.swingFifteenMinuteAge) }
        if origins.contains(.previousDay) { longest = max(longest, configuration.previousDayAge) }
        if !origins.isDisjoint(with: .sessions) { longest = max(longest, configuration.sessionAge) }
        if origins.contains(.roundNumber) { longest = max(longest, configuration.roundNumberAge) }
        return longest
    }

    /// 0 to 10: what it comes from (round number 2, M5 swing 3, session 4, M15 swing 5, previous day 6), +1.5 for each
    /// further member (at most 4.5), +0.5 for each touch that held (at most 1.5), and down to -2 with age.
    func strength(at now: Int64, _ configuration: CitadelConfiguration) -> Double {
        var value: Double
        if origins.contains(.previousDay) {
            value = 6
        } else if origins.contains(.swingFifteenMinute) {
            value = 5
        } else if !origins.isDisjoint(with: .sessions) {
            value = 4
        } else if origins.contains(.swingFiveMinute) {
            value = 3
        } else {
            value = 2
        }
        value += min(4.5, 1.5 * Double(max(0, members.count - 1)))
        value += min(1.5, 0.5 * Double(touches))
        let age = Double(max(0, now - born)) / Double(max(1, lifetime(configuration)))
        value -= 2 * min(1, age)
        return min(10, max(0, value))
    }

    static let maximumMembers = 16
}
