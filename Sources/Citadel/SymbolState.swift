/// Everything the engine keeps of one symbol. Ticks and bars go in; sweeps, level changes, suspicious events and closed
/// bars come out.
struct SymbolState: Sendable {
    private(set) var profile: InstrumentProfile
    private(set) var quotes: QuoteGate
    private(set) var usualSpread = UsualSpread()
    var m1: BarSeries
    var m5: BarSeries
    var m15: BarSeries
    var h1: BarSeries
    var levels: LevelBook
    var sources: LevelSources
    var normal = HourlyNormal()
    /// Suspicious events of late, oldest first; pruned when another comes.
    private(set) var suspicions: [ManipulationEvent] = []
    private var watch = ManipulationWatch()
    let configuration: CitadelConfiguration
    private var sweeps: [LiquiditySweep] = []
    /// Terminals' bars that did not come in their turn, until a tick builds them in, and when that was done last.
    var history: [Timeframe: [Int64: Bar]] = [:]
    var builtIn: Int64?
    /// Late history is built in with the next quote that is used.
    var buildsIn = false
    /// The bar that levels were last learned from: nothing that ends before it may be learned after it.
    var learned = BarTurn(end: .min, length: 0)

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
        quotes = QuoteGate(symbol: profile.symbol, configuration: configuration)
        levels = LevelBook(configuration: configuration)
        sources = LevelSources(configuration: configuration)
    }

    private var averageTrueRange: Double {
        configuration.decidingTimeframe == .m15 ? m15.averageTrueRange : m5.averageTrueRange
    }

    // MARK: ticks

    /// Uses or refuses a tick; true where it was used.
    mutating func handle(
        _ tick: MarketTick, now: Int64, counters: inout CounterBoard, into outputs: inout [CitadelOutput]
    ) -> Bool {
        let lastTime = quotes.lastTime
        let verdict = quotes.judge(tick, now: now, pip: profile.pip, averageTrueRange: averageTrueRange)
        if !quotes.book.reports.isEmpty {
            for report in quotes.takeReports() { suspect(report, now, &counters, &outputs) }
        }
        switch verdict {
        case .refused(let reason):
            counters.add(reason)
            return false
        case .used(let switchedFrom):
            counters.ticksUsed += 1
            if let switchedFrom {
                counters.add(.sourceSwitches)
                outputs.append(.sourceSwitched(symbol: profile.symbol, from: switchedFrom, to: tick.source))
            }
        }
        if buildsIn { buildIn(at: tick.timeMilliseconds, now, &outputs) }
        use(tick, after: lastTime, now, &counters, &outputs)
        return true
    }

    private mutating func use(
        _ tick: MarketTick, after lastTime: Int64, _ now: Int64, _ counters: inout CounterBoard,
        _ outputs: inout [CitadelOutput]
    ) {
        if !profile.known, tick.decimals > profile.digits {
            profile = .learned(symbol: profile.symbol, decimals: tick.decimals, price: tick.mid)
        }
        let price = tick.mid
        let time = tick.timeMilliseconds
        if lastTime >= 0, time - lastTime > configuration.gapAfter { counters.add(.quoteGaps) }
        let usual = usualSpread.known
        if let bar = m1.add(price, at: time, usualSpread: usual) {
            closedMinute(bar, tick.source, now, &counters, &outputs)
        }
        if let bar = m5.add(price, at: time, usualSpread: usual) { closed(bar, .m5, now, &counters, &outputs) }
        if let bar = m15.add(price, at: time, usualSpread: usual) { closed(bar, .m15, now, &counters, &outputs) }
        if let bar = h1.add(price, at: time, usualSpread: usual) { closed(bar, .h1, now, &counters, &outputs) }
        if time >= sources.nextOpening { opens(configuration.decidingTimeframe.start(of: time)) }
        levels.observe(price, at: time, bar: configuration.decidingTimeframe.start(of: time))
        if !levels.changes.isEmpty { announce(now, &counters, &outputs) }
        let spread = tick.ask - tick.bid
        if !watch.isCalm(spread, mid: price, usual: usualSpread, blowoutRatio: configuration.blowoutRatio) {
            lookAtSpread(tick, now, &counters, &outputs)
        }
        usualSpread.add(spread)
    }

    @inline(never)
    private mutating func lookAtSpread(
        _ tick: MarketTick, _ now: Int64, _ counters: inout CounterBoard, _ outputs: inout [CitadelOutput]
    ) {
        guard let event = watch.wideQuote(tick, usual: usualSpread, profile, configuration) else { return }
        suspect(event, now, &counters, &outputs)
    }

    @inline(never)
    private mutating func closedMinute(
        _ bar: Bar, _ source: String, _ now: Int64, _ counters: inout CounterBoard, _ outputs: inout [CitadelOutput]
    ) {
        outputs.append(.barClosed(symbol: profile.symbol, timeframe: .m1, bar: bar))
        guard let event = watch.closedMinute(bar, source: source, profile, configuration) else { return }
        suspect(event, now, &counters, &outputs)
    }

    @inline(never)
    private mutating func closed(
        _ bar: Bar, _ timeframe: Timeframe, _ now: Int64, _ counters: inout CounterBoard,
        _ outputs: inout [CitadelOutput]
    ) {
        outputs.append(.barClosed(symbol: profile.symbol, timeframe: timeframe, bar: bar))
        learn(from: bar, timeframe)
        announce(now, &counters, &outputs)
    }

    // MARK: bars

    mutating func append(_ bar: Bar, _ timeframe: Timeframe) -> Bool {
        if timeframe == configuration.decidingTimeframe, series(timeframe).admits(bar) {
            // A bar without ticks is known at its end.
            opens(bar.startMilliseconds, known: bar.startMilliseconds + timeframe.milliseconds)
        }
        let isTaken =
            switch timeframe {
            case .m1: m1.append(finished: bar)
            case .m5: m5.append(finished: bar)
            case .m15: m15.append(finished: bar)
            case .h1: h1.append(finished: bar)
            }
        if isTaken { learn(from: bar, timeframe) }
        return isTaken
    }

    /// A deciding bar begins: what ended or grew too old in a hole before it does so before anything of it counts.
    private mutating func opens(_ start: Int64, known: Int64? = nil) {
        guard start >= sources.nextOpening else { return }
        let last = series(configuration.decidingTimeframe).closed.last
        let surroundings = LevelBook.Surroundings(
            averageTrueRange: averageTrueRange, pip: profile.pip, close: last?.close ?? 0, time: start,
            usualSpread: last?.usualSpread ?? 0)
        sources.opens(start, in: surroundings, levels: &levels)
        levels.retire(at: start, known: known)
    }

    /// Decide first, then let new levels be born: a bar never pierces what it gave birth to.
    private mutating func learn(from bar: Bar, _ timeframe: Timeframe) {
        let end = bar.startMilliseconds + timeframe.milliseconds
        let isDeciding = timeframe == configuration.decidingTimeframe
        if timeframe.makesLevels { learned = max(learned, BarTurn(bar, timeframe)) }
        if isDeciding {
            let instrument = LevelBook.Instrument(symbol: profile.symbol, digits: profile.digits, pip: profile.pip)
            levels.decide(by: bar, instrument, into: &sweeps)
            levels.retire(at: end)
        }
        let surroundings = LevelBook.Surroundings(
            averageTrueRange: averageTrueRange, pip: profile.pip, close: bar.close, time: end,
            usualSpread: bar.usualSpread)
        if timeframe == .m5 {
            normal.add(bar)
            sources.closedFiveMinutes(bar, in: surroundings, levels: &levels)
        } else if timeframe == .m15 {
            sources.closedFifteenMinutes(bar, in: surroundings, levels: &levels)
        }
        if isDeciding {
            sources.closedDeciding(bar, in: surroundings, digits: profile.digits, levels: &levels)
        }
    }

    /// Continues an unfinished bar of an earlier run.
    mutating func resume(_ open: Bar, _ timeframe: Timeframe) {
        switch timeframe {
        case .m1: m1.resume(open)
        case .m5: m5.resume(open)
        case .m15: m15.resume(open)
        case .h1: h1.resume(open)
        }
        guard timeframe == configuration.decidingTimeframe else { return }
        opens(open.startMilliseconds)
        levels.observe(open.high, at: open.startMilliseconds, bar: open.startMilliseconds)
        levels.observe(open.low, at: open.startMilliseconds, bar: open.startMilliseconds)
    }

    /// What an earlier run decided was told then: nothing of it is told again.
    mutating func finishRestoring(usualSpread value: Double, samples: Int, lastEnd: Int64?, now: Int64) {
        // What grew too old while nobody ran is not shown until the first tick; the bar of now is still undecided.
        levels.retire(at: configuration.decidingTimeframe.start(of: now))
        sweeps.removeAll()
        levels.changes.removeAll()
        usualSpread.resume(value, samples: samples)
        if let lastEnd { quotes.startAfter(lastEnd) }
    }

    // MARK: what is told

    /// Hands out what was decided; what is long past stays silent, so that a backlog rings no bell.
    mutating func announce(
        _ now: Int64, _ counters: inout CounterBoard, _ outputs: inout [CitadelOutput]
    ) {
        for place in levels.changes.indices {
            levels.changes[place].symbol = profile.symbol
            outputs.append(.levelChanged(levels.changes[place]))
            switch levels.changes[place].kind {
            case .born: counters.add(.levelsBorn)
            case .taken: counters.add(.levelsTaken)
            case .broken: counters.add(.levelsBroken)
            case .expired: if levels.changes[place].level.taken == nil { counters.add(.levelsExpired) }
            case .evicted: counters.add(.levelsEvicted)
            case .joined, .touched, .swept: continue
            }
        }
        levels.changes.removeAll(keepingCapacity: true)
        for sweep in sweeps {
            counters.add(.sweeps)
            if now - sweep.timeMilliseconds <= configuration.announceWithin {
                outputs.append(.sweep(sweep))
            } else {
                counters.add(.sweepsNotAnnounced)
            }
        }
        sweeps.removeAll(keepingCapacity: true)
    }

    private mutating func suspect(
        _ found: ManipulationEvent, _ now: Int64, _ counters: inout CounterBoard, _ outputs: inout [CitadelOutput]
    ) {
        var event = found
        // Middles of two quotes, and what brokers usually differ by taken off: no more digits than a price has.
        event.price = Decimals.rounded(event.price, profile.digits + 1)
        event.reference = Decimals.rounded(event.reference, profile.digits + 1)
        suspicions.removeAll { event.timeMilliseconds - $0.timeMilliseconds > configuration.manipulationKept }
        if suspicions.count < Self.maximumSuspicions { suspicions.append(event) }
        counters.add(.manipulations)
        if now - event.timeMilliseconds <= configuration.announceWithin {
            outputs.append(.manipulation(event))
        } else {
            counters.add(.manipulationsNotAnnounced)
        }
    }

    private static let maximumSuspicions = 64
}
