import Domain

/// The arithmetic of witnesses: what a position would have earned, and how far the balance may be from it.
struct ReconciliationMoney {
    let tracker: PositionTrackerEngine
    let now: Timestamp

    /// Commission of both sides and slippage: 4 of 10,000 of the traded value (4 pips in EURUSD).
    static let tolerancePerMille = Amount(units: 40_000)
    /// Swap of one night: 2 of 10,000.
    static let swapPerNight = Amount(units: 20_000)
    /// Commission of an opening: 1 of 10,000.
    static let commission = Amount(units: 10_000)
    /// Two figures of two decimals.
    static let rounding = Amount(units: 2_000_000)
    static let nightMilliseconds: Int64 = 86_400_000

    /// Traded value in the account's currency; nil where no quote converts it.
    func notional(_ position: Position) -> Amount? {
        guard let (size, rate) = factors(position) else { return nil }
        return position.openPrice * size * position.lot * rate
    }

    /// How far the money of a closing may lie from what the quotes say.
    func tolerance(_ position: Position) -> Amount? {
        guard let notional = notional(position) else { return nil }
        let nights = Amount(Int((now - position.openedAt) / ReconciliationMoney.nightMilliseconds + 1))
        return notional * (ReconciliationMoney.tolerancePerMille + ReconciliationMoney.swapPerNight * nights)
            + ReconciliationMoney.rounding
    }

    /// What closing at a price earns.
    func profit(_ position: Position, at price: Amount) -> Amount? {
        guard let (size, rate) = factors(position) else { return nil }
        return Profit.amount(
            direction: position.direction, lot: position.lot, open: position.openPrice, price: price,
            contractSize: size, conversionRate: rate)
    }

    /// What the touched level pays.
    func expected(_ position: Position, _ touch: Touch) -> Amount? {
        let level = touch.isTarget ? position.takeProfit : position.stopLoss
        return level.flatMap { Amount($0) }.flatMap { profit(position, at: $0) }
    }

    /// Unrealised, by the terminal's own present quote.
    func floating(_ position: Position) -> Amount? {
        guard let terminal = tracker.terminals[position.userUUID],
            let quote = tracker.quotes.quote(node: terminal.nodeID, symbol: position.symbol),
            now - quote.receivedAt <= 60_000
        else { return nil }
        return profit(position, at: position.direction == .buy ? quote.bid : quote.ask)
    }

    private func factors(_ position: Position) -> (size: Amount, rate: Amount)? {
        guard let instrument = tracker.catalogue.instruments[position.canonicalSymbol],
            let currency = position.currency ?? tracker.terminals[position.userUUID]?.currency
        else { return nil }
        let node = tracker.terminals[position.userUUID]?.nodeID ?? position.nodeID
        let rate = tracker.quotes.conversion(
            from: instrument.quoteCurrency, to: currency, node: node, server: position.key.server, now: now)
        return rate.map { (instrument.contractSize, $0) }
    }

    /// Whether another one may balance it, so that neither margin nor movement shows the two.
    static func mayBeHedged(_ position: Position, among all: [Position]) -> Bool {
        all.contains { $0.canonicalSymbol == position.canonicalSymbol && $0.direction != position.direction }
    }
}

/// Lowest and highest price at which a position could have been closed, in each interval between the last looks.
struct PriceRanges: Sendable, Equatable {
    private struct Interval: Sendable, Equatable {
        let since: Timestamp
        var low: Amount?
        var high: Amount?
    }

    /// A look shows the end of the interval before it: with one more, what was quoted while it was under way is in it.
    private static let kept = 3
    private var intervals: [Interval]

    init(since: Timestamp) { intervals = [Interval(since: since)] }

    mutating func include(_ price: Amount) {
        let last = intervals.count - 1
        intervals[last].low = intervals[last].low.map { min($0, price) } ?? price
        intervals[last].high = intervals[last].high.map { max($0, price) } ?? price
    }

    mutating func begin(_ now: Timestamp) {
        intervals.append(Interval(since: now))
        if intervals.count > PriceRanges.kept { intervals.removeFirst() }
    }

    /// Both; nil where quotes were not followed since then, or there were none.
    func reached(since: Timestamp) -> (low: Amount, high: Amount)? {
        guard let first = intervals.first, first.since <= since, let low = intervals.compactMap(\.low).min(),
            let high = intervals.compactMap(\.high).max()
        else { return nil }
        return (low, high)
    }
}
