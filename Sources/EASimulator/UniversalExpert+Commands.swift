import Domain
import Wire

/// What the universal EAs do with a command. Source: ea-wire 2 and 3.
extension UniversalExpert {
    static let magic: Int64 = 7_176_191_872
    private var version: EAVersion { messages.profile.version }

    func receive(_ frame: [UInt8]) {
        let context = terminal.context
        let command = CommandText(frame: frame)
        let type = command.value("type")
        context.statistics.commandsReceived += 1
        context.log(
            "command", terminal,
            [
                ("type", .string(type.text)),
                (
                    "text",
                    .string(
                        TerminalText(bytes: command.bytes).text)
                ),
            ])
        guard isAddressed(command), version != .v201 || type == "fire" else {
            context.statistics.commandsIgnored += 1
            context.log("command_ignored", terminal, [("type", .string(type.text))])
            return
        }
        switch type {
        case "fire": fire(command)
        case "close_all": closeAll()
        case "close_ticket": closeTicket(command.integer("ticket"))
        case "ping" where version.isDealer:
            terminal.sendConfirmation(messages.pong(command.value("ping_id"), time: terminal.timeText))
        case "query_positions" where version == .own:
            terminal.send(messages.positionsAnswer(command.value("query_id"), terminal), to: .commands)
        default:
            confirm(CommandOutcome(command: "unknown", message: "Unknown command type: " + type))
        }
        terminal.onTrade()
    }

    /// 2.05 takes a command without an address; the older ones do not.
    private func isAddressed(_ command: CommandText) -> Bool {
        let target = command.value("target_uuid")
        return target == messages.profile.userUUID || (version.isDealer && target.isEmpty)
    }

    // MARK: - fire

    private func fire(_ command: CommandText) {
        terminal.context.statistics.fires += 1
        if version == .v205 || version == .v206H, command.contains("\"hybrid\":{\"enabled\":true") {
            fireHybrid(command)
            return
        }
        let name = command.value("symbol")
        var outcome = CommandOutcome(
            fireID: command.value("fire_id"), symbol: name, lot: command.amount("lot"), message: "")
        guard let symbol = watched(name) else {
            outcome.message = version == .v201 ? "Symbol not available" : "Symbol not available: " + name
            confirm(outcome)
            return
        }
        outcome.digits = symbol.digits
        guard let quote = terminal.context.market.quote(symbol.marketIndex) else {
            outcome.message = version == .v201 ? "No quotes available" : "No quotes available for " + name
            confirm(outcome)
            return
        }
        let direction = direction(command, quote)
        if let objection = objection(symbol, direction) {
            outcome.message = objection
            terminal.context.ledger?.refused(outcome.fireID, reason: objection, messages.profile)
            confirm(outcome)
            return
        }
        let stops = stops(command, direction, price: direction == .buy ? quote.ask : quote.bid)
        let request = OrderRequest(
            symbol: symbol, direction: direction, lot: outcome.lot.isPositive ? outcome.lot : Amount(units: 1_000_000),
            stopLoss: stops.loss, takeProfit: stops.profit, magic: UniversalExpert.magic,
            comment: comment(outcome.fireID))
        switch terminal.openPosition(request, fireID: outcome.fireID) {
        case .success(let position):
            outcome.isSuccess = true
            outcome.ticket = position.ticket
            outcome.price = position.openPrice
            outcome.message =
                version.isDealer ? "Trade executed successfully via DEALER" : "Trade executed successfully"
        case .failure(let refusal):
            // 4756 is GetLastError() for every refused trade request.
            outcome.message =
                version == .v201
                ? "Trade execution failed"
                : TerminalText("Trade execution failed - Error: 4756 Result: \(refusal.code)")
        }
        confirm(outcome)
    }

    /// Why 2.06H does not even try: ten positions at most, no hedge. Its words are not documented; these are ours.
    func objection(_ symbol: WatchedSymbol, _ direction: Direction) -> TerminalText? {
        guard version == .v206H else { return nil }
        let positions = terminal.account.positions
        if positions.count >= UniversalMessages.mostPositions {
            return TerminalText("Maximum of \(UniversalMessages.mostPositions) positions reached")
        }
        let isHedge = positions.contains { $0.symbol == symbol.marketIndex && $0.direction != direction }
        return isHedge ? "Hedge blocked: " + symbol.name : nil
    }

    private func watched(_ name: TerminalText) -> WatchedSymbol? {
        messages.profile.symbols.first { $0.name == name }
    }

    private func comment(_ fireID: TerminalText) -> TerminalText {
        switch version {
        case .v205, .v206H, .own: fireID.isEmpty ? "BITTEN_DEALER" : fireID
        case .v202: "BITTEN_UNIFIED"
        case .v201, .v701: "BITTEN_UNIVERSAL"
        }
    }

    private func direction(_ command: CommandText, _ quote: Quote) -> Direction {
        if version.isDealer {
            let named = command.value("direction")
            let text = named.isEmpty ? command.value("side") : named
            if !text.isEmpty { return text == "BUY" || text == "buy" ? .buy : .sell }
        }
        let entry = command.amount("entry")
        if entry.isZero && version != .v201 { return .buy }
        return (entry - quote.ask).magnitude < (entry - quote.bid).magnitude ? .buy : .sell
    }

    /// A stop or target on the wrong side of the price is dropped without a word; 2.01 passes them as they are.
    private func stops(
        _ command: CommandText, _ direction: Direction, price: Amount
    ) -> (loss: Amount, profit: Amount) {
        let loss = command.amount("sl")
        let profit = command.amount("tp")
        if version == .v201 { return (loss.isPositive ? loss : .zero, profit.isPositive ? profit : .zero) }
        let lossFits = loss.isPositive && (direction == .buy ? loss < price : loss > price)
        let profitFits = profit.isPositive && (direction == .buy ? profit > price : profit < price)
        return (lossFits ? loss : .zero, profitFits ? profit : .zero)
    }

    // MARK: - close

    private func closeAll() {
        var closed = 0
        var failed = 0
        var volume = Amount.zero
        for position in terminal.account.positions.reversed() where position.magic == UniversalExpert.magic {
            if let result = terminal.closePosition(ticket: position.ticket) {
                if version == .own { report(result) }
                closed += 1
                volume += position.lot
            } else {
                failed += 1
            }
        }
        // The own form has said it of each one.
        if version == .own && closed > 0 && failed == 0 { return }
        let total = TerminalText(bytes: DecimalText.fixed(volume, decimals: 2))
        let text = TerminalText("Closed \(closed) positions, \(failed) failed, Total volume: ") + total
        confirmClose(CommandOutcome(command: "close_all", isSuccess: failed == 0, lot: volume, message: text))
    }

    private func closeTicket(_ ticket: Int64) {
        var outcome = CommandOutcome(command: "close_ticket", ticket: ticket, message: "")
        if ticket <= 0 {
            outcome.message = "Invalid ticket number"
        } else if let position = terminal.account.position(ticket: ticket) {
            if position.magic != UniversalExpert.magic {
                outcome.message = "Position not owned by BITTEN"
            } else {
                outcome.lot = position.lot
                let closed = terminal.closePosition(ticket: ticket)
                if version == .own, let closed { return report(closed) }
                outcome.isSuccess = closed != nil
                outcome.message = outcome.isSuccess ? "Position closed successfully" : "Failed to close position"
            }
        } else {
            outcome.message = "Position not found"
        }
        confirmClose(outcome)
    }

    // MARK: - Answers

    func confirm(_ outcome: CommandOutcome) {
        if version == .own { return confirmOwn(outcome) }
        terminal.sendConfirmation(messages.confirmation(outcome, terminal.figures, time: terminal.timeText))
    }

    private func confirmOwn(_ outcome: CommandOutcome) {
        let position = outcome.isSuccess ? terminal.account.position(ticket: outcome.ticket) : nil
        let time = terminal.timeText
        terminal.sendConfirmation(
            position.map { messages.ownOpened($0, fireID: outcome.fireID, time: time) }
                ?? messages.ownFailed(outcome, time: time))
    }

    private func confirmClose(_ outcome: CommandOutcome) {
        if version == .own { return confirmOwn(outcome) }
        terminal.sendConfirmation(messages.closeConfirmation(outcome, terminal.figures, time: terminal.timeText))
    }
}
