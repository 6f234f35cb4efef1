import Domain

/// The two forms that tell more: 2.06H's heartbeat and close, and the mesh's own confirmations. Source: ea-wire 7,
/// contract 3.
extension UniversalMessages {
    // MARK: - 2.06H

    /// The list an EA of that version can hold; it opens no more than that.
    static let mostPositions = 10

    /// - Returns: HEARTBEAT with the account's positions, whoever opened them; their `fire_id` is the order's comment.
    func positionsHeartbeat(_ terminal: Terminal) -> [UInt8] {
        let figures = terminal.figures
        let user = profile.userUUID
        var message = MessageText(type: "HEARTBEAT")
        message.text("target_uuid", user)
        message.text("user_id", user)
        message.text("account_login", TerminalText(String(profile.account)))
        message.text("broker", profile.server)
        message.money("balance", figures.balance)
        message.money("equity", figures.equity)
        message.integer("leverage", profile.leverage)
        message.text("currency", TerminalText(profile.currency))
        message.integer("ts", terminal.timeCurrent)
        positions(terminal, limit: UniversalMessages.mostPositions, into: &message)
        return message.finished()
    }

    private func positions(_ terminal: Terminal, limit: Int, into message: inout MessageText) {
        let account = terminal.account
        let market = terminal.context.market
        message.integer("open_positions", account.positions.count)
        let items = account.positions.prefix(limit).map { position in
            var item = MessageText(prefix: Array("{\"ticket\":\(position.ticket)".utf8))
            item.text("fire_id", position.comment)
            item.text("symbol", position.symbolName)
            item.text("direction", TerminalText(position.direction.rawValue))
            item.decimal("open_price", position.openPrice, position.digits)
            let price = account.closePrice(position, market) ?? position.openPrice
            item.decimal("current_price", price, position.digits)
            item.money("volume", position.lot)
            item.money("pnl", account.floatingProfit(position, market))
            return item.finished()
        }
        message.list("positions", items)
    }

    /// What OnTrade reports of a position with our magic that is gone; no account, no node, no clock in it.
    func tradeClosed(_ closed: ClosedPosition) -> [UInt8] {
        var message = MessageText(type: "position_closed")
        message.text("uuid", profile.userUUID)
        message.integer("ticket", closed.position.ticket)
        message.text("fire_id", closed.position.comment)
        message.text("symbol", closed.position.symbolName)
        message.text("direction", TerminalText(closed.position.direction.rawValue))
        message.decimal("close_price", closed.price, closed.position.digits)
        // OnTrade can't tell an EA's own close from a trader's.
        let reason = closed.reason == .command ? CloseReason.manual : closed.reason
        message.text("close_reason", TerminalText(reason.rawValue))
        message.money("pnl", closed.profit)
        message.integer("duration_minutes", closed.heldSeconds / 60)
        return message.finished()
    }

    // MARK: - The own form

    func ownOpened(_ position: BrokerPosition, fireID: TerminalText, time: TerminalText) -> [UInt8] {
        var message = own(position, result: "order_opened")
        message.text("open_time", time)
        own(position, fireID: fireID, into: &message)
        return message.finished()
    }

    func ownClosed(_ closed: ClosedPosition, time: TerminalText) -> [UInt8] {
        let position = closed.position
        let opened = position.openedAt + profile.brokerOffsetSeconds
        var message = own(position, result: "order_closed")
        message.decimal("close_price", closed.price, position.digits)
        message.money("profit", closed.profit)
        message.money("swap", position.swap)
        message.money("commission", .zero)
        message.text("open_time", TerminalText(Timestamp.brokerText(seconds: opened)))
        message.text("close_time", time)
        message.text("reason", TerminalText(closed.reason.rawValue))
        own(position, fireID: position.comment, into: &message)
        return message.finished()
    }

    func ownFailed(_ outcome: CommandOutcome, time: TerminalText) -> [UInt8] {
        var message = MessageText(prefix: Array("{\"ticket\":\(outcome.ticket)".utf8))
        message.text("symbol", outcome.symbol)
        message.text("result", "failed")
        // A fire that failed needs no word for it; any other command is told by its name.
        if outcome.command != "fire" { message.text("command_type", outcome.command) }
        message.money("volume", outcome.lot)
        message.text("message", outcome.message)
        sender(fireID: outcome.fireID, into: &message)
        message.text("timestamp", time)
        return message.finished()
    }

    private func own(_ position: BrokerPosition, result: TerminalText) -> MessageText {
        var message = MessageText(prefix: Array("{\"ticket\":\(position.ticket)".utf8))
        message.text("symbol", position.symbolName)
        message.text("result", result)
        message.text("type", position.direction == .buy ? "buy" : "sell")
        message.money("volume", position.lot)
        message.decimal("open_price", position.openPrice, position.digits)
        return message
    }

    private func own(_ position: BrokerPosition, fireID: TerminalText, into message: inout MessageText) {
        message.decimal("sl", position.stopLoss, position.digits)
        message.decimal("tp", position.takeProfit, position.digits)
        message.integer("magic_number", position.magic)
        message.text("comment", position.comment)
        sender(fireID: fireID, into: &message)
    }

    private func sender(fireID: TerminalText, into message: inout MessageText) {
        message.integer("account", profile.account)
        message.text("currency", TerminalText(profile.currency))
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        message.text("fire_id", fireID)
    }

    /// The answer to `query_positions`: a heartbeat that lists every position, with the question's id.
    func positionsAnswer(_ queryID: TerminalText, _ terminal: Terminal) -> [UInt8] {
        var message = MessageText(type: "HEARTBEAT")
        message.text("target_uuid", profile.userUUID)
        message.text("node_id", nodeID)
        message.text("query_id", queryID)
        message.text("account_login", TerminalText(String(profile.account)))
        message.text("broker", profile.server)
        metrics(terminal.figures, into: &message)
        positions(terminal, limit: .max, into: &message)
        message.text("timestamp", terminal.timeText)
        return message.finished()
    }
}
