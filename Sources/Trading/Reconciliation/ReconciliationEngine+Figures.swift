import Domain

// Looks that show figures only: 2.05, 2.02, 2.01 and the own form's ordinary heartbeat.
extension ReconciliationEngine {
    /// Past this leverage a position may need less margin than a cent: no margin is no proof then.
    static let provingLeverage = Amount(5_000)
    /// More touched positions than this are not tried in every combination.
    static let combinedTouches = 8

    mutating func compareFigures(
        _ report: TerminalReport, _ positions: [Position], _ state: inout AccountState,
        _ tracker: PositionTrackerEngine, now: Timestamp
    ) {
        // A list is the better witness: figures beside it, from another port, change nothing.
        guard state.witness != .positions || state.theirs.isEmpty && state.missing.isEmpty else { return }
        state.witness = .figures
        let margin = report.margin.flatMap { Amount($0) }
        let level = report.marginLevel.flatMap { Amount($0) }
        guard let balance = report.balance.flatMap({ Amount($0) }), let equity = report.equity.flatMap({ Amount($0) }),
            let isFree = margin.map(\.isZero) ?? level.map(\.isZero)
        else { return }
        let isFlat = isFree && equity == balance
        state.flatLooks = isFlat ? state.flatLooks + 1 : 0
        state.hasExposure = !isFree && (ours[state.key] ?? []).isEmpty && state.watches.isEmpty
        compareFloating(positions, &state, tracker, now: now)
    }

    /// Whether a position would show as margin.
    func proves(_ state: AccountState) -> Bool {
        state.leverage.map { $0.isPositive && $0 <= ReconciliationEngine.provingLeverage } ?? false
    }

    /// The unrealised money beside that of our positions: what differs is somebody else's, or one of ours is gone.
    private func compareFloating(
        _ positions: [Position], _ state: inout AccountState, _ tracker: PositionTrackerEngine, now: Timestamp
    ) {
        let money = ReconciliationMoney(tracker: tracker, now: now)
        guard let floating = state.floating, let lookedAt = state.lookedAt,
            positions.count == (ours[state.key] ?? []).count
        else { return state.mismatch = nil }
        var sum = Amount.zero
        var band = ReconciliationMoney.rounding
        for position in positions {
            guard let value = money.floating(position), let tolerance = money.tolerance(position) else {
                return state.mismatch = nil
            }
            sum += value
            band += tolerance
        }
        guard (floating - sum).magnitude > band else { return state.mismatch = nil }
        state.mismatch = LookCount(
            count: (state.mismatch?.count ?? 0) + 1, since: state.mismatch?.since ?? lookedAt, volume: floating - sum)
    }

    /// Asks once where the figures have not been those of our books for several looks.
    mutating func judgeMismatch(
        _ state: AccountState, now: Timestamp, into outputs: inout [ReconciliationOutput]
    ) {
        let subject = "figures"
        guard let mismatch = state.mismatch, state.witness == .figures else {
            return withdraw(.ghost, subject, state, "the figures are those of our books again", into: &outputs)
        }
        guard mismatch.count >= ReconciliationEngine.looksForCertainty, !(ours[state.key] ?? []).isEmpty else { return }
        var question = ReconciliationQuestion(
            .ghost, about: subject, server: state.server, account: state.account, userUUID: state.userUUID,
            text:
                "the account's unrealised money is not that of our positions: a trade by hand, or one of ours is closed",
            evidence: [
                ("difference", mismatch.volume?.money ?? "unknown"),
                ("since", String(mismatch.since.milliseconds)),
            ], askedAt: now)
        question.nodeID = state.nodeID
        question.money = mismatch.volume?.money
        question.currency = state.currency
        put(question, into: &outputs)
    }

    /// What an account without any position shows for certain: where the balance moved by more than commission, ours
    /// are closed. Where it did not, a hedge by hand at the same price shows the same: that is asked.
    mutating func judgeFlat(
        _ state: inout AccountState, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        guard state.witness == .figures, state.flatLooks > 0, let lookedAt = state.lookedAt else { return }
        let all = (ours[state.key] ?? []).compactMap { tracker.positions[$0] }
        let open = all.filter { $0.openedAt.adding(milliseconds: ReconciliationEngine.freshMilliseconds) < lookedAt }
            .sorted { $0.key.ticket < $1.key.ticket }
        guard !open.isEmpty else { return }
        let money = ReconciliationMoney(tracker: tracker, now: now)
        let moved = state.steps.filter { !$0.isNoted }.reduce(Amount.zero) { $0 + $1.amount }
        let commission = open.reduce(ReconciliationMoney.rounding) { sum, position in
            sum + (money.notional(position) ?? .zero) * ReconciliationMoney.commission
        }
        let isProof = moved.magnitude > commission && proves(state)
        guard isProof || state.flatLooks >= ReconciliationEngine.looksForCertainty else { return }
        for position in open {
            if isProof, !ReconciliationMoney.mayBeHedged(position, among: all) {
                let profit = open.count == 1 ? soleProfit(position, state, tracker, now: now) : nil
                close(position, state, by: .flat, profit: profit, at: lookedAt, now: now, into: &outputs)
            } else {
                askSilentClose(
                    position, state, nil, "the account shows no margin and no movement; a hedge would too", now: now,
                    into: &outputs)
            }
        }
    }

    /// The step, where it is the only one since the position was last seen open and quotes say it may be its money.
    func soleProfit(
        _ position: Position, _ state: AccountState, _ tracker: PositionTrackerEngine, now: Timestamp
    ) -> String? {
        let since = max(position.openedAt, state.listedAt[position.key.ticket] ?? position.openedAt)
        let steps = state.steps.filter { $0.at > since && !$0.isNoted }
        // A fire whose outcome is open may have opened and closed in it.
        guard steps.count == 1, let step = steps.first, state.watches.isEmpty else { return nil }
        let slack = AccountState.slackMilliseconds
        let others = state.causes.filter {
            !$0.isOpening && $0.at > step.after.adding(milliseconds: -slack)
                && $0.at <= step.at.adding(milliseconds: slack)
        }
        // What else ended since, by a message without a time of its own, may have ended in it as well.
        let ticket = position.key.ticket
        guard !state.closed.contains(where: { $0.key != ticket && $0.value > step.after && $0.value >= since }),
            state.strangers.isEmpty
        else { return nil }
        var amount = step.amount
        for other in others {
            guard let known = other.amount else { return nil }
            amount = amount - known
        }
        let money = ReconciliationMoney(tracker: tracker, now: now)
        // Figures don't show what else was done by hand: only the money of a touched level is sure to be this one's.
        let isItsOwn =
            state.witness == .positions
            ? isPlausible(amount, position, state, tracker, now: now)
            : isAtLevel(amount, position, state, money)
        guard isItsOwn else { return nil }
        return amount.text(minimumDecimals: 2)
    }

    /// Whether closing this position may have moved the balance by so much.
    func isPlausible(
        _ amount: Amount, _ position: Position, _ state: AccountState, _ tracker: PositionTrackerEngine,
        now: Timestamp
    ) -> Bool {
        let money = ReconciliationMoney(tracker: tracker, now: now)
        if isAtLevel(amount, position, state, money) { return true }
        guard let tolerance = money.tolerance(position), let reached = reached(position, money) else { return false }
        return amount >= reached.low - tolerance && amount <= reached.high + tolerance
    }

    /// Whether it is the money of the level that was touched.
    private func isAtLevel(
        _ amount: Amount, _ position: Position, _ state: AccountState, _ money: ReconciliationMoney
    ) -> Bool {
        guard let touch = state.touches[position.key.ticket], let expected = money.expected(position, touch),
            let tolerance = money.tolerance(position)
        else { return false }
        return (amount - expected).magnitude <= tolerance
    }

    /// Worst and best it could have been closed at since the look before the last.
    private func reached(_ position: Position, _ money: ReconciliationMoney) -> (low: Amount, high: Amount)? {
        guard let known = ranges[position.key],
            let range = known.current?.joined(known.previous) ?? known.previous,
            let first = money.profit(position, at: range.low), let second = money.profit(position, at: range.high)
        else { return nil }
        return (min(first, second), max(first, second))
    }

    // MARK: - Steps

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
                    let profit = set.count == 1 ? step.amount.text(minimumDecimals: 2) : nil
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
            askStep(step, state, suspects: suspects.count, now: now, into: &outputs)
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
        guard !touched.isEmpty, touched.count <= ReconciliationEngine.combinedTouches else { return nil }
        var found: [[Position]] = []
        for mask in 1..<(1 << touched.count) {
            let chosen = touched.indices.filter { mask & (1 << $0) != 0 }.map { touched[$0] }
            let band = chosen.reduce(Amount.zero) { $0 + $1.band }
            let sum = chosen.reduce(Amount.zero) { $0 + $1.expected }
            if (sum - step.amount).magnitude <= band { found.append(chosen.map(\.position)) }
        }
        guard found.count == 1, let set = found.first else { return nil }
        // Another one, closed by hand at the market, may have earned as much.
        let names = Set(set.map(\.key))
        guard !open.contains(where: { !names.contains($0.key) && isSuspect($0, step, state, tracker, now: now) }),
            isSupported(set, open, state, money)
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
        guard let tolerance = money.tolerance(position), let reached = reached(position, money) else { return true }
        let low = min(reached.low, .zero) - tolerance
        let high = max(reached.high, .zero) + tolerance
        return step.amount >= low && step.amount <= high
            || isPlausible(step.amount, position, state, tracker, now: now)
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
