/// Decides which ticks of one symbol are used: sound ones, in order, from the freshest healthy source.
///
/// The active source stays as long as it is healthy (`SourceBook`); else the first healthy one that quotes takes over.
struct QuoteGate: Sendable {
    enum Verdict: Sendable, Equatable {
        case used(switchedFrom: String?)
        case refused(CitadelCounter)
    }

    /// Held here, not brought with each quote: what a value has beside it is copied to be read while it changes.
    private let configuration: CitadelConfiguration
    private let symbol: String
    private(set) var book = SourceBook()
    private(set) var lastTime = Int64.min
    private(set) var bid: Double = 0
    private(set) var ask: Double = 0
    private(set) var used = 0
    private(set) var refused = 0
    private var suspect: Double?

    var source: String? { book.activeName }
    var hasQuote: Bool { used > 0 }
    var mid: Double { (bid + ask) / 2 }

    init(symbol: String, configuration: CitadelConfiguration) {
        self.symbol = symbol
        self.configuration = configuration
    }

    /// `pip` is the instrument's, `averageTrueRange` the distance at which brokers still agree.
    mutating func judge(_ tick: MarketTick, now: Int64, pip: Double, averageTrueRange: Double) -> Verdict {
        let verdict = check(tick, now: now, pip, averageTrueRange)
        if case .refused(let reason) = verdict, reason != .tickOtherSource, reason != .tickRepeated {
            refused += 1
            book.refuse(tick.source)
        }
        return verdict
    }

    /// What is wrong with a quote in itself, whatever came before it.
    static func flaw(_ tick: MarketTick) -> CitadelCounter? {
        guard tick.bid.isFinite, tick.ask.isFinite, max(tick.bid, tick.ask) < highestPrice else {
            return .tickNotFinite
        }
        guard tick.bid > 0, tick.ask > 0, tick.timeMilliseconds >= 0 else { return .tickNotPositive }
        return tick.ask < tick.bid ? .tickCrossed : nil
    }

    private mutating func check(_ tick: MarketTick, now: Int64, _ pip: Double, _ averageTrueRange: Double) -> Verdict {
        if let flaw = Self.flaw(tick) {
            book.fault(tick.source)
            return .refused(flaw)
        }
        guard tick.timeMilliseconds <= now + configuration.futureTolerance else {
            book.fault(tick.source)
            return .refused(.tickFuture)
        }
        let isCurrent = now - tick.timeMilliseconds <= configuration.staleAfter
        let place: Int
        if let known = book.place(of: tick.source) {
            place = known
            guard tick.timeMilliseconds >= book.sources[known].time else { return .refused(.tickOutOfOrder) }
            if tick.timeMilliseconds == book.sources[known].time, tick.bid == book.sources[known].bid,
                tick.ask == book.sources[known].ask, used > 0
            {
                book.repeated(at: known, now: now)
                return .refused(known == book.active ? .tickRepeated : .tickOtherSource)
            }
            book.record(tick, at: known, now: now, isCurrent: isCurrent)
        } else {
            guard let new = book.add(tick, now: now, isCurrent: isCurrent, configuration) else {
                return .refused(.tickOtherSource)
            }
            place = new
        }
        let allowed = max(averageTrueRange, configuration.outlyingPips * pip)
        if book.sources.count > 1, isCurrent {
            book.compare(place, symbol: symbol, pip: pip, allowed: allowed, now: now, configuration)
        }
        return choose(tick, place, isCurrent, allowed, now)
    }

    private mutating func choose(
        _ tick: MarketTick, _ place: Int, _ isCurrent: Bool, _ allowed: Double, _ now: Int64
    ) -> Verdict {
        var previous: String?
        if let active = book.active, active != place {
            // A source is only left for a healthy one that quotes the present.
            let isLeft =
                !book.isHealthy(active, now: now, configuration)
                || book.isStuck(active, beside: place, allowed: allowed, now: now)
            guard isCurrent, isLeft,
                book.isHealthy(place, now: now, configuration), book.sources[place].outlying == nil
            else { return .refused(.tickOtherSource) }
            guard tick.timeMilliseconds >= lastTime else { return .refused(.tickOutOfOrder) }
            previous = book.sources[active].name
        } else if let episode = book.sources[place].outlying, !episode.hasReturned {
            return .refused(.tickOutlying)
        }
        if tick.timeMilliseconds < lastTime { return .refused(.tickOutOfOrder) }
        if used > 0 {
            let middle = tick.mid
            if abs(middle - mid) > configuration.outlierShare * mid {
                let agreed = suspect.map { abs(middle / $0 - 1) < 0.01 } ?? false
                suspect = middle
                guard agreed else { return .refused(.tickOutlier) }
            }
        }
        suspect = nil
        if book.active != place { book.activate(place) }
        lastTime = tick.timeMilliseconds
        bid = tick.bid
        ask = tick.ask
        used += 1
        return .used(switchedFrom: previous)
    }

    /// The outlying prices that became certain with the last quote, once; nearly always none.
    mutating func takeReports() -> [ManipulationEvent] {
        defer { book.reports.removeAll() }
        return book.reports
    }

    /// Nothing older than a restored history may be added to it.
    mutating func startAfter(_ time: Int64) { lastTime = max(lastTime, time) }
}

/// What is usual: a mean of the spread over about the last 1,000 ticks.
struct UsualSpread: Sendable {
    private(set) var value: Double = 0
    private(set) var samples = 0
    static let enough = 50
    /// The mean where there were enough quotes to call it usual, else 0.
    var known: Double { samples >= Self.enough ? value : 0 }

    @inline(__always)
    mutating func add(_ spread: Double) {
        // Nearly every quote is past the first thousand: there a product does, without a quotient to wait for.
        guard samples >= Self.memory else { return begin(spread) }
        samples += 1
        value += (spread - value) * 0.001
    }

    @inline(never)
    private mutating func begin(_ spread: Double) {
        samples += 1
        value += (spread - value) / Double(samples)
    }

    private static let memory = 1_000

    mutating func resume(_ value: Double, samples: Int) {
        guard value.isFinite, value >= 0, samples > 0 else { return }
        self.value = value
        self.samples = samples
    }
}
