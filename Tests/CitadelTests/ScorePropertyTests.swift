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
            let thousandths = answer.factors.map { Int(($0.contribution * 1_000).rounded()) }.reduce(0, +)
            var broken: [String] = []
            func require(_ holds: Bool, _ rule: String) { if !holds { broken.append(rule) } }
            require(thousandths == Int((answer.protectionScore * 1_000).rounded()), "contributions add up")
            require(Int((answer.protectionScore * 10).rounded()) * 100 == thousandths, "one decimal")
            let sum = answer.factors.map(\.contribution).reduce(0, +)
            require(abs(sum - answer.protectionScore) < 1e-9, "contributions add up in binary")
            require((1...10).contains(answer.protectionScore), "score range")
            require(answer.riskLevel == RiskLevel(score: answer.protectionScore), "risk level")
            require((0...1).contains(answer.confidence), "confidence range")
            require(answer.factors.map(\.name) == FactorName.allCases, "all factors")
            for factor in answer.factors {
                require((1...10).contains(factor.score), "\(factor.name) range")
                // Exactly: a factor at 10 gives its weight times ten, at 1 its weight.
                let share = Int((factor.contribution * 1_000).rounded())
                let percent = factor.name.percent
                require((percent * 10...percent * 100).contains(share), "\(factor.name) bounds")
                require(abs(factor.contribution - factor.score * factor.weight) < 0.03, "\(factor.name) share")
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

    /// Readings of which most are at an end of the scale: then few factors have room for what rounding leaves.
    private func extremeReadings(_ generator: inout SeededGenerator) -> [Int] {
        FactorName.allCases.map { _ in
            [10, 100, 100, 11, 99, Int.random(in: 10...100, using: &generator)].randomElement(using: &generator) ?? 10
        }
    }

    @Test("contributions keep to their weights, however many factors are at an end of the scale")
    func bounds() {
        var generator = SeededGenerator(seed: Self.seed)
        let names = FactorName.allCases
        // Every reading of each factor with all the others at one end or the other, then random ones.
        var all: [[Int]] = []
        for place in names.indices {
            for ends in 0..<(1 << names.count) {
                for value in stride(from: 10, through: 100, by: 3) {
                    var tenths = names.indices.map { ends >> $0 & 1 == 1 ? 100 : 10 }
                    tenths[place] = value
                    all.append(tenths)
                }
            }
        }
        for _ in 0..<20_000 { all.append(extremeReadings(&generator)) }
        var broken: [[Int]] = []
        var notNearest = 0
        for tenths in all {
            let sum = ScoreSum.add(tenths)
            let exact = zip(names, tenths).map { $0.percent * $1 }
            let total = exact.reduce(0, +)
            let isNearest = sum.totalTenths == (total + 50) / 100
            if !isNearest { notNearest += 1 }
            let isWithin = names.indices.allSatisfy {
                abs(sum.thousandths[$0] - exact[$0]) < 30
                    && (names[$0].percent * 10...names[$0].percent * 100).contains(sum.thousandths[$0])
            }
            // Never farther than the other neighbour, and only where the nearest would move some factor by 0.03.
            let room = names.indices.map { place in
                min(29, names[place].percent * (total % 100 >= 50 ? 100 - tenths[place] : tenths[place] - 10))
            }
            let needed = total % 100 >= 50 ? 100 - total % 100 : total % 100
            let isAllowed = isNearest ? true : room.reduce(0, +) < needed && abs(sum.totalTenths * 100 - total) < 100
            if sum.thousandths.reduce(0, +) != sum.totalTenths * 100 || !isWithin || !isAllowed {
                broken.append(tenths)
            }
        }
        #expect(broken.isEmpty, "seed \(Self.seed): \(broken.first ?? [])")
        // The rare case is there, and rare.
        #expect(notNearest > 0 && notNearest * 20 < all.count, "\(notNearest) of \(all.count)")
    }

    @Test("a better factor never lowers the total, also where few factors have room")
    func monotoneAtTheEnds() {
        var generator = SeededGenerator(seed: Self.seed)
        var broken: [[Int]] = []
        for _ in 0..<20_000 {
            var tenths = extremeReadings(&generator)
            let place = Int.random(in: 0..<tenths.count, using: &generator)
            var before = 0
            for value in 10...100 {
                tenths[place] = value
                let total = ScoreSum.add(tenths).totalTenths
                if total < before { broken.append(tenths) }
                before = total
            }
        }
        #expect(broken.isEmpty, "seed \(Self.seed): \(broken.first ?? [])")
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
            let sum = answer.factors.map { Int(($0.contribution * 1_000).rounded()) }.reduce(0, +)
            #expect(sum == Int((answer.protectionScore * 1_000).rounded()))
            seen.insert(answer.protectionScore)
        }
        #expect(seen.count > 10)
    }
}
