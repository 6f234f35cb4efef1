import Domain
import Wire

/// The terminal's trade functions.
extension Terminal {
    /// OrderSend() for an opening deal.
    func openPosition(_ request: OrderRequest, fireID: TerminalText) -> Result<BrokerPosition, TradeRefusal> {
        var result: Result<BrokerPosition, TradeRefusal> = .failure(.rejected)
        if !context.happens(context.behaviour.rejectOrders) {
            result = account.open(request, context.market, now: context.now.seconds)
        }
        switch result {
        case .success(let position):
            context.statistics.positionsOpened += 1
            context.log(
                "traded", self,
                [
                    ("fire_id", .string(fireID.text)), ("ticket", .integer(position.ticket)),
                    ("symbol", .string(position.symbolName.text)), ("direction", .string(position.direction.rawValue)),
                    ("lot", .number(position.lot.description)), ("price", .number(position.openPrice.description)),
                    ("sl", .number(position.stopLoss.description)), ("tp", .number(position.takeProfit.description)),
                ])
        case .failure(let refusal):
            context.log(
                "trade_refused", self, [("fire_id", .string(fireID.text)), ("retcode", .integer(refusal.code))])
        }
        return result
    }

    /// OrderSend() for a close.
    func closePosition(ticket: Int64) -> ClosedPosition? {
        guard !context.happens(context.behaviour.rejectOrders) else { return nil }
        let closed = account.close(
            ticket: ticket, context.market, reason: .command, now: context.now.seconds)
        if let closed { log(closed) }
        return closed
    }

    /// What the broker closed by itself: known to the account, silent on the wire.
    func booked(_ closes: [ClosedPosition]) {
        for closed in closes {
            log(closed)
            if context.behaviour.reportsCloses && state == .running {
                expert?.report(closed)
            } else {
                context.statistics.silentCloses += 1
            }
        }
    }

    private func log(_ closed: ClosedPosition) {
        context.statistics.positionsClosed += 1
        context.log(
            "closed", self,
            [
                ("ticket", .integer(closed.position.ticket)), ("symbol", .string(closed.position.symbolName.text)),
                ("reason", .string(closed.reason.rawValue)), ("price", .number(closed.price.description)),
                ("profit", .number(closed.profit.money)), ("balance", .number(account.balance.money)),
            ])
    }
}
