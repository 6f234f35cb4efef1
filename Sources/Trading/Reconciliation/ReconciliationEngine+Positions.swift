import Domain

// Looks that list the positions themselves: 2.06H and the own form. Source: ea-wire 7.
extension ReconciliationEngine {
    /// A list this long may have been cut by the EA: it is complete only where it answers a question.
    static let completeBelow = 10
    /// Looks in a row that must agree before a list's gap is a fact.
    static let looksForCertainty = 2
    /// MT5 keeps about so much of an order's comment.
    static let commentLength = 31
    static let trailSuffix = "_TRAIL"
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
        let listed = Dictionary(list.map { ($0.ticket, $0) }) { first, _ in first }
        for position in positions {
            let ticket = position.key.ticket
            guard let witness = listed[ticket] else {
                guard state.isComplete else { continue }
                let since = state.missing[ticket]?.since ?? moment
                state.missing[ticket] = LookCount(count: (state.missing[ticket]?.count ?? 0) + 1, since: since)
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
            strangers[witness.ticket] = LookCount(count: (before?.count ?? 0) + 1, since: before?.since ?? moment)
        }
        state.strangers = strangers
        state.theirs = list
        state.listTakenAt = moment
        _ = tracker
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
        let parts = list.filter { part in
            guard let comment = part.fireID, part.symbol == witness.symbol else { return false }
            return comment == witness.fireID
                || position.fireID.map { ReconciliationEngine.matches(comment, $0) } == true
        }
        if parts.count > 1, (parts.map(\.ticket).min() ?? 0) == ticket, state.reduced[ticket] == nil {
            outputs.append(.adjustLot(position.key, volume))
            return
        }
        let before = state.reduced[ticket]
        let count = before?.volume == volume ? (before?.count ?? 0) + 1 : 1
        state.reduced[ticket] = LookCount(count: count, since: before?.since ?? moment, volume: volume)
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
        let ended = state.missing.filter { $0.value.count >= ReconciliationEngine.looksForCertainty }.keys
            .compactMap { tracker.positions[state.positionKey($0)] }
            .sorted { $0.key.ticket < $1.key.ticket }
        let all = state.missing.count + state.reduced.count
        for position in ended {
            let profit = all == 1 ? soleProfit(position, state, tracker, now: now) : nil
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
        for witness in state.theirs where state.strangers[witness.ticket] != nil {
            adopt(witness, state, tracker, now: now, into: &outputs)
        }
    }

    /// Listed, and not in our books: ours if its comment says so and nothing speaks against it.
    private mutating func adopt(
        _ witness: WitnessedPosition, _ state: AccountState, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        guard let comment = witness.fireID, let look = state.strangers[witness.ticket],
            state.closed[witness.ticket] == nil, let lookedAt = state.listTakenAt
        else { return }
        switch owner(of: comment, state, tracker) {
        case .fire(let fire):
            guard fits(witness, fire, tracker) else { return }
            let sent = fire.times[.sending] ?? fire.createdAt
            let isPast =
                fire.state == .unknown || fire.state == .filled
                || fire.state == .sent && now - sent > ReconciliationEngine.answerMilliseconds
            guard isPast, lookedAt > sent else { return }
            // Of hybrid parts the first stands for the fire: the others are found when it is in the books.
            let first = state.theirs.filter { part in
                state.strangers[part.ticket] != nil
                    && part.fireID.map { ReconciliationEngine.matches($0, fire.fireID) } == true
            }.map(\.ticket).min()
            guard first == witness.ticket else { return }
            infer(opening(witness, fire.fireID, fire, state), now: now, into: &outputs)
        case .position(let fireID, let sibling):
            guard look.count >= ReconciliationEngine.looksForCertainty,
                tracker.catalogue.canonical(witness.symbol ?? "") == sibling.canonicalSymbol
            else { return }
            infer(opening(witness, fireID, nil, state), now: now, into: &outputs)
        case .ended(let fireID):
            guard look.count >= ReconciliationEngine.looksForCertainty else { return }
            infer(opening(witness, fireID, nil, state), now: now, into: &outputs)
        case .unheardOf(let name):
            guard foundFires.count < ReconciliationEngine.maximumAccounts else { return }
            outputs.append(.findFire(fireID: name, accountKey: state.key))
        case .nobody: break
        }
    }

    /// Whose a comment is.
    enum Owner {
        /// A fire whose story is not over.
        case fire(Fire)
        /// A fire that has a position of this account already: a part, or it was executed twice.
        case position(String, Position)
        /// A fire of this user that ended.
        case ended(String)
        /// Nobody has looked yet for a fire of that name.
        case unheardOf(String)
        case nobody
    }

    func owner(of comment: String, _ state: AccountState, _ tracker: PositionTrackerEngine) -> Owner {
        let fires = tracker.fires.values.filter {
            $0.userUUID == state.userUUID && $0.account == state.account && $0.server == state.server
                && ReconciliationEngine.matches(comment, $0.fireID)
        }
        // Two that the comment may mean are none.
        if fires.count == 1, let fire = fires.first { return .fire(fire) }
        if fires.count > 1 { return .nobody }
        let positions = (ours[state.key] ?? []).compactMap { tracker.positions[$0] }
        if let position = positions.first(where: { $0.fireID.map { ReconciliationEngine.matches(comment, $0) } == true }
        ),
            let fireID = position.fireID
        {
            return .position(fireID, position)
        }
        for name in ReconciliationEngine.names(in: comment) {
            guard let found = foundFires[name] else { return .unheardOf(name) }
            if found.userUUID == state.userUUID { return .ended(name) }
        }
        return .nobody
    }

    /// What a comment may name: itself, and without the suffix of a hybrid's last part.
    static func names(in comment: String) -> [String] {
        var names = [comment]
        for length in stride(from: trailSuffix.count, to: 0, by: -1) {
            let suffix = trailSuffix.prefix(length)
            guard comment.hasSuffix(suffix), comment.count > length else { continue }
            names.append(String(comment.dropLast(length)))
            break
        }
        return names.filter { Fire.isValidID($0) }
    }

    /// Whether an order's comment is that fire's: the whole id, or what MT5 kept of a longer one.
    static func matches(_ comment: String, _ fireID: String) -> Bool {
        if comment == fireID { return true }
        // The last of hybrid parts has a suffix, itself cut with the rest.
        if comment.hasPrefix(fireID), trailSuffix.hasPrefix(comment.dropFirst(fireID.count)) { return true }
        return comment.utf8.count >= commentLength - 1 && comment.utf8.count < fireID.utf8.count
            && fireID.hasPrefix(comment)
    }

    /// Anybody may write a comment: symbol and direction must be the fire's too.
    private func fits(_ witness: WitnessedPosition, _ fire: Fire, _ tracker: PositionTrackerEngine) -> Bool {
        guard let symbol = witness.symbol, tracker.catalogue.canonical(symbol) == fire.canonicalSymbol,
            witness.direction == fire.direction, witness.openPrice != nil, witness.volume != nil
        else { return false }
        return fire.ticket == nil || fire.ticket == witness.ticket
    }

    private func opening(
        _ witness: WitnessedPosition, _ fireID: String, _ fire: Fire?, _ state: AccountState
    ) -> InferredTrade {
        var trade = InferredTrade(
            .opened, state.positionKey(witness.ticket), userUUID: state.userUUID, witness: .positions)
        trade.nodeID = state.nodeID
        trade.symbol = witness.symbol ?? fire?.symbol
        trade.direction = witness.direction ?? fire?.direction
        trade.volume = witness.volume.flatMap { Amount($0) } ?? fire?.lot
        trade.price = witness.openPrice
        trade.fireID = fireID
        trade.currency = state.currency
        return trade
    }

    /// The ledger's answer to ``ReconciliationOutput/findFire(fireID:accountKey:)``; nil where nobody fired it.
    public mutating func fireFound(_ fireID: String, userUUID: String?) {
        foundFires[fireID] = FoundFire(userUUID: userUUID)
    }
}
