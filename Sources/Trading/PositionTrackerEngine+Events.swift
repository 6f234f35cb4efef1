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
            correct(event, &effect)
            return outputs.append(.apply(effect))
        }
        var freed: String?
        switch event.kind {
        case .opened:
            freed = answer(event, .filled, &effect, now, into: &outputs)
            open(event, fire: effect.fire, &effect, now, into: &outputs)
        case .failed, .unknownCommand:
            freed = answer(event, .rejected, &effect, now, into: &outputs)
            effect.releasesSlot = effect.fire != nil
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
    mutating func answer(
        _ event: TradeEvent, _ state: FireState, _ effect: inout EventEffect, _ now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> String? {
        guard let fireID = event.fireID, var fire = fires[fireID] else { return nil }
        // Another user's terminal can't answer for this one.
        guard event.userUUID == Party.unknownUser || event.userUUID == fire.userUUID else { return nil }
        let wasUnknown = fire.state == .unknown
        if fire.state == .filled {
            // It was filled without a ticket; this tells which position it became.
            guard state == .filled, event.ticket != nil else { return nil }
            fire.previousState = .filled
            fire.ticket = event.ticket
            fire.note("applied", .applied, at: now, by: "\(event.teller): ticket found")
            remember(fire)
            effect.fire = fire
            return nil
        }
        var answered = fire
        if !event.isFromWitness { answered.note("answer", .answered, at: event.receivedAt, by: event.teller) }
        if let durableAt = event.durableAt {
            answered.note("durable", .durable, at: durableAt, by: "journal \(event.sequence)")
        }
        guard answered.take(state, at: now, by: "\(event.teller): \(state.rawValue)") else {
            outputs.append(.count("answers_out_of_turn"))
            return nil
        }
        fire = answered
        fire.ticket = event.ticket
        // A witness is no answer: it tells afterwards what became of it.
        fire.isLate = !event.isFromWitness && event.receivedAt > fire.expiresAt
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
        guard positions[key] == nil else { return }
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
            openPrice: price, openPriceText: priceText, openedAt: event.receivedAt)
        let known = earlyCloses[key]
        position.fireID = fire?.fireID ?? (known != nil && !event.isOrphan ? event.fireID : nil)
        position.stopLoss = event.stopLoss ?? fire?.stopLoss
        position.takeProfit = event.takeProfit ?? fire?.takeProfit
        position.currency = event.currency ?? terminals[position.userUUID]?.currency
        position.isOrphan = event.isOrphan || position.fireID == nil
        position.source = event.isFromWitness ? event.source.rawValue : nil
        position.risk = riskAtStop(position, fire: fire, now: now)
        if position.isOrphan { outputs.append(.count("orphan_positions")) }
        if let close = earlyCloses[key] {
            outputs.append(.count("early_closes_matched"))
            guard !close.isFinal, close.lot < position.lot else {
                end(&position, by: close)
                if close.profit == nil, let risk = position.risk {
                    // When it was told nobody could say what may have been lost.
                    let startsDay = effect.day?.startsDay == true
                    effect.day =
                        book(
                            -risk, position.currency ?? "USD", user: position.userUUID, at: close.closedAt,
                            eventID: close.eventID, isInferred: false, isCorrection: false) ?? effect.day
                    if startsDay { effect.day?.startsDay = true }
                }
                return effect.closed.append(position)
            }
            position.risk = position.risk.flatMap { ($0 * (position.lot - close.lot)).divided(by: position.lot) }
            position.lot = position.lot - close.lot
        }
        insert(position)
        effect.opened.append(position)
    }

    private mutating func close(
        _ event: TradeEvent, _ effect: inout EventEffect, into outputs: inout [TrackerOutput]
    ) {
        guard let key = event.positionKey else { return outputs.append(.count("closes_without_ticket")) }
        guard let known = positions[key] else {
            outputs.append(.count("closes_without_position"))
            return remember(early: event, key, into: &outputs)
        }
        guard event.isFinal else { return reduce(known, by: event, &effect) }
        var position = known
        _ = removePosition(key)
        position.state = .closed
        position.closedAt = max(event.receivedAt, position.openedAt)
        position.closePrice = event.closePrice
        position.profit = event.profit
        position.profitSource = event.profitSource?.rawValue
        position.closeReason = event.reason
        if event.isFromWitness { position.source = event.source.rawValue }
        effect.closed.append(position)
    }

    /// A part was closed: the rest stays open, in its slot.
    private mutating func reduce(_ position: Position, by event: TradeEvent, _ effect: inout EventEffect) {
        guard let closed = event.lot.flatMap({ Amount($0) }), closed < position.lot else { return }
        var rest = position
        rest.lot = position.lot - closed
        rest.risk = position.risk.flatMap { ($0 * rest.lot).divided(by: position.lot) }
        positions[position.key] = rest
        effect.reduced.append(rest)
    }

    /// The terminal's own word on what a witness told before: figures are put right, nothing happens a second time.
    private mutating func correct(_ event: TradeEvent, _ effect: inout EventEffect) {
        guard let key = event.positionKey else { return }
        switch event.kind {
        case .closed:
            effect.day = book(event)
            effect.corrected.append(
                PositionCorrection(
                    key,
                    [
                        ("profit", event.profit), ("profit_source", event.profitSource?.rawValue),
                        ("close_price", event.closePrice), ("close_reason", event.reason), ("source", "merged"),
                    ]))
        case .opened:
            var lot: Amount?
            if var position = positions[key] {
                if let text = event.lot, let told = Amount(text), position.lot.isPositive {
                    // A part may be closed by now.
                    let rest = max(.zero, told - (position.openedLot - position.lot))
                    position.risk = position.risk.flatMap { ($0 * rest).divided(by: position.lot) }
                    position.lot = rest
                    position.openedLot = told
                    lot = rest
                }
                if let text = event.openPrice, let price = Amount(text) {
                    position.openPrice = price
                    position.openPriceText = text
                }
                position.stopLoss = event.stopLoss ?? position.stopLoss
                position.takeProfit = event.takeProfit ?? position.takeProfit
                position.source = "merged"
                positions[key] = position
            }
            effect.corrected.append(
                PositionCorrection(
                    key,
                    [
                        ("open_price", event.openPrice), ("lot", lot?.text(minimumDecimals: 2)),
                        ("sl", event.stopLoss), ("tp", event.takeProfit), ("source", "merged"),
                    ]))
        default: break
        }
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
