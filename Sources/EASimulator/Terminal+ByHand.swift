import Domain
import Wire

/// What happens on an account without the mesh: a trader's own hand, and the broker's charges.
extension Terminal {
    private static let swapPerLot = Amount(units: Amount.unitsPerOne / 2)

    /// Closes a random position, the mesh's as well as his own, or opens one without magic and comment.
    func tradeByHand() {
        guard happens(context.behaviour.manualTrades) else { return }
        if !account.positions.isEmpty, generator.unit() < 0.6 {
            guard let position = account.positions.randomElement(using: &generator),
                let closed = account.close(
                    ticket: position.ticket, context.market, reason: .manual, now: context.now.seconds)
            else { return }
            context.statistics.manualCloses += 1
            booked([closed])
            return
        }
        guard let symbol = profile.symbols.randomElement(using: &generator) else { return }
        let request = OrderRequest(
            symbol: symbol, direction: generator.unit() < 0.5 ? .buy : .sell,
            lot: Amount(units: Amount.unitsPerOne / 100 * Int64(1 + generator.next() % 5)), magic: 0, comment: "")
        guard case .success(let position) = account.open(request, context.market, now: context.now.seconds) else {
            return
        }
        context.statistics.manualOpens += 1
        context.ledger?.opened(position, fireID: nil, profile)
        context.log(
            "opened_by_hand", self,
            [
                ("ticket", .integer(position.ticket)), ("symbol", .string(position.symbolName.text)),
                ("direction", .string(position.direction.rawValue)), ("lot", .number(position.lot.description)),
                ("price", .number(position.openPrice.description)),
            ])
    }

    /// The broker's charge for holding positions, at its own times.
    func chargeSwap() {
        let period = context.behaviour.swapMilliseconds
        guard period > 0 else { return }
        let due = nextSwap ?? context.monotonic + period
        nextSwap = due
        guard context.monotonic >= due else { return }
        nextSwap = due + period
        guard !account.positions.isEmpty else { return }
        account.chargeSwap(perLot: Terminal.swapPerLot)
        context.statistics.swapCharges += 1
        context.log("swap_charged", self, [("positions", .integer(account.positions.count))])
    }
}
