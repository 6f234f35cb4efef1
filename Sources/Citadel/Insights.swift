/// Sentences for people: what was found, with its numbers, most of them written by the factors themselves.
enum Insights {
    /// One sentence and the factor it explains; nil where it is about the whole answer.
    struct Sentence: Sendable, Equatable {
        var text: String
        var factor: FactorName?
    }

    /// What is about the whole answer first, then the factors' findings, the one that costs most points first; those
    /// that found nothing come last.
    static func sentences(assumed: String?, readings: [FactorReading], _ view: MarketView) -> [Sentence] {
        var sentences: [Sentence] = []
        sentences.reserveCapacity(readings.count + 2)
        if let assumed { sentences.append(Sentence(text: assumed)) }
        if view.isStale {
            let text =
                if let age = view.quoteAge {
                    "The last quote of \(view.symbol) is \(age / 1_000) s old: everything here is about the past."
                } else {
                    "There is no quote of \(view.symbol) yet: nothing here is about the present."
                }
            sentences.append(Sentence(text: text))
        }
        let names = FactorName.allCases
        // Points lost, and of equal ones the earlier factor first: one number each, which sorts fast.
        let keys = names.indices.map { place in
            let found = readings[place].isFiller ? 0 : 10_000
            return (found + names[place].percent * (100 - readings[place].tenths)) * 16 + 15 - place
        }
        for key in keys.sorted(by: >) {
            let place = 15 - key % 16
            if let insight = readings[place].insight {
                sentences.append(Sentence(text: insight, factor: names[place]))
            }
        }
        return sentences
    }

    static func worseDirection(_ worse: TradeDirection, buyTenths: Int, sellTenths: Int) -> String {
        "No direction was given: BUY scores \(Decimals.text(Double(buyTenths) / 10, 1)), SELL "
            + "\(Decimals.text(Double(sellTenths) / 10, 1)); this is the answer for \(worse.rawValue), the worse one."
    }

    static func directionFromStop(_ direction: TradeDirection, _ view: MarketView, _ stop: Double) -> String {
        "No direction was given: a stop at \(view.text(stop)) only fits a \(direction.rawValue)."
    }

    static func directionFromTarget(_ direction: TradeDirection, _ view: MarketView, _ target: Double) -> String {
        "No direction was given: a target at \(view.text(target)) only fits a \(direction.rawValue)."
    }

    /// A stop in danger comes first whatever the total says: good advice about the rest would contradict the finding
    /// about it. Nor is any size normal while every timeframe or a fresh sweep is against the trade, price is half of
    /// the way to the target already, the spread several times as wide, or the gain a small part of the risk.
    static func recommendation(
        _ risk: RiskLevel, _ query: ProtectionQuery, _ direction: TradeDirection, _ factors: [ScoreFactor],
        _ view: MarketView, decay: SignalDecay?
    ) -> String {
        var text = ""
        let stopScore = factors.first { $0.name == .stopPlacement }?.score ?? 1
        let stop = stopFirst(query.stopLoss, stopScore, view, decay: decay)
        let doubts = doubts(query, direction, factors, view, decay: decay)
        let but = doubts.isEmpty ? nil : ", but " + doubts.joined(separator: " and ") + ": smaller size, or wait."
        if let stop { text = stop + " " }
        switch risk {
        case .fortress, .protected:
            let word = stop != nil ? "The rest is protected" : risk == .fortress ? "Well protected" : "Protected"
            let size = stop != nil ? "." : risk == .fortress ? ": the trade can go as planned." : ": normal size."
            text += word + (but ?? size)
        case .caution: text += "Caution: smaller size, or wait for a better place."
        case .highRisk:
            text += "High risk: wait"
            text += stop != nil ? " for a better place." : ", or move stop and entry away from the liquidity."
        case .danger: text += "Danger: do not take this trade here."
        }
        let weakest = factors.max { $0.weight * (10 - $0.score) < $1.weight * (10 - $1.score) }
        if let weakest, weakest.score < 7 {
            text += " The weakest point is \(weakest.name.words) (\(Decimals.text(weakest.score, 1))/10)."
        }
        if view.isStale { text += " Without a current quote this is a guess." }
        return text
    }

    /// What to do about the stop before anything else; nil where it may stay.
    private static func stopFirst(
        _ stop: Double?, _ score: Double, _ view: MarketView, decay: SignalDecay?
    ) -> String? {
        guard stop != nil else { return "Set a stop first: nothing limits the loss." }
        guard score < 4 else { return nil }
        // Low for another reason than its place: moving it would not help.
        if view.hasFewBars || view.isStale { return "Check the stop first: what rests around it is not known now." }
        if let decay, 1 + (score - 1) / max(0.01, decay.remaining) >= 4 {
            return "Check the stop first: the signal has aged since it was set."
        }
        return "Move the stop first: where it lies now it is likely to be hit."
    }

    private static func doubts(
        _ query: ProtectionQuery, _ direction: TradeDirection, _ factors: [ScoreFactor], _ view: MarketView,
        decay: SignalDecay?
    ) -> [String] {
        var doubts: [String] = []
        // As the chart says it, before the signal's age: a sweep in full against the trade leaves 1 of 5.5.
        let sweep = factors.first { $0.name == .sweep }?.score ?? 10
        let isRead = !view.hasFewBars && !view.isStale
        if isRead, 1 + (sweep - 1) / max(0.01, decay?.remaining ?? 1) <= 2.5 {
            doubts.append("a sweep turned price against it")
        }
        if isRead, let price = view.price, let target = query.takeProfit {
            let gone = (price - query.entryPrice) / (target - query.entryPrice)
            if gone >= 0.5 {
                doubts.append("price is \(Decimals.text(min(1, gone) * 100, 0)) % of the way to the target already")
            }
        }
        let leans = [view.leans.h1, view.leans.m15, view.leans.m5]
        // An unknown one counts as against it, as in the factor.
        if leans.allSatisfy({ ($0 ?? -direction.sign) * direction.sign < -0.3 }) {
            doubts.append(leans.contains(nil) ? "no timeframe is known to go with it" : "all timeframes are against it")
        }
        // A hair of slack: 3 pips over 1 pip are a little less than 3 in binary.
        if let spread = view.spread, let usual = view.usualSpread, usual > 0, spread / usual >= 3 - 1e-9 {
            doubts.append("the spread is \(Decimals.text(spread / usual, 1)) times its usual")
        }
        if let stop = query.stopLoss, let target = query.takeProfit {
            let losses = abs(query.entryPrice - stop) / abs(target - query.entryPrice)
            if losses > 5 + 1e-9 { doubts.append("one loss takes \(Decimals.text(losses, 0)) such gains") }
        }
        return doubts
    }
}
