import Domain

// Fires whose answer has not come: found open (see the lists), certainly never executed, or asked about.
extension ReconciliationEngine {
    /// A terminal reads one command a tick of its chart symbol; so many must have passed, beside one for each command
    /// that left before.
    static let ticksToRead = 3
    /// An unknown fire no witness settles is asked about after this.
    static let unknownMilliseconds: Int64 = 60_000

    mutating func watchFires(
        _ tracker: PositionTrackerEngine, now: Timestamp, into outputs: inout [ReconciliationOutput]
    ) {
        for fire in tracker.fires.values where fire.state == .sent || fire.state == .unknown {
            let key = PositionKey.accountKey(server: fire.server, account: fire.account)
            guard var state = accounts[key] ?? newState(fire.server, fire.account, fire.userUUID) else { continue }
            let sent = fire.times[.sending] ?? fire.createdAt
            let advanced = tracker.terminals[fire.userUUID]?.chartAdvancedAt
            if var watch = state.watches[fire.fireID] {
                guard !watch.isRead, let advanced, advanced > sent,
                    advanced != watch.lastTick
                else { continue }
                watch.ticks += 1
                watch.lastTick = advanced
                state.watches[fire.fireID] = watch
            } else {
                let ahead = aheadOfFires.removeValue(forKey: fire.fireID) ?? unread[fire.userUUID]?.count ?? 0
                let before = state.balanceAt.map { $0 < sent } == true ? state.balance : nil
                state.watches[fire.fireID] = FireWatch(
                    balanceBefore: before, balanceAt: before == nil ? nil : state.balanceAt, since: sent,
                    lastTick: advanced, ahead: ahead)
            }
            accounts[key] = state
            changed.insert(key)
            restless.insert(key)
        }
    }

    mutating func judgeFires(
        _ state: inout AccountState, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        for (fireID, watch) in state.watches.sorted(by: { $0.key < $1.key }) {
            guard let fire = tracker.fires[fireID], fire.state == .sent || fire.state == .unknown else {
                state.watches[fireID] = nil
                withdraw(.unknownFire, fireID, state, "the fire is settled", into: &outputs)
                continue
            }
            guard fire.state == .unknown, now > fire.expiresAt else { continue }
            if underWay.keys.contains(where: { $0.hasPrefix("\(state.key)|") }) { continue }
            if let reason = neverExecuted(fire, watch, state, tracker) {
                outputs.append(.settle(fireID: fireID, .neverExecuted, reason: reason, by: "witness"))
                withdraw(.unknownFire, fireID, state, reason, into: &outputs)
                continue
            }
            let since = max(fire.times[.unknown] ?? fire.expiresAt, fire.expiresAt)
            if now - since >= ReconciliationEngine.unknownMilliseconds { ask(fire, watch, state, now, into: &outputs) }
        }
    }

    /// Why it certainly never traded; nil where that is not certain.
    private func neverExecuted(
        _ fire: Fire, _ watch: FireWatch, _ state: AccountState, _ tracker: PositionTrackerEngine
    ) -> String? {
        let isReplaced = state.nodeID != nil && state.nodeID != fire.nodeID
        guard isReplaced || watch.isRead,
            let lookedAt = state.witness == .positions ? state.listTakenAt : state.lookedAt
        else {
            return nil
        }
        // The look must be younger than anything the terminal may still have done.
        let last = max(fire.expiresAt, watch.lastTick ?? fire.expiresAt)
            .adding(milliseconds: ReconciliationEngine.freshMilliseconds)
        guard lookedAt > last, let before = watch.balanceBefore, before == state.balance,
            let untouchedSince = watch.balanceAt?.adding(milliseconds: -AccountState.slackMilliseconds),
            // An older step, a deposit or a swap, says nothing of this fire.
            state.steps.allSatisfy({ $0.isNoted || $0.at <= untouchedSince })
        else { return nil }
        // Two that ended since may have cancelled each other out, and one of them may have been this one's.
        guard !state.closed.values.contains(where: { $0 > untouchedSince }),
            !state.causes.contains(where: { !$0.isOpening && $0.at > untouchedSince })
        else { return nil }
        // So may one of ours that this look does not show: it ended without a word, and its money is in no book.
        let isAllShown =
            state.witness == .positions
            ? state.missing.isEmpty && state.reduced.isEmpty : (ours[state.key] ?? []).isEmpty
        guard isAllShown else { return nil }
        let how = isReplaced ? "its terminal was replaced" : "its terminal has read on"
        if state.witness == .positions, state.isComplete,
            !state.theirs.contains(where: { listed in
                listed.fireID.map { ReconciliationEngine.matches($0, fire.fireID) } == true
                    || listed.fireID == nil && state.strangers[listed.ticket] != nil
            })
        {
            return "\(how), no position carries its id, and the balance has not moved"
        }
        if state.witness == .figures, proves(state), state.flatLooks >= ReconciliationEngine.looksForCertainty {
            return "\(how), the account is flat, and its balance has not moved"
        }
        return nil
    }

    private mutating func ask(
        _ fire: Fire, _ watch: FireWatch, _ state: AccountState, _ now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        var question = ReconciliationQuestion(
            .unknownFire, about: fire.fireID, server: state.server, account: state.account, userUUID: state.userUUID,
            text: "did \(fire.fireID) (\(fire.direction.rawValue) \(fire.lot) \(fire.symbol)) trade? Its answer never "
                + "came, and no witness is certain",
            evidence: [
                ("balance_before", watch.balanceBefore?.money ?? "unknown"),
                ("balance", state.balance?.money ?? "unknown"), ("ticks_since", String(watch.ticks)),
                ("witness", state.witness.rawValue), ("expires_at", String(fire.expiresAt.milliseconds)),
            ], askedAt: now)
        question.nodeID = fire.nodeID
        question.fireID = fire.fireID
        question.symbol = fire.symbol
        question.money = fire.risk?.amount.money
        question.currency = fire.risk?.currency ?? state.currency
        put(question, into: &outputs)
    }
}
