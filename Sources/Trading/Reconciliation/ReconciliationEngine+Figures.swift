import Domain

// Looks that show figures only: 2.05, 2.02, 2.01 and the own form's ordinary heartbeat.
extension ReconciliationEngine {
    /// Past this leverage a position may need less margin than a cent: no margin is no proof then.
    static let provingLeverage = Amount(5_000)
    /// A list is the word on what is open for this long.
    static let listMilliseconds: Int64 = 90_000
    /// With more touched positions than this in one step no set of them is certain: trying all would take too long.
    static let combinedTouches = 6

    mutating func compareFigures(
        _ look: Look, _ positions: [Position], _ state: inout AccountState, _ tracker: PositionTrackerEngine,
        now: Timestamp
    ) {
        let report = look.report
        // A list is the better witness: figures beside it, from another port, change nothing.
        if let listed = state.listTakenAt, let lookedAt = state.lookedAt,
            lookedAt - listed < ReconciliationEngine.listMilliseconds
        {
            return
        }
        state.witness = .figures
        let margin = report.margin.flatMap { Amount($0) }
        let level = report.marginLevel.flatMap { Amount($0) }
        guard let balance = report.balance.flatMap({ Amount($0) }), let equity = report.equity.flatMap({ Amount($0) }),
            let isFree = margin.map(\.isZero) ?? level.map(\.isZero)
        else { return }
        let isFlat = isFree && equity == balance
        state.flatLooks = isFlat ? min(state.flatLooks + 1, ReconciliationEngine.looksForCertainty) : 0
        state.hasExposure = !isFree && (ours[state.key] ?? []).isEmpty && state.watches.isEmpty
        compareFloating(look, positions, &state, tracker, now: now)
        compareMargin(margin, level, equity, positions, &state, tracker, now: now)
    }

    /// Whether a position would show as margin.
    func proves(_ state: AccountState) -> Bool {
        state.leverage.map { $0.isPositive && $0 <= ReconciliationEngine.provingLeverage } ?? false
    }

    /// The unrealised money beside that of our positions: what differs is somebody else's, or one of ours is gone.
    private func compareFloating(
        _ look: Look, _ positions: [Position], _ state: inout AccountState, _ tracker: PositionTrackerEngine,
        now: Timestamp
    ) {
        let money = ReconciliationMoney(tracker: tracker, now: now)
        guard let floating = state.floating, let lookedAt = state.lookedAt,
            positions.count == (ours[state.key] ?? []).count
        else { return state.mismatch = nil }
        var sum = Amount.zero
        var band = ReconciliationMoney.rounding
        for position in positions {
            guard let value = look.values[position.key] ?? money.floating(position),
                let tolerance = money.tolerance(position)
            else { return state.mismatch = nil }
            sum += value
            band += tolerance
        }
        guard (floating - sum).magnitude > band else { return state.mismatch = nil }
        state.mismatch = LookCount(
            count: min((state.mismatch?.count ?? 0) + 1, ReconciliationEngine.looksForCertainty),
            since: state.mismatch?.since ?? lookedAt, volume: floating - sum)
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
        let commission = open.reduce(ReconciliationMoney.rounding) { sum, position in
            sum + (money.notional(position) ?? .zero) * ReconciliationMoney.commission
        }
        for position in open {
            // Only what moved since it was opened can be its money.
            let moved = state.steps.filter { !$0.isNoted && $0.at > state.opened(position) }
                .reduce(Amount.zero) { $0 + $1.amount }
            let isProof = moved.magnitude > commission && proves(state)
            guard isProof || state.flatLooks >= ReconciliationEngine.looksForCertainty else { continue }
            // A fire whose answer has not come may be its hedge.
            if isProof, state.watches.isEmpty, !ReconciliationMoney.mayBeHedged(position, among: all) {
                let profit = all.count == 1 ? soleProfit(position, [], state, tracker, now: now) : nil
                close(position, state, by: .flat, profit: profit, at: lookedAt, now: now, into: &outputs)
            } else {
                askSilentClose(
                    position, state, nil, "the account shows no margin and no movement; a hedge would too", now: now,
                    into: &outputs)
            }
        }
    }
}
