import Domain
import Wire

/// The universal EAs 2.05, 2.02 and 2.01: one chart, all symbols of the MarketWatch. Source: ea-wire 1 to 3.
final class UniversalExpert: Expert {
    unowned let terminal: Terminal
    let messages: UniversalMessages
    private(set) var ticksProcessed = 0
    private var lastTickTime: Int64 = 0
    private var lastHeartbeat: Int64 = 0
    private var lastBars: Int64 = 0
    private var symbolTimes: [Int64]
    private var isFirstTimer = true

    private var context: FleetContext { terminal.context }
    private var profile: TerminalProfile { messages.profile }

    let readsBetweenTicks = false

    init(_ terminal: Terminal) {
        self.terminal = terminal
        messages = UniversalMessages(profile: terminal.profile, nodeID: terminal.nodeID)
        symbolTimes = Array(repeating: 0, count: terminal.profile.symbols.count)
    }

    func start() {
        let figures = terminal.figures
        let queued = context.behaviour.backlog
        let seconds = Int64(queued) / UniversalExpert.messagesPerSecond
        let time = context.market.timeText(brokerSeconds: terminal.timeCurrent - seconds)
        if profile.version.isDealer { terminal.send(messages.hello(figures, time: time), to: .commands) }
        terminal.send(messages.handshake(figures, time: time), to: .telemetry)
        if queued > 0 { sendBacklog(queued) }
    }

    func reconnected() {}

    func stop(reason: TerminalText) {
        terminal.send(messages.disconnect(ticks: ticksProcessed, time: terminal.timeText), to: .telemetry)
    }

    // MARK: - Events

    func onTick() {
        guard terminal.timeCurrent != lastTickTime else { return }
        sendTick(profile.chart, isFirst: false)
        lastTickTime = terminal.timeCurrent
        ticksProcessed += 1
    }

    func onTimer() {
        for index in profile.symbols.indices {
            guard let quote = context.market.quote(profile.symbols[index].marketIndex) else { continue }
            guard quote.utcSeconds > symbolTimes[index] else { continue }
            sendTick(index, isFirst: isFirstTimer)
            symbolTimes[index] = quote.utcSeconds
        }
        isFirstTimer = false
        if terminal.timeCurrent - lastHeartbeat >= context.behaviour.heartbeatSeconds {
            sendHeartbeats()
            lastHeartbeat = terminal.timeCurrent
        }
        if terminal.timeCurrent - lastBars >= 60 {
            sendBars()
            lastBars = terminal.timeCurrent
        }
    }

    // MARK: - Messages

    private func sendTick(_ index: Int, isFirst: Bool, ageSeconds: Int64 = 0) {
        guard let quote = context.market.quote(profile.symbols[index].marketIndex) else { return }
        let age = ageSeconds + (isFirst ? context.behaviour.staleFirstTicksSeconds : 0)
        let time = context.market.timeText(brokerSeconds: quote.utcSeconds + profile.brokerOffsetSeconds - age)
        let message = messages.tick(index, bid: quote.bid, ask: quote.ask, time: time)
        terminal.send(prefixed("TICK ", message), to: .telemetry)
        context.statistics.ticksSent += 1
    }

    private func sendHeartbeats() {
        let figures = terminal.figures
        let telemetry = messages.heartbeat(figures, ticks: ticksProcessed, time: terminal.timeText)
        terminal.send(prefixed("HEARTBEAT ", telemetry), to: .telemetry)
        context.statistics.heartbeatsSent += 1
        switch profile.version {
        case .v205, .own:
            let message = messages.commandHeartbeat(figures, ticks: ticksProcessed, time: terminal.timeText)
            terminal.send(message, to: .commands)
        case .v206H: terminal.send(messages.positionsHeartbeat(terminal), to: .commands)
        case .v202, .v201, .v701: break
        }
    }

    private func sendBars() {
        for index in profile.symbols.indices {
            sendBar(index, .m1)
            // A free-running cadence meets these seconds rarely; that is how it is in the field.
            if terminal.timeCurrent % 300 == 0 { sendBar(index, .m5) }
            if terminal.timeCurrent % 900 == 0 { sendBar(index, .m15) }
        }
    }

    private func sendBar(_ index: Int, _ timeframe: Timeframe) {
        guard let bar = context.market.completedBar(profile.symbols[index].marketIndex, timeframe) else { return }
        let message = messages.bar(
            index, timeframe: timeframe, bar, brokerSeconds: bar.utcSeconds + profile.brokerOffsetSeconds,
            time: terminal.timeText)
        terminal.send(prefixed("OHLC ", message), to: .telemetry)
        context.statistics.barsSent += 1
    }

    private func prefixed(_ prefix: StaticString, _ message: [UInt8]) -> [UInt8] {
        guard context.behaviour.prefixesText else { return message }
        return prefix.withUTF8Buffer { Array($0) } + message
    }

    func report(_ closed: ClosedPosition) {
        let message =
            switch profile.version {
            case .v206H: messages.tradeClosed(closed)
            case .own: messages.ownClosed(closed, time: terminal.timeText)
            default: messages.positionClosed(closed, terminal.figures, time: terminal.timeText)
            }
        terminal.sendConfirmation(message)
    }

    // MARK: - Outage

    /// Captured rate: 8 messages a second and terminal. Source: ea-wire 1.3.
    private static let messagesPerSecond: Int64 = 8

    func sendBacklog(_ count: Int) {
        let seconds = Int64(count) / UniversalExpert.messagesPerSecond
        for number in 0..<count {
            let age = seconds - Int64(number) / UniversalExpert.messagesPerSecond
            sendTick(number % profile.symbols.count, isFirst: false, ageSeconds: age)
        }
        context.log("backlog", terminal, [("messages", .integer(count))])
    }

    func chartTickText() -> [UInt8]? {
        guard let quote = context.market.quote(profile.chartSymbol.marketIndex) else { return nil }
        let time = context.market.timeText(brokerSeconds: quote.utcSeconds + profile.brokerOffsetSeconds)
        return messages.tick(profile.chart, bid: quote.bid, ask: quote.ask, time: time)
    }
}
