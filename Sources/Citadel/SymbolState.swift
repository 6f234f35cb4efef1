/// Everything the engine keeps of one symbol. Ticks and bars go in, sweeps and closed bars come out.
struct SymbolState: Sendable {
    private(set) var profile: InstrumentProfile
    private(set) var quotes = QuoteGate()
    private(set) var usualSpread = UsualSpread()
    private(set) var m1: BarSeries
    private(set) var m5: BarSeries
    private(set) var m15: BarSeries
    private(set) var h1: BarSeries
    private(set) var levels: LevelBook
    private(set) var sources: LevelSources
    private let configuration: CitadelConfiguration
    private var sweeps: [LiquiditySweep] = []

    init(profile: InstrumentProfile, configuration: CitadelConfiguration) {
        self.profile = profile
        self.configuration = configuration
        func series(_ timeframe: Timeframe) -> BarSeries {
            BarSeries(timeframe: timeframe, capacity: configuration.barsKept[timeframe] ?? 300)
        }
        m1 = series(.m1)
        m5 = series(.m5)
        m15 = series(.m15)
        h1 = series(.h1)
        levels = LevelBook(configuration: configuration)
        sources = LevelSources(configuration: configuration)
    }

    /// Uses or refuses a tick; true where it was used.
    mutating func handle(
        _ tick: MarketTick, now: Int64, counters: inout CounterBoard, into outputs: inout [CitadelOutput]
    ) -> Bool {
        switch quotes.judge(tick, now: now, configuration) {
        case .refused(let reason):
            counters.add(reason)
            return false
        case .used(let switchedFrom):
            counters.add(.ticksUsed)
            if let switchedFrom {
                counters.add(.sourceSwitches)
                outputs.append(.sourceSwitched(symbol: profile.symbol, from: switchedFrom, to: tick.source))
            }
        }
        if !profile.known, tick.decimals > profile.digits {
            profile = .learned(symbol: profile.symbol, decimals: tick.decimals)
        }
        let price = tick.mid
        let time = tick.timeMilliseconds
        if let bar = m1.add(price, at: time) {
            outputs.append(.barClosed(symbol: profile.symbol, timeframe: .m1, bar: bar))
        }
        if let bar = m5.add(price, at: time) {
            outputs.append(.barClosed(symbol: profile.symbol, timeframe: .m5, bar: bar))
            closedFiveMinutes(bar)
            announce(now: now, &counters, &outputs)
        }
        if let bar = m15.add(price, at: time) {
            outputs.append(.barClosed(symbol: profile.symbol, timeframe: .m15, bar: bar))
            closedFifteenMinutes(bar)
        }
        if let bar = h1.add(price, at: time) {
            outputs.append(.barClosed(symbol: profile.symbol, timeframe: .h1, bar: bar))
        }
        levels.observe(price, at: time, bar: Timeframe.m5.start(of: time))
        usualSpread.add(tick.ask - tick.bid)
        return true
    }

    /// Takes a terminal's finished bar into history where the engine has none; false where it has.
    mutating func handle(
        _ bar: MarketBar, now: Int64, counters: inout CounterBoard, into outputs: inout [CitadelOutput]
    ) -> Bool {
        let finished = Bar(bar)
        guard append(finished, bar.timeframe) else {
            counters.add(.barKnown)
            return false
        }
        counters.add(.barsUsed)
        outputs.append(.barClosed(symbol: profile.symbol, timeframe: bar.timeframe, bar: finished))
        announce(now: now, &counters, &outputs)
        return true
    }

    private mutating func append(_ bar: Bar, _ timeframe: Timeframe) -> Bool {
        switch timeframe {
        case .m1: return m1.append(finished: bar)
        case .h1: return h1.append(finished: bar)
        case .m5:
            guard m5.append(finished: bar) else { return false }
            closedFiveMinutes(bar)
        case .m15:
            guard m15.append(finished: bar) else { return false }
            closedFifteenMinutes(bar)
        }
        return true
    }

    /// Decide first, then let new levels be born: a bar never pierces what it gave birth to.
    private mutating func closedFiveMinutes(_ bar: Bar) {
        levels.decide(by: bar, symbol: profile.symbol, digits: profile.digits, into: &sweeps)
        let end = bar.startMilliseconds + Timeframe.m5.milliseconds
        levels.retire(at: end)
        sources.closedFiveMinutes(
            bar, in: surroundings(close: bar.close, time: end), digits: profile.digits, levels: &levels)
    }

    private mutating func closedFifteenMinutes(_ bar: Bar) {
        let end = bar.startMilliseconds + Timeframe.m15.milliseconds
        sources.closedFifteenMinutes(bar, in: surroundings(close: bar.close, time: end), levels: &levels)
    }

    private func surroundings(close: Double, time: Int64) -> LevelBook.Surroundings {
        LevelBook.Surroundings(
            averageTrueRange: m5.averageTrueRange, pip: profile.pip, close: close, time: time)
    }

    /// Hands out what the closed bar decided; what is long past stays silent, so that a backlog rings no bell.
    private mutating func announce(
        now: Int64, _ counters: inout CounterBoard, _ outputs: inout [CitadelOutput]
    ) {
        for sweep in sweeps {
            counters.add(.sweeps)
            if now - sweep.timeMilliseconds <= configuration.announceWithin {
                outputs.append(.sweep(sweep))
            } else {
                counters.add(.sweepsNotAnnounced)
            }
        }
        sweeps.removeAll(keepingCapacity: true)
        counters.add(.levelsBorn, levels.born)
        counters.add(.levelsEvicted, levels.evicted)
        counters.add(.levelsBroken, levels.broken)
        levels.born = 0
        levels.evicted = 0
        levels.broken = 0
    }
}

// MARK: - Snapshot and restore

/// One symbol's history as plain values, oldest bar first; `open` is the unfinished bar.
public struct SymbolSnapshot: Sendable, Equatable, Codable {
    public struct Series: Sendable, Equatable, Codable {
        public var timeframe: Timeframe
        public var closed: [Bar]
        public var open: Bar?

        public init(timeframe: Timeframe, closed: [Bar], open: Bar? = nil) {
            self.timeframe = timeframe
            self.closed = closed
            self.open = open
        }
    }

    public var symbol: String
    public var decimals: Int
    public var usualSpread: Double
    public var spreadSamples: Int
    public var series: [Series]

    public init(symbol: String, decimals: Int, usualSpread: Double = 0, spreadSamples: Int = 0, series: [Series]) {
        self.symbol = symbol
        self.decimals = decimals
        self.usualSpread = usualSpread
        self.spreadSamples = spreadSamples
        self.series = series
    }
}

extension SymbolState {
    var snapshot: SymbolSnapshot {
        SymbolSnapshot(
            symbol: profile.symbol, decimals: profile.digits, usualSpread: usualSpread.value,
            spreadSamples: usualSpread.samples,
            series: [m1, m5, m15, h1].map {
                SymbolSnapshot.Series(timeframe: $0.timeframe, closed: $0.closed.elements, open: $0.open)
            })
    }

    /// Replays the bars in the order their ends came, so that levels and sweeps stand as they stood.
    mutating func restore(_ snapshot: SymbolSnapshot, now: Int64) {
        var bars: [(end: Int64, timeframe: Timeframe, bar: Bar)] = []
        for series in snapshot.series {
            for bar in series.closed where bar.isSound(series.timeframe, now: now) {
                bars.append((bar.startMilliseconds + series.timeframe.milliseconds, series.timeframe, bar))
            }
        }
        bars.sort { ($0.end, $0.timeframe.milliseconds) < ($1.end, $1.timeframe.milliseconds) }
        for entry in bars { _ = append(entry.bar, entry.timeframe) }
        sweeps.removeAll()
        levels.born = 0
        levels.evicted = 0
        levels.broken = 0
        usualSpread.resume(snapshot.usualSpread, samples: snapshot.spreadSamples)
        if let last = bars.last { quotes.startAfter(last.end) }
        for series in snapshot.series {
            guard let open = series.open, open.isSound(series.timeframe, now: now) else { continue }
            switch series.timeframe {
            case .m1: m1.resume(open)
            case .m5:
                m5.resume(open)
                levels.observe(open.high, at: open.startMilliseconds, bar: open.startMilliseconds)
                levels.observe(open.low, at: open.startMilliseconds, bar: open.startMilliseconds)
            case .m15: m15.resume(open)
            case .h1: h1.resume(open)
            }
        }
    }
}

extension Bar {
    /// Refuses what a damaged store could hold: nothing of it may trap or lie in the future.
    func isSound(_ timeframe: Timeframe, now: Int64) -> Bool {
        startMilliseconds >= 0 && startMilliseconds <= now && startMilliseconds % timeframe.milliseconds == 0
            && [open, high, low, close].allSatisfy { $0 > 0 && $0 < highestPrice } && high >= low
    }
}
