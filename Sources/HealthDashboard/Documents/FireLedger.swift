import Domain
import Wire

/// Whether every commanded trade is accounted for; where one is not: how many, how old, how much money.
struct FireLedger: Sendable, Equatable {
    struct Count: Sendable, Equatable {
        let name: String
        let count: Int64
    }

    /// Fires that left for a terminal.
    private(set) var sent: Int64 = 0
    /// Those of them whose outcome is known: filled, rejected or never executed.
    private(set) var accounted: Int64 = 0
    /// `sent - accounted`.
    private(set) var unaccounted: Int64 = 0
    /// Rows whose outcome is unknown: no answer in time, or a crash in between.
    private(set) var unknown: Int64 = 0
    /// Unaccounted rows past their deadline.
    private(set) var overdue: Int64 = 0
    /// Of the oldest unaccounted row.
    private(set) var oldestAgeMilliseconds: Int64?
    /// What the stops of unaccounted fires would cost, per currency: amounts of different currencies are never added.
    private(set) var moneyAtRisk: [String: Amount] = [:]
    /// Unaccounted rows that say nothing of money.
    private(set) var withoutFigure: Int64 = 0
    /// The counters of position-tracker by state.
    private(set) var byState: [Count] = []

    init(_ snapshot: Snapshot, now: Timestamp) {
        for fire in snapshot.fires { take(FireStanding(fire, now: now)) }
        func counter(_ name: String) -> Int64 { snapshot.ledger[name].flatMap { Int64($0) } ?? 0 }
        // The counters are of one moment, the rows are read one after the other: the counts come from the counters.
        accounted = FireStanding.accountedStates.reduce(0) { $0 + counter($1) }
        sent = max(counter("sent"), accounted + overdue)
        unaccounted = sent - accounted
        unknown = snapshot.ledger["unknown"].flatMap { Int64($0) } ?? unknown
        byState = snapshot.ledger.sorted { $0.key < $1.key }.compactMap { name, value in
            Int64(value).map { Count(name: name, count: $0) }
        }
    }

    private mutating func take(_ fire: FireStanding) {
        guard fire.isUnaccounted else { return }
        if fire.state == "unknown" { unknown += 1 }
        if fire.isOverdue { overdue += 1 }
        if let age = fire.ageMilliseconds { oldestAgeMilliseconds = max(oldestAgeMilliseconds ?? 0, age) }
        if let risk = fire.risk {
            moneyAtRisk[risk.currency, default: .zero] += risk.amount
        } else {
            withoutFigure += 1
        }
    }

    var json: JSON {
        .object([
            "sent": .integer(sent), "accounted": .integer(accounted), "unaccounted": .integer(unaccounted),
            "unknown": .integer(unknown), "overdue": .integer(overdue),
            "oldest_age_s": oldestAgeMilliseconds.map { .integer($0 / 1000) } ?? .null,
            "money_at_risk": .object(moneyAtRisk.moneyObject), "without_figure": .integer(withoutFigure),
            "by_state": .object(
                byState.reduce(into: JSONObject()) { $0.append($1.name, .integer($1.count)) }),
        ])
    }

    /// `2 fires are past the deadline without a known outcome, the oldest for 95 s, 41.20 USD at risk`.
    var overdueText: String {
        var text = "\(overdue) \(overdue == 1 ? "fire is" : "fires are") past the deadline without a known outcome"
        if let age = oldestAgeMilliseconds { text += ", the oldest for \(age / 1000) s" }
        let money = moneyAtRisk.sorted { $0.key < $1.key }.map { "\($1.money) \($0)" }.joined(separator: " and ")
        return money.isEmpty ? text : text + ", \(money) at risk"
    }
}

extension Dictionary where Key == String, Value == Amount {
    /// Currency to sum, in the order of currencies.
    var moneyObject: JSONObject {
        sorted { $0.key < $1.key }.reduce(into: JSONObject()) { object, item in
            object.append(item.key.isEmpty ? "unknown" : item.key, .number(item.value.money))
        }
    }
}
