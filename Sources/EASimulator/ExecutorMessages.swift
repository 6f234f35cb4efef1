import Domain

/// Every message of the trade executor 7.01, all on `ea-telemetry`. Source: ea-wire 4.3, ea-golden.jsonl.
///
/// No user, no node: only `status` names an account. Prices have five decimals whatever the symbol.
struct ExecutorMessages {
    let profile: TerminalProfile

    struct Counters {
        var received = 0
        var sent = 0
        var trades = 0
        var errors = 0
    }

    func tick(bid: Amount, ask: Amount, brokerSeconds: Int64) -> [UInt8] {
        let symbol = profile.chartSymbol
        var message = MessageText(type: "tick")
        message.text("symbol", symbol.name)
        message.decimal("bid", bid, 5)
        message.decimal("ask", ask, 5)
        message.decimal("spread", SymbolSpecification.points(ask - bid, digits: symbol.digits), 1)
        message.integer("volume", 0)
        message.integer("timestamp", brokerSeconds)
        return message.finished()
    }

    /// - Parameter bars: per timeframe the up to ten newest bars, oldest first; the EA sends the oldest five.
    func candleBatch(_ bars: [(Timeframe, [MarketBar])], brokerSeconds: Int64) -> [UInt8] {
        var message = MessageText(type: "candle_batch")
        message.text("symbol", profile.chartSymbol.name)
        message.integer("timestamp", brokerSeconds)
        for (timeframe, series) in bars {
            message.append(literal: ",\"")
            message.append(TerminalText(timeframe.rawValue))
            message.append(literal: "\":[")
            for (index, bar) in series.prefix(5).enumerated() {
                message.append(literal: index == 0 ? "{\"time\":" : ",{\"time\":")
                message.append(integer: bar.utcSeconds + profile.brokerOffsetSeconds)
                message.decimal("open", bar.open, 5)
                message.decimal("high", bar.high, 5)
                message.decimal("low", bar.low, 5)
                message.decimal("close", bar.close, 5)
                message.integer("volume", bar.tickCount)
                message.append(literal: "}")
            }
            message.append(literal: "]")
        }
        return message.finished()
    }

    func heartbeat(_ figures: AccountFigures, positions: Int, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "heartbeat")
        message.money("balance", figures.balance)
        message.money("equity", figures.equity)
        message.integer("positions", positions)
        message.text("timestamp", time)
        return message.finished()
    }

    func status(_ status: TerminalText, _ text: TerminalText, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "status")
        message.text("status", status)
        message.text("message", text)
        message.text("ea_version", profile.version.text)
        message.integer("account", Int32(truncatingIfNeeded: profile.account))
        message.text("server", profile.server)
        message.text("timestamp", time)
        return message.finished()
    }

    func statusReport(
        _ counters: Counters, secondsSinceReceived: Int64, positions: Int, _ figures: AccountFigures,
        time: TerminalText
    ) -> [UInt8] {
        var message = MessageText(type: "status_report")
        message.raw("connected", "true")
        message.integer("uptime", secondsSinceReceived)
        message.integer("messages_received", counters.received)
        message.integer("messages_sent", counters.sent)
        message.integer("trades_executed", counters.trades)
        message.integer("errors", counters.errors)
        message.integer("open_positions", positions)
        message.money("account_balance", figures.balance)
        message.money("account_equity", figures.equity)
        message.money("account_margin", figures.margin)
        message.text("timestamp", time)
        return message.finished()
    }

    func tradeResult(
        signalID: TerminalText, deal: Int64, price: Amount, _ text: TerminalText, _ figures: AccountFigures,
        time: TerminalText
    ) -> [UInt8] {
        var message = MessageText(type: "trade_result")
        message.text("signal_id", signalID)
        message.text("status", "success")
        // "%d" of a 64-bit ticket: MQL5 prints its lower half.
        message.integer("ticket", Int32(truncatingIfNeeded: deal))
        message.decimal("price", price, 5)
        message.text("message", text)
        message.money("balance", figures.balance)
        message.money("equity", figures.equity)
        message.money("margin", figures.margin)
        message.text("timestamp", time)
        return message.finished()
    }

    func error(signalID: TerminalText, _ text: TerminalText, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "error")
        message.text("signal_id", signalID)
        message.text("error", text)
        message.text("timestamp", time)
        return message.finished()
    }

    func pong(time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "pong")
        message.text("timestamp", time)
        return message.finished()
    }
}
