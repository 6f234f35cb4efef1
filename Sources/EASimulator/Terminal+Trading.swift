import Domain
import Wire

/// The terminal's trade functions.
extension Terminal {
    /// OrderSend() for an opening deal.
    func openPosition(_ request: OrderRequest, fireID: TerminalText) -> Result<BrokerPosition, TradeRefusal> {
        var result: Result<BrokerPosition, TradeRefusal> = .failure(.rejected)
        if !happens(context.behaviour.rejectOrders) {
            result = account.open(request, context.market, now: context.now.seconds)
        }
        switch result {
        case .success(let position):
            context.statistics.positionsOpened += 1
            context.ledger?.opened(position, fireID: fireID, profile)
            context.log(
                "traded", self,
                [
                    ("fire_id", .string(fireID.text)), ("ticket", .integer(position.ticket)),
                    ("symbol", .string(position.symbolName.text)), ("direction", .string(position.direction.rawValue)),
                    ("lot", .number(position.lot.description)), ("price", .number(position.openPrice.description)),
                    ("sl", .number(position.stopLoss.description)), ("tp", .number(position.takeProfit.description)),
                ])
        case .failure(let refusal):
            context.ledger?.refused(fireID, code: refusal.code, profile)
            context.log(
                "trade_refused", self, [("fire_id", .string(fireID.text)), ("retcode", .integer(refusal.code))])
        }
        return result
    }

    /// OrderSend() for a close.
    func closePosition(ticket: Int64) -> ClosedPosition? {
        guard !happens(context.behaviour.rejectOrders) else { return nil }
        let closed = account.close(
            ticket: ticket, context.market, reason: .command, now: context.now.seconds)
        guard let closed else { return nil }
        log(closed)
        // OnTrade runs after the event in which the order was sent; an EA of the own form has spoken already.
        if profile.version == .v206H { trades.append(closed) }
        return closed
    }

    /// What the broker closed by itself: known to the account, silent on the wire.
    func booked(_ closes: [ClosedPosition]) {
        for closed in closes {
            log(closed)
            let isReported = profile.version.reportsCloses || context.behaviour.reportsCloses
            // An EA knows its positions by their magic number; a terminal that hangs is told when it wakes.
            if isReported, state != .stopped, closed.position.magic == UniversalExpert.magic {
                trades.append(closed)
            } else {
                context.statistics.silentCloses += 1
            }
        }
        if state == .running { onTrade() }
    }

    /// OnTrade: what was closed since it was last called.
    func onTrade() {
        guard !trades.isEmpty else { return }
        let closes = trades
        trades.removeAll()
        for closed in closes { expert?.report(closed) }
    }

    /// Whether something of that probability happens to this terminal now.
    func happens(_ probability: Double) -> Bool { probability > 0 && generator.unit() < probability }

    func log(_ closed: ClosedPosition) {
        context.statistics.positionsClosed += 1
        context.ledger?.closed(closed, profile)
        context.log(
            "closed", self,
            [
                ("ticket", .integer(closed.position.ticket)), ("symbol", .string(closed.position.symbolName.text)),
                ("reason", .string(closed.reason.rawValue)), ("price", .number(closed.price.description)),
                ("profit", .number(closed.profit.money)), ("balance", .number(account.balance.money)),
            ])
    }
}
