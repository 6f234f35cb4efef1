/// A trade with its side decided.
struct Trade: Sendable {
    var direction: TradeDirection
    var entry: Double
    var stop: Double?
    var target: Double?
}

/// One factor's finding: its score in tenths (10 to 100) and the sentence that explains it.
struct FactorReading: Sendable, Equatable {
    var tenths: Int
    var insight: String?

    init(_ score: Double, _ insight: String? = nil) {
        tenths = Int(Decimals.nearest(min(10, max(1, score.isFinite ? score : 1)) * 10))
        self.insight = insight
    }
}

/// The factors that read the market itself; those that read levels are in `LevelFactors.swift`.
/// Each scores 1 (exposed) to 10 (protected). What is not known is capped low and says so; it is never a middle value.
enum Factors {
    /// The most a factor gets where what it rests on is unknown.
    static let unknownCap = 3.0

    static func read(_ name: FactorName, _ trade: Trade, _ view: MarketView) -> FactorReading {
        switch name {
        case .stopPlacement: stopPlacement(trade, view)
        case .levelPath: levelPath(trade, view)
        case .sweep: sweep(trade, view)
        case .spread: spread(view)
        case .volatility: volatility(view)
        case .entryDrift: entryDrift(trade, view)
        case .sourceQuality: sourceQuality(view)
        case .session: session(view)
        }
    }

    /// The spread against its own usual size (1.2 times is fine, 4 times is 1) and against the M15 range (15 % is
    /// fine, 75 % is 1).
    private static func spread(_ view: MarketView) -> FactorReading {
        guard let spread = view.spread else {
            return FactorReading(2, "The spread is unknown: no quote has come yet; counted as 2.0.")
        }
        var score = ramp(spread / view.unit, from: (0.15, 10), to: (0.75, 1))
        var notes = ["Spread \(view.pips(spread)) pips"]
        if let usual = view.usualSpread, usual > 0 {
            let ratio = spread / usual
            score = min(score, ramp(ratio, from: (1.2, 10), to: (4, 1)))
            notes.append("\(Decimals.text(ratio, 1)) times its usual \(view.pips(usual))")
        } else if view.usualSpread == nil {
            score = min(score, unknownCap)
            notes.append("its usual size is not known yet, so counted as at most 3.0")
        }
        if view.isStale {
            score = min(score, 2)
            notes.append("from an old quote, so counted as at most 2.0")
        }
        return FactorReading(score, notes.joined(separator: ", ") + ".")
    }

    /// The M5 range of late against its usual size: 0.6 to 1.3 is fine, 3 times is 1, a dead market 4.
    private static func volatility(_ view: MarketView) -> FactorReading {
        guard view.usualRange5 > 0, view.range5 > 0 else {
            return FactorReading(
                unknownCap, "Volatility is unknown (\(view.bars5) M5 bars); counted as 3.0.")
        }
        let ratio = view.range5 / view.usualRange5
        var score =
            ratio < 1
            ? ramp(ratio, from: (0.3, 4), to: (0.6, 10)) : ramp(ratio, from: (1.3, 10), to: (3, 1))
        var note = "M5 bars range \(view.pips(view.range5)) pips, \(Decimals.text(ratio, 1)) times the usual"
        if view.hasFewBars {
            score = min(score, unknownCap)
            note += "; only \(view.bars5) bars to tell by, so counted as at most 3.0"
        } else if view.isStale {
            score = min(score, unknownCap)
            note += "; the last quote is old, so counted as at most 3.0"
        }
        return FactorReading(score, note + ".")
    }

    /// How far the market has moved from the entry: half an M15 range is fine, three are 1.
    private static func entryDrift(_ trade: Trade, _ view: MarketView) -> FactorReading {
        guard let price = view.price, !view.isStale else {
            return FactorReading(2, "Where the market stands is not known now; distance from the entry counted as 2.0.")
        }
        let distance = abs(price - trade.entry)
        let score = ramp(distance / view.unit, from: (0.5, 10), to: (3, 1))
        let note =
            score < 10
            ? "The market at \(view.text(price)) is \(view.pips(distance)) pips from the entry "
                + "(\(Decimals.text(distance / view.unit, 1)) M15 ranges)." : nil
        return FactorReading(score, note)
    }

    /// How far the data can be trusted: age of the last quote, history, refused quotes, an instrument not configured.
    private static func sourceQuality(_ view: MarketView) -> FactorReading {
        guard let age = view.quoteAge else {
            return FactorReading(1, "No quote for \(view.symbol) has come: data quality 1.0.")
        }
        var score = ramp(Double(age), from: (5_000, 10), to: (60_000, 1))
        var notes: [String] = []
        if score < 10 { notes.append("the last quote is \(Decimals.text(Double(age) / 1_000, 0)) s old") }
        let history = ramp(
            Double(view.bars5), from: (Double(view.configuration.minimumBars), unknownCap), to: (144, 10))
        if history < 10 { notes.append("only \(view.bars5) M5 bars of history (144 wanted)") }
        score = min(score, history)
        if view.refusedShare > 0.01 {
            score = min(score, ramp(view.refusedShare, from: (0.01, 10), to: (0.2, 1)))
            notes.append("\(Decimals.text(view.refusedShare * 100, 1)) % of the quotes were unusable")
        }
        if !view.known {
            score = min(score, 4)
            notes.append("\(view.symbol) is not configured, its pip of \(view.text(view.pip)) is a guess")
        }
        return FactorReading(score, notes.isEmpty ? nil : "Data: " + notes.joined(separator: ", ") + ".")
    }

    /// By UTC weekday and hour; see `session(at:)`.
    private static func session(_ view: MarketView) -> FactorReading {
        let (score, name) = session(at: view.now)
        return FactorReading(score, "Session: \(name) (\(Decimals.text(score, 0))/10).")
    }

    /// London and New York together trade deepest; the turn of the trading day (21 UTC) and the weekend not at all.
    static func session(at now: Int64) -> (score: Double, name: String) {
        let hours = now / 3_600_000
        let hour = hours % 24
        let weekday = (hours / 24 + 4) % 7
        let closed = weekday == 6 || (weekday == 5 && hour >= 21) || (weekday == 0 && hour < 22)
        if closed { return (1, "weekend, the market is closed") }
        switch hour {
        case 0..<7: return (6, "Tokyo")
        case 7..<12: return (9, "London")
        case 12..<16: return (10, "London and New York")
        case 16..<20: return (8, "New York")
        case 20: return (4, "late New York, thin")
        case 21: return (1, "turn of the trading day, spreads widen")
        default: return (4, "before Tokyo, thin")
        }
    }
}
