public import Domain

extension PositionTrackerEngine {
    /// A tick from the relay: a new price, a sign that a chart lives, and what this user's positions are worth now.
    public mutating func tick(_ tick: Tick, now: Timestamp) {
        guard let node = tick.nodeID, let terminal = terminals.terminal(node: node), let server = terminal.server else {
            return
        }
        let isCurrent = quotes.isCurrent(tick, node: node, now: now)
        terminals.tick(tick, isCurrent: isCurrent, now: now)
        guard isCurrent, let quote = quotes.keep(tick, node: node, server: server, now: now),
            let keys = positionsByQuote[QuoteBook.Key(source: server, symbol: tick.symbol)]
        else { return }
        // A position is worth what its own user's terminal sees: another one may only claim the server's name.
        for key in keys where positions[key]?.userUUID == terminal.userUUID { follow(key, quote, node, now) }
    }

    private mutating func follow(_ key: PositionKey, _ quote: Quote, _ node: String, _ now: Timestamp) {
        guard let position = positions[key], let instrument = catalogue.instruments[position.canonicalSymbol] else {
            return
        }
        let rate = position.currency.flatMap {
            quotes.conversion(from: instrument.quoteCurrency, to: $0, node: node, server: key.server, now: now)
        }
        if positions[key]?.follow(quote, contractSize: instrument.contractSize, rate: rate) == true {
            dirtyPositions.insert(key)
        }
    }

    /// Hands out what changed since the last time, for one write.
    public mutating func flushPositions(into outputs: inout [TrackerOutput]) {
        guard stateIsAvailable, !dirtyPositions.isEmpty else { return }
        outputs.append(.writePositions(dirtyPositions.compactMap { positions[$0] }))
        dirtyPositions.removeAll(keepingCapacity: true)
    }

    // MARK: - Terminals

    /// A frame of a terminal on the command port: learn who speaks there. Returns what is wrong, if anything is.
    public mutating func heard(
        _ report: TerminalReport, identity: [UInt8], now: Timestamp, into outputs: inout [TrackerOutput]
    ) -> String? {
        guard let user = report.userUUID, let node = report.nodeID else { return nil }
        let conflict = terminals.hear(identity: identity, user: user, node: node, now: now)
        // Somebody else under this name must not change the account's figures either.
        guard conflict == nil else {
            outputs.append(.count("identity_conflicts"))
            for terminal in terminals.forgetKept(identity: identity, user: user) {
                outputs.append(.forgetIdentity(nodeID: terminal))
            }
            return conflict
        }
        terminals.update(user: user, node: node) { terminal in
            terminal.isActive = true
            PositionTrackerEngine.merge(report, into: &terminal)
        }
        if terminals.shouldKeep(identity: identity, user: user, now: now) {
            outputs.append(.rememberIdentity(nodeID: node, userUUID: user, identity: identity, heardAt: now))
        }
        return nil
    }

    /// An identity learned before our restart: used until the terminal is heard again.
    public mutating func restore(identity: [UInt8], user: String, node: String) {
        terminals.restore(identity: identity, user: user, node: node)
    }

    /// What node-registry says: a node came, changed or went.
    public mutating func nodeChanged(_ report: TerminalReport, isActive: Bool) {
        guard let user = report.userUUID, let node = report.nodeID else { return }
        guard isActive else {
            quotes.forget(node: node)
            return terminals.end(node: node)
        }
        terminals.update(user: user, node: node) { terminal in
            terminal.isActive = true
            PositionTrackerEngine.merge(report, into: &terminal)
        }
    }

    private static func merge(_ report: TerminalReport, into terminal: inout Terminal) {
        if let server = report.server { terminal.server = server }
        if let account = report.account { terminal.account = account }
        if let currency = report.currency { terminal.currency = currency }
        if let balance = report.balance.flatMap({ Amount($0) }) { terminal.balance = balance }
        if let equity = report.equity.flatMap({ Amount($0) }) { terminal.equity = equity }
        if let chart = report.chartSymbol { terminal.chartSymbol = chart }
        if !report.symbols.isEmpty { terminal.symbols = report.symbols }
        if let version = report.version { terminal.version = version }
    }
}
