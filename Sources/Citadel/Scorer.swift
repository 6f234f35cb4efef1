/// Turns factor readings into a score whose parts add up.
enum ScoreSum {
    /// No contribution is farther than this many thousandths from its factor's score times its weight.
    static let mostMoved = 29

    /// `tenths` are the factor scores times ten, in the order of `FactorName`. All in integers: score times weight is a
    /// whole number of thousandths, and the total a whole tenth, so at most half a tenth is left over. It is spread
    /// evenly over the factors that have room: none gets more than what a factor at 10 gives, less than what one at 1
    /// gives, or is moved by more than `mostMoved`.
    ///
    /// The total is the nearest tenth; where so few factors have room that it can't be reached, its neighbour on the
    /// other side. A better factor never lowers it: within one tenth, a step up that is out of reach is so for every
    /// lower reading too (a lowered factor gains no more room than the step grows), and downwards likewise.
    static func add(_ tenths: [Int]) -> (totalTenths: Int, thousandths: [Int]) {
        let names = FactorName.allCases
        var thousandths = zip(names, tenths).map { $0.percent * $1 }
        let exact = thousandths.reduce(0, +)
        func room(_ place: Int, up: Bool) -> Int {
            let percent = names[place].percent
            return min(mostMoved, max(0, percent * (up ? 100 - tenths[place] : tenths[place] - 10)))
        }
        func reaches(_ distance: Int, up: Bool) -> Bool {
            names.indices.reduce(0) { $0 + room($1, up: up) } >= distance
        }
        let above = exact % 100
        var isUp = above >= 50
        if !reaches(isUp ? 100 - above : above, up: isUp) { isUp.toggle() }
        var left = isUp ? 100 - above : above
        let total = (exact + (isUp ? left : -left)) / 100
        var given = 1
        while left > 0, given <= mostMoved {
            for place in names.indices where left > 0 && room(place, up: isUp) >= given {
                thousandths[place] += isUp ? 1 : -1
                left -= 1
            }
            given += 1
        }
        return (total, thousandths)
    }
}

/// Scores a query against what is known of its symbol. Pure: the same view and query give the same answer.
enum Scorer {
    /// - Parameter live: the signal the question is about, where it is one that is followed.
    static func score(
        _ query: ProtectionQuery, in view: MarketView, following live: LiveSignal? = nil
    ) throws(QueryError) -> ProtectionScore {
        try check(query, view)
        if let direction = query.direction {
            return answer(query, direction, assumed: nil, view, decay: live?.decay(in: view))
        }
        if let stop = query.stopLoss {
            let direction: TradeDirection = stop < query.entryPrice ? .buy : .sell
            return answer(query, direction, assumed: Insights.directionFromStop(direction, view, stop), view)
        }
        if let target = query.takeProfit {
            let direction: TradeDirection = target > query.entryPrice ? .buy : .sell
            return answer(query, direction, assumed: Insights.directionFromTarget(direction, view, target), view)
        }
        let buy = readings(query, .buy, view)
        let sell = readings(query, .sell, view)
        let buyTotal = ScoreSum.add(buy.map(\.tenths)).totalTenths
        let sellTotal = ScoreSum.add(sell.map(\.tenths)).totalTenths
        let worse: TradeDirection = sellTotal < buyTotal ? .sell : .buy
        return answer(
            query, worse, assumed: Insights.worseDirection(worse, buyTenths: buyTotal, sellTenths: sellTotal), view,
            readings: worse == .buy ? buy : sell)
    }

    /// What no market could make sense of; also used for signals.
    static func check(_ query: ProtectionQuery, _ view: MarketView) throws(QueryError) {
        guard query.entryPrice > 0, query.entryPrice < highestPrice else {
            throw QueryError(code: "bad_entry_price", message: "entry_price must be a positive number")
        }
        if let price = view.price, abs(query.entryPrice / price - 1) > 0.5 {
            throw QueryError(
                code: "entry_far_from_market",
                message: "entry_price is more than 50 % away from \(view.text(price)); check symbol and price")
        }
        for (name, value) in [("stop_loss", query.stopLoss), ("take_profit", query.takeProfit)] {
            guard let value else { continue }
            guard value > 0, value < highestPrice else {
                throw QueryError(code: "bad_\(name)", message: "\(name) must be a positive number, or absent")
            }
            if value == query.entryPrice {
                throw QueryError(code: "bad_\(name)", message: "\(name) equals entry_price")
            }
        }
        let impliedByStop = query.stopLoss.map { $0 < query.entryPrice ? TradeDirection.buy : .sell }
        if let direction = query.direction ?? impliedByStop { try checkSides(query, direction) }
        // So far away it is no level but a number to satisfy the question, and would only lift the score.
        for (name, value) in [("stop_loss", query.stopLoss), ("take_profit", query.takeProfit)] {
            guard let value, abs(value / query.entryPrice - 1) > 0.5 else { continue }
            throw QueryError(
                code: "bad_\(name)",
                message: "\(name) is more than 50 % away from entry_price \(view.text(query.entryPrice)); "
                    + "check the price, or leave \(name) out")
        }
    }

    private static func checkSides(_ query: ProtectionQuery, _ direction: TradeDirection) throws(QueryError) {
        if let stop = query.stopLoss, (query.entryPrice - stop) * direction.sign < 0 {
            throw QueryError(
                code: "stop_wrong_side",
                message:
                    "a \(direction.rawValue) needs its stop_loss \(direction == .buy ? "below" : "above") the entry")
        }
        if let target = query.takeProfit, (target - query.entryPrice) * direction.sign < 0 {
            throw QueryError(
                code: "target_wrong_side",
                message: "a \(direction.rawValue) needs its take_profit "
                    + "\(direction == .buy ? "above" : "below") the entry")
        }
    }

    static func readings(
        _ query: ProtectionQuery, _ direction: TradeDirection, _ view: MarketView, decay: SignalDecay? = nil
    ) -> [FactorReading] {
        let trade = Trade(
            direction: direction, entry: query.entryPrice, stop: query.stopLoss, target: query.takeProfit,
            decay: decay)
        return FactorName.allCases.map { Factors.read($0, trade, view) }
    }

    private static func answer(
        _ query: ProtectionQuery, _ direction: TradeDirection, assumed: String?, _ view: MarketView,
        decay: SignalDecay? = nil, readings given: [FactorReading]? = nil
    ) -> ProtectionScore {
        let readings = given ?? Self.readings(query, direction, view, decay: decay)
        let sum = ScoreSum.add(readings.map(\.tenths))
        let score = Double(sum.totalTenths) / 10
        let factors = zip(FactorName.allCases, zip(readings, sum.thousandths)).map { name, parts in
            ScoreFactor(
                name: name, score: Double(parts.0.tenths) / 10, weight: Double(name.percent) / 100,
                contribution: Double(parts.1) / 1_000)
        }
        let risk = RiskLevel(score: score)
        let recommendation = Insights.recommendation(risk, query, direction, factors, view, decay: decay)
        let sentences = Insights.sentences(assumed: assumed, readings: readings, view)
        return ProtectionScore(
            symbol: query.symbol, entryPrice: query.entryPrice, direction: direction,
            directionAssumed: query.direction == nil, protectionScore: score, riskLevel: risk,
            recommendation: recommendation, factors: factors, insights: sentences.map(\.text),
            insightFactors: sentences.map(\.factor), confidence: view.confidence,
            stale: view.isStale, levels: view.nearest(to: query.entryPrice), decay: decay,
            timestampMilliseconds: view.now)
    }
}
