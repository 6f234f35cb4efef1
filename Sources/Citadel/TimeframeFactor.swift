/// Where three timeframes lean: -1 (down) to +1 (up), nil where there are too few bars to say.
struct TimeframeLeans: Sendable, Equatable {
    var m5: Double?
    var m15: Double?
    var h1: Double?
}

extension BarSeries {
    static let leanLength = 20

    /// The last close against the mean of the last 20 closes, in average true ranges: from -1 (one range or more
    /// below) to +1; nil before there are 20 closed bars. Closed bars only, so that it does not flicker with ticks.
    func readLean() -> Double? {
        let count = closed.count
        guard count >= Self.leanLength, averageTrueRange > 0, let last = closed.last else { return nil }
        var sum = 0.0
        for index in (count - Self.leanLength)..<count { sum += closed[index].close }
        let away = (last.close - sum / Double(Self.leanLength)) / averageTrueRange
        return min(1, max(-1, away))
    }
}

extension Factors {
    /// H1 counts half, M15 three tenths, M5 two tenths: all with the trade is 10, all flat 4 (nobody goes along), all
    /// against it 1.
    ///
    /// A timeframe with too few bars counts as against the trade, because nobody knows that it is not; with none known
    /// at most 3. Against a trend (`MarketRegime.trend`) at most 3.
    static func timeframes(_ trade: Trade, _ view: MarketView) -> FactorReading {
        let parts = [("H1", view.leans.h1, 0.5), ("M15", view.leans.m15, 0.3), ("M5", view.leans.m5, 0.2)]
        let sign = trade.direction.sign
        var agreement = 0.0
        var with = Notes(", ")
        var against = Notes(", ")
        var flat = Notes(", ")
        var unknown = Notes(", ")
        for (name, lean, weight) in parts {
            guard let lean else {
                agreement -= weight
                unknown.append(name)
                continue
            }
            agreement += weight * lean * sign
            if lean * sign > 0.3 {
                with.append(name)
            } else if lean * sign < -0.3 {
                against.append(name)
            } else {
                flat.append(name)
            }
        }
        var score = agreement > 0 ? 4 + 6 * agreement : 4 + 3 * agreement
        let isBuy = trade.direction == .buy
        var notes = Notes("; ")
        if !with.isEmpty { notes.append(with.text + (isBuy ? " rising with it" : " falling with it")) }
        if !against.isEmpty { notes.append(against.text + (isBuy ? " falling against it" : " rising against it")) }
        if !flat.isEmpty { notes.append(flat.text + " flat") }
        if !unknown.isEmpty { notes.append(unknown.text + " unknown (20 bars wanted) and counted as against it") }
        if let trend = view.condition?.trendDirection, trend != trade.direction {
            score = min(score, unknownCap)
            notes.append("the trend of the last five hours goes the other way, so at most 3.0")
        }
        if view.isStale {
            score = min(score, unknownCap)
            notes.append("the last quote is old, so counted as at most 3.0")
        }
        let head = isBuy ? "Timeframes for this BUY: " : "Timeframes for this SELL: "
        return FactorReading(score, notes.sentence.map { head + $0 })
    }
}
