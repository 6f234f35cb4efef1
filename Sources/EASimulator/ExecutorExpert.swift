import Domain
import Wire

/// The trade executor 7.01: one EA for each chart, no user, no node, results on the telemetry port. Source: ea-wire 4.
///
/// Its timer waits up to a second in the receive call, so that ticks wait too: one passes after each wait.
final class ExecutorExpert: Expert {
    unowned let terminal: Terminal
    private let messages: ExecutorMessages
    private var counters = ExecutorMessages.Counters()
    private var magic: Int64 = 20_250_101
    private var hasTick = false
    private var lastReceived: Int64
    private var lastHeartbeat: Int64 = 0
    private var lastCandles: Int64 = 0

    let readsBetweenTicks = true

    init(_ terminal: Terminal) {
        self.terminal = terminal
        messages = ExecutorMessages(profile: terminal.profile)
        lastReceived = terminal.timeCurrent
    }

    private var symbol: WatchedSymbol { terminal.profile.chartSymbol }

    // MARK: - Events

    func start() { sendStatus("startup", "EA v7.01 initialized with tick streaming") }

    func reconnected() {
        lastReceived = terminal.timeCurrent
        // The EA sets its counter back before it prints it.
        sendStatus("reconnected", "Reconnected after 0 attempts")
    }

    /// It streams its chart only: a tick for each of its timer's waits.
    func sendBacklog(_ count: Int) {
        guard let quote = terminal.context.market.quote(symbol.marketIndex) else { return }
        for number in 0..<count {
            let tick = messages.tick(
                bid: quote.bid, ask: quote.ask, brokerSeconds: terminal.timeCurrent - Int64(count - number))
            terminal.send(tick, to: .telemetry)
        }
        terminal.context.statistics.ticksSent += count
        terminal.context.log("backlog", terminal, [("messages", .integer(count))])
    }

    func chartTickText() -> [UInt8]? {
        guard let quote = terminal.context.market.quote(symbol.marketIndex) else { return nil }
        return messages.tick(bid: quote.bid, ask: quote.ask, brokerSeconds: terminal.timeCurrent)
    }

    func stop(reason: TerminalText) { sendStatus("shutdown", reason) }

    func report(_ closed: ClosedPosition) {}

    func onTick() { hasTick = true }

    func onTimer() {
        if terminal.timeCurrent - lastReceived > 120 {
            // 120 s without a frame: both sockets closed, what they held is lost, opened again after 3 s.
            terminal.closeSockets(reopenAfter: 3000)
            return
        }
        sendHeartbeatIfDue()
        passTick()
    }

    func receive(_ frame: [UInt8]) {
        let command = CommandText(frame: frame.prefix(CommandText.bufferSize - 1), endsNumbersAtSpace: true)
        let type = command.value("type")
        counters.received += 1
        lastReceived = terminal.timeCurrent
        terminal.context.statistics.commandsReceived += 1
        terminal.context.log(
            "command", terminal,
            [("type", .string(type.text)), ("text", .string(TerminalText(bytes: command.bytes).text))])
        switch type {
        case "signal": handleSignal(command)
        case "command": handleCommand(command.value("command"))
        case "config": handleConfig(command)
        case "ping": send(messages.pong(time: terminal.timeText))
        case "heartbeat": break
        default: terminal.context.statistics.commandsIgnored += 1
        }
        passTick()
    }

    private func sendHeartbeatIfDue() {
        guard terminal.timeCurrent - lastHeartbeat >= 5 else { return }
        lastHeartbeat = terminal.timeCurrent
        let positions = terminal.account.positions.count
        send(messages.heartbeat(terminal.figures, positions: positions, time: terminal.timeText))
        terminal.context.statistics.heartbeatsSent += 1
    }

    private func passTick() {
        let market = terminal.context.market
        guard hasTick, let quote = market.quote(symbol.marketIndex) else { return }
        hasTick = false
        let tick = messages.tick(bid: quote.bid, ask: quote.ask, brokerSeconds: terminal.timeCurrent)
        terminal.send(tick, to: .telemetry)
        terminal.context.statistics.ticksSent += 1
        guard terminal.timeCurrent - lastCandles >= 5 else { return }
        lastCandles = terminal.timeCurrent
        let bars = Timeframe.allCases.map { ($0, market.bars(symbol.marketIndex, $0)) }
        terminal.send(messages.candleBatch(bars, brokerSeconds: terminal.timeCurrent), to: .telemetry)
        terminal.context.statistics.barsSent += 1
    }

    // MARK: - Commands

    private func handleSignal(_ command: CommandText) {
        let name = command.value("symbol")
        let action = command.value("action")
        let signalID = command.value("signal_id")
        guard !name.isEmpty, !action.isEmpty else { return refuse(signalID, "Invalid signal parameters") }
        switch action {
        case "buy", "sell": trade(command, name, action == "buy" ? .buy : .sell, signalID)
        case "close":
            let count = close { $0.symbolName == name && $0.magic == self.magic }
            guard count > 0 else { return refuse(signalID, "No positions found for " + name) }
            confirm(signalID, text: TerminalText("Closed \(count) positions"))
        case "close_all":
            let count = close { $0.magic == self.magic }
            confirm(signalID, text: TerminalText("Closed \(count) positions"))
        default: refuse(signalID, "Unknown action: " + action)
        }
    }

    private func trade(_ command: CommandText, _ name: TerminalText, _ direction: Direction, _ signalID: TerminalText) {
        guard let symbol = terminal.profile.symbols.first(where: { $0.name == name }),
            let quote = terminal.context.market.quote(symbol.marketIndex)
        else { return refuse(signalID, "Invalid symbol: " + name) }
        terminal.context.statistics.fires += 1
        let asked = command.amount("lot")
        let lot = DecimalText.roundedAway(asked.isPositive ? asked : SymbolSpecification.lotStep, decimals: 2)
        let price = direction == .buy ? quote.ask : quote.bid
        let request = OrderRequest(
            symbol: symbol, direction: direction,
            lot: max(SymbolSpecification.lotStep, min(SymbolSpecification.maximumLot, lot)),
            stopLoss: level(command.amount("sl"), price, symbol, isAbove: direction == .sell),
            takeProfit: level(command.amount("tp"), price, symbol, isAbove: direction == .buy), magic: magic,
            comment: signalID)
        switch terminal.openPosition(request, fireID: signalID) {
        case .success(let position):
            counters.trades += 1
            confirm(signalID, deal: position.ticket, price: position.openPrice)
        case .failure(let refusal): refuse(signalID, "Trade failed: " + refusal.text)
        }
    }

    /// Stops come as distances in points, not as prices.
    private func level(_ points: Amount, _ price: Amount, _ symbol: WatchedSymbol, isAbove: Bool) -> Amount {
        guard points.isPositive else { return .zero }
        let distance = points * Amount(units: SymbolSpecification.pointUnits(digits: symbol.digits))
        return isAbove ? price + distance : price - distance
    }

    private func close(where isMeant: (BrokerPosition) -> Bool) -> Int {
        terminal.account.positions.reversed().filter(isMeant)
            .filter { terminal.closePosition(ticket: $0.ticket) != nil }.count
    }

    private func handleCommand(_ name: TerminalText) {
        switch name {
        case "shutdown": terminal.removeExpert()
        case "reset":
            counters = ExecutorMessages.Counters()
            sendStatus("reset", "Statistics reset")
        case "status":
            let silence = terminal.timeCurrent - lastReceived
            send(
                messages.statusReport(
                    counters, secondsSinceReceived: silence, positions: terminal.account.positions.count,
                    terminal.figures, time: terminal.timeText))
        default: terminal.context.statistics.commandsIgnored += 1
        }
    }

    private func handleConfig(_ command: CommandText) {
        let value = command.value("value")
        switch command.value("param") {
        case "magic_number":
            magic = CommandText.leadingInteger(value.bytes[...])
            sendStatus("config", "Magic number updated to " + value)
        case "slippage": sendStatus("config", "Slippage updated to " + value)
        default: terminal.context.statistics.commandsIgnored += 1
        }
    }

    // MARK: - Answers

    private func send(_ bytes: [UInt8]) {
        terminal.send(bytes, to: .telemetry)
        counters.sent += 1
    }

    private func sendStatus(_ status: TerminalText, _ text: TerminalText) {
        send(messages.status(status, text, time: terminal.timeText))
    }

    private func confirm(_ signalID: TerminalText, deal: Int64 = 0, price: Amount = .zero, text: TerminalText = "") {
        terminal.context.statistics.confirmationsSent += 1
        send(
            messages.tradeResult(
                signalID: signalID, deal: deal, price: price, text, terminal.figures, time: terminal.timeText))
    }

    private func refuse(_ signalID: TerminalText, _ text: TerminalText) {
        terminal.context.statistics.confirmationsSent += 1
        send(messages.error(signalID: signalID, text, time: terminal.timeText))
        counters.errors += 1
    }
}
