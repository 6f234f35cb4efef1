/// Decides which ticks of one symbol are used: sound ones, in order, from one source at a time.
struct QuoteGate: Sendable {
    enum Verdict: Sendable, Equatable {
        case used(switchedFrom: String?)
        case refused(CitadelCounter)
    }

    private(set) var source: String?
    private(set) var lastTime = Int64.min
    private(set) var bid: Double = 0
    private(set) var ask: Double = 0
    private(set) var used = 0
    private(set) var refused = 0
    /// When (engine time) the active source was last heard, and whether its quotes were of the present then.
    private var heard = Int64.min
    private var healthy = false
    private var suspect: Double?

    var hasQuote: Bool { used > 0 }
    var mid: Double { (bid + ask) / 2 }

    mutating func judge(_ tick: MarketTick, now: Int64, _ configuration: CitadelConfiguration) -> Verdict {
        let verdict = check(tick, now: now, configuration)
        if case .refused(let reason) = verdict, reason != .tickOtherSource, reason != .tickRepeated { refused += 1 }
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

    private mutating func check(_ tick: MarketTick, now: Int64, _ configuration: CitadelConfiguration) -> Verdict {
        if let flaw = Self.flaw(tick) { return .refused(flaw) }
        guard tick.timeMilliseconds <= now + configuration.futureTolerance else { return .refused(.tickFuture) }
        let fresh = now - tick.timeMilliseconds <= configuration.staleAfter
        var previous: String?
        if let active = source, active != tick.source {
            // A source is only left for one that quotes the present, and only when it fell silent or lives in the past.
            let silent = now - heard >= configuration.sourceSilence
            guard fresh, silent || !healthy else { return .refused(.tickOtherSource) }
            guard tick.timeMilliseconds >= lastTime else { return .refused(.tickOutOfOrder) }
            previous = active
        }
        if tick.timeMilliseconds < lastTime { return .refused(.tickOutOfOrder) }
        if used > 0 {
            if tick.timeMilliseconds == lastTime, tick.bid == bid, tick.ask == ask, previous == nil {
                heard = now
                return .refused(.tickRepeated)
            }
            let middle = tick.mid
            if abs(middle / mid - 1) > configuration.outlierShare {
                let agreed = suspect.map { abs(middle / $0 - 1) < 0.01 } ?? false
                suspect = middle
                guard agreed else { return .refused(.tickOutlier) }
            }
        }
        suspect = nil
        source = tick.source
        heard = now
        healthy = fresh
        lastTime = tick.timeMilliseconds
        bid = tick.bid
        ask = tick.ask
        used += 1
        return .used(switchedFrom: previous)
    }

    /// Nothing older than a restored history may be added to it.
    mutating func startAfter(_ time: Int64) { lastTime = max(lastTime, time) }
}

/// What is usual: a mean of the spread over about the last 1,000 ticks.
struct UsualSpread: Sendable {
    private(set) var value: Double = 0
    private(set) var samples = 0
    static let enough = 50

    mutating func add(_ spread: Double) {
        samples += 1
        value += (spread - value) / Double(min(samples, 1_000))
    }

    mutating func resume(_ value: Double, samples: Int) {
        guard value.isFinite, value >= 0, samples > 0 else { return }
        self.value = value
        self.samples = samples
    }
}
