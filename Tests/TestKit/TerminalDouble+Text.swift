/// The EA's texts: keys in its order, no spaces, nothing escaped. Source: ea-wire 1.2, 2.
extension TerminalDouble {
    private var money: String {
        "\"currency\":\"\(profile.currency)\",\"balance\":\(profile.balance),\"equity\":\(profile.equity)"
    }

    private var margins: String {
        "\"free_margin\":\(profile.freeMargin),\"margin_level\":\(profile.marginLevel)"
    }

    private var sender: String { "\"node_id\":\"\(profile.nodeID)\",\"user_uuid\":\"\(profile.userUUID)\"" }
    private var target: String { "\"target_uuid\":\"\(profile.userUUID)\",\"node_id\":\"\(profile.nodeID)\"" }
    private var usualTime: String { brokerTime() }

    public func helloText(time: String? = nil) -> String {
        "{\"type\":\"HELLO\",\(target),\"account_login\":\"\(profile.account)\",\"broker\":\"\(profile.server)\","
            + "\"company\":\"\(profile.company)\",\"terminal\":\"MetaTrader 5\",\(money),"
            + "\"leverage\":\(profile.leverage),\"margin\":\(profile.margin),\(margins),"
            + "\"symbols\":\(profile.symbols.count),\"version\":\"\(profile.version)\","
            + "\"timestamp\":\"\(time ?? usualTime)\"}"
    }

    public func commandHeartbeatText(time: String? = nil) -> String {
        "{\"type\":\"HEARTBEAT\",\(target),\(money),\"leverage\":\(profile.leverage),\"margin\":\(profile.margin),"
            + "\(margins),\"ticks_processed\":\(ticksProcessed),\"timestamp\":\"\(time ?? usualTime)\"}"
    }

    public func handshakeText(time: String? = nil) -> String {
        "{\"type\":\"handshake\",\"deployment_mode\":\"universal_dealer\",\(sender),\"account\":\(profile.account),"
            + "\"broker\":\"\(profile.company)\",\"server\":\"\(profile.server)\","
            + "\"chart_symbol\":\"\(profile.chartSymbol)\",\"monitored_symbols\":\(profile.symbols.count),"
            + "\"symbol_list\":\"\(profile.symbols.prefix(20).joined(separator: ","))\",\(money),"
            + "\"leverage\":\(profile.leverage),\"version\":\"\(profile.version)\",\"socket_type\":\"DEALER\","
            + "\"timestamp\":\"\(time ?? usualTime)\"}"
    }

    public func heartbeatText(time: String? = nil) -> String {
        "{\"type\":\"heartbeat\",\(sender),\"account\":\(profile.account),\(money),\"leverage\":\(profile.leverage),"
            + "\(margins),\"symbols_monitored\":\(profile.symbols.count),\"ticks_processed\":\(ticksProcessed),"
            + "\"socket_type\":\"DEALER\",\"timestamp\":\"\(time ?? usualTime)\"}"
    }

    public func tickText(_ symbol: String, bid: String, ask: String, time: String) -> String {
        "{\"type\":\"TICK\",\(sender),\"symbol\":\"\(symbol)\",\"bid\":\(bid),\"ask\":\(ask),"
            + "\"spread\":\(points(bid: bid, ask: ask)),\"volume\":0,\"timestamp\":\"\(time)\"}"
    }

    public func disconnectText(time: String? = nil) -> String {
        "{\"type\":\"DISCONNECT\",\"deployment_mode\":\"universal_dealer\",\(sender),"
            + "\"symbols_monitored\":\(profile.symbols.count),\"ticks_processed\":\(ticksProcessed),"
            + "\"socket_type\":\"DEALER\",\"timestamp\":\"\(time ?? usualTime)\"}"
    }

    public func confirmationText(
        command: String, fireID: String, status: String, ticket: Int64, price: String, lot: String, message: String,
        time: String? = nil
    ) -> String {
        "{\"type\":\"confirmation\",\"command_type\":\"\(command)\",\"fire_id\":\"\(fireID)\",\(sender),"
            + "\"status\":\"\(status)\",\"ticket\":\(ticket),\"price\":\(price),\"lot\":\(lot),"
            + "\"message\":\"\(message)\",\"account\":\(profile.account),\(money),\(margins),"
            + "\"timestamp\":\"\(time ?? usualTime)\"}"
    }

    public func closeConfirmationText(
        command: String, status: String, ticket: Int64, lot: String, message: String, time: String? = nil
    ) -> String {
        "{\"type\":\"close_confirmation\",\"command_type\":\"\(command)\",\(sender),\"status\":\"\(status)\","
            + "\"ticket\":\(ticket),\"close_price\":0.00000,\"lot\":\(lot),\"message\":\"\(message)\","
            + "\"account\":\(profile.account),\(money),\(margins),\"timestamp\":\"\(time ?? usualTime)\"}"
    }

    public func pongText(_ pingID: String, time: String? = nil) -> String {
        "{\"type\":\"pong\",\"ping_id\":\"\(pingID)\",\(sender),\"timestamp\":\"\(time ?? usualTime)\"}"
    }

    /// The spread in points with one decimal: both prices have the symbol's digits.
    private func points(bid: String, ask: String) -> String {
        func digits(_ text: String) -> Int { Int(text.filter(\.isNumber)) ?? 0 }
        return "\(digits(ask) - digits(bid)).0"
    }
}
