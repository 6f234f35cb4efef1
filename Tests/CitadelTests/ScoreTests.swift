import Testing

@testable import Citadel

@Suite("Protection scores")
struct ScoreTests {
    private func query(
        _ direction: TradeDirection? = .buy, entry: Double = 1.1, stop: Double? = 1.0980, target: Double? = 1.1040
    ) -> ProtectionQuery {
        ProtectionQuery(symbol: "EURUSD", entryPrice: entry, direction: direction, stopLoss: stop, takeProfit: target)
    }

    private func factor(_ name: FactorName, _ answer: ProtectionScore) -> Double {
        answer.factors.first { $0.name == name }?.score ?? 0
    }

    @Test("weights sum to one")
    func weights() {
        #expect(FactorName.allCases.map(\.percent).reduce(0, +) == 100)
    }

    @Test("the upper end: lows just swept behind the trade, a clear path, the best session")
    func upperEnd() throws {
        let view = Drawn.view {
            $0.levels = [
                Drawn.level(
                    1.0990, .sellSide, state: .swept, members: 3, born: $0.now - 3 * Drawn.hour,
                    ended: $0.now - 10 * Drawn.minute)
            ]
        }
        let answer = try Scorer.score(query(), in: view)
        #expect(answer.protectionScore == 10)
        #expect(answer.riskLevel == .fortress)
        #expect(answer.confidence == 1)
    }

    @Test("the lower end: stop in a pool, a wall ahead, swept against, wide spread, wild, old, weekend")
    func lowerEnd() throws {
        let view = Drawn.view {
            $0.now = Drawn.start + 3 * 24 * Drawn.hour + 12 * Drawn.hour
            $0.quoteTime = $0.now - 60_000
            $0.price = 1.1035
            $0.spread = 0.0009
            $0.range5 = 0.0020
            $0.leans = TimeframeLeans(m5: -1, m15: -1, h1: -1)
            let born = $0.now - Drawn.hour
            $0.levels = [
                Drawn.level(1.0995, .sellSide, members: 4, origins: .previousDay, born: born),
                Drawn.level(1.1002, .buySide, members: 4, origins: .previousDay, born: born),
                Drawn.level(1.1004, .buySide, members: 4, origins: .previousDay, born: born),
                Drawn.level(
                    1.1001, .buySide, state: .swept, members: 4, born: born, ended: $0.now - 5 * Drawn.minute),
            ]
        }
        let answer = try Scorer.score(query(stop: 1.09948, target: 1.1040), in: view)
        #expect(answer.protectionScore == 1)
        #expect(answer.riskLevel == .danger)
        #expect(!answer.stale)
    }

    @Test("risk levels begin where the contract says")
    func riskLevels() {
        let edges: [(Double, RiskLevel)] = [
            (10, .fortress), (8, .fortress), (7.9, .protected), (6, .protected), (5.9, .caution), (4, .caution),
            (3.9, .highRisk), (2, .highRisk), (1.9, .danger), (1, .danger),
        ]
        for (score, level) in edges { #expect(RiskLevel(score: score) == level) }
    }

    @Test("without a direction, stop and target both sides are scored and the worse is answered")
    func noDirection() throws {
        let view = Drawn.view {
            let born = $0.now - Drawn.hour
            $0.leans = TimeframeLeans(m5: 0, m15: 0, h1: 0)
            $0.levels = [1.1010, 1.1014].map { Drawn.level($0, .buySide, members: 3, born: born) }
        }
        let buy = try Scorer.score(query(.buy, stop: nil, target: nil), in: view)
        let sell = try Scorer.score(query(.sell, stop: nil, target: nil), in: view)
        let both = try Scorer.score(query(nil, stop: nil, target: nil), in: view)
        #expect(buy.protectionScore < sell.protectionScore)
        #expect(both.protectionScore == buy.protectionScore)
        #expect(both.direction == .buy && both.directionAssumed)
        #expect(both.insights.first?.contains("No direction was given") == true)
        #expect(both.insights.first?.contains("SELL \(Decimals.text(sell.protectionScore, 1))") == true)
    }

    @Test("a stop or a target tells the direction")
    func directionFromPrices() throws {
        let view = Drawn.view()
        #expect(try Scorer.score(query(nil, stop: 1.098, target: nil), in: view).direction == .buy)
        #expect(try Scorer.score(query(nil, stop: 1.102, target: nil), in: view).direction == .sell)
        #expect(try Scorer.score(query(nil, stop: nil, target: 1.098), in: view).direction == .sell)
    }

    @Test("an unknown symbol is answered low, stale, and with confidence 0, and the insights say why")
    func nothingKnown() throws {
        let engine = Drawn.engine()
        let answer = try engine.score(
            ProtectionQuery(symbol: "GBPNZD", entryPrice: 2.1), now: Drawn.start + 13 * Drawn.hour)
        #expect(answer.stale)
        #expect(answer.confidence == 0)
        #expect(answer.protectionScore < 4)
        #expect(answer.insights.contains { $0.contains("no quote of GBPNZD yet") })
    }

    @Test("missing data is cautious, never a middle value, and every capped factor explains itself")
    func missingData() throws {
        let view = Drawn.view {
            $0.bars5 = 3
            $0.usualSpread = nil
        }
        let answer = try Scorer.score(query(), in: view)
        for name in [FactorName.stopPlacement, .levelPath, .sweep, .volatility, .spread, .sourceQuality] {
            #expect(factor(name, answer) <= 3, "\(name)")
        }
        #expect(answer.insights.filter { $0.contains("3.0") || $0.contains("of history") }.count >= 6)
        let full = try Scorer.score(query(), in: Drawn.view())
        #expect(answer.confidence < full.confidence)
        #expect(answer.protectionScore < full.protectionScore)
    }

    @Test("a quote older than a minute makes the answer stale and less confident")
    func staleness() throws {
        func answer(age: Int64) throws -> ProtectionScore {
            try Scorer.score(query(), in: Drawn.view { $0.quoteTime = $0.now - age })
        }
        let fresh = try answer(age: 0)
        let edge = try answer(age: 60_000)
        let old = try answer(age: 60_001)
        #expect(!fresh.stale && !edge.stale && old.stale)
        #expect(fresh.confidence > edge.confidence && edge.confidence > old.confidence)
        #expect(old.protectionScore < fresh.protectionScore)
        #expect(old.recommendation.contains("Without a current quote"))
    }

    @Test("an instrument nobody configured lowers confidence and data quality")
    func unknownInstrument() throws {
        let known = try Scorer.score(query(), in: Drawn.view())
        let unknown = try Scorer.score(query(), in: Drawn.view { $0.known = false })
        #expect(unknown.confidence < known.confidence)
        #expect(factor(.sourceQuality, unknown) <= 4)
    }

    @Test("a market that ran away from the entry costs points")
    func drift() throws {
        let scores = try [1.1, 1.1008, 1.1016, 1.1024, 1.1032].map { price in
            try Scorer.score(query(), in: Drawn.view { $0.price = price }).protectionScore
        }
        #expect(scores == scores.sorted(by: >))
        #expect((scores.first ?? 0) - (scores.last ?? 0) >= 0.5)
    }

    @Test("the nearest levels come first and are bounded")
    func nearestLevels() throws {
        let view = Drawn.view {
            $0.levels = (1...30).map { Drawn.level(1.1 + Double(($0 * 7) % 31) * 0.001, .buySide) }
        }
        let answer = try Scorer.score(query(), in: view)
        #expect(answer.levels.count == 6)
        #expect(answer.levels.map(\.distancePips) == [10, 20, 30, 40, 50, 60])
    }

    @Test(
        "nonsense is refused with a code",
        arguments: [
            (0, nil, nil, "bad_entry_price"), (-1, nil, nil, "bad_entry_price"), (.nan, nil, nil, "bad_entry_price"),
            (.infinity, nil, nil, "bad_entry_price"), (1e12, nil, nil, "bad_entry_price"),
            (110, nil, nil, "entry_far_from_market"), (0.5, nil, nil, "entry_far_from_market"),
            (1.1, .nan, nil, "bad_stop_loss"), (1.1, -1, nil, "bad_stop_loss"), (1.1, 1.1, nil, "bad_stop_loss"),
            (1.1, 1.2, nil, "stop_wrong_side"), (1.1, nil, 0, "bad_take_profit"), (1.1, nil, 1.0, "target_wrong_side"),
        ] as [(Double, Double?, Double?, String)])
    func nonsense(entry: Double, stop: Double?, target: Double?, code: String) {
        let failure = #expect(throws: QueryError.self) {
            try Scorer.score(query(.buy, entry: entry, stop: stop, target: target), in: Drawn.view())
        }
        #expect(failure?.code == code)
        #expect(failure?.message.isEmpty == false)
    }

    @Test("sessions by UTC hour, the weekend closed from Friday 21 to Sunday 22")
    func sessions() {
        let day = 24 * Drawn.hour  // Drawn.start is a Wednesday
        func score(_ days: Int64, _ hour: Int64) -> Double {
            Factors.session(at: Drawn.start + days * day + hour * Drawn.hour, symbol: "EURUSD").score
        }
        #expect(score(0, 13) == 10 && score(0, 8) == 9 && score(0, 3) == 6 && score(0, 21) == 1)
        #expect(score(2, 20) == 4 && score(2, 21) == 1 && score(3, 12) == 1 && score(4, 21) == 1 && score(4, 22) == 4)
    }
}
