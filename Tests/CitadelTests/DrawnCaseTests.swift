import Testing

@testable import Citadel

@Suite("Drawn cases")
struct DrawnCaseTests {
    @Test("there are some twenty of them, and each says what it expects")
    func present() throws {
        #expect(DrawnCase.names.count >= 20)
        for name in DrawnCase.names {
            let drawn = try DrawnCase(named: name)
            #expect(!drawn.expectations.isEmpty && drawn.ticks.count > 100, "\(name)")
        }
    }

    @Test("what is drawn is found, and nothing else", arguments: DrawnCase.names)
    func drawn(name: String) throws {
        let drawn = try DrawnCase(named: name)
        var engine = Drawn.engine {
            $0.origins = drawn.origins
            $0.roundNumberPips = 50
            $0.announceWithin = .max
        }
        let outputs = Drawn.feed(&engine, drawn.ticks)
        let sweeps = Drawn.sweeps(outputs)
        let suspicions = outputs.compactMap { if case .manipulation(let event) = $0 { event } else { nil } }
        let end = try #require(drawn.ticks.last?.timeMilliseconds)
        for sweep in unlisted(sweeps, in: drawn) {
            let minute = (sweep.timeMilliseconds - drawn.start) / Drawn.minute
            Issue.record(
                "\(name): not listed: sweep \(sweep.level) \(sweep.side.rawValue) at \(minute) \(sweep.origins.names)")
        }
        for expectation in drawn.expectations {
            switch expectation {
            case .level(let price, let side, let state, let more):
                let found = engine.levels(of: "EURUSD").filter {
                    abs($0.price - price) < 0.00006 && $0.side == side
                }
                #expect(found.first?.state == state, "\(name): level \(price) \(side.rawValue)")
                for (word, value) in more { check(found.first, word, value, name) }
            case .sweep(let price, let side, let more):
                let found = sweeps.filter { abs($0.level - price) < 0.00006 && $0.side == side }
                #expect(found.count == 1, "\(name): sweep of \(price) \(side.rawValue)")
                for (word, value) in more { check(found.first, word, value, drawn) }
            case .noSweep(let price):
                let found = price.map { price in sweeps.filter { abs($0.level - price) < 0.00006 } } ?? sweeps
                #expect(found.isEmpty, "\(name): \(found.map(\.level))")
            case .manipulation(let kind, let count, let more):
                let found = suspicions.filter { $0.kind == kind }
                #expect(found.count == count, "\(name): \(suspicions)")
                if let source = more["source"] { #expect(found.allSatisfy { $0.source == source }, "\(name)") }
                #expect(found.allSatisfy { $0.beganMilliseconds <= $0.timeMilliseconds && $0.timeMilliseconds <= end })
            case .count(let counter, let count): #expect(engine.counters[counter] == count, "\(name): \(counter)")
            case .source(let source): #expect(engine.symbols.first?.source == source, "\(name)")
            case .regime(let regime, let direction):
                let condition = try #require(engine.condition(of: "EURUSD", now: end))
                #expect(condition.regime == regime && condition.trendDirection == direction, "\(name): \(condition)")
            }
        }
    }

    /// Sweeps that the case does not expect. Those of nothing but a round number only clutter the drawings.
    private func unlisted(_ sweeps: [LiquiditySweep], in drawn: DrawnCase) -> [LiquiditySweep] {
        let listed = drawn.expectations.compactMap { expectation -> (price: Double, side: LiquiditySide)? in
            if case .sweep(let price, let side, _) = expectation { (price, side) } else { nil }
        }
        return sweeps.filter { sweep in
            sweep.origins != .roundNumber
                && !listed.contains { abs(sweep.level - $0.price) < 0.00006 && sweep.side == $0.side }
        }
    }

    private func check(_ level: LiquidityLevel?, _ word: String, _ value: String, _ name: String) {
        switch word {
        case "members": #expect(level?.members.count == Int(value), "\(name): members")
        case "touches": #expect(level?.touches == Int(value), "\(name): touches")
        case "origin": #expect(level?.origins.names.contains(value) == true, "\(name): \(level?.origins.names ?? [])")
        default: Issue.record("\(name): a level has no \(word)")
        }
    }

    private func check(_ sweep: LiquiditySweep?, _ word: String, _ value: String, _ drawn: DrawnCase) {
        switch word {
        case "members": #expect(sweep?.members == Int(value), "\(drawn.name): members")
        case "bars": #expect(sweep?.evidence.bars == Int(value), "\(drawn.name): bars")
        case "extreme": #expect(sweep?.extreme == Double(value), "\(drawn.name): extreme")
        case "at":
            let minute = sweep.map { ($0.timeMilliseconds - drawn.start) / Drawn.minute }
            #expect(minute == Int64(value), "\(drawn.name): at")
        case "origin": #expect(sweep?.origins.names.contains(value) == true, "\(drawn.name): origin")
        default: Issue.record("\(drawn.name): a sweep has no \(word)")
        }
    }
}
