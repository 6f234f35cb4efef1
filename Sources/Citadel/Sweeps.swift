/// What a sweep rests on: everything somebody needs to check it on a chart. Prices in quote currency, times in
/// milliseconds of UTC; nothing of it is later than the sweep's own time.
public struct SweepEvidence: Sendable, Equatable {
    /// The farthest extreme of the level, and the price beyond which it counted as pierced.
    public var outer: Double
    public var threshold: Double
    /// The tick that pierced (the end of the bar, where bars came instead of ticks).
    public var piercedMilliseconds: Int64
    /// How far price went beyond the level, in pips.
    public var piercePips: Double
    /// The close that came back, and how far on the near side of the level it lies, in pips.
    public var closeBack: Double
    public var closeBackPips: Double
    /// Bars from the piercing one to the one that closed back, both counted; 1 is one and the same bar.
    public var bars: Int
    public var timeframe: Timeframe
}

/// A sweep: price took the orders resting beyond a level and closed back within the window.
///
/// `level` is the swept price, `extreme` the farthest price reached, `zoneStrength` 0 to 10, `timeMilliseconds` the
/// end of the bar that closed back (UTC), which is when it became known.
public struct LiquiditySweep: Sendable, Equatable {
    /// The field's word for it: a sweep at resistance is written `bullish_sweep`, one at support `bearish_sweep`.
    public enum Kind: String, Sendable { case bullishSweep = "bullish_sweep", bearishSweep = "bearish_sweep" }

    public var symbol: String
    public var side: LiquiditySide
    public var kind: Kind
    public var level: Double
    public var extreme: Double
    public var zoneStrength: Double
    public var takenMilliseconds: Int64
    public var timeMilliseconds: Int64
    /// Extremes in the pool and the sources that agree on it.
    public var members: Int
    public var origins: LevelOrigins
    public var evidence: SweepEvidence
}

extension LevelBook {
    /// What deciding needs to know of the instrument: its name, decimals and pip.
    struct Instrument: Sendable {
        var symbol: String
        var digits: Int
        var pip: Double
    }

    /// Decides taken levels by a closed bar and counts touches of resting ones.
    ///
    /// The bar that pierced and the `closeBackBars` after it may close back; by the clock, not by the number of bars
    /// seen, so that a weekend between the two makes no sweep.
    mutating func decide(by bar: Bar, _ instrument: Instrument, into sweeps: inout [LiquiditySweep]) {
        let end = bar.startMilliseconds + configuration.decidingTimeframe.milliseconds
        // Warm-up bars bring no ticks: their extremes pierce here. For a bar built from ticks nothing is left to do.
        observe(bar.high, at: end, bar: bar.startMilliseconds)
        observe(bar.low, at: end, bar: bar.startMilliseconds)
        for place in levels.indices {
            switch levels[place].state {
            case .resting: touch(place, bar, end)
            case .taken: decide(place, bar, end, instrument, &sweeps)
            case .swept, .broken, .expired: continue
            }
        }
    }

    private mutating func touch(_ place: Int, _ bar: Bar, _ end: Int64) {
        let sign = levels[place].side.sign
        let near = levels[place].price - sign * levels[place].band
        let reached = sign > 0 ? bar.high >= near : bar.low <= near
        let closedAway = (bar.close - levels[place].price) * sign < 0
        let isTouch =
            reached && closedAway && !levels[place].touching && bar.startMilliseconds >= levels[place].born
        levels[place].touching = reached
        guard isTouch else { return }
        levels[place].touches += 1
        note(.touched, place, at: end)
    }

    private mutating func decide(
        _ place: Int, _ bar: Bar, _ end: Int64, _ instrument: Instrument, _ sweeps: inout [LiquiditySweep]
    ) {
        let sign = levels[place].side.sign
        let length = configuration.decidingTimeframe.milliseconds
        let lastBar = levels[place].takenBar + Int64(configuration.closeBackBars) * length
        if bar.startMilliseconds > lastBar {
            endBroken(place, end)
            return
        }
        let reached = sign > 0 ? bar.high : bar.low
        let extreme = levels[place].extreme ?? reached
        levels[place].extreme = sign > 0 ? max(extreme, reached) : min(extreme, reached)
        if (bar.close - levels[place].price) * sign < 0 {
            guard levels[place].apply(.closedBack) else { return }
            levels[place].ended = end
            note(.swept, place, at: end)
            sweeps.append(sweep(of: levels[place], by: bar, end, instrument))
        } else if bar.startMilliseconds == lastBar {
            endBroken(place, end)
        }
    }

    private func sweep(
        of level: LiquidityLevel, by bar: Bar, _ end: Int64, _ instrument: Instrument
    ) -> LiquiditySweep {
        let (digits, pip, sign) = (instrument.digits, instrument.pip, level.side.sign)
        let extreme = level.extreme ?? level.outer
        let evidence = SweepEvidence(
            outer: Decimals.rounded(level.outer, digits), threshold: Decimals.rounded(level.trigger, digits + 1),
            piercedMilliseconds: level.taken ?? end,
            piercePips: Decimals.rounded((extreme - level.price) * sign / pip, 1),
            closeBack: Decimals.rounded(bar.close, digits + 1),
            closeBackPips: Decimals.rounded((level.price - bar.close) * sign / pip, 1),
            bars: Int((bar.startMilliseconds - level.takenBar) / configuration.decidingTimeframe.milliseconds) + 1,
            timeframe: configuration.decidingTimeframe)
        return LiquiditySweep(
            symbol: instrument.symbol, side: level.side, kind: sign > 0 ? .bullishSweep : .bearishSweep,
            level: Decimals.rounded(level.price, digits), extreme: Decimals.rounded(extreme, digits),
            zoneStrength: Decimals.rounded(level.strength(at: end, configuration), 1),
            takenMilliseconds: level.taken ?? end, timeMilliseconds: end, members: max(1, level.members.count),
            origins: level.origins, evidence: evidence)
    }

    private mutating func endBroken(_ place: Int, _ end: Int64) {
        guard levels[place].apply(.windowPassed) else { return }
        levels[place].ended = end
        note(.broken, place, at: end)
    }
}
