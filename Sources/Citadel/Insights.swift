/// Sentences for people: what was found, with its numbers, most of them written by the factors themselves.
enum Insights {
    static func sentences(assumed: String?, readings: [FactorReading], _ view: MarketView) -> [String] {
        var sentences: [String] = []
        sentences.reserveCapacity(readings.count + 2)
        if let assumed { sentences.append(assumed) }
        if view.isStale {
            if let age = view.quoteAge {
                sentences.append(
                    "The last quote of \(view.symbol) is \(age / 1_000) s old: everything here is about the past.")
            } else {
                sentences.append("There is no quote of \(view.symbol) yet: nothing here is about the present.")
            }
        }
        for reading in readings {
            if let insight = reading.insight { sentences.append(insight) }
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
