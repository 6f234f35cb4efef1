import Domain

// Whether a step of the balance is one position's money.
extension ReconciliationEngine {
    /// The money of an end nobody told: the step, where a touched level explains it and nothing else can be in it.
    ///
    /// - Parameter others: our positions of the account that may have ended in the same step.
    func soleProfit(
        _ position: Position, _ others: [Position], _ state: AccountState, _ tracker: PositionTrackerEngine,
        now: Timestamp
    ) -> String? {
        let ticket = position.key.ticket
        let slack = AccountState.slackMilliseconds
        let since = max(state.opened(position), state.listedAt[ticket] ?? state.opened(position))
        let steps = state.steps.filter { $0.at > since }
        // A fire whose outcome is open, or a trade by hand, may have opened and closed in it.
        guard steps.count == 1, let step = steps.first, !step.isNoted, state.watches.isEmpty,
            state.strangers.isEmpty, let touch = state.touches[ticket],
            touch.at >= step.after.adding(milliseconds: -slack), touch.at <= step.at.adding(milliseconds: slack)
        else { return nil }
        // What else was booked near it may lie in it, with its money or its commission.
        let seen = state.witness == .positions ? min(step.after, since) : step.after
        let begin = seen.adding(milliseconds: -slack)
        guard
            !state.causes.contains(where: { $0.at > begin && $0.at <= step.at.adding(milliseconds: slack) }),
            !state.closed.contains(where: { $0.key != ticket && $0.value > begin })
        else { return nil }
        let money = ReconciliationMoney(tracker: tracker, now: now)
        guard isAtLevel(step.amount, position, state, money), others.allSatisfy({ wouldShow($0, others, money) }),
            isOnlyItsOwn(state, step, position, others, money),
            // A trade by hand may make up for the unrealised money of another one of ours that ended as well.
            isMargin(of: others, state, money)
        else { return nil }
        return step.amount.text(minimumDecimals: 2)
    }

    /// Whether the unrealised money tells of no trade by hand. It differs from our books as soon as this one is closed and
    /// still counted: then it must have begun to differ with the step, and be that of the others.
    private func isOnlyItsOwn(
        _ state: AccountState, _ step: BalanceStep, _ position: Position, _ others: [Position],
        _ money: ReconciliationMoney
    ) -> Bool {
        guard let mismatch = state.mismatch else { return true }
        let left = (ours[state.key] ?? []).subtracting([position.key])
        guard mismatch.since >= step.at, left == Set(others.map(\.key)), let floating = state.floating else {
            return false
        }
        var band = ReconciliationMoney.rounding
        var sum = Amount.zero
        for other in others {
            guard let value = money.floating(other), let tolerance = money.tolerance(other) else { return false }
            sum += value
            band += tolerance
        }
        return (floating - sum).magnitude <= band
    }

    /// Whether the unrealised money would have changed visibly had it ended as well.
    private func wouldShow(_ position: Position, _ all: [Position], _ money: ReconciliationMoney) -> Bool {
        guard let value = money.floating(position) else { return false }
        let band = all.reduce(ReconciliationMoney.rounding) { $0 + (money.tolerance($1) ?? value.magnitude) }
        return value.magnitude > band + band
    }

    /// Whether it is the money of the level that was touched.
    func isAtLevel(
        _ amount: Amount, _ position: Position, _ state: AccountState, _ money: ReconciliationMoney
    ) -> Bool {
        guard let touch = state.touches[position.key.ticket], let expected = money.expected(position, touch),
            let tolerance = money.tolerance(position)
        else { return false }
        return (amount - expected).magnitude <= tolerance
    }

    /// Worst and best it could have earned in a step; nil where its quotes were not followed all that time.
    func reached(
        _ position: Position, _ step: BalanceStep, _ state: AccountState, _ money: ReconciliationMoney
    ) -> (low: Amount, high: Amount)? {
        guard let range = ranges[position.key]?.reached(since: max(step.after, state.opened(position))),
            let first = money.profit(position, at: range.low), let second = money.profit(position, at: range.high)
        else { return nil }
        return (min(first, second), max(first, second))
    }
}
