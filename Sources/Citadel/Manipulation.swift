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

    /// Looks at the spread of a used quote before it becomes part of what is usual. Cheap while nothing happens.
    @inline(__always)
    mutating func quote(
        _ tick: MarketTick, usual: UsualSpread, _ profile: InstrumentProfile, _ configuration: CitadelConfiguration
    ) -> ManipulationEvent? {
        let spread = tick.ask - tick.bid
        if wide == nil, spread <= usual.value * configuration.blowoutRatio || usual.samples < UsualSpread.enough {
            lastCalmMid = tick.mid
            return nil
        }
        return wideQuote(tick, spread, usual, profile, configuration)
    }

    private mutating func wideQuote(
        _ tick: MarketTick, _ spread: Double, _ usual: UsualSpread, _ profile: InstrumentProfile,
        _ configuration: CitadelConfiguration
    ) -> ManipulationEvent? {
        if let old = wide,
            tick.source != old.source || tick.timeMilliseconds - old.began >= Self.longestEpisode
        {
            // Another broker's spread, or what has become usual meanwhile: measured anew.
            wide = nil
            return quote(tick, usual: usual, profile, configuration)
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
        var spike = Self.spike(from: bar.open, [bar], bar.close)
        if let previous, bar.startMilliseconds - previous.startMilliseconds == Timeframe.m1.milliseconds {
            let both = Self.spike(from: previous.open, [previous, bar], bar.close)
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

    private static func spike(from: Double, _ bars: [Bar], _ close: Double) -> Spike {
        let high = bars.reduce(from) { max($0, $1.high) }
        let low = bars.reduce(from) { min($0, $1.low) }
        let extreme = high - from >= from - low ? high : low
        let run = abs(extreme - from)
        return Spike(
            from: from, extreme: extreme, run: run, share: run > 0 ? min(1, 1 - (close - from) / (extreme - from)) : 0,
            ticks: bars.reduce(0) { max($0, Double($1.volume)) }, began: bars.first?.startMilliseconds ?? 0)
    }
}
