/// A sweep: price took the orders resting beyond a level and closed back within the window.
///
/// `level` is the swept price, `extreme` the farthest price reached, `zoneStrength` 0 to 10, `timeMilliseconds` the
/// end of the M5 bar that closed back (UTC), which is when it became known.
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
}

extension LevelBook {
    /// Decides taken levels by a closed M5 bar and counts touches of resting ones.
    ///
    /// The bar that pierced and the `closeBackBars` after it may close back; by the clock, not by the number of bars
    /// seen, so that a weekend between the two makes no sweep.
    mutating func decide(by bar: Bar, symbol: String, digits: Int, into sweeps: inout [LiquiditySweep]) {
        let end = bar.startMilliseconds + Timeframe.m5.milliseconds
        // Warm-up bars bring no ticks: their extremes pierce here. For a bar built from ticks nothing is left to do.
        observe(bar.high, at: end, bar: bar.startMilliseconds)
        observe(bar.low, at: end, bar: bar.startMilliseconds)
        for place in levels.indices {
            switch levels[place].state {
            case .resting: touch(place, bar)
            case .taken: decide(place, bar, end, symbol, digits, &sweeps)
            case .swept, .broken, .expired: continue
            }
        }
    }

    private mutating func touch(_ place: Int, _ bar: Bar) {
        let level = levels[place]
        let reached =
            level.side == .buySide ? bar.high >= level.price - level.band : bar.low <= level.price + level.band
        let closedAway = (bar.close - level.price) * level.side.sign < 0
        if reached, closedAway, !level.touching, bar.startMilliseconds >= level.born { levels[place].touches += 1 }
        levels[place].touching = reached
    }

    private mutating func decide(
        _ place: Int, _ bar: Bar, _ end: Int64, _ symbol: String, _ digits: Int, _ sweeps: inout [LiquiditySweep]
    ) {
        let sign = levels[place].side.sign
        let lastBar = levels[place].takenBar + Int64(configuration.closeBackBars) * Timeframe.m5.milliseconds
        if bar.startMilliseconds > lastBar {
            endBroken(place, end)
            return
        }
        let reached = sign > 0 ? bar.high : bar.low
        let extreme = levels[place].extreme ?? reached
        levels[place].extreme = sign > 0 ? max(extreme, reached) : min(extreme, reached)
        if (bar.close - levels[place].price) * sign < 0 {
            let strength = levels[place].strength(at: end, configuration)
            guard levels[place].apply(.closedBack) else { return }
            levels[place].ended = end
            sweeps.append(
                LiquiditySweep(
                    symbol: symbol, side: levels[place].side, kind: sign > 0 ? .bullishSweep : .bearishSweep,
                    level: Decimals.rounded(levels[place].price, digits),
                    extreme: Decimals.rounded(levels[place].extreme ?? reached, digits),
                    zoneStrength: Decimals.rounded(strength, 1), takenMilliseconds: levels[place].taken ?? end,
                    timeMilliseconds: end, members: max(1, levels[place].members.count),
                    origins: levels[place].origins))
        } else if bar.startMilliseconds == lastBar {
            endBroken(place, end)
        }
    }

    private mutating func endBroken(_ place: Int, _ end: Int64) {
        guard levels[place].apply(.windowPassed) else { return }
        levels[place].ended = end
        broken += 1
    }
}
