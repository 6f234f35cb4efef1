/// A trade with its side decided.
struct Trade: Sendable {
    var direction: TradeDirection
    var entry: Double
    var stop: Double?
    var target: Double?
    /// Set for a signal that is followed: what its age and the market's moves have left of it.
    var decay: SignalDecay?
}

/// One factor's finding: its score in tenths (10 to 100) and the sentence that explains it; where it got all points
/// there is mostly none, because there is nothing to teach.
struct FactorReading: Sendable, Equatable {
    var tenths: Int
    var insight: String?
    /// The sentence only says that there was nothing to find: it comes after those that found something.
    var isFiller: Bool

    init(_ score: Double, _ insight: String? = nil, isFiller: Bool = false) {
        tenths = Int(Decimals.nearest(min(10, max(1, score.isFinite ? score : 1)) * 10))
        self.insight = insight
        self.isFiller = isFiller
    }

    /// What is left of it when a signal ages: the part above 1 shrinks.
    func faded(to share: Double) -> FactorReading {
        var faded = self
        faded.tenths = 10 + Int(Decimals.nearest(Double(tenths - 10) * min(1, max(0, share))))
        return faded
    }
}

/// The findings of one factor as they become one text, without an array of them in between.
struct Notes: Sendable {
    private(set) var text = ""
    private let separator: String

    init(_ separator: String, _ first: String = "") {
        self.separator = separator
        text = first
    }

    var isEmpty: Bool { text.isEmpty }
    /// With its full stop; nil where nothing was found.
    var sentence: String? { isEmpty ? nil : text + "." }

    mutating func append(_ note: String) {
        if !text.isEmpty { text += separator }
        text += note
    }
}

/// The factors that read the market itself; those that read levels, stop and timeframes have files of their own.
/// Each scores 1 (exposed) to 10 (protected). What is not known is capped low and says so; it is never a middle value.
enum Factors {
    /// The most a factor gets where what it rests on is unknown.
    static let unknownCap = 3.0

    static func read(_ name: FactorName, _ trade: Trade, _ view: MarketView) -> FactorReading {
        // Of a signal that aged, what was judged by the chart counts only as far as the signal is still the same trade.
        let share = trade.decay?.remaining ?? 1
        switch name {
        case .stopPlacement: return stopPlacement(trade, view).faded(to: share)
        case .levelPath: return levelPath(trade, view).faded(to: share)
        case .sweep: return sweep(trade, view).faded(to: share)
        case .timeframes: return timeframes(trade, view).faded(to: share)
        case .spread: return spread(trade, view)
        case .volatility: return volatility(trade, view)
        case .entryDrift: return entryDrift(trade, view)
        case .sourceQuality: return sourceQuality(view)
        case .session: return session(view)
        }
    }

    /// The spread against its own usual size (1.2 times is fine, 4 times is 1), against the M15 range (15 % is fine,
    /// 75 % is 1), and against the stop, since it is paid out of it (8 % is fine, 40 % and no stop at all are 1).
    private static func spread(_ trade: Trade, _ view: MarketView) -> FactorReading {
        guard let spread = view.spread else {
            return FactorReading(2, "The spread is unknown: no quote has come yet; counted as 2.0.")
        }
        if isFine(spread, trade, view) { return FactorReading(10) }
        var score = ramp(spread / view.unit, from: (0.15, 10), to: (0.75, 1))
        var notes = Notes(", ", "Spread \(view.pips(spread)) pips")
        if let usual = view.usualSpread, usual > 0 {
            let ratio = spread / usual
            score = min(score, ramp(ratio, from: (1.2, 10), to: (4, 1)))
            notes.append("\(Decimals.text(ratio, 1)) times its usual \(view.pips(usual))")
        } else if view.usualSpread == nil {
            score = min(score, unknownCap)
            notes.append("its usual size is not known yet, so counted as at most 3.0")
        }
        if let stop = trade.stop, stop != trade.entry {
            let share = spread / abs(trade.entry - stop)
            score = min(score, ramp(share, from: (0.08, 10), to: (0.4, 1)))
            if share > 0.08 { notes.append("\(Decimals.text(share * 100, 0)) % of your stop is gone on opening") }
        } else if trade.stop == nil {
            score = 1
            notes.append("no stop to set it against, so counted as 1.0")
        }
        if let event = view.recent(.spreadBlowout) {
            score = min(score, 4)
            notes.append("it blew out to \(Decimals.text(event.measured, 1)) pips within ten minutes")
        }
        if view.isStale {
            score = min(score, 2)
            notes.append("from an old quote, so counted as at most 2.0")
        }
        return FactorReading(score, notes.sentence)
    }

    /// Whether the spread gets all points: then there is nothing to teach, and nothing is written.
    private static func isFine(_ spread: Double, _ trade: Trade, _ view: MarketView) -> Bool {
        guard let usual = view.usualSpread, usual > 0, let stop = trade.stop, !view.isStale else { return false }
        return spread <= 0.15 * view.unit && spread <= 1.2 * usual && spread <= 0.08 * abs(trade.entry - stop)
            && view.recent(.spreadBlowout) == nil
    }

    /// The M5 range of late against its usual size for this hour: 0.6 to 1.3 is fine, 3 times is 1, a dead market 4.
    /// And what it does to this stop: four M5 ranges away is fine, one and a half are 1, no stop at all is 1.
    private static func volatility(_ trade: Trade, _ view: MarketView) -> FactorReading {
        guard let (ratio, isForThisHour) = view.volatility, view.range5 > 0 else {
            return FactorReading(
                unknownCap, "Volatility is unknown (\(view.bars5) M5 bars); counted as 3.0.")
        }
        if (0.6...1.3).contains(ratio), let stop = trade.stop, abs(trade.entry - stop) >= 4 * view.range5,
            !view.hasFewBars, !view.isStale, view.recent(.activitySpike) == nil
        {
            return FactorReading(10)
        }
        var score =
            ratio < 1
            ? ramp(ratio, from: (0.3, 4), to: (0.6, 10)) : ramp(ratio, from: (1.3, 10), to: (3, 1))
        var note =
            "Volatility: M5 bars of \(view.pips(view.range5)) pips, \(Decimals.text(ratio, 1)) times what is usual "
            + (isForThisHour ? "at this hour" : "over a day")
        if let stop = trade.stop {
            let bars = abs(trade.entry - stop) / view.range5
            score = min(score, ramp(bars, from: (1.5, 1), to: (4, 10)))
            if bars < 4 { note += "; the stop is \(Decimals.text(bars, 1)) such bars away (four are safe)" }
        } else {
            score = 1
            note += "; no stop limits what it costs"
        }
        if let event = view.recent(.activitySpike) {
            score = min(score, 4)
            note += "; a spike of \(Decimals.text(event.measured, 0)) ticks in a minute ran and reversed just now"
        }
        if view.hasFewBars {
            score = min(score, unknownCap)
            note += "; only \(view.bars5) bars to tell by, so counted as at most 3.0"
        } else if view.isStale {
            score = min(score, unknownCap)
            note += "; the last quote is old, so counted as at most 3.0"
        }
        return FactorReading(score, note + ".")
    }

    /// How far the market has moved from the entry: half an M15 range is fine, three are 1. For a signal also against
    /// its stop: a quarter is fine, the whole is 1; and what its age and the market's changes have left of it.
    private static func entryDrift(_ trade: Trade, _ view: MarketView) -> FactorReading {
        guard let price = view.price, !view.isStale else {
            return FactorReading(2, "Where the market stands is not known now; distance from the entry counted as 2.0.")
        }
        let distance = abs(price - trade.entry)
        var score = ramp(distance / view.unit, from: (0.5, 10), to: (3, 1))
        var notes = Notes(". ")
        if score < 10 {
            notes.append(
                "The market at \(view.text(price)) is \(view.pips(distance)) pips from the entry "
                    + "(\(Decimals.text(distance / view.unit, 1)) M15 ranges)")
        }
        if let decay = trade.decay {
            score = min(score, ramp(decay.driftShare, from: (0.25, 10), to: (1, 1)), 1 + 9 * decay.remaining)
            if let sentence = decay.sentence { notes.append(sentence) }
        }
        return FactorReading(score, notes.sentence)
    }

    /// How far the data can be trusted: age of the last quote, history, refused quotes, an instrument not configured,
    /// one broker alone (at most 8: nobody can contradict it) or brokers that disagree (at most 2).
    private static func sourceQuality(_ view: MarketView) -> FactorReading {
        guard let age = view.quoteAge else {
            return FactorReading(1, "No quote for \(view.symbol) has come: data quality 1.0.")
        }
        var score = ramp(Double(age), from: (5_000, 10), to: (60_000, 1))
        var notes = Notes(", ")
        func bound(_ most: Double, _ note: String) {
            guard most < 10 else { return }
            score = min(score, most)
            notes.append(note)
        }
        bound(score, "the last quote is \(Decimals.text(Double(age) / 1_000, 0)) s old")
        let minimum = Double(view.configuration.minimumBars)
        bound(
            ramp(Double(view.bars5), from: (minimum, unknownCap), to: (144, 10)),
            "only \(view.bars5) M5 bars of history (144 wanted)")
        bound(
            ramp(view.refusedShare, from: (0.01, 10), to: (0.2, 1)),
            "\(Decimals.text(view.refusedShare * 100, 1)) % of the last quotes were unusable")
        if let condition = view.condition {
            if !condition.sourcesAgree {
                bound(2, "the brokers quote different prices, one of them is wrong")
            } else if condition.sourceCount == 1 {
                bound(8, "one broker alone quotes it, nobody can contradict it")
            }
            if let event = view.recent(.outlyingQuote) {
                bound(4, "\(event.source) printed \(view.text(event.price)), which no other broker had")
            }
        }
        if !view.known {
            bound(4, "\(view.symbol) is not configured, its pip of \(view.text(view.pip)) is a guess")
        }
        return FactorReading(score, notes.sentence.map { "Data: " + $0 })
    }

    /// By UTC weekday and hour; see `session(at:symbol:)`.
    private static func session(_ view: MarketView) -> FactorReading {
        let (score, name) = session(at: view.now, symbol: view.symbol)
        return FactorReading(score, score < 10 ? "Session: \(name) (\(Decimals.text(score, 0))/10)." : nil)
    }

    /// London and New York together trade deepest; Tokyo is deep for its own currencies; the turn of the trading day
    /// (21 UTC) and the weekend not at all.
    static func session(at now: Int64, symbol: String) -> (score: Double, name: String) {
        let hour = max(0, now) / 3_600_000 % 24
        switch MarketSession.at(max(0, now)) {
        case .weekend: return (1, "weekend, the market is closed")
        case .overlap: return (10, "London and New York together")
        case .london: return (9, "London")
        case .newYork: return hour < 20 ? (8, "New York") : (4, "late New York, thin")
        case .tokyo:
            let isAtHome = ["JPY", "AUD", "NZD"].contains { symbol.contains($0) }
            return isAtHome ? (9, "Tokyo, at home for \(symbol)") : (6, "Tokyo")
        case .offHours: return hour == 21 ? (1, "turn of the trading day, spreads widen") : (4, "before Tokyo, thin")
        }
    }
}
