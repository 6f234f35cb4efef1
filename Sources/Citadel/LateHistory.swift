// History that terminals send after the first ticks.
extension SymbolState {
    func series(_ timeframe: Timeframe) -> BarSeries {
        switch timeframe {
        case .m1: m1
        case .m5: m5
        case .m15: m15
        case .h1: h1
        }
    }

    /// History that comes after the first ticks, in whatever order, as far as it is older than all there is.
    mutating func keep(_ bar: Bar, _ timeframe: Timeframe) -> Bool {
        let series = series(timeframe)
        let kept = history[timeframe, default: []]
        guard series.closed.count > 0, bar.startMilliseconds < series.closed[0].startMilliseconds,
            series.closed.count + kept.count < series.closed.capacity,
            !kept.contains(where: { $0.startMilliseconds == bar.startMilliseconds })
        else { return false }
        history[timeframe, default: []].append(bar)
        return true
    }

    /// Plays older history and what is known since once more, in order: the levels are those that would have been.
    mutating func buildIn(at time: Int64) {
        var whole = snapshot
        for place in whole.series.indices {
            let older = history[whole.series[place].timeframe] ?? []
            whole.series[place].closed =
                older.sorted { $0.startMilliseconds < $1.startMilliseconds } + whole.series[place].closed
        }
        history = [:]
        var rebuilt = SymbolState(profile: profile, configuration: configuration)
        rebuilt.levels = LevelBook(configuration: configuration, firstIdentifier: levels.nextIdentifier)
        rebuilt.restore(whole, now: time)
        for place in levels.levels.indices { levels.note(.evicted, place, at: time) }
        let gone = levels.changes
        (m1, m5, m15, h1) = (rebuilt.m1, rebuilt.m5, rebuilt.m15, rebuilt.h1)
        (levels, sources, normal) = (rebuilt.levels, rebuilt.sources, rebuilt.normal)
        levels.changes = gone
        for place in levels.levels.indices { levels.note(.born, place, at: time) }
    }
}
