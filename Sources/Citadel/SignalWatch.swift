/// What quotes reached: the farthest bids and asks, and the decimals they were written with.
struct QuoteReach: Sendable, Equatable {
    var lowestBid: Double
    var highestBid: Double
    var lowestAsk: Double
    var highestAsk: Double
    var decimals: Int

    init(_ tick: MarketTick) {
        (lowestBid, highestBid) = (tick.bid, tick.bid)
        (lowestAsk, highestAsk) = (tick.ask, tick.ask)
        decimals = tick.decimals
    }

    mutating func extend(_ tick: MarketTick) {
        lowestBid = min(lowestBid, tick.bid)
        highestBid = max(highestBid, tick.bid)
        lowestAsk = min(lowestAsk, tick.ask)
        highestAsk = max(highestAsk, tick.ask)
        decimals = tick.decimals
    }

    /// Why a signal ends by these quotes; nil where it does not. A buy is closed at the bid, a sell at the ask.
    func reason(toEnd signal: TradingSignal) -> String? {
        let isBuy = signal.direction == .buy
        if let stop = signal.stopLoss, (isBuy ? lowestBid <= stop : highestAsk >= stop) {
            return "the stop \(Decimals.text(stop, decimals)) was touched"
        }
        if let target = signal.takeProfit, (isBuy ? highestBid >= target : lowestAsk <= target) {
            return "the target \(Decimals.text(target, decimals)) was reached"
        }
        return nil
    }
}

/// The prices at which some signals of one symbol end, each kind with the nearest first, so that a quote costs four
/// comparisons until one is touched, and finding each that is touched costs no look at the others.
///
/// A quote may touch thousands: what it reached is kept until all of them are ended, a bounded number at a time. Signals
/// that come meanwhile belong in another watch, because those quotes were before them.
struct SignalWatch: Sendable {
    private var buyStops = RemovableQueue<Double>()
    private var sellStops = RemovableQueue<Double>()
    private var buyTargets = RemovableQueue<Double>()
    private var sellTargets = RemovableQueue<Double>()
    private var members: Set<Int> = []
    /// The quote that touched first, and what quotes reached since: so the cause that is told is the first one.
    private var reach: QuoteReach?
    private var laterReach: QuoteReach?

    var isEmpty: Bool { members.isEmpty }
    var count: Int { members.count }
    /// Some of these signals are touched and not ended yet.
    var isPending: Bool { reach != nil }
    var sequences: [Int] { members.sorted() }

    mutating func add(_ signal: TradingSignal, _ sequence: Int) {
        guard signal.stopLoss != nil || signal.takeProfit != nil else { return }
        members.insert(sequence)
        switch signal.direction {
        case .buy:
            if let stop = signal.stopLoss { buyStops.insert(sequence, at: -stop) }
            if let target = signal.takeProfit { buyTargets.insert(sequence, at: target) }
        case .sell:
            if let stop = signal.stopLoss { sellStops.insert(sequence, at: stop) }
            if let target = signal.takeProfit { sellTargets.insert(sequence, at: -target) }
        }
    }

    mutating func remove(_ sequence: Int) {
        guard members.remove(sequence) != nil else { return }
        buyStops.remove(sequence)
        sellStops.remove(sequence)
        buyTargets.remove(sequence)
        sellTargets.remove(sequence)
    }

    /// Takes in a quote; true where signals are to be ended because of it or an earlier one.
    mutating func touch(_ tick: MarketTick) -> Bool {
        if reach == nil {
            let here = QuoteReach(tick)
            if touched(by: here) != nil { reach = here }
        } else if laterReach == nil {
            laterReach = QuoteReach(tick)
        } else {
            laterReach?.extend(tick)
        }
        return isPending
    }

    /// The next touched signal and by what; nil when there is none left. It is to be removed before the next call.
    mutating func nextTouched() -> (sequence: Int, reach: QuoteReach)? {
        while let here = reach {
            if let sequence = touched(by: here) { return (sequence, here) }
            reach = laterReach
            laterReach = nil
        }
        return nil
    }

    private func touched(by reach: QuoteReach) -> Int? {
        if let nearest = buyStops.first, reach.lowestBid <= -nearest.key { return nearest.sequence }
        if let nearest = sellStops.first, reach.highestAsk >= nearest.key { return nearest.sequence }
        if let nearest = buyTargets.first, reach.highestBid >= nearest.key { return nearest.sequence }
        if let nearest = sellTargets.first, reach.lowestAsk <= -nearest.key { return nearest.sequence }
        return nil
    }
}
