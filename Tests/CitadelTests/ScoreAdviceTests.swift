import Testing

@testable import Citadel

/// What the answer says must follow from what it found, and absurd prices must not buy points.
@Suite("Score advice")
struct ScoreAdviceTests {
    private func score(
        stop: Double? = 1.0980, target: Double? = 1.1040, in view: MarketView = Drawn.view()
    ) throws -> ProtectionScore {
        try Scorer.score(
            ProtectionQuery(
                symbol: "EURUSD", entryPrice: 1.1, direction: .buy, stopLoss: stop, takeProfit: target), in: view)
    }

    private func factor(_ name: FactorName, _ answer: ProtectionScore) -> Double {
        answer.factors.first { $0.name == name }?.score ?? 0
    }

    private func sentence(_ name: FactorName, _ answer: ProtectionScore) -> String {
        zip(answer.insights, answer.insightFactors).first { $0.1 == name }?.0 ?? ""
    }

    private func lows(_ view: MarketView) -> LiquidityLevel {
        Drawn.level(1.0983, .sellSide, members: 3, band: 0.0001, born: view.now - 3 * Drawn.hour)
    }

    // MARK: absurd prices

    @Test("a stop or target more than half the price away is refused, one just within is not")
    func absurdPrices() throws {
        for (stop, target, code) in [
            (0.5, nil, "bad_stop_loss"), (0.00001, 1.1040, "bad_stop_loss"), (1.0980, 1.7, "bad_take_profit"),
            (nil, 100_000, "bad_take_profit"),
        ] as [(Double?, Double?, String)] {
            let failure = #expect(throws: QueryError.self) { try score(stop: stop, target: target) }
            #expect(failure?.code == code)
            #expect(failure?.message.contains("50 %") == true)
        }
        _ = try score(stop: 0.56, target: 1.64)
        // What is wrong with a price on the wrong side is its side, however far away it is.
        let wrongSide = #expect(throws: QueryError.self) { try score(stop: 2.1, target: 0.3) }
        #expect(wrongSide?.code == "stop_wrong_side")
    }

    @Test("a target within the spread is no clear path, and the figures are given")
    func targetWithinTheSpread() throws {
        let values = try [1.10010, 1.10015, 1.10020, 1.10030, 1.1040].map {
            factor(.levelPath, try score(stop: 1.0995, target: $0))
        }
        #expect(values == values.sorted() && values[0] == 1 && values[4] == 10)
        let near = try score(stop: 1.09995, target: 1.10015)
        #expect(factor(.levelPath, near) <= 3.5)
        #expect(sentence(.levelPath, near).contains("1.5 pips away, 1.5 times the spread of 1.0 pips"))
        let wide = try score(target: 1.1009, in: Drawn.view { $0.usualSpread = 0.0006 })
        #expect(factor(.levelPath, wide) < factor(.levelPath, try score(target: 1.1009)))
    }

    @Test("a gain that is a small part of the risk caps the path, and the figures are given; no stop is no better")
    func smallReward() throws {
        let values = try [1.0995, 1.0975, 1.0955, 1.0900, 1.0600].map {
            factor(.levelPath, try score(stop: $0, target: 1.1009))
        }
        #expect(values == values.sorted(by: >) && values[0] == 10 && values[2] == 10 && values[4] == 3)
        let small = try score(stop: 1.0900, target: 1.1009)
        #expect(sentence(.levelPath, small).contains("9.0 pips away, the stop 100.0: one loss takes 11 such gains"))
        #expect(factor(.levelPath, try score(stop: nil, target: 1.1009)) == 3)
        // Taking the stop away must not pay, however bad the stop was.
        for stop in [1.0999, 1.0990, 1.0983, 1.0900, 1.0500, 0.6] {
            let view = Drawn.view { $0.levels = [lows($0)] }
            let without = try score(stop: nil, target: 1.1009, in: view)
            #expect(without.protectionScore <= (try score(stop: stop, target: 1.1009, in: view)).protectionScore)
        }
    }

    // MARK: advice

    @Test("a stop in danger, or none, comes first whatever the total")
    func stopFirst() throws {
        let crowded = Drawn.view { $0.levels = [lows($0)] }
        #expect(try score(stop: 1.0983, in: crowded).recommendation.hasPrefix("Move the stop first"))
        let noisy = try score(stop: 1.0996)
        #expect(noisy.recommendation.hasPrefix("Move the stop first"))
        #expect(try score(stop: nil).recommendation.hasPrefix("Set a stop first"))
        for answer in [try score(stop: 1.0983, in: crowded), noisy, try score(stop: nil)] {
            #expect(!answer.recommendation.contains("normal size") && !answer.recommendation.contains("as planned"))
        }
        let old = try score(in: Drawn.view { $0.quoteTime = $0.now - 120_000 })
        #expect(old.recommendation.hasPrefix("Check the stop first"))
        #expect(try !score(stop: nil).recommendation.contains("move stop") && !old.recommendation.contains("move stop"))
        #expect(try score().recommendation == "Protected: normal size. The weakest point is stop placement (5.5/10).")
    }

    @Test("all timeframes against it, or a spread three times its usual, is no normal size")
    func doubts() throws {
        let against = try score(in: Drawn.view { $0.leans = TimeframeLeans(m5: -1, m15: -0.4, h1: -1) })
        #expect(against.riskLevel == .protected)
        #expect(
            against.recommendation.hasPrefix("Protected, but all timeframes are against it: smaller size, or wait."))
        let wide = try score(in: Drawn.view { $0.spread = 0.0003 })
        #expect(wide.riskLevel == .protected)
        #expect(wide.recommendation.hasPrefix("Protected, but the spread is 3.0 times its usual: smaller size"))
        let unknown = try score(in: Drawn.view { $0.leans = TimeframeLeans(m5: -1, m15: -0.4, h1: nil) })
        #expect(unknown.recommendation.contains("no timeframe is known to go with it"))
        let split = try score(in: Drawn.view { $0.leans = TimeframeLeans(m5: 0, m15: -1, h1: -1) })
        #expect(split.recommendation.hasPrefix("Protected: normal size."))
        let swept = try score(
            in: Drawn.view { view in
                var highs = Drawn.level(
                    1.1006, .buySide, state: .swept, members: 3, born: view.now - 3 * Drawn.hour,
                    ended: view.now - 10 * Drawn.minute)
                highs.extreme = 1.1010
                view.levels = [highs]
            })
        #expect(swept.riskLevel == .protected)
        #expect(
            swept.recommendation.hasPrefix("Protected, but a sweep turned price against it: smaller size, or wait."))
        let late = try score(in: Drawn.view { $0.price = 1.1027 })
        #expect(late.riskLevel == .protected)
        #expect(
            late.recommendation.hasPrefix(
                "Protected, but price is 67 % of the way to the target already: smaller size, or wait."))
        // Nobody says whether the entry is a limit order still to be filled: no trade is called missed.
        let sentence = try #require(zip(late.insights, late.insightFactors).first { $0.1 == .levelPath }?.0)
        #expect(sentence.contains("67 % of the way"))
        #expect(sentence.contains("a limit order fills only if price comes back"))
        #expect(!late.insights.contains { $0.contains("without you") })
        #expect(try score(in: Drawn.view { $0.price = 1.1015 }).recommendation.hasPrefix("Protected: normal size."))
        let small = try score(stop: 1.0900, target: 1.1009)
        #expect(small.recommendation.contains("but one loss takes 11 such gains: smaller size, or wait."))
    }

    // MARK: sentences

    @Test("how likely a sweep reaches the stop is said by how near it is, with the price the distance counts from")
    func crowdSentences() throws {
        let view = Drawn.view {
            var pool = lows($0)
            pool.outer = 1.0981
            $0.levels = [pool]
        }
        let near = sentence(.stopPlacement, try score(stop: 1.0979, in: view))
        #expect(
            near.contains("2.0 pips under three equal lows at 1.09830 (the lowest at 1.09810): the next sweep will"))
        let far = sentence(.stopPlacement, try score(stop: 1.0976, in: view))
        #expect(far.contains("5.0 pips under") && far.contains("a deep sweep can still reach it"))
        let front = sentence(.stopPlacement, try score(stop: 1.0986, in: view))
        #expect(front.contains("2.0 pips in front of three equal lows at 1.09830, whose crowd begins at 1.09840"))
        #expect(front.contains("takes it on the way"))
        #expect(sentence(.stopPlacement, try score(stop: 1.0988, in: view)).contains("may take it on the way"))
    }

    @Test("sentences that found nothing come last, and go where there is something to say")
    func fillers() throws {
        let answer = try score(in: Drawn.view { $0.spread = 0.0002 })
        #expect(answer.insightFactors.suffix(2) == [.stopPlacement, .sweep])
        #expect(answer.insightFactors.first == .spread)
        let noisy = sentence(.stopPlacement, try score(stop: 1.0996))
        #expect(noisy.hasPrefix("Your stop at 1.09960 is 4.0 pips from the entry"))
        let few = try score(in: Drawn.view { $0.bars5 = 3 })
        #expect(sentence(.sweep, few).hasPrefix("Sweeps nearby: only 3 of 30 M5 bars are known"))
    }

    @Test("a signal whose figures say nothing has no sentence about its age")
    func noCauses() {
        var decay = SignalDecay(
            driftPips: 5, driftShare: 0.25, spreadRatio: 1.5, activityRatio: 1, levelsTaken: 0, ageShare: 0.5,
            remaining: 0.994)
        #expect(decay.sentence == nil)
        decay.levelsTaken = 1
        #expect(decay.sentence == "This signal has aged: 1 level taken meanwhile; what the chart said then counts 99 %")
        decay.remaining = 0.9999
        #expect(decay.sentence == nil)
    }
}
