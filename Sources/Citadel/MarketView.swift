/// What the scorer sees of one symbol at one moment. Plain values, so that a test can draw any market.
struct MarketView: Sendable {
    var symbol: String
    var now: Int64
    var configuration: CitadelConfiguration
    var digits = 5
    var pip = 0.0001
    var known = true
    /// The last middle price, bid-ask distance and the time of that quote; nil before the first.
    var price: Double?
    var spread: Double?
    var quoteTime: Int64?
    /// The two sides of that quote; nil in views drawn by hand that do without.
    var bid: Double?
    var ask: Double?
    /// The mean spread of late, nil before there are enough ticks.
    var usualSpread: Double?
    /// Average true ranges: M5 of late and usual, M15 of late; 0 where unknown.
    var range5: Double = 0
    var usualRange5: Double = 0
    var range15: Double = 0
    var bars5 = 0
    /// How much of the last hours of open market the M5 bars cover, 0 to 1.
    var coverage: Double = 1
    /// Quotes of the source in use that were refused as unsound or out of order, as a share of its last ones.
    var refusedShare: Double = 0
    var levels: [LiquidityLevel] = []
    /// Where each timeframe leans; nil where its history is too short.
    var leans = TimeframeLeans()
    /// Regime, sources, manipulation; nil in views drawn by hand that do without.
    var condition: MarketCondition?

    /// The volatility of late against its own normal: for this hour where that is known, else for a whole day.
    var volatility: (ratio: Double, isForThisHour: Bool)? {
        if let ratio = condition?.volatilityRatio { return (ratio, true) }
        guard usualRange5 > 0, range5 > 0 else { return nil }
        return (range5 / usualRange5, false)
    }

    /// The newest event of a kind within the last ten minutes.
    func recent(_ kind: ManipulationKind) -> ManipulationEvent? {
        condition?.manipulation.last { $0.kind == kind && now - $0.timeMilliseconds <= 600_000 }
    }

    /// The age of the last quote; nil where there is none.
    var quoteAge: Int64? { quoteTime.map { max(0, now - $0) } }
    var isStale: Bool { quoteAge.map { $0 > configuration.staleAfter } ?? true }
    var hasFewBars: Bool { bars5 < configuration.minimumBars }

    /// The yardstick for distances: the M15 average true range, never less than two pips; before there is one, ten.
    var unit: Double {
        if range15 > 0 { return max(range15, 2 * pip) }
        return range5 > 0 ? max(1.7 * range5, 2 * pip) : 10 * pip
    }

    func pips(_ distance: Double) -> String { Decimals.text(abs(distance) / pip, 1) }
    func text(_ price: Double) -> String { Decimals.text(price, digits) }
    func strength(_ level: LiquidityLevel) -> Double { level.strength(at: now, configuration) }

    /// How much the engine knows: grows with the square root of history up to a day of M5 bars, falls with the holes in
    /// its last hours and with the age of the last quote, and is lower for a symbol nobody configured and while brokers
    /// disagree. Two decimals.
    var confidence: Double {
        let history = min(1, (Double(bars5) / 288).squareRoot())
        let freshness: Double
        if isStale {
            freshness = quoteTime == nil ? 0.1 : 0.2
        } else {
            freshness = ramp(Double(quoteAge ?? 0), from: (10_000, 1), to: (60_000, 0.4))
        }
        let disputed = condition?.sourcesAgree == false
        return Decimals.rounded(history * coverage * freshness * (known ? 1 : 0.7) * (disputed ? 0.6 : 1), 2)
    }

    /// The nearest levels that still matter, nearest first.
    func nearest(to entry: Double) -> [NearLevel] {
        var best: [(distance: Double, place: Int)] = []
        best.reserveCapacity(configuration.nearestLevels + 1)
        for place in levels.indices where levels[place].state == .resting || levels[place].state == .taken {
            let distance = abs(levels[place].price - entry)
            if best.count == configuration.nearestLevels, let last = best.last, distance >= last.distance { continue }
            best.insert((distance, place), at: best.firstIndex { distance < $0.distance } ?? best.count)
            if best.count > configuration.nearestLevels { best.removeLast() }
        }
        return best.map { _, place in
            NearLevel(
                price: Decimals.rounded(levels[place].price, digits), side: levels[place].side,
                state: levels[place].state, strength: Decimals.rounded(strength(levels[place]), 1),
                distancePips: Decimals.rounded((levels[place].price - entry) / pip, 1),
                members: max(1, levels[place].members.count), origins: levels[place].origins.names)
        }
    }
}

extension SymbolState {
    func view(at now: Int64, _ configuration: CitadelConfiguration) -> MarketView {
        return MarketView(
            symbol: profile.symbol, now: now, configuration: configuration, digits: profile.digits, pip: profile.pip,
            known: profile.known, price: lastPrice, spread: quotes.hasQuote ? quotes.ask - quotes.bid : nil,
            quoteTime: quotes.hasQuote ? quotes.lastTime : nil, bid: quotes.hasQuote ? quotes.bid : nil,
            ask: quotes.hasQuote ? quotes.ask : nil,
            usualSpread: usualSpread.samples >= UsualSpread.enough ? usualSpread.value : nil,
            range5: m5.averageTrueRange, usualRange5: m5.usualTrueRange, range15: m15.averageTrueRange,
            bars5: m5.closedCount, coverage: m5.coverage(at: now),
            refusedShare: quotes.book.refusedShare, levels: levels.levels,
            leans: TimeframeLeans(m5: m5.lean, m15: m15.lean, h1: h1.lean),
            condition: condition(at: now, configuration, listsTrends: false))
    }

    /// The last quote's middle, after a restart the last bar's close until a quote comes.
    var lastPrice: Double? {
        if quotes.hasQuote { return quotes.mid }
        return m1.open?.close ?? m5.open?.close ?? m1.closed.last?.close ?? m5.closed.last?.close
    }
}

extension BarSeries {
    /// Whole hours of open market that coverage looks back on, beside the running one.
    private static let coveredHours = 4
    /// A quiet market leaves bars out: this share of them is all.
    private static let fullCoverage = 0.8

    /// The bars of the last four hours of open market and the running one against the bars there should be, 0 to 1.
    /// Hours of the weekend are expected of nobody, but bars in them count (some symbols trade then).
    func coverage(at now: Int64) -> Double {
        let hour = Timeframe.h1.milliseconds
        let thisHour = max(0, now) / hour * hour
        let isOpen = MarketSession.at(thisHour) != .weekend
        var expected = isOpen ? Double((max(0, now) - thisHour) / timeframe.milliseconds) : 0
        var start = thisHour
        var hours = 0
        // Two days of weekend at most lie in between.
        while hours < Self.coveredHours, start >= hour {
            start -= hour
            if MarketSession.at(start) != .weekend { hours += 1 }
        }
        expected += Double(hours) * Double(hour / timeframe.milliseconds)
        guard expected > 0 else { return 0 }
        let running = open.map { $0.startMilliseconds >= start } == true ? 1 : 0
        let found = Double(running + closed.count - place(of: start))
        return min(1, found / (expected * Self.fullCoverage))
    }
}
