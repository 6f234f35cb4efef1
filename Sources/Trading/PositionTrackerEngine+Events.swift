public import Domain

extension PositionTrackerEngine {
    /// Takes one booked event in. Exactly one `.apply` leaves for it: its effect and its acknowledgement are one step.
    public mutating func apply(
        _ event: TradeEvent, entryID: String, now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        var effect = EventEffect(entryID: entryID)
        // Given again after a reconnection: its effect is on its way, or acknowledged already.
        guard recentEntries[entryID] != true else { return outputs.append(.apply(effect)) }
        recentEntries[entryID] = true
        guard !event.isCorrection else {
            correct(event, &effect, now, into: &outputs)
            return outputs.append(.apply(effect))
        }
        var freed: String?
        switch event.kind {
        case .opened:
            freed = answer(event, .filled, &effect, now, into: &outputs)
            open(event, fire: effect.fire, &effect, now, into: &outputs)
        case .failed, .unknownCommand:
            freed = answer(event, .rejected, &effect, now, into: &outputs)
            effect.releasesSlot = effect.fire.map { !$0.isContradicted } ?? false
        case .closed:
            effect.day = book(event)
            if let fire = unansweredFire(of: event) {
                freed = closeUnanswered(event, fire, &effect, now, into: &outputs)
            } else {
                close(event, &effect, into: &outputs)
            }
        case .closedAll, .closedSome, .closeFailed:
            outputs.append(
                .audit(
                    event: event.kind.rawValue,
                    ["user_uuid": event.userUUID, "message": event.message ?? "", "event_id": event.eventID]))
        }
        learnFigures(event)
        outputs.append(.apply(effect))
        // Only behind the effect: between the two a crash must find the closing still remembered.
        if event.kind == .opened, let key = event.positionKey { forget(early: key, into: &outputs) }
        if let freed { sendNext(freed, now: now, into: &outputs) }
    }

    /// The terminal's answer to a fire; returns the user whose terminal is free again.
    ///
    /// - Parameter closing: the end of its position, where that is what proves it and no answer was heard.
    mutating func answer(
        _ event: TradeEvent, _ state: FireState, provenBy closing: TradeEvent? = nil, _ effect: inout EventEffect,
        _ now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> String? {
        // Before those under way: a second request of the same id may be, until its slot is refused.
        guard let fireID = event.fireID, settled[fireID] == nil, var fire = fires[fireID] else {
            revise(event, state, provenBy: closing, &effect, now, into: &outputs)
            return nil
        }
        // Another user's terminal can't answer for this one.
        guard event.userUUID == Party.unknownUser || event.userUUID == fire.userUUID else { return nil }
        let wasUnknown = fire.state == .unknown
        if fire.state == .filled {
            // It was filled without a ticket; this tells which position it became.
            guard state == .filled, event.ticket != nil else { return nil }
            fire.previousState = .filled
            if fire.times[.answered] == nil { _ = fire.note(event, state, provenBy: closing) }
            fire.ticket = event.ticket
            fire.note("applied", .applied, at: now, by: "\(event.teller): ticket found")
            remember(fire)
            effect.fire = fire
            return nil
        }
        var answered = fire
        let word = answered.note(event, state, provenBy: closing)
        guard answered.take(state, at: now, by: word) else {
            outputs.append(.count("answers_out_of_turn"))
            return nil
        }
        fire = answered
        fire.ticket = event.ticket
        fire.reason = state == .rejected ? event.message : nil
        remember(fire)
        effect.fire = fire
        if !wasUnknown { weigh(state, now: now, into: &outputs) }
        return fire.userUUID
    }

    mutating func open(
        _ event: TradeEvent, fire: Fire?, _ effect: inout EventEffect, _ now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) {
        guard let key = event.positionKey else { return outputs.append(.count("positions_without_ticket")) }
        if let known = positions[key] {
            let isOwned = isOwner(event, known.userUUID, key, into: &outputs)
            // One that a closing proved, whose own opening is heard only now.
            if isOwned, !event.isFromWitness, earlyCloses[key] != nil { correctOpening(event, key, &effect) }
            return
        }
        guard fire != nil || !isElsewhere(event, key) else {
            outputs.append(.count("positions_not_placed"))
            outputs.append(
                .audit(
                    event: "position_not_placed",
                    [
                        "position": key.description, "told_by": event.userUUID,
                        "why": "the account is another user's, and no fire of his opened it",
                    ]))
            return
        }
        guard let symbol = event.symbol ?? fire?.symbol, let direction = event.direction ?? fire?.direction,
            let priceText = event.openPrice, let price = Amount(priceText),
            let lot = event.lot.flatMap({ Amount($0) }) ?? fire?.lot
        else {
            outputs.append(.count("positions_not_placed"))
            outputs.append(
                .audit(
                    event: "position_not_placed",
                    ["position": key.description, "why": "its confirmation names no symbol, direction, price or lot"]))
            return
        }
        var position = Position(
            key: key, userUUID: fire?.userUUID ?? event.userUUID, nodeID: event.nodeID ?? fire?.nodeID ?? "",
            symbol: symbol, canonicalSymbol: quotes.canonical(symbol), direction: direction, lot: lot,
            openPrice: price, openPriceText: priceText, openedAt: openedAt(event, fire, key))
        let known = earlyCloses[key]
        if let fire { note(hybrid: fire) }
        let kin = fire == nil ? hybridKin(of: event, position) : nil
        position.fireID =
            fire?.fireID ?? kin?.fireID ?? (known != nil && !event.isOrphan ? event.fireID : nil)
        position.hybridPart = fire?.hybrid != nil ? .first : kin.map { partOfKin($0, position) }
        position.stopLoss = event.stopLoss ?? fire?.stopLoss ?? kin?.stopLoss
        // A hybrid's parts have targets of their own: the terminal takes no notice of the command's, which is what a
        // confirmation has that was completed from the fire's row.
        position.takeProfit = position.hybridPart == nil ? event.takeProfit ?? fire?.takeProfit : nil
        position.currency = event.currency ?? terminals[position.userUUID]?.currency
        // A fire we know is ours, whatever was known when its answer was booked.
        position.isOrphan = position.fireID == nil || (event.isOrphan && fire == nil && kin == nil)
        position.contradicts = fire?.isContradicted == true ? fire?.state : nil
        position.source = event.isFromWitness ? event.source.rawValue : nil
        position.risk = riskAtStop(position, fire: fire, now: now)
        if position.isOrphan { outputs.append(.count("orphan_positions")) }
        if let close = earlyCloses[key] {
            outputs.append(.count("early_closes_matched"))
            // When they were told nobody could say what may have been lost.
            for (closing, amount) in close.unknownLosses(of: position) {
                effect.add(
                    book(
                        -amount, position.currency ?? "USD", user: position.userUUID, at: close.closedAt,
                        eventID: closing.eventID, isInferred: true,
                        // Once, however often the opening is told: by its command first, by the terminal at last.
                        isCorrection: days[position.userUUID]?.inferred[closing.eventID] != nil))
            }
            guard !close.isFinal, close.lot < position.lot else {
                end(&position, by: close)
                if let heir = passSlot(of: &position) { effect.opened.append(heir) }
                return effect.closed.append(position)
            }
            position.risk = position.risk.flatMap { ($0 * (position.lot - close.lot)).divided(by: position.lot) }
            position.lot = position.lot - close.lot
            position.closings = close.closings
        }
        insert(position)
        effect.opened.append(position)
    }

    /// When it was opened: not after it was closed, whenever that is told.
    private func openedAt(_ event: TradeEvent, _ fire: Fire?, _ key: PositionKey) -> Timestamp {
        guard let closedAt = earlyCloses[key]?.closedAt, event.receivedAt > closedAt else { return event.receivedAt }
        return min(fire?.times[.sent] ?? closedAt, closedAt)
    }

    private mutating func close(
        _ event: TradeEvent, _ effect: inout EventEffect, into outputs: inout [TrackerOutput]
    ) {
        guard let key = event.positionKey else { return outputs.append(.count("closes_without_ticket")) }
        guard let known = positions[key] else {
            outputs.append(.count("closes_without_position"))
            guard !isElsewhere(event, key) else { return outputs.append(.count("events_of_another_user")) }
            return remember(early: event, key, into: &outputs)
        }
        guard isOwner(event, known.userUUID, key, into: &outputs) else { return }
        guard isEnd(event, of: known) else { return reduce(known, by: event, &effect) }
        var position = known
        _ = removePosition(key)
        position.state = .closed
        position.closedAt = max(event.receivedAt, position.openedAt)
        position.closePrice = event.closePrice
        position.book(Closing(event), text: event.profit)
        position.closeReason = event.reason
        if event.isFromWitness { position.source = event.source.rawValue }
        if let heir = passSlot(of: &position) { effect.opened.append(heir) }
        effect.closed.append(position)
    }

    /// Whether an event is its owner's word on a position. Names are claimed: another user's changes nothing of it.
    func isOwner(
        _ event: TradeEvent, _ owner: String, _ key: PositionKey, into outputs: inout [TrackerOutput]
    ) -> Bool {
        let named = [event.userUUID, owner].filter { $0 != Party.unknownUser && !$0.isEmpty }
        guard named.count == 2, named[0] != named[1] else { return true }
        outputs.append(.count("events_of_another_user"))
        outputs.append(
            .audit(
                event: "event_of_another_user",
                [
                    "user_uuid": owner, "position": key.description, "told_by": event.userUUID,
                    "event_id": event.eventID,
                ]))
        return false
    }

    /// Whether an event nobody fired for is of an account that only other users' terminals are logged in to.
    private func isElsewhere(_ event: TradeEvent, _ key: PositionKey) -> Bool {
        guard event.userUUID != Party.unknownUser else { return false }
        let users = terminals.users(of: key)
        return !users.isEmpty && !users.contains(event.userUUID)
    }

    /// A part was closed: the rest stays open, in its slot.
    private mutating func reduce(_ position: Position, by event: TradeEvent, _ effect: inout EventEffect) {
        var rest = position
        rest.book(Closing(event), text: event.profit)
        // Volumes that don't fit change nothing but the money.
        if let closed = event.lot.flatMap({ Amount($0) }), closed < position.lot {
            rest.lot = position.lot - closed
            rest.risk = position.risk.flatMap { ($0 * rest.lot).divided(by: position.lot) }
        }
        positions[position.key] = rest
        effect.reduced.append(rest)
    }

    /// Confirmations carry the account's figures after the trade: newer than the last heartbeat's.
    private mutating func learnFigures(_ event: TradeEvent) {
        let user = event.userUUID
        guard let node = event.nodeID, terminals[user]?.nodeID == node else { return }
        let balance = event.balance.flatMap { Amount($0) }
        let equity = event.equity.flatMap { Amount($0) }
        guard balance != nil || equity != nil else { return }
        terminals.update(user: user, node: node) {
            if let balance { $0.balance = balance }
            if let equity { $0.equity = equity }
        }
    }
}

extension TradeEvent {
    /// Whether a witness told of it and the terminal has not.
    var isFromWitness: Bool { source == .inferred }

    /// Who tells, as a timeline names him.
    var teller: String { isFromWitness ? "witness \(witness ?? "unnamed")" : "terminal" }

    /// The position's name, where account and ticket are known.
    var positionKey: PositionKey? {
        guard let account, let ticket else { return nil }
        return PositionKey(server: server ?? "unknown", account: account, ticket: ticket)
    }
}
