public import Domain

/// The ledger's arithmetic: every counter is a sum over states, so that `sent = accounted + unaccounted` can't fail.
public enum LedgerCounts {
    /// The counters of the hash `ledger` to which a row in a state adds one.
    private static func fields(_ state: FireState) -> [String] {
        switch state {
        case .reserved, .sending: []
        case .sent, .acknowledged: ["sent"]
        case .unknown, .filled, .rejected, .neverExecuted: ["sent", state.rawValue]
        case .expired, .denied: [state.rawValue]
        }
    }

    /// All counters, in the order they are shown.
    public static let names = ["sent", "filled", "rejected", "never_executed", "unknown", "denied", "expired"]
    /// The counters whose sum is `accounted`.
    public static let accounted = ["filled", "rejected", "never_executed"]

    /// What one move adds to the counters and takes from them.
    ///
    /// - Parameter before: nil where there was no row.
    public static func changes(from before: FireState?, to after: FireState) -> [(field: String, by: Int)] {
        var sums: [String: Int] = [:]
        for field in before.map(fields) ?? [] { sums[field, default: 0] -= 1 }
        for field in fields(after) { sums[field, default: 0] += 1 }
        return names.compactMap { name in
            guard let sum = sums[name], sum != 0 else { return nil }
            return (name, sum)
        }
    }
}

/// What is commanded and not accounted for, at one moment.
public struct LedgerSummary: Sendable, Equatable {
    public var unaccounted = 0
    public var unknown = 0
    /// Past their deadline.
    public var overdue = 0
    /// Age of the oldest, in seconds; nil where there is none.
    public var oldestAgeSeconds: Int64?
    /// Risked by them, by account currency. A fire without a stop has no figure: see ``withoutFigure``.
    public var moneyAtRisk: [String: Amount] = [:]
    public var withoutFigure = 0

    public init(_ fires: some Sequence<Fire>, now: Timestamp) {
        for fire in fires where fire.state.isUnaccounted {
            unaccounted += 1
            if fire.state == .unknown { unknown += 1 }
            if fire.expiresAt < now { overdue += 1 }
            oldestAgeSeconds = max(oldestAgeSeconds ?? 0, (now - (fire.times[.sending] ?? fire.createdAt)) / 1000)
            if let risk = fire.risk, risk.hasStop {
                moneyAtRisk[risk.currency, default: .zero] += risk.amount
            } else {
                withoutFigure += 1
            }
        }
    }
}
