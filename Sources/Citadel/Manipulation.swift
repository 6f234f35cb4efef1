/// Watches one symbol for spikes that are given back and for spreads that blow up. One event each time, not one a tick.
struct ManipulationWatch: Sendable {
    // MARK: spread

    /// While the spread is wide: since when, how often, what was usual and where price stood before.
    private struct WideSpread: Sendable {
        var began: Int64
        var source: String
        var quotes = 0
        var calm = 0
        var usual: Double
        var reference: Double
        var isReported = false
    }

    private var wide: WideSpread?
    private var lastCalmMid = 0.0

    private static let enoughQuotes = 3
    private static let calmQuotes = 20
    private static let calmRatio = 2.5
    /// Measured against what was usual before, a spread that stays wide for good would never be calm again.
    private static let longestEpisode: Int64 = 900_000

    /// At the turn of the trading day (21 and 22 UTC) every spread is wider every day: there it takes twice as much.
    @inline(__always)
    private static func ratio(at time: Int64, _ configuration: CitadelConfiguration) -> Double {
        let hour = time / Timeframe.h1.milliseconds % 24
        return hour == 21 || hour == 22 ? 2 * configuration.blowoutRatio : configuration.blowoutRatio
    }

    /// Whether the spread of a used quote, before it becomes part of what is usual, is nothing to look at: true for nearly
    /// every quote, and asked with numbers alone, so that no settings are handed over for each of them.
    @inline(__always)
    mutating func isCalm(_ spread: Double, mid: Double, usual: UsualSpread, blowoutRatio: Double) -> Bool {
        guard wide == nil, spread <= usual.value * blowoutRatio || usual.samples < UsualSpread.enough else {
            return false
        }
        lastCalmMid = mid
        return true
    }

    /// Looks at the spread of a used quote that is not calm, or comes while it was wide.
    @inline(never)
    mutating func wideQuote(
        _ tick: MarketTick, usual: UsualSpread, _ profile: InstrumentProfile, _ configuration: CitadelConfiguration
    ) -> ManipulationEvent? {
        let spread = tick.ask - tick.bid
        if let old = wide,
            tick.source != old.source || tick.timeMilliseconds - old.began >= Self.longestEpisode
        {
            // Another broker's spread, or what has become usual meanwhile: measured anew.
            wide = nil
            let ratio = configuration.blowoutRatio
            if isCalm(spread, mid: tick.mid, usual: usual, blowoutRatio: ratio) { return nil }
        }
        var episode =
            wide
            ?? WideSpread(
                began: tick.timeMilliseconds, source: tick.source, usual: usual.value, reference: lastCalmMid)
        let ratio = Self.ratio(at: tick.timeMilliseconds, configuration)
        let isWide =
            spread > ratio * episode.usual && spread > episode.usual + configuration.blowoutPips * profile.pip
        if isWide {
            episode.quotes += 1
            episode.calm = 0
        } else if spread < Self.calmRatio * episode.usual || !episode.isReported {
            episode.calm += 1
        }
        // An episode that never grew into an event ends with the first calm quote.
        wide = episode.calm >= (episode.isReported ? Self.calmQuotes : 1) ? nil : episode
        guard isWide, !episode.isReported, episode.quotes >= Self.enoughQuotes else { return nil }
        wide?.isReported = true
        return ManipulationEvent(
            symbol: profile.symbol, kind: .spreadBlowout, source: tick.source, beganMilliseconds: episode.began,
            timeMilliseconds: tick.timeMilliseconds, price: tick.mid, reference: episode.reference,
            measured: Decimals.rounded(spread / profile.pip, 1),
            usual: Decimals.rounded(episode.usual / profile.pip, 2))
    }

    // MARK: spike

    private var usualTicks = 0.0
    private var usualRange = 0.0
    private var minutes = 0
    private var previous: Bar?
    private var lastSpike = Int64.min

    private static let enoughMinutes = 60
    private static let memoryMinutes = 240

    /// Looks at a closed minute built from ticks, together with the one before.
    mutating func closedMinute(
        _ bar: Bar, source: String, _ profile: InstrumentProfile, _ configuration: CitadelConfiguration
    ) -> ManipulationEvent? {
        defer {
            minutes += 1
            let weight = Double(min(minutes, Self.memoryMinutes))
            usualTicks += (Double(bar.volume) - usualTicks) / weight
            usualRange += (bar.high - bar.low - usualRange) / weight
            previous = bar
        }
        guard minutes >= Self.enoughMinutes else { return nil }
        let end = bar.startMilliseconds + Timeframe.m1.milliseconds
        let (since, overflow) = end.subtractingReportingOverflow(lastSpike)
        guard overflow || since >= configuration.manipulationPause else { return nil }
        var spike = Self.spike(bar, bar)
        if let previous, bar.startMilliseconds - previous.startMilliseconds == Timeframe.m1.milliseconds {
            let both = Self.spike(previous, bar)
            if both.run * both.share > spike.run * spike.share { spike = both }
        }
        guard spike.share >= configuration.spikeReversal, spike.run >= configuration.spikeRange * usualRange,
            spike.ticks >= configuration.spikeActivity * usualTicks
        else { return nil }
        lastSpike = end
        return ManipulationEvent(
            symbol: profile.symbol, kind: .activitySpike, source: source, beganMilliseconds: spike.began,
            timeMilliseconds: end, price: spike.extreme, reference: spike.from, measured: spike.ticks,
            usual: Decimals.rounded(usualTicks, 1))
    }

    private struct Spike {
        var from: Double
        var extreme: Double
        var run: Double
        /// How much of the run was given back.
        var share: Double
        /// Ticks of the busiest minute.
        var ticks: Double
        var began: Int64
    }

    /// From the open of the first minute to the close of the second, which may be the same.
    private static func spike(_ first: Bar, _ second: Bar) -> Spike {
        let from = first.open
        let high = max(first.high, second.high)
        let low = min(first.low, second.low)
        let extreme = high - from >= from - low ? high : low
        let run = abs(extreme - from)
        return Spike(
            from: from, extreme: extreme, run: run,
            share: run > 0 ? min(1, 1 - (second.close - from) / (extreme - from)) : 0,
            ticks: Double(max(first.volume, second.volume)), began: first.startMilliseconds)
    }
}
