/// One broker server that quotes a symbol, and how healthy its quotes are.
struct QuoteSource: Sendable {
    let name: String
    var bid: Double
    var ask: Double
    /// The quote's own time; `heard` and `changed` are the engine's: when it last spoke, when its price last moved.
    var time: Int64
    var heard: Int64
    var changed: Int64
    /// The moves of all sources together when its price last moved.
    var movesThen = 0
    /// Whether its last quote was of the present.
    var isCurrent: Bool
    var spread = UsualSpread()
    /// How far this broker's price usually lies from the common one: index contracts differ for good.
    var offset = 0.0
    /// Unusable quotes of late: one more for each, halved by every 16 good ones.
    var faults = 0.0
    /// The share of unusable ones of about the last 500 quotes.
    private(set) var refusedShare = 0.0
    var judged = 1
    var outlying: OutlyingEpisode?
    var lastReport = Int64.min

    var mid: Double { (bid + ask) / 2 }
    static let tooManyFaults = 3.0

    /// Takes over a sound quote; true where the price moved. `now` is the engine's time.
    @inline(__always)
    mutating func record(_ tick: MarketTick, now: Int64, isCurrent: Bool) -> Bool {
        let isMove = tick.bid != bid || tick.ask != ask
        if isMove { changed = now }
        bid = tick.bid
        ask = tick.ask
        time = tick.timeMilliseconds
        heard = now
        self.isCurrent = isCurrent
        spread.add(tick.ask - tick.bid)
        judged += 1
        if refusedShare > 0 { refusedShare -= refusedShare / Double(min(judged, Self.judgedLately)) }
        if faults > 0 { faults = faults < 0.1 ? 0 : faults * 0.957 }
        return isMove
    }

    mutating func fault() { faults = min(faults + 1, 8) }

    mutating func refuse() {
        judged += 1
        refusedShare += (1 - refusedShare) / Double(min(judged, Self.judgedLately))
    }

    private static let judgedLately = 500

    func isSilent(_ now: Int64, _ configuration: CitadelConfiguration) -> Bool {
        now - heard > configuration.sourceSilence
    }
}

/// A time during which one source quotes what no other does.
struct OutlyingEpisode: Sendable, Equatable {
    /// When its quotes left the others', by the quote's time and the engine's.
    var began: Int64
    var beganNow: Int64
    /// The price farthest from the others, and where the others were.
    var price: Double
    var reference: Double
    var hasReturned = false
    var isReported = false
}

/// The sources of one symbol. Health of a source: it speaks, of the present, without unusable quotes, at a spread near
/// the best, and not alone with its price.
struct SourceBook: Sendable {
    private(set) var sources: [QuoteSource] = []
    private(set) var active: Int?
    private var moves = 0
    /// Outlying prices that another source contradicted, until the engine collects them.
    var reports: [ManipulationEvent] = []

    /// A price may arrive at other brokers this much later before it counts as one broker's own.
    private static let grace: Int64 = 2_000
    /// A source that has not moved for so long, while the others moved so often, contradicts nobody: it is stuck.
    private static let frozenAfter: Int64 = 30_000
    private static let frozenMoves = 8
    private static let wideSpread = 3.0

    var activeName: String? { active.map { sources[$0].name } }

    mutating func activate(_ place: Int) { active = place }

    @inline(__always)
    func place(of name: String) -> Int? {
        if let active, sources[active].name == name { return active }
        return sources.count < 2 && active != nil ? nil : sources.firstIndex { $0.name == name }
    }

    /// A place for a source seen for the first time: where there is none left the longest silent one goes, if it is
    /// silent at all.
    mutating func add(_ tick: MarketTick, now: Int64, isCurrent: Bool, _ configuration: CitadelConfiguration) -> Int? {
        var source = QuoteSource(
            name: tick.source, bid: tick.bid, ask: tick.ask, time: tick.timeMilliseconds, heard: now, changed: now,
            movesThen: moves, isCurrent: isCurrent)
        source.spread.add(tick.ask - tick.bid)
        guard sources.count >= max(1, configuration.maximumSources) else {
            sources.append(source)
            return sources.count - 1
        }
        let silent = sources.indices.filter { $0 != active && sources[$0].isSilent(now, configuration) }
        guard let place = silent.min(by: { sources[$0].heard < sources[$1].heard }) else { return nil }
        sources[place] = source
        return place
    }

    mutating func record(_ tick: MarketTick, at place: Int, now: Int64, isCurrent: Bool) {
        guard sources[place].record(tick, now: now, isCurrent: isCurrent) else { return }
        moves += 1
        sources[place].movesThen = moves
    }

    /// Learns how far apart this source and the active one usually are.
    private mutating func learnOffset(_ place: Int) {
        guard let active, active != place, sources[place].outlying == nil, sources[active].outlying == nil else {
            return
        }
        let apart = sources[place].mid - (sources[active].mid - sources[active].offset)
        sources[place].offset +=
            (apart - sources[place].offset) / Double(min(max(1, sources[place].spread.samples), 500))
    }

    mutating func repeated(at place: Int, now: Int64) { sources[place].heard = now }

    mutating func fault(_ name: String) {
        if let place = place(of: name) { sources[place].fault() }
    }

    mutating func refuse(_ name: String) {
        if let place = place(of: name) { sources[place].refuse() }
    }

    /// The share of unusable quotes of late of the source in use; 0 without one.
    var refusedShare: Double { active.map { sources[$0].refusedShare } ?? 0 }

    // MARK: health

    func isHealthy(_ place: Int, now: Int64, _ configuration: CitadelConfiguration) -> Bool {
        let source = sources[place]
        guard isLive(place, now, configuration) else { return false }
        // The first broker to move is no worse for it: the others get a moment to follow.
        if let episode = source.outlying, episode.isReported || now - episode.beganNow >= Self.grace { return false }
        guard source.spread.samples >= UsualSpread.enough else { return true }
        return !sources.indices.contains {
            $0 != place && isLive($0, now, configuration) && sources[$0].spread.samples >= UsualSpread.enough
                && sources[$0].spread.value * Self.wideSpread < source.spread.value
        }
    }

    private func isLive(_ place: Int, _ now: Int64, _ configuration: CitadelConfiguration) -> Bool {
        sources[place].isCurrent && !sources[place].isSilent(now, configuration)
            && sources[place].faults < QuoteSource.tooManyFaults
    }

    private func isFrozen(_ place: Int, _ now: Int64) -> Bool {
        now - sources[place].changed >= Self.frozenAfter && moves - sources[place].movesThen >= Self.frozenMoves
    }

    /// Whether the feed at `place` is stuck at an old price, as one that moves shows.
    func isStuck(_ place: Int, beside other: Int, allowed: Double, now: Int64) -> Bool {
        let apart = sources[place].mid - sources[place].offset - sources[other].mid + sources[other].offset
        return isFrozen(place, now) && !isFrozen(other, now) && abs(apart) > allowed
    }

    /// How many speak of the present now, and whether none of them stands alone with its price.
    func standing(now: Int64, _ configuration: CitadelConfiguration) -> (count: Int, agree: Bool) {
        let live = sources.filter { $0.isCurrent && now - $0.heard <= configuration.staleAfter }
        return (live.count, !live.contains { $0.outlying.map { !$0.hasReturned } ?? false })
    }

    // MARK: one price that nobody else has

    /// Compares the quote just recorded at `place` with the others; `allowed` is the distance that is still agreement.
    mutating func compare(
        _ place: Int, symbol: String, pip: Double, allowed: Double, now: Int64, _ configuration: CitadelConfiguration
    ) {
        if isCompany(place, now, configuration) { contradict(by: place, symbol, pip, allowed, now, configuration) }
        guard sources[place].spread.samples >= UsualSpread.enough else { return learnOffset(place) }
        var nearest: Double?
        let mid = sources[place].mid
        for other in sources.indices where other != place && isCompany(other, now, configuration) {
            let there = sources[other].mid - sources[other].offset + sources[place].offset
            if let known = nearest, abs(known - mid) <= abs(there - mid) { continue }
            nearest = there
        }
        let isAlone = nearest.map { abs($0 - mid) > allowed + 3 * sources[place].spread.value } ?? false
        guard let nearest, isAlone, !isFrozen(place, now) else {
            leave(place, now, hasCompany: nearest != nil)
            learnOffset(place)
            return
        }
        if sources[place].outlying == nil || sources[place].outlying?.hasReturned == true {
            sources[place].outlying = OutlyingEpisode(
                began: sources[place].time, beganNow: now, price: mid, reference: nearest)
        } else if let known = sources[place].outlying, abs(mid - nearest) > abs(known.price - known.reference) {
            sources[place].outlying?.price = mid
            sources[place].outlying?.reference = nearest
        }
    }

    /// Whether a source's price says what the market is: it is live, known for a while, not stuck, not alone itself.
    private func isCompany(_ place: Int, _ now: Int64, _ configuration: CitadelConfiguration) -> Bool {
        let source = sources[place]
        return isLive(place, now, configuration) && source.spread.samples >= UsualSpread.enough
            && !isFrozen(place, now) && source.outlying.map(\.hasReturned) ?? true
    }

    /// Back among the others, or no others left to differ from.
    private mutating func leave(_ place: Int, _ now: Int64, hasCompany: Bool) {
        guard let episode = sources[place].outlying else { return }
        if !hasCompany || episode.isReported || now - episode.beganNow > 10_000 {
            sources[place].outlying = nil
        } else {
            sources[place].outlying?.hasReturned = true
        }
    }

    /// The quote at `place` speaks against those who stood alone before it, or joins them.
    private mutating func contradict(
        by place: Int, _ symbol: String, _ pip: Double, _ allowed: Double, _ now: Int64,
        _ configuration: CitadelConfiguration
    ) {
        for other in sources.indices where other != place {
            guard let episode = sources[other].outlying, !episode.isReported else { continue }
            let here = sources[place].mid - sources[place].offset + sources[other].offset
            if abs(here - episode.price) <= allowed {
                sources[other].outlying = nil
                continue
            }
            guard episode.hasReturned || now - episode.beganNow >= Self.grace else { continue }
            let (since, overflow) = now.subtractingReportingOverflow(sources[other].lastReport)
            if overflow || since >= configuration.manipulationPause {
                sources[other].lastReport = now
                let away = sources[other].spread.value * 3 + allowed
                reports.append(
                    ManipulationEvent(
                        symbol: symbol, kind: .outlyingQuote, source: sources[other].name,
                        beganMilliseconds: episode.began,
                        timeMilliseconds: max(episode.began, sources[place].time), price: episode.price,
                        reference: episode.reference,
                        measured: Decimals.rounded(abs(episode.price - episode.reference) / pip, 1),
                        usual: Decimals.rounded(away / pip, 1)))
            }
            sources[other].outlying?.isReported = true
            if episode.hasReturned { sources[other].outlying = nil }
        }
    }
}
