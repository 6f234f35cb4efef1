public import Domain

extension PositionTrackerEngine {
    /// A tick from the relay: a new price, a sign that a chart lives, and what this user's positions are worth now.
    ///
    /// - Returns: whose terminal it is of; nil where it is of none that is known with its broker.
    @discardableResult
    public mutating func tick(_ tick: Tick, now: Timestamp) -> String? {
        guard let node = tick.nodeID, let (user, server) = terminals.quoting(node: node) else { return nil }
        let isCurrent = quotes.isCurrent(tick, node: node, now: now)
        if isCurrent { terminals.tick(tick, of: user, now: now) }
        guard isCurrent, let quote = quotes.keep(tick, node: node, server: server, now: now),
            let keys = positionsByQuote[QuoteBook.Key(source: server, symbol: tick.symbol)]
        else { return user }
        // A position is worth what its own user's terminal sees: another one may only claim the server's name.
        for key in keys where positions[key]?.userUUID == user { follow(key, quote, node, now) }
        return user
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
}
