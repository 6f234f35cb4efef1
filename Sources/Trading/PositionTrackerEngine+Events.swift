public import Domain

extension PositionTrackerEngine {
    /// Takes one booked event in. Exactly one `.apply` leaves for it: its effect and its acknowledgement are one step.
    public mutating func apply(
        _ event: TradeEvent, entryID: String, now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        var effect = EventEffect(entryID: entryID)
        var freed: String?
        switch event.kind {
        case .opened:
            freed = answer(event, .filled, &effect, now)
            open(event, fire: effect.fire, &effect, into: &outputs)
        case .failed, .unknownCommand:
            freed = answer(event, .rejected, &effect, now)
            effect.releasesSlot = effect.fire != nil
        case .closed:
            close(event, &effect, into: &outputs)
        case .closedAll, .closedSome, .closeFailed:
            outputs.append(
                .audit(
                    event: event.kind.rawValue,
                    ["user_uuid": event.userUUID, "message": event.message ?? "", "event_id": event.eventID]))
        }
        learnFigures(event)
        outputs.append(.apply(effect))
        if let freed { sendNext(freed, now: now, into: &outputs) }
    }

    /// The terminal's answer to a fire; returns the user whose terminal is free again.
    private mutating func answer(
        _ event: TradeEvent, _ state: FireState, _ effect: inout EventEffect, _ now: Timestamp
    ) -> String? {
        guard let fireID = event.fireID, var fire = fires[fireID], fire.state.canBecome(state) else { return nil }
        // Another user's terminal can't answer for this one.
        guard event.userUUID == Party.unknownUser || event.userUUID == fire.userUUID else { return nil }
        let isLate = fire.state == .unknown || event.receivedAt > fire.expiresAt
        if fire.state.canBecome(.acknowledged) {
            fire.timeline.append(
                TimelineEntry(state: FireState.acknowledged.rawValue, at: event.receivedAt, by: "confirmation"))
        }
        fire.state = state
        fire.ticket = event.ticket
        fire.reason = isLate ? "late" : state == .rejected ? event.message : nil
        fire.timeline.append(
            TimelineEntry(state: state.rawValue, at: now, by: isLate ? "late confirmation" : "confirmation"))
        remember(fire)
        effect.fire = fire
        return fire.userUUID
    }

    private mutating func open(
        _ event: TradeEvent, fire: Fire?, _ effect: inout EventEffect, into outputs: inout [TrackerOutput]
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
        position.fireID = fire?.fireID
        position.stopLoss = event.stopLoss ?? fire?.stopLoss
        position.takeProfit = event.takeProfit ?? fire?.takeProfit
        position.currency = event.currency ?? terminals[position.userUUID]?.currency
        position.isOrphan = event.isOrphan || fire == nil
        insert(position)
        effect.opened.append(position)
        if position.isOrphan { outputs.append(.count("orphan_positions")) }
    }

    private mutating func close(
        _ event: TradeEvent, _ effect: inout EventEffect, into outputs: inout [TrackerOutput]
    ) {
        guard let key = event.positionKey, let known = positions[key] else {
            return outputs.append(.count("closes_without_position"))
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
        effect.closed.append(position)
    }

    /// A part was closed: the rest stays open, in its slot.
    private mutating func reduce(_ position: Position, by event: TradeEvent, _ effect: inout EventEffect) {
        guard let closed = event.lot.flatMap({ Amount($0) }), closed < position.lot else { return }
        var rest = position
        rest.lot = position.lot - closed
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
    /// The position's name, where account and ticket are known.
    var positionKey: PositionKey? {
        guard let account, let ticket else { return nil }
        return PositionKey(server: server ?? "unknown", account: account, ticket: ticket)
    }
}
