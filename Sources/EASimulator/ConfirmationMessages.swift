import Domain

/// What an EA says of a command it carried out or could not.
struct CommandOutcome {
    var command: TerminalText = "fire"
    var fireID: TerminalText = ""
    var symbol: TerminalText = ""
    /// SYMBOL_DIGITS of `symbol`, 0 where the broker has no such symbol.
    var digits = 0
    var isSuccess = false
    var ticket: Int64 = 0
    var price = Amount.zero
    var lot = Amount.zero
    var message: TerminalText
}

/// What goes to `ea-confirmations`. Source: ea-wire 2 and 3.
extension UniversalMessages {
    func confirmation(_ outcome: CommandOutcome, _ figures: AccountFigures, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "confirmation")
        if profile.version != .v201 { message.text("command_type", outcome.command) }
        if profile.version.isDealer { message.text("fire_id", outcome.fireID) }
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        if profile.version == .v201 { message.text("symbol", outcome.symbol) }
        message.text("status", outcome.isSuccess ? "success" : "failed")
        message.integer("ticket", outcome.ticket)
        message.decimal("price", outcome.price, profile.version == .v201 ? outcome.digits : 5)
        message.money("lot", outcome.lot)
        message.text("message", outcome.message)
        account(figures, into: &message)
        message.text("timestamp", time)
        return message.finished()
    }

    func closeConfirmation(_ outcome: CommandOutcome, _ figures: AccountFigures, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "close_confirmation")
        message.text("command_type", outcome.command)
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        message.text("status", outcome.isSuccess ? "success" : "failed")
        message.integer("ticket", outcome.ticket)
        // The EAs pass a literal zero here, whatever the position closed at.
        message.decimal("close_price", .zero, 5)
        message.money("lot", outcome.lot)
        message.text("message", outcome.message)
        account(figures, into: &message)
        message.text("timestamp", time)
        return message.finished()
    }

    private func account(_ figures: AccountFigures, into message: inout MessageText) {
        message.integer("account", profile.account)
        if profile.version.isDealer { message.text("currency", TerminalText(profile.currency)) }
        message.money("balance", figures.balance)
        message.money("equity", figures.equity)
        message.money("free_margin", figures.freeMargin)
        message.money("margin_level", figures.marginLevel)
    }

    func pong(_ pingID: TerminalText, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "pong")
        message.text("ping_id", pingID)
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        message.text("timestamp", time)
        return message.finished()
    }

    /// What older EAs would say of a close nobody commanded, if they said it. Source: contract 3, ea-wire 7.
    func positionClosed(_ closed: ClosedPosition, _ figures: AccountFigures, time: TerminalText) -> [UInt8] {
        var message = MessageText(type: "position_closed")
        message.integer("ticket", closed.position.ticket)
        message.text("fire_id", closed.position.comment)
        message.text("symbol", closed.position.symbolName)
        message.text("direction", TerminalText(closed.position.direction.rawValue))
        message.money("volume", closed.position.lot)
        message.decimal("open_price", closed.position.openPrice, closed.position.digits)
        message.decimal("close_price", closed.price, closed.position.digits)
        message.text("reason", TerminalText(closed.reason.rawValue))
        message.money("profit", closed.profit)
        message.integer("duration_minutes", closed.heldSeconds / 60)
        message.text("node_id", nodeID)
        message.text("user_uuid", profile.userUUID)
        message.integer("account", profile.account)
        message.text("currency", TerminalText(profile.currency))
        message.money("balance", figures.balance)
        message.money("equity", figures.equity)
        message.text("timestamp", time)
        return message.finished()
    }
}
