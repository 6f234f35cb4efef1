import Domain

/// Every message of the universal EAs 2.05, 2.02 and 2.01, byte for byte. Source: ea-wire 2 and 3, ea-golden.jsonl.
struct UniversalMessages {
    let profile: TerminalProfile
    let nodeID: TerminalText
    private let tickPrefixes: [[UInt8]]

    private var isDealer: Bool { profile.version.isDealer }
    private var deploymentMode: TerminalText { isDealer ? "universal_dealer" : "universal" }

    init(profile: TerminalProfile, nodeID: TerminalText) {
        self.profile = profile
        self.nodeID = nodeID
        tickPrefixes = profile.symbols.map { symbol in
            var message = MessageText(type: "TICK")
            message.text("node_id", nodeID)
            message.text("user_uuid", profile.userUUID)
            message.text("symbol", symbol.name)
            return message.bytes
        }
    }

    // MARK: - ea-commands

    func hello(_ figures: AccountFigures, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "HELLO")
        message.text("target_uuid", profile.userUUID)
        message.text("node_id", nodeID)
        message.text("account_login", TerminalText(String(profile.account)))
        message.text("broker", profile.server)
        message.text("company", profile.company)
        message.text("terminal", profile.terminalName)
        metrics(figures, into: &message)
        message.integer("symbols", profile.symbols.count)
        message.text("version", profile.version.text)
        message.text("timestamp", time)
        return message.finished()
    }

    func commandHeartbeat(_ figures: AccountFigures, ticks: Int, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "HEARTBEAT")
        message.text("target_uuid", profile.userUUID)
        message.text("node_id", nodeID)
        metrics(figures, into: &message)
        message.integer("ticks_processed", ticks)
        message.text("timestamp", time)
        return message.finished()
    }

    func metrics(_ figures: AccountFigures, into message: inout MessageText) {
        message.text("currency", TerminalText(profile.currency))
        message.money("balance", figures.balance)
        message.money("equity", figures.equity)
        message.integer("leverage", profile.leverage)
        message.money("margin", figures.margin)
        message.money("free_margin", figures.freeMargin)
        message.money("margin_level", figures.marginLevel)
    }

    // MARK: - ea-telemetry

    func handshake(_ figures: AccountFigures, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "handshake")
        message.text("deployment_mode", deploymentMode)
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        message.integer("account", profile.account)
        message.text("broker", profile.company)
        message.text("server", profile.server)
        message.text("chart_symbol", profile.chartSymbol.name)
        message.integer("monitored_symbols", profile.symbols.count)
        let list = profile.symbols.prefix(20).map(\.name.bytes).joined(separator: [UInt8(ascii: ",")])
        message.text("symbol_list", TerminalText(bytes: Array(list)))
        if isDealer { message.text("currency", TerminalText(profile.currency)) }
        message.money("balance", figures.balance)
        message.money("equity", figures.equity)
        if isDealer { message.integer("leverage", profile.leverage) }
        message.text("version", profile.version.text)
        if isDealer { message.text("socket_type", "DEALER") }
        message.text("timestamp", time)
        return message.finished()
    }

    func heartbeat(_ figures: AccountFigures, ticks: Int, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "heartbeat")
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        message.integer("account", profile.account)
        if isDealer { message.text("currency", TerminalText(profile.currency)) }
        message.money("balance", figures.balance)
        message.money("equity", figures.equity)
        if isDealer { message.integer("leverage", profile.leverage) }
        message.money("free_margin", figures.freeMargin)
        message.money("margin_level", figures.marginLevel)
        message.integer("symbols_monitored", profile.symbols.count)
        message.integer("ticks_processed", ticks)
        if isDealer { message.text("socket_type", "DEALER") }
        message.text("timestamp", time)
        return message.finished()
    }

    /// - Parameter symbol: the place in the profile's symbols.
    func tick(_ symbol: Int, bid: Amount, ask: Amount, time: TerminalText) -> [UInt8] {
        let digits = profile.symbols[symbol].digits
        var message = MessageText(prefix: tickPrefixes[symbol])
        message.decimal("bid", bid, digits)
        message.decimal("ask", ask, digits)
        message.decimal("spread", SymbolSpecification.points(ask - bid, digits: digits), 1)
        message.integer("volume", 0)
        message.text("timestamp", time)
        return message.finished()
    }

    /// - Parameter brokerSeconds: the bar's opening time as an epoch of the broker's clock.
    func bar(
        _ symbol: Int, timeframe: Timeframe, _ bar: MarketBar, brokerSeconds: Int64, time: TerminalText
    ) -> [UInt8] {
        let digits = profile.symbols[symbol].digits
        var message = MessageText(type: "OHLC")
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        message.text("symbol", profile.symbols[symbol].name)
        message.text("timeframe", TerminalText(timeframe.rawValue))
        message.integer("time", brokerSeconds)
        message.decimal("open", bar.open, digits)
        message.decimal("high", bar.high, digits)
        message.decimal("low", bar.low, digits)
        message.decimal("close", bar.close, digits)
        message.text("timestamp", time)
        return message.finished()
    }

    func disconnect(ticks: Int, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "DISCONNECT")
        message.text("deployment_mode", deploymentMode)
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        message.integer("symbols_monitored", profile.symbols.count)
        message.integer("ticks_processed", ticks)
        if isDealer { message.text("socket_type", "DEALER") }
        message.text("timestamp", time)
        return message.finished()
    }
}
