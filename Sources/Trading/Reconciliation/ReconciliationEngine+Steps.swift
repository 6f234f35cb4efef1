import Domain

// What a step of the balance shows beside the quotes.
extension ReconciliationEngine {
    /// What the balance shows beside the quotes: certain where exactly one set of touched levels explains a step.
    mutating func judgeSteps(
        _ state: inout AccountState, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        let open = (ours[state.key] ?? []).compactMap { tracker.positions[$0] }
            .filter { underWay["\($0.key)|order_closed|"] == nil && state.missing[$0.key.ticket] == nil }
            .sorted { $0.key.ticket < $1.key.ticket }
        for step in state.steps where !step.isNoted {
            let candidates = open.filter { state.opened($0) < step.at }
            // A complete list says itself what is open.
            let isListed = state.witness == .positions && state.isComplete
            if !isListed, state.watches.isEmpty, let set = certainSet(step, candidates, state, tracker, now: now) {
                for position in set {
                    let others = candidates.filter { $0.key != position.key }
                    let profit = set.count == 1 ? soleProfit(position, others, state, tracker, now: now) : nil
                    close(position, state, by: .quote, profit: profit, at: step.at, now: now, into: &outputs)
                }
                return
            }
            guard now - step.seenAt >= ReconciliationEngine.patienceMilliseconds else { continue }
            guard underWay.keys.allSatisfy({ !$0.hasPrefix("\(state.key)|") }) else { continue }
            let suspects = isListed ? [] : candidates.filter { isSuspect($0, step, state, tracker, now: now) }
            for position in suspects {
                askSilentClose(
                    position, state, step, "the balance moved by \(step.amount.money), which closing it may have done",
                    now: now, into: &outputs)
            }
            // Whoever answers for the suspects answers for the step: once it is none of theirs, it is asked itself.
            guard suspects.isEmpty else { continue }
            askStep(step, state, now: now, into: &outputs)
        }
    }

    /// The one set of touched positions that earned the step; nil where there is none, or more than one.
    private func certainSet(
        _ step: BalanceStep, _ open: [Position], _ state: AccountState, _ tracker: PositionTrackerEngine,
        now: Timestamp
    ) -> [Position]? {
        let money = ReconciliationMoney(tracker: tracker, now: now)
        let slack = AccountState.slackMilliseconds
        let touched = open.compactMap { position -> (position: Position, expected: Amount, band: Amount)? in
            guard let touch = state.touches[position.key.ticket], state.keptOpen[position.key.ticket] == nil,
                touch.at >= step.after.adding(milliseconds: -slack), touch.at <= step.at.adding(milliseconds: slack),
                let expected = money.expected(position, touch), let band = money.tolerance(position)
            else { return nil }
            return (position, expected, band)
        }
        guard !touched.isEmpty, touched.count <= ReconciliationEngine.combinedTouches,
            let sums = state.bookedSums(within: step)
        else { return nil }
        var found: [[Position]] = []
        for booked in sums {
            for mask in 1..<(1 << touched.count) {
                let chosen = touched.indices.filter { mask & (1 << $0) != 0 }.map { touched[$0] }
                let band = chosen.reduce(booked.band) { $0 + $1.band }
                let sum = chosen.reduce(booked.amount) { $0 + $1.expected }
                let positions = chosen.map(\.position)
                if (sum - step.amount).magnitude <= band, !found.contains(positions) { found.append(positions) }
                // Two that fit are as good as many: neither is certain.
                if found.count > 1 { return nil }
            }
        }
        guard found.count == 1, let set = found.first else { return nil }
        // Another one, closed by hand at the market, may have earned as much.
        let names = Set(set.map(\.key))
        guard !open.contains(where: { !names.contains($0.key) && isSuspect($0, step, state, tracker, now: now) }),
            // Unrealised money from before the step says nothing of it.
            state.lookedAt.map({ $0 >= step.at }) ?? false, isSupported(set, open, state, money)
        else { return nil }
        return set
    }

    /// Whether closing it, or a part of it, may have moved the balance so.
    private func isSuspect(
        _ position: Position, _ step: BalanceStep, _ state: AccountState, _ tracker: PositionTrackerEngine,
        now: Timestamp
    ) -> Bool {
        if let kept = state.keptOpen[position.key.ticket], kept >= step.at { return false }
        // A list that has it since says that it is open.
        if let listed = state.listedAt[position.key.ticket], listed >= step.at { return false }
        let money = ReconciliationMoney(tracker: tracker, now: now)
        guard let tolerance = money.tolerance(position), let reached = reached(position, step, state, money) else {
            return true
        }
        let low = min(reached.low, .zero) - tolerance
        let high = max(reached.high, .zero) + tolerance
        return step.amount >= low && step.amount <= high
            || isAtLevel(step.amount, position, state, money)
    }

    /// Whether the unrealised money is that of the others, and not of all: the second figure the terminal shows.
    private func isSupported(
        _ closed: [Position], _ open: [Position], _ state: AccountState, _ money: ReconciliationMoney
    ) -> Bool {
        guard let floating = state.floating else { return false }
        let names = Set(closed.map(\.key))
        var with = Amount.zero
        var without = Amount.zero
        var band = ReconciliationMoney.rounding
        for position in open {
            guard let value = money.floating(position), let tolerance = money.tolerance(position) else { return false }
            with += value
            if !names.contains(position.key) {
                without += value
                band += tolerance
            }
        }
        return (floating - without).magnitude <= band && (floating - with).magnitude > band
    }
}
