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
        let account = position.key.accountKey
        if ours[account]?.remove(position.key) != nil { indexed -= 1 }
        if ours[account]?.isEmpty == true { ours[account] = nil }
        let follow = FollowKey(user: position.userUUID, symbol: position.symbol)
        followed[follow]?.remove(position.key)
        if followed[follow]?.isEmpty == true { followed[follow] = nil }
        ranges[position.key] = nil
    }

    /// Whether a quote of that user's terminal can touch anything of ours.
    public func isFollowing(_ symbol: String, of user: String) -> Bool {
        followed[FollowKey(user: user, symbol: symbol)] != nil
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
            ranges[key, default: PriceRanges(since: now)].include(price)
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

    /// Whose an account is, by its state or by what is open there.
    public func owner(ofAccount key: String, _ tracker: PositionTrackerEngine) -> String? {
        accounts[key]?.userUUID ?? ours[key]?.first.flatMap { tracker.positions[$0]?.userUUID }
    }

    /// Accounts that have open positions of ours.
    public var occupied: some Collection<String> { ours.keys }

    /// Accounts whose lists may have changed since the last call.
    public mutating func takeLooked() -> Set<String> {
        defer { looked.removeAll() }
        return looked
    }
}
