/// Sentences for people: what was found, with its numbers, most of them written by the factors themselves.
enum Insights {
    /// One sentence and the factor it explains; nil where it is about the whole answer.
    struct Sentence: Sendable, Equatable {
        var text: String
        var factor: FactorName?
    }

    /// What is about the whole answer first, then the factors' findings, the one that costs most points first.
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
        let keys = names.indices.map { names[$0].percent * (100 - readings[$0].tenths) * 16 + 15 - $0 }
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

    static func recommendation(_ risk: RiskLevel, weakest: ScoreFactor?, stale: Bool) -> String {
        let advice =
            switch risk {
            case .fortress: "Well protected: the trade can go as planned."
            case .protected: "Protected: normal size."
            case .caution: "Caution: smaller size, or wait for a better place."
            case .highRisk: "High risk: wait, or move stop and entry away from the liquidity."
            case .danger: "Danger: do not take this trade here."
            }
        var text = advice
        if let weakest, weakest.score < 7 {
            text += " The weakest point is \(weakest.name.words) (\(Decimals.text(weakest.score, 1))/10)."
        }
        if stale { text += " Without a current quote this is a guess." }
        return text
    }
}
