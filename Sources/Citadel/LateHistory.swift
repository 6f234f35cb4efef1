/// A bar's place in the order in which bars are learned from: by their ends, of equal ones the shorter first.
struct BarTurn: Sendable, Comparable {
    var end: Int64
    var length: Int64

    init(end: Int64, length: Int64) {
        self.end = end
        self.length = length
    }

    init(_ bar: Bar, _ timeframe: Timeframe) {
        self.init(end: bar.startMilliseconds + timeframe.milliseconds, length: timeframe.milliseconds)
    }

    static func < (one: BarTurn, other: BarTurn) -> Bool { (one.end, one.length) < (other.end, other.length) }
}

extension Timeframe {
    /// Levels are born and decided by bars of these lengths.
    var makesLevels: Bool { self == .m5 || self == .m15 }
}

// Bars that terminals send: in their turn, after the first ticks, or out of their order.
extension SymbolState {
    /// History is built in at most once in this time: terminals send it bar by bar, between their quotes.
    private static let buildInEvery: Int64 = 1_000

    func series(_ timeframe: Timeframe) -> BarSeries {
        switch timeframe {
        case .m1: m1
        case .m5: m5
        case .m15: m15
        case .h1: h1
        }
    }

    /// Takes a terminal's finished bar into history where the engine has none; false where it has.
    mutating func handle(
        _ bar: MarketBar, now: Int64, counters: inout CounterBoard, into outputs: inout [CitadelOutput]
    ) -> Bool {
        var finished = Bar(bar)
        finished.usualSpread = usualSpread.known
        let isNext = isInTurn(finished, bar.timeframe) && series(bar.timeframe).admits(finished)
        // Its turn says nothing of its prices: in a hole (a weekend) any time of it is the next.
        guard !isNext || isPlausible(finished, bar.timeframe) else {
            counters.add(.barOutlier)
            return false
        }
        guard isNext, append(finished, bar.timeframe) else {
            let verdict = keep(finished, bar.timeframe)
            counters.add(verdict)
            return verdict == .barsUsed
        }
        counters.add(.barsUsed)
        outputs.append(.barClosed(symbol: profile.symbol, timeframe: bar.timeframe, bar: finished))
        announce(now, &counters, &outputs)
        return true
    }

    /// Whether levels learned from this bar now are those learned from all bars in the order of their ends.
    func isInTurn(_ bar: Bar, _ timeframe: Timeframe) -> Bool {
        !timeframe.makesLevels || BarTurn(bar, timeframe) > learned
    }

    /// Takes a bar that does not come in its turn, in whatever order, where the series has none of its time and has room
    /// and it lies where price was: what was done with it, as it is counted.
    mutating func keep(_ bar: Bar, _ timeframe: Timeframe) -> CitadelCounter {
        let series = series(timeframe)
        guard series.lacks(bar.startMilliseconds),
            series.closed.count + (history[timeframe]?.count ?? 0) < series.closed.capacity,
            history[timeframe]?[bar.startMilliseconds] == nil
        else { return .barKnown }
        guard isPlausible(bar, timeframe) else { return .barOutlier }
        history[timeframe, default: [:]][bar.startMilliseconds] = bar
        return .barsUsed
    }

    /// Whether a bar lies where price was: it does not reach farther than `outlierShare` from its own body, and it opens
    /// within that of the close before it or closes within that of the open after it (a jump has one side that agrees).
    /// With no other bar around everything is believed. What is waiting to be built in counts as a bar around.
    func isPlausible(_ bar: Bar, _ timeframe: Timeframe) -> Bool {
        let share = configuration.outlierShare
        guard bar.high - max(bar.open, bar.close) <= share * max(bar.open, bar.close),
            min(bar.open, bar.close) - bar.low <= share * min(bar.open, bar.close)
        else { return false }
        let around = neighbours(of: bar.startMilliseconds, timeframe)
        if around.before == nil, around.after == nil { return true }
        let follows = around.before.map { abs(bar.open - $0.close) <= share * $0.close } ?? false
        let leads = around.after.map { abs(bar.close - $0.open) <= share * $0.open } ?? false
        return follows || leads
    }

    /// The nearest bars before and after a time: closed, waiting to be built in, or open.
    private func neighbours(of start: Int64, _ timeframe: Timeframe) -> (before: Bar?, after: Bar?) {
        let series = series(timeframe)
        let place = series.place(of: start)
        var before = place > 0 ? series.closed[place - 1] : nil
        var after = place < series.closed.count ? series.closed[place] : series.open
        if let open = series.open, open.startMilliseconds < start { before = open }
        for waiting in (history[timeframe] ?? [:]).values {
            if waiting.startMilliseconds < start, waiting.startMilliseconds > before?.startMilliseconds ?? .min {
                before = waiting
            }
            if waiting.startMilliseconds > start, waiting.startMilliseconds < after?.startMilliseconds ?? .max {
                after = waiting
            }
        }
        return (before, after.flatMap { $0.startMilliseconds > start ? $0 : nil })
    }

    func isBuildInDue(_ now: Int64) -> Bool { builtIn.map { (now - $0).magnitude >= Self.buildInEvery } ?? true }

    /// Plays late history and what is known once more, in order: the levels are those that would have been, and one that
    /// stood before keeps its name; only what differs is told. Says so, because what is
    /// stored bar by bar lacks it.
    mutating func buildIn(at time: Int64, _ now: Int64, _ outputs: inout [CitadelOutput]) {
        var whole = snapshot
        for place in whole.series.indices {
            guard var bars = history[whole.series[place].timeframe] else { continue }
            for bar in whole.series[place].closed { bars[bar.startMilliseconds] = bar }
            whole.series[place].closed = bars.values.sorted { $0.startMilliseconds < $1.startMilliseconds }
        }
        history = [:]
        builtIn = now
        buildsIn = false
        var rebuilt = SymbolState(profile: profile, configuration: configuration)
        rebuilt.levels = LevelBook(configuration: configuration, firstIdentifier: levels.nextIdentifier)
        rebuilt.restore(whole, now: time)
        rebuilt.levels.keepNames(of: levels)
        rebuilt.levels.tellDifferences(from: levels, at: time)
        (m1, m5, m15, h1) = (rebuilt.m1, rebuilt.m5, rebuilt.m15, rebuilt.h1)
        (levels, sources, normal, learned) = (rebuilt.levels, rebuilt.sources, rebuilt.normal, rebuilt.learned)
        outputs.append(.historyRebuilt(symbol: profile.symbol))
    }
}

extension LevelBook {
    /// Levels of a book built anew get the names they had: the same side, first extreme and time of birth are the same
    /// level, whatever earlier history says of its width or its touches.
    mutating func keepNames(of earlier: LevelBook) {
        for place in levels.indices {
            let level = levels[place]
            let same = earlier.levels.first {
                $0.born == level.born && $0.anchor == level.anchor && $0.side == level.side
            }
            guard let same, !levels.contains(where: { $0.identifier == same.identifier }) else { continue }
            levels[place].identifier = same.identifier
        }
    }

    /// The steps from an earlier book to this one, of levels that differ: gone, born, or another than they were.
    mutating func tellDifferences(from earlier: LevelBook, at time: Int64) {
        let names = Set(levels.map(\.identifier))
        changes = earlier.changes
        for level in earlier.levels where !names.contains(level.identifier) {
            changes.append(LevelChange(kind: .evicted, level: level, timeMilliseconds: time))
        }
        for place in levels.indices {
            guard let old = earlier.levels.first(where: { $0.identifier == levels[place].identifier }) else {
                note(.born, place, at: time)
                continue
            }
            if old != levels[place] { note(Self.step(from: old.state, to: levels[place].state), place, at: time) }
        }
    }

    private static func step(from old: LevelState, to new: LevelState) -> LevelChange.Kind {
        switch new {
        case old, .resting: .joined
        case .taken: .taken
        case .swept: .swept
        case .broken: .broken
        case .expired: .expired
        }
    }
}
