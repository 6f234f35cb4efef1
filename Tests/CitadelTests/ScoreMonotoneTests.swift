import Testing

@testable import Citadel

/// What must never make a score better, over random markets; the printed seed repeats a failure.
@Suite("Score monotony")
struct ScoreMonotoneTests {
    private static let seed: UInt64 = 0x00C1_7ADE_1203_0905
    private static let rounds = 1_500

    private func market(_ generator: inout SeededGenerator) -> MarketView {
        var view = Drawn.view()
        view.now += Int64.random(in: 0...86_400_000, using: &generator)
        view.quoteTime = view.now - Int64.random(in: 0...30_000, using: &generator)
        view.bars5 = Int.random(in: 40...600, using: &generator)
        view.spread = Double.random(in: 0.00005...0.0004, using: &generator)
        view.range5 = Double.random(in: 0.0002...0.001, using: &generator)
        view.range15 = view.range5 * 1.8
        func lean(_ generator: inout SeededGenerator) -> Double? {
            Int.random(in: 0..<6, using: &generator) == 0 ? nil : Double.random(in: -1...1, using: &generator)
        }
        view.leans = TimeframeLeans(m5: lean(&generator), m15: lean(&generator), h1: lean(&generator))
        view.levels = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
            let state = [LevelState.resting, .resting, .swept].randomElement(using: &generator) ?? .resting
            let born = view.now - Int64.random(in: 3_600_000...40_000_000, using: &generator)
            return Drawn.level(
                1.1 + Double.random(in: -0.006...0.006, using: &generator),
                Bool.random(using: &generator) ? .buySide : .sellSide, state: state,
                members: Int.random(in: 1...4, using: &generator), born: born,
                ended: state == .swept ? Int64.random(in: born...view.now, using: &generator) : nil)
        }
        return view
    }

    private func trade(_ generator: inout SeededGenerator) -> ProtectionQuery {
        let direction = [TradeDirection.buy, .sell].randomElement(using: &generator) ?? .buy
        let risk = Double.random(in: 0.0003...0.004, using: &generator)
        return ProtectionQuery(
            symbol: "EURUSD", entryPrice: 1.1, direction: direction, stopLoss: 1.1 - direction.sign * risk,
            takeProfit: 1.1 + direction.sign * risk * Double.random(in: 1...4, using: &generator))
    }

    /// Scores a market and a changed one; `worse` must never score higher, and must score lower often enough that the
    /// rule is known to be there.
    private func never(
        better rule: String, atLeast share: Double = 0.05,
        _ worse: (inout MarketView, inout ProtectionQuery, inout SeededGenerator) -> Void
    ) throws {
        print("\(rule): seed \(Self.seed)")
        var generator = SeededGenerator(seed: Self.seed)
        var fell = 0
        for round in 0..<Self.rounds {
            let view = market(&generator)
            let query = trade(&generator)
            var otherView = view
            var otherQuery = query
            worse(&otherView, &otherQuery, &generator)
            let before = try Scorer.score(query, in: view)
            let after = try Scorer.score(otherQuery, in: otherView)
            #expect(after.protectionScore <= before.protectionScore, "\(rule), round \(round)")
            #expect(after.confidence <= before.confidence, "\(rule), round \(round)")
            if after.protectionScore < before.protectionScore || after.confidence < before.confidence { fell += 1 }
        }
        #expect(Double(fell) >= share * Double(Self.rounds), "\(rule): \(fell) of \(Self.rounds)")
    }

    @Test("a wider spread never scores higher")
    func spread() throws {
        try never(better: "wider spread") { view, _, generator in
            view.spread = (view.spread ?? 0) * Double.random(in: 1...6, using: &generator)
        }
    }

    @Test("an older quote never scores higher and is never more confident")
    func olderQuote() throws {
        try never(better: "older quote", atLeast: 0.5) { view, _, generator in
            view.quoteTime = (view.quoteTime ?? view.now) - Int64.random(in: 1...120_000, using: &generator)
        }
    }

    @Test("less history never scores higher and is never more confident")
    func lessHistory() throws {
        try never(better: "less history", atLeast: 0.3) { view, _, generator in
            view.bars5 = Int.random(in: 0...view.bars5, using: &generator)
        }
    }

    @Test("one more level in the way never scores higher")
    func levelAhead() throws {
        try never(better: "level ahead", atLeast: 0.3) { view, query, generator in
            guard let target = query.takeProfit, let direction = query.direction else { return }
            let price =
                query.entryPrice + (target - query.entryPrice) * Double.random(in: 0.05...0.95, using: &generator)
            view.levels.append(
                Drawn.level(price, direction == .buy ? .buySide : .sellSide, members: 2, born: view.now - 3_600_000))
        }
    }

    @Test("a resting pool laid around the stop never scores higher")
    func poolAtTheStop() throws {
        try never(better: "pool at the stop", atLeast: 0.3) { view, query, _ in
            guard let stop = query.stopLoss, let direction = query.direction else { return }
            view.levels.append(
                Drawn.level(
                    stop, direction == .buy ? .sellSide : .buySide, members: 3, born: view.now - 3_600_000))
        }
    }

    @Test("a timeframe that turns against the trade never scores higher")
    func timeframes() throws {
        try never(better: "timeframe turned", atLeast: 0.3) { view, query, generator in
            guard let direction = query.direction, let lean = view.leans.h1 else { return }
            view.leans.h1 =
                max(-1, lean * direction.sign - Double.random(in: 0...2, using: &generator)) * direction.sign
        }
    }

    @Test("taking the stop away never scores higher")
    func noStop() throws {
        try never(better: "no stop", atLeast: 0.3) { _, query, _ in query.stopLoss = nil }
    }

    @Test("an unconfigured symbol, brokers that disagree and a spread blow-out never help")
    func doubts() throws {
        try never(better: "unknown symbol", atLeast: 0.3) { view, _, _ in view.known = false }
        try never(better: "brokers disagree", atLeast: 0.3) { view, _, _ in
            view.condition = MarketCondition(session: .london)
            view.condition?.sourceCount = 2
            view.condition?.sourcesAgree = false
        }
        try never(better: "blow-out") { view, _, _ in
            view.condition = MarketCondition(session: .london)
            view.condition?.manipulation = [
                ManipulationEvent(
                    symbol: "EURUSD", kind: .spreadBlowout, source: "S", beganMilliseconds: view.now - 60_000,
                    timeMilliseconds: view.now - 30_000, price: 1.1, reference: 1.1, measured: 9, usual: 1)
            ]
        }
    }

    @Test("a signal never gains by age, drift, a wider spread or a level taken meanwhile")
    func decay() {
        print("decay: seed \(Self.seed)")
        var generator = SeededGenerator(seed: Self.seed)
        for _ in 0..<5_000 {
            var figures = (
                drift: Double.random(in: 0...2, using: &generator),
                spread: Double.random(in: 0.5...6, using: &generator),
                taken: Int.random(in: 0...6, using: &generator), age: Double.random(in: 0...1, using: &generator)
            )
            let activity = Double.random(in: 0...5, using: &generator)
            func remaining() -> Double {
                SignalDecay.remaining(
                    driftShare: figures.drift, spreadRatio: figures.spread, activityRatio: activity,
                    levelsTaken: figures.taken, ageShare: figures.age)
            }
            let before = remaining()
            #expect((0...1).contains(before))
            figures.drift += Double.random(in: 0...1, using: &generator)
            let drifted = remaining()
            figures.spread += Double.random(in: 0...3, using: &generator)
            let wider = remaining()
            figures.taken += Int.random(in: 0...3, using: &generator)
            let taken = remaining()
            figures.age = min(1, figures.age + Double.random(in: 0...1, using: &generator))
            #expect(drifted <= before && wider <= drifted && taken <= wider && remaining() <= taken)
        }
        #expect(
            SignalDecay.remaining(driftShare: 0, spreadRatio: 1, activityRatio: 1, levelsTaken: 0, ageShare: 0) == 1)
    }
}
