public import Domain

/// When the mesh puts its own brake on: too many commanded trades of a window came to nothing, or to nobody knows what.
public struct AutomaticBrake: Sendable, Equatable {
    /// What begins the reason of a brake nobody set by hand.
    public static let reasonPrefix = "automatic: "

    public let windowMilliseconds: Int64
    /// Fewer outcomes than this say nothing.
    public let minimum: Int
    /// The share of unknown and rejected ones from which on it acts, 0 to 1.
    public let share: Amount

    public init(windowMilliseconds: Int64, minimum: Int, share: Amount) {
        self.windowMilliseconds = windowMilliseconds
        self.minimum = minimum
        self.share = share
    }
}

/// How commanded trades ended lately, by the second.
struct OutcomeWindow: Sendable, Equatable {
    struct Counts: Sendable, Equatable {
        var filled = 0
        var rejected = 0
        var unknown = 0

        var total: Int { filled + rejected + unknown }
        var bad: Int { rejected + unknown }
    }

    private var seconds: [Int64: Counts] = [:]

    mutating func add(_ state: FireState, now: Timestamp) {
        switch state {
        case .filled: seconds[now.seconds, default: Counts()].filled += 1
        case .rejected: seconds[now.seconds, default: Counts()].rejected += 1
        case .unknown: seconds[now.seconds, default: Counts()].unknown += 1
        default: break
        }
    }

    mutating func clear() { seconds = [:] }

    mutating func counts(within milliseconds: Int64, now: Timestamp) -> Counts {
        let oldest = now.adding(milliseconds: -milliseconds).seconds
        seconds = seconds.filter { $0.key > oldest }
        return seconds.values.reduce(into: Counts()) { sum, counts in
            sum.filled += counts.filled
            sum.rejected += counts.rejected
            sum.unknown += counts.unknown
        }
    }
}

extension PositionTrackerEngine {
    /// An outcome came; where too many of the window are bad, everything goes to closes only.
    ///
    /// An `unknown` that is resolved later was counted already. What our own restart made unknown says nothing about
    /// brokers and is not counted.
    mutating func weigh(_ state: FireState, now: Timestamp, into outputs: inout [TrackerOutput]) {
        guard let rule = policy.automaticBrake else { return }
        outcomes.add(state, now: now)
        let counts = outcomes.counts(within: rule.windowMilliseconds, now: now)
        guard counts.bad > 0, counts.total >= rule.minimum, Amount(counts.bad) >= rule.share * Amount(counts.total),
            brakes.settings[.all] == nil
        else { return }
        let reason =
            "\(AutomaticBrake.reasonPrefix)\(counts.bad) of \(counts.total) outcomes in "
            + "\(rule.windowMilliseconds / 1000) s were bad: \(counts.unknown) unknown, \(counts.rejected) rejected"
        _ = set(brake: .all, to: .reducing, reason: reason, by: "position-tracker", now: now, into: &outputs)
        outputs.append(.count("automatic_brakes"))
    }

    /// The brake the mesh put on by itself, while it is on: worth an alert.
    public var automaticBrakeReason: String? {
        brakes.settings[.all].map(\.reason).flatMap { $0.hasPrefix(AutomaticBrake.reasonPrefix) ? $0 : nil }
    }
}
