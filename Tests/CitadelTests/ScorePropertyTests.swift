import Testing

@testable import Citadel

/// Thousands of random markets and trades; the printed seed repeats a failure.
@Suite("Score properties")
struct ScorePropertyTests {
    private static let seed: UInt64 = 0x00C1_7ADE_1202_6112

    private func level(near price: Double, now: Int64, _ generator: inout SeededGenerator) -> LiquidityLevel {
        let state =
            [LevelState.resting, .resting, .taken, .swept, .broken].randomElement(using: &generator) ?? .resting
        let born = now - Int64.random(in: 0...400_000_000, using: &generator)
        return Drawn.level(
            price + Double.random(in: -0.01...0.01, using: &generator),
            Bool.random(using: &generator) ? .buySide : .sellSide, state: state,
            members: Int.random(in: 0...6, using: &generator),
            origins: LevelOrigins(rawValue: Int.random(in: 1...15, using: &generator)),
            band: Double.random(in: 0.00001...0.0005, using: &generator), born: born,
            ended: state == .swept || state == .broken ? Int64.random(in: born...now, using: &generator) : nil)
    }

    private func view(_ generator: inout SeededGenerator) -> MarketView {
        let now = Drawn.start + Int64.random(in: 0...1_209_600_000, using: &generator)
        var view = MarketView(symbol: "EURUSD", now: now, configuration: CitadelConfiguration())
        view.known = Bool.random(using: &generator)
        view.bars5 = Int.random(in: 0...1_500, using: &generator)
        view.coverage = Double.random(in: 0...1, using: &generator)
        if Int.random(in: 0..<10, using: &generator) > 0 {
            view.price = Double.random(in: 0.9...1.3, using: &generator)
            view.spread = Double.random(in: 0...0.003, using: &generator)
            view.quoteTime = now - Int64.random(in: -1_000...120_000, using: &generator)
        }
        if Bool.random(using: &generator) { view.usualSpread = Double.random(in: 0...0.001, using: &generator) }
        view.range5 = Double.random(in: 0...0.003, using: &generator)
        view.usualRange5 = Double.random(in: 0...0.002, using: &generator)
        view.range15 = Double.random(in: 0...0.004, using: &generator)
        view.refusedShare = Double.random(in: 0...1, using: &generator)
        view.levels = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
            level(near: view.price ?? 1.1, now: now, &generator)
        }
        return view
    }

    private func query(_ view: MarketView, _ generator: inout SeededGenerator) -> ProtectionQuery {
        let entry = (view.price ?? 1.1) + Double.random(in: -0.005...0.005, using: &generator)
        let direction = [TradeDirection.buy, .sell].randomElement(using: &generator) ?? .buy
        let sign = direction.sign
        let stop =
            Bool.random(using: &generator) ? entry - sign * Double.random(in: 0.0001...0.01, using: &generator) : nil
        let target =
            Bool.random(using: &generator) ? entry + sign * Double.random(in: 0.0001...0.02, using: &generator) : nil
        return ProtectionQuery(
            symbol: "EURUSD", entryPrice: entry, direction: Bool.random(using: &generator) ? direction : nil,
            stopLoss: stop, takeProfit: target)
    }

    @Test("contributions add up, everything lies in range, the standing fits the score, capped data is explained")
    func invariants() throws {
        print("score properties: seed \(Self.seed)")
        var generator = SeededGenerator(seed: Self.seed)
        for round in 0..<5_000 {
            let view = view(&generator)
            let query = query(view, &generator)
            let answer = try Scorer.score(query, in: view)
            let hundredths = answer.factors.map { Int(($0.contribution * 100).rounded()) }.reduce(0, +)
            var broken: [String] = []
            func require(_ holds: Bool, _ rule: String) { if !holds { broken.append(rule) } }
            require(hundredths == Int((answer.protectionScore * 100).rounded()), "contributions add up")
            require(Int((answer.protectionScore * 10).rounded()) * 10 == hundredths, "one decimal")
            require((1...10).contains(answer.protectionScore), "score range")
            require(answer.riskLevel == RiskLevel(score: answer.protectionScore), "risk level")
            require((0...1).contains(answer.confidence), "confidence range")
            require(answer.factors.map(\.name) == FactorName.allCases, "all factors")
            // What the rounding of the total leaves (0.05) goes to the factors that have room, so few get more of it.
            let free = answer.factors.count { factor in
                let share = Int((factor.contribution * 100).rounded())
                return share > factor.name.percent && share < factor.name.percent * 10
            }
            let slack = 0.02 + 0.05 / Double(max(1, free)) + 1e-9
            for factor in answer.factors {
                require((1...10).contains(factor.score), "\(factor.name) range")
                // Exactly, in hundredths: a factor at 10 gives its weight times ten, at 1 its weight.
                let share = Int((factor.contribution * 100).rounded())
                require((factor.name.percent...factor.name.percent * 10).contains(share), "\(factor.name) bounds")
                require(abs(factor.contribution - factor.score * factor.weight) <= slack, "\(factor.name) share")
            }
            require(answer.insights.allSatisfy { !$0.isEmpty && !$0.contains("nan") }, "insights")
            require(answer.stale == (view.quoteTime.map { view.now - $0 > 60_000 } ?? true), "stale")
            if round % 10 == 0 {
                let again = try Scorer.score(query, in: view)
                require(again == answer, "same answer")
            }
            #expect(broken.isEmpty, "round \(round) of seed \(Self.seed)")
        }
    }

    @Test("a better factor never lowers the total")
    func monotone() {
        var generator = SeededGenerator(seed: Self.seed)
        for _ in 0..<5_000 {
            var tenths = FactorName.allCases.map { _ in Int.random(in: 10...100, using: &generator) }
            let before = ScoreSum.add(tenths).totalTenths
            let place = Int.random(in: 0..<tenths.count, using: &generator)
            tenths[place] = Int.random(in: tenths[place]...100, using: &generator)
            #expect(ScoreSum.add(tenths).totalTenths >= before)
        }
        #expect(ScoreSum.add(FactorName.allCases.map { _ in 10 }).totalTenths == 10)
        #expect(ScoreSum.add(FactorName.allCases.map { _ in 100 }).totalTenths == 100)
    }

    @Test("contributions keep to their weights exactly, however many factors are at an end of the scale")
    func bounds() {
        var generator = SeededGenerator(seed: Self.seed)
        let names = FactorName.allCases
        for round in 0..<20_000 {
            // Mostly at an end: then the rounding of the total has few factors left to go to.
            let tenths = names.map { _ in
                [10, 100, 100, Int.random(in: 10...100, using: &generator)].randomElement(using: &generator) ?? 10
            }
            let sum = ScoreSum.add(tenths)
            let exact = zip(names, tenths).map { $0.percent * $1 }.reduce(0, +)
            #expect(sum.totalTenths == (exact + 50) / 100, "round \(round)")
            #expect(sum.hundredths.reduce(0, +) == sum.totalTenths * 10, "round \(round)")
            #expect(
                zip(names, sum.hundredths).allSatisfy { ($0.percent...$0.percent * 10).contains($1) }, "round \(round)")
        }
    }

    @Test("a stop moved on out of a pool never lowers the score, for either side")
    func stopOutOfThePool() throws {
        print("stop moves: seed \(Self.seed)")
        var generator = SeededGenerator(seed: Self.seed)
        var rose = 0
        for round in 0..<3_000 {
            var view = view(&generator)
            let direction = [TradeDirection.buy, .sell].randomElement(using: &generator) ?? .buy
            let sign = direction.sign
            let entry = view.price ?? 1.1
            // One pool behind the entry; whatever else there is lies elsewhere.
            let pool = Drawn.level(
                entry - sign * Double.random(in: 0.0005...0.01, using: &generator),
                direction == .buy ? .sellSide : .buySide, members: Int.random(in: 1...4, using: &generator),
                band: Double.random(in: 0.00002...0.0003, using: &generator), born: view.now - Drawn.hour)
            view.levels = view.levels.filter { $0.side != pool.side } + [pool]
            func score(_ stop: Double) throws -> Double {
                let query = ProtectionQuery(
                    symbol: "EURUSD", entryPrice: entry, direction: direction, stopLoss: stop,
                    takeProfit: entry + sign * 0.004)
                return try Scorer.score(query, in: view).protectionScore
            }
            let inside = pool.price + sign * Double.random(in: -pool.band...pool.band, using: &generator)
            let inPool = try score(inside)
            var previous = inPool
            for share in [0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5] {
                let moved = try score(pool.price - sign * (pool.band + share * view.unit))
                #expect(moved >= previous, "round \(round), \(share) ranges beyond")
                previous = moved
            }
            if previous > inPool { rose += 1 }
        }
        // The property would hold for a factor that ignores the stop, too: most moves must really help.
        #expect(rose > 1_500)
    }

    @Test("the engine's own answers keep the invariants while a market runs")
    func onTheEngine() throws {
        var engine = Drawn.engine { $0.roundNumberPips = 50 }
        var outputs: [CitadelOutput] = []
        var seen: Set<Double> = []
        for (index, tick) in Drawn.walk(seed: 7, ticks: 20_000).enumerated() {
            engine.handle(tick, now: tick.timeMilliseconds, into: &outputs)
            outputs.removeAll(keepingCapacity: true)
            guard index % 50 == 0 else { continue }
            let answer = try engine.score(
                ProtectionQuery(
                    symbol: "EURUSD", entryPrice: tick.bid, direction: index % 100 == 0 ? .buy : .sell,
                    stopLoss: index % 100 == 0 ? tick.bid - 0.001 : tick.bid + 0.001), now: tick.timeMilliseconds)
            let sum = answer.factors.map { Int(($0.contribution * 100).rounded()) }.reduce(0, +)
            #expect(sum == Int((answer.protectionScore * 100).rounded()))
            seen.insert(answer.protectionScore)
        }
        #expect(seen.count > 10)
    }
}
