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

// History that terminals send after the first ticks, or out of its order.
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

    /// Whether levels learned from this bar now are those learned from all bars in the order of their ends.
    func isInTurn(_ bar: Bar, _ timeframe: Timeframe) -> Bool {
        !timeframe.makesLevels || BarTurn(bar, timeframe) > learned
    }

    /// Takes a bar that does not come in its turn, in whatever order, where the series has none of its time and has room.
    mutating func keep(_ bar: Bar, _ timeframe: Timeframe) -> Bool {
        let series = series(timeframe)
        guard series.lacks(bar.startMilliseconds),
            series.closed.count + (history[timeframe]?.count ?? 0) < series.closed.capacity,
            history[timeframe]?[bar.startMilliseconds] == nil
        else { return false }
        history[timeframe, default: [:]][bar.startMilliseconds] = bar
        return true
    }

    func isBuildInDue(_ now: Int64) -> Bool { builtIn.map { (now - $0).magnitude >= Self.buildInEvery } ?? true }

    /// Plays late history and what is known once more, in order: the levels are those that would have been. Says so,
    /// because what is stored bar by bar lacks it.
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
        for place in levels.levels.indices { levels.note(.evicted, place, at: time) }
        let gone = levels.changes
        (m1, m5, m15, h1) = (rebuilt.m1, rebuilt.m5, rebuilt.m15, rebuilt.h1)
        (levels, sources, normal, learned) = (rebuilt.levels, rebuilt.sources, rebuilt.normal, rebuilt.learned)
        levels.changes = gone
        for place in levels.levels.indices { levels.note(.born, place, at: time) }
        outputs.append(.historyRebuilt(symbol: profile.symbol))
    }
}
