import Domain

/// 2.05's three-part entry: two parts with near targets, one to be trailed. Source: ea-wire 2.
extension UniversalExpert {
    func fireHybrid(_ command: CommandText) {
        let fireID = command.value("fire_id")
        let total = command.amount("lot")
        var outcome = CommandOutcome(fireID: fireID, lot: total, message: "HYBRID failed: No positions opened")
        let name = command.value("symbol")
        guard let symbol = messages.profile.symbols.first(where: { $0.name == name }),
            let quote = terminal.context.market.quote(symbol.marketIndex)
        else {
            confirm(outcome)
            return
        }
        let text = command.value("direction").isEmpty ? command.value("side") : command.value("direction")
        let isBuy = text == "BUY" || text == "buy"
        let price = isBuy ? quote.ask : quote.bid
        let loss = command.amount("sl")
        let lossFits = loss.isPositive && (isBuy ? loss < price : loss > price)
        if let objection = objection(symbol, isBuy ? .buy : .sell) {
            outcome.message = objection
            terminal.context.ledger?.refused(fireID, reason: objection, messages.profile)
            confirm(outcome)
            return
        }
        var opened: [BrokerPosition] = []
        for part in parts(command, total: total) {
            if objection(symbol, isBuy ? .buy : .sell) != nil { break }
            let distance = part.pips.map { Amount(Int($0)) * UniversalExpert.pip(symbol) }
            let target = distance.map { isBuy ? price + $0 : price - $0 } ?? .zero
            let request = OrderRequest(
                symbol: symbol, direction: isBuy ? .buy : .sell, lot: part.lot, stopLoss: lossFits ? loss : .zero,
                takeProfit: target, magic: UniversalExpert.magic, comment: fireID + part.suffix)
            if case .success(let position) = terminal.openPosition(request, fireID: fireID) { opened.append(position) }
        }
        if let first = opened.first {
            let sum = opened.reduce(Amount.zero) { $0 + $1.openPrice }
            outcome.isSuccess = true
            outcome.ticket = first.ticket
            outcome.price = sum.divided(by: Amount(opened.count)) ?? first.openPrice
            outcome.message = TerminalText("HYBRID: \(opened.count)/3 positions opened")
        }
        confirm(outcome)
    }

    private struct Part {
        let lot: Amount
        /// Nil for the part without a target.
        let pips: Int64?
        let suffix: TerminalText
    }

    private func parts(_ command: CommandText, total: Amount) -> [Part] {
        let triggers = command.integers(everyOf: "trigger")
        let quarter = DecimalText.roundedAway(total * Amount(units: Amount.unitsPerOne / 4), decimals: 2)
        let rest = DecimalText.roundedAway(total - quarter - quarter, decimals: 2)
        return [
            Part(lot: quarter, pips: triggers.first ?? 8, suffix: "_P1"),
            Part(lot: quarter, pips: triggers.count > 1 ? triggers[1] : 12, suffix: "_P2"),
            Part(lot: rest, pips: nil, suffix: "_TRAIL"),
        ]
    }

    /// What the EA takes for a pip: the symbol's point, except for yen pairs and for a plain `XAUUSD`.
    private static func pip(_ symbol: WatchedSymbol) -> Amount {
        if symbol.name.text.contains("JPY") { return Amount(units: Amount.unitsPerOne / 100) }
        if symbol.name == "XAUUSD" { return Amount(units: Amount.unitsPerOne / 10) }
        return Amount(units: SymbolSpecification.pointUnits(digits: symbol.digits))
    }
}
