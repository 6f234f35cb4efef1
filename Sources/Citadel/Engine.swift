/// What the engine tells the process to do: publish, store, log. What is large and rare lies elsewhere (`indirect`), so
/// that a closed bar, which is nearly all there is, costs little to hand on.
public enum CitadelOutput: Sendable, Equatable {
    /// A completed sweep, once: for the alert port.
    indirect case sweep(LiquiditySweep)
    /// A new signal with its answer, once: for the signal port.
    indirect case signalPublished(TradingSignal, ProtectionScore)
    /// A live signal's standing changed or it ended: for the signal port.
    indirect case signalUpdated(SignalUpdate)
    /// Something looked like a hand in the market, once: for the alert port.
    indirect case manipulation(ManipulationEvent)
    /// One step in the life of a level: for charts and studies.
    indirect case levelChanged(LevelChange)
    /// A bar is final; appending it to a stored list is all a restart needs.
    case barClosed(symbol: String, timeframe: Timeframe, bar: Bar)
    /// Late history was built in: the stored lists of this symbol are to be replaced by `CitadelEngine.snapshot(of:)`.
    case historyRebuilt(symbol: String)
    /// The quotes of a symbol now come from another broker server.
    case sourceSwitched(symbol: String, from: String, to: String)
}

/// One symbol as it stands, for look-ups.
public struct SymbolSummary: Sendable, Equatable {
    public var profile: InstrumentProfile
    public var source: String?
    public var bid: Double?
    public var ask: Double?
    /// The time of the last used quote, milliseconds of UTC.
    public var quoteMilliseconds: Int64?
    public var ticksUsed: Int
    public var ticksRefused: Int
    public var bars: [Timeframe: Int]
    public var levels: Int
}

/// CITADEL: bars from ticks, liquidity levels from bars, sweeps, protection scores and live signals.
///
/// A pure value: no clock, no input or output, no randomness. Every call says what time it is (`now`, milliseconds of
/// UTC) and appends what is to be done to `outputs`; the same calls give the same outputs. It belongs to one owner (a
/// service's loop, a replay). All calls are total: bad input is counted or thrown as `QueryError`, never trapped.
public struct CitadelEngine: Sendable {
    let configuration: CitadelConfiguration
    private let instruments: [String: InstrumentProfile]
    private var places: [String: Int] = [:]
    /// The symbol of the last quote and its place: quotes of one symbol often come in a row.
    private var last = (symbol: "", place: -1)
    private var states: [SymbolState] = []
    private var board = CounterBoard()
    var signals = SignalBook()
    /// How many signals were ended at the last time anything ended.
    var endingsNow = (now: Int64.min, count: 0)
    /// When late history was last built in: of one symbol at one `now`, because it takes as long as a thousand quotes.
    private var builtIn: Int64?

    /// `instruments` by canonical symbol; others are learned from the decimals of their quotes.
    public init(configuration: CitadelConfiguration = .init(), instruments: [String: InstrumentProfile]) {
        self.configuration = configuration
        self.instruments = instruments
    }

    /// Events by name since the engine was made; every name is present.
    public var counters: [String: Int] { board.dictionary }

    mutating func count(_ counter: CitadelCounter, _ amount: Int = 1) { board.add(counter, amount) }

    // MARK: market

    /// Takes one quote. Unusable ones are counted by reason and change nothing else.
    public mutating func handle(_ tick: MarketTick, now: Int64, into outputs: inout [CitadelOutput]) {
        let place: Int
        if tick.symbol == last.symbol, last.place >= 0 {
            place = last.place
        } else {
            guard let found = places[tick.symbol] ?? self.place(for: tick) else { return }
            place = found
            last = (tick.symbol, found)
        }
        if !states[place].history.isEmpty { letBuildIn(place, now) }
        guard states[place].handle(tick, now: now, counters: &board, into: &outputs) else { return }
        guard now - tick.timeMilliseconds <= configuration.staleAfter else { return }
        if !signals.isEmpty { touchSignals(tick, now: now, into: &outputs) }
    }

    private mutating func letBuildIn(_ place: Int, _ now: Int64) {
        guard builtIn != now, states[place].isBuildInDue(now) else { return }
        states[place].buildsIn = true
        builtIn = now
    }

    /// Takes a terminal's finished bar where the engine has none for that time; never overwrites one.
    public mutating func handle(bar: MarketBar, now: Int64, into outputs: inout [CitadelOutput]) {
        let latest = now + configuration.futureTolerance - bar.timeframe.milliseconds
        guard bar.isSound, bar.startMilliseconds <= latest else {
            board.add(.barMalformed)
            return
        }
        // A bar does not say how many decimals its symbol has: without a profile quotes must come first.
        guard
            let place = places[bar.symbol]
                ?? instruments[bar.symbol].flatMap({ create(bar.symbol, decimals: $0.digits) })
        else {
            board.add(.barSymbolRefused)
            return
        }
        _ = states[place].handle(bar, now: now, counters: &board, into: &outputs)
    }

    /// A place for a new symbol, unless there is none left or its first quote is nonsense.
    private mutating func place(for tick: MarketTick) -> Int? {
        if let flaw = QuoteGate.flaw(tick) {
            board.add(flaw)
            return nil
        }
        let place = create(tick.symbol, decimals: tick.decimals, price: tick.mid)
        if place == nil { board.add(.tickSymbolRefused) }
        return place
    }

    private mutating func create(_ symbol: String, decimals: Int, price: Double = 0) -> Int? {
        guard !symbol.isEmpty, symbol.utf8.count <= 32, states.count < configuration.maximumSymbols else { return nil }
        var profile = instruments[symbol] ?? .learned(symbol: symbol, decimals: decimals, price: price)
        profile.symbol = symbol
        places[symbol] = states.count
        states.append(SymbolState(profile: profile, configuration: configuration))
        return states.count - 1
    }

    // MARK: questions

    /// Scores a trade at `now`. An unknown symbol is answered (low, with confidence 0); a trade that makes no sense
    /// throws `bad_symbol`, `bad_entry_price`, `entry_far_from_market`, `bad_stop_loss`, `bad_take_profit`,
    /// `stop_wrong_side` or `target_wrong_side`.
    public func score(_ query: ProtectionQuery, now: Int64) throws(QueryError) -> ProtectionScore {
        guard !query.symbol.isEmpty, query.symbol.utf8.count <= 32 else {
            throw QueryError(code: "bad_symbol", message: "symbol must have 1 to 32 characters")
        }
        return try Scorer.score(query, in: view(of: query.symbol, at: now))
    }

    func view(of symbol: String, at now: Int64) -> MarketView {
        if let place = places[symbol] {
            // In its place: a copy of everything that is known of a symbol would cost as much as half of a score.
            return states.withUnsafeBufferPointer { $0[place].view(at: now, configuration) }
        }
        var view = MarketView(symbol: symbol, now: now, configuration: configuration)
        let profile = instruments[symbol] ?? .learned(symbol: symbol, decimals: 5)
        view.digits = profile.digits
        view.pip = profile.pip
        view.known = profile.known
        return view
    }

    /// What the market of a symbol is like at `now`, beside its levels; nil for an unknown one.
    public func condition(of symbol: String, now: Int64) -> MarketCondition? {
        places[symbol].map { states[$0].condition(at: now, configuration) }
    }

    /// The levels in view (resting, taken, swept, broken), highest first; empty for an unknown symbol.
    public func levels(of symbol: String) -> [LiquidityLevel] {
        guard let place = places[symbol] else { return [] }
        return states[place].levels.levels.sorted { ($0.price, $0.identifier) > ($1.price, $1.identifier) }
    }

    /// A level's strength, 0 to 10, at a time.
    public func strength(of level: LiquidityLevel, now: Int64) -> Double {
        Decimals.rounded(level.strength(at: now, configuration), 1)
    }

    /// All symbols, by name.
    public var symbols: [SymbolSummary] {
        states.map(\.summary).sorted { $0.profile.symbol < $1.profile.symbol }
    }

    func hasQuote(_ symbol: String) -> Bool { places[symbol].map { states[$0].quotes.hasQuote } ?? false }

    // MARK: snapshot and restore

    /// Bars of one symbol as plain values; nil for an unknown one.
    public func snapshot(of symbol: String) -> SymbolSnapshot? { places[symbol].map { states[$0].snapshot } }

    /// Rebuilds bars and levels from a snapshot. Only for a symbol that has no history yet; false otherwise.
    public mutating func restore(_ snapshot: SymbolSnapshot, now: Int64) -> Bool {
        guard places[snapshot.symbol] == nil, let place = create(snapshot.symbol, decimals: snapshot.decimals) else {
            return false
        }
        states[place].restore(snapshot, now: now)
        return true
    }
}

extension SymbolState {
    var summary: SymbolSummary {
        let quoted = quotes.hasQuote
        return SymbolSummary(
            profile: profile, source: quotes.source, bid: quoted ? quotes.bid : nil, ask: quoted ? quotes.ask : nil,
            quoteMilliseconds: quoted ? quotes.lastTime : nil, ticksUsed: quotes.used, ticksRefused: quotes.refused,
            bars: [
                .m1: m1.closed.count, .m5: m5.closed.count, .m15: m15.closed.count, .h1: h1.closed.count,
            ], levels: levels.levels.count)
    }
}
