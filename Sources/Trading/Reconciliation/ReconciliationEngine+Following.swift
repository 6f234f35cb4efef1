public import Domain

// Our positions under the market: which are followed, what a quote reaches.
extension ReconciliationEngine {
    /// Our positions by account and by what is quoted.
    mutating func index(_ tracker: PositionTrackerEngine) {
        guard indexed != tracker.positions.count else { return }
        ours.removeAll(keepingCapacity: true)
        followed.removeAll(keepingCapacity: true)
        for position in tracker.positions.values { track(position) }
        ranges = ranges.filter { tracker.positions[$0.key] != nil }
        indexed = tracker.positions.count
    }

    /// A position was opened: it is followed from now on.
    public mutating func track(_ position: Position) {
        followed[FollowKey(user: position.userUUID, symbol: position.symbol), default: []].insert(position.key)
        if ours[position.key.accountKey, default: []].insert(position.key).inserted { indexed += 1 }
    }

    /// A position ended.
    public mutating func untrack(_ position: Position) {
        if ours[position.key.accountKey]?.remove(position.key) != nil { indexed -= 1 }
        followed[FollowKey(user: position.userUUID, symbol: position.symbol)]?.remove(position.key)
        ranges[position.key] = nil
    }

    /// A present quote of a terminal: what it touches is remembered.
    public mutating func tick(_ tick: Tick, _ tracker: PositionTrackerEngine, now: Timestamp) {
        guard let node = tick.nodeID, let user = tracker.terminals.terminal(node: node)?.userUUID,
            let keys = followed[FollowKey(user: user, symbol: tick.symbol)], !keys.isEmpty,
            let quote = tracker.quotes.quote(node: node, symbol: tick.symbol), quote.bid == tick.bid,
            quote.brokerSeconds == tick.brokerSeconds
        else { return }
        for key in keys {
            guard let position = tracker.positions[key] else { continue }
            let price = position.direction == .buy ? quote.bid : quote.ask
            var range = ranges[key]?.current ?? PriceRange(price)
            range.include(price)
            ranges[key] = (range, ranges[key]?.previous)
            guard let touch = touch(position, price, now),
                accounts[key.accountKey]?.touches[key.ticket]?.isTarget != touch.isTarget
            else { continue }
            if accounts[key.accountKey] == nil {
                accounts[key.accountKey] = newState(key.server, key.account, position.userUUID)
            }
            accounts[key.accountKey]?.touches[key.ticket] = touch
            changed.insert(key.accountKey)
        }
    }

    private func touch(_ position: Position, _ price: Amount, _ now: Timestamp) -> Touch? {
        let isBuy = position.direction == .buy
        if let stop = position.stopLoss.flatMap({ Amount($0) }), !stop.isZero, isBuy ? price <= stop : price >= stop {
            return Touch(isTarget: false, at: now)
        }
        if let target = position.takeProfit.flatMap({ Amount($0) }), !target.isZero,
            isBuy ? price >= target : price <= target
        {
            return Touch(isTarget: true, at: now)
        }
        return nil
    }
}
