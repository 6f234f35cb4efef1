import Domain

// Looks that list the positions themselves: 2.06H and the own form. Source: ea-wire 7.
extension ReconciliationEngine {
    /// A list this long may have been cut by the EA: it is complete only where it answers a question.
    static let completeBelow = 10
    /// Looks in a row that must agree before a list's gap is a fact.
    static let looksForCertainty = 2
    /// MT5 keeps about so much of an order's comment.
    static let commentLength = 31
    /// What the EA adds to the fire's id in the comments of a hybrid's three parts.
    static let partSuffixes = ["_P1", "_P2", "_TRAIL"]
    /// A fire's answer may be under way this long.
    static let answerMilliseconds: Int64 = 10_000
    /// Lots of parts are rounded each: three of them may differ from the whole by this.
    static let partsBand = Amount(units: 2_000_000)

    mutating func compare(
        _ list: [WitnessedPosition], _ report: TerminalReport, _ positions: [Position], _ state: inout AccountState,
        _ tracker: PositionTrackerEngine, moment: Timestamp, into outputs: inout [ReconciliationOutput]
    ) {
        let isWhole = report.openPositionCount.map { $0 == list.count } ?? (report.queryID != nil)
        state.isComplete = isWhole && (list.count < ReconciliationEngine.completeBelow || report.queryID != nil)
        state.witness = .positions
        state.flatLooks = 0
        state.hasExposure = false
        state.mismatch = nil
        state.unfitting = nil
        let listed = Dictionary(list.map { ($0.ticket, $0) }) { first, _ in first }
        for position in positions {
            let ticket = position.key.ticket
            guard let witness = listed[ticket] else {
                guard state.isComplete else { continue }
                let since = state.missing[ticket]?.since ?? moment
                state.missing[ticket] = LookCount(
                    count: min((state.missing[ticket]?.count ?? 0) + 1, ReconciliationEngine.looksForCertainty),
                    since: since)
                continue
            }
            state.missing[ticket] = nil
            state.listedAt[ticket] = moment
            // Still open after the level was touched: the level is not where we believe it is.
            if let touch = state.touches[ticket], touch.at.adding(milliseconds: 10_000) < moment {
                state.touches[ticket] = nil
            }
            compareVolume(position, witness, list, &state, moment: moment, into: &outputs)
        }
        vanish(listed, &state, moment: moment)
        let known = Set((ours[state.key] ?? []).map(\.ticket))
        var strangers: [Int64: LookCount] = [:]
        for witness in list where !known.contains(witness.ticket) {
            let before = state.strangers[witness.ticket]
            // The tracker may be a moment behind: what has just ended is no stranger yet.
            if let ended = state.closed[witness.ticket],
                moment <= ended.adding(milliseconds: ReconciliationEngine.freshMilliseconds)
            {
                continue
            }
            strangers[witness.ticket] = LookCount(
                count: min((before?.count ?? 0) + 1, ReconciliationEngine.looksForCertainty),
                since: before?.since ?? moment)
        }
        state.strangers = strangers
        state.theirs = list
        state.listTakenAt = moment
    }

    /// Less is listed than we have: hybrid parts, of which only the first is reported with the lot of all, or a part
    /// that was closed by hand.
    private func compareVolume(
        _ position: Position, _ witness: WitnessedPosition, _ list: [WitnessedPosition], _ state: inout AccountState,
        moment: Timestamp, into outputs: inout [ReconciliationOutput]
    ) {
        let ticket = position.key.ticket
        guard let volume = witness.volume.flatMap({ Amount($0) }), volume < position.lot, volume.isPositive else {
            state.reduced[ticket] = nil
            return
        }
        if position.standsForParts {
            // The list knows what the terminal did not say: which of the lots are this ticket's.
            state.reduced[ticket] = nil
            outputs.append(.adjustLot(position.key, volume))
            return
        }
        let parts = list.filter { part in
            guard let comment = part.fireID, part.symbol == witness.symbol else { return false }
            return comment == witness.fireID
                || position.fireID.map { ReconciliationEngine.matches(comment, $0) } == true
        }
        if position.hybridPart == nil, parts.count > 1, (parts.map(\.ticket).min() ?? 0) == ticket,
            state.reduced[ticket] == nil
        {
            outputs.append(.adjustLot(position.key, volume))
            return
        }
        let before = state.reduced[ticket]
        let seen = before?.volume == volume ? before?.count ?? 0 : 0
        state.reduced[ticket] = LookCount(
            count: min(seen + 1, ReconciliationEngine.looksForCertainty), since: before?.since ?? moment,
            volume: volume)
    }

    /// Positions that are none of ours and are gone: what the last list said of them explains the balance.
    private func vanish(_ listed: [Int64: WitnessedPosition], _ state: inout AccountState, moment: Timestamp) {
        guard state.isComplete else { return }
        for gone in state.theirs where listed[gone.ticket] == nil && state.strangers[gone.ticket] != nil {
            guard let profit = gone.profit.flatMap({ Amount($0) }),
                let volume = gone.volume.flatMap({ Amount($0) })
            else { continue }
            // Its price moved on for up to a look's length after the figure.
            let half = Amount(units: profit.magnitude.units / 2)
            let band = half + volume * Amount(100) + ReconciliationMoney.rounding
            state.note(BalanceCause(amount: profit, band: band, at: moment, ticket: gone.ticket))
        }
    }

    // MARK: - Certain findings

    /// What lists show for certain: ends, parts, and openings nobody confirmed.
    mutating func judgeList(
        _ state: inout AccountState, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        // Parts of a hybrid first: when its first position's end is booked, the fire's slot has somewhere to go.
        for witness in state.theirs where state.strangers[witness.ticket] != nil {
            adopt(witness, state, tracker, now: now, into: &outputs)
        }
        let ended = state.missing.filter { $0.value.count >= ReconciliationEngine.looksForCertainty }.keys
            .compactMap { tracker.positions[state.positionKey($0)] }
            .sorted { $0.key.ticket < $1.key.ticket }
        let all = state.missing.count + state.reduced.count
        for var position in ended {
            let left = leftToFirst(position, state, tracker)
            if left.isPositive, left < position.lot {
                // What is listed under other tickets does not end with this one.
                outputs.append(.adjustLot(position.key, left))
                position.take(lot: left)
            }
            var profit = all == 1 ? soleProfit(position, [], state, tracker, now: now) : nil
            // It was told to be closed, and what was left of it in our books is listed under other tickets.
            if !left.isPositive, !position.closings.isEmpty { profit = "0.00" }
            let since = state.missing[position.key.ticket]?.since
            close(position, state, by: .positions, profit: profit, at: since, now: now, into: &outputs)
        }
        for (ticket, look) in state.reduced.sorted(by: { $0.key < $1.key })
        where look.count >= ReconciliationEngine.looksForCertainty {
            guard let position = tracker.positions[state.positionKey(ticket)], let volume = look.volume,
                volume < position.lot
            else { continue }
            var trade = closing(position, state, by: .positions)
            trade.volume = position.lot - volume
            trade.volumeLeft = volume
            trade.closeTime = brokerText(look.since, state.key)
            infer(trade, now: now, into: &outputs)
        }
    }
}
