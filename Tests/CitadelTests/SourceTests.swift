import Testing

@testable import Citadel

@Suite("Several brokers, one picture")
struct SourceTests {
    private func send(
        _ engine: inout CitadelEngine, _ source: String, _ price: Double, second: Double, spread: Double = 0.0001
    ) -> [CitadelOutput] {
        var outputs: [CitadelOutput] = []
        let time = Drawn.start + Int64(second * 1_000)
        engine.handle(Drawn.tick(price, at: time, spread: spread, source: source), now: time, into: &outputs)
        return outputs
    }

    @Test("a broker whose spread is many times another's is left for it")
    func wideBroker() {
        var engine = Drawn.engine()
        for second in 0..<200 {
            _ = send(&engine, "Wide", 1.1 + Double(second % 7) * 0.00001, second: Double(second), spread: 0.0009)
            _ = send(&engine, "Tight", 1.1 + Double(second % 7) * 0.00001, second: Double(second) + 0.5)
        }
        #expect(engine.symbols.first?.source == "Tight")
        #expect(engine.counters["source_switches"] == 1)
    }

    @Test("unusable quotes count where they are recent and of the broker in use")
    func refusedShare() throws {
        var engine = Drawn.engine()
        func share(_ second: Int) -> Double {
            engine.view(of: "EURUSD", at: Drawn.start + Int64(second) * 1_000).refusedShare
        }
        for second in 0..<200 {
            _ = send(&engine, "Good", 1.1 + Double(second % 7) * 0.00001, second: Double(second))
            _ = send(&engine, "Bad", 1.1, second: Double(second) + 0.5, spread: second % 2 == 0 ? 0.0001 : -0.0003)
        }
        #expect(engine.symbols.first?.source == "Good")
        #expect(share(200) == 0, "another broker's faults are not its own")
        for second in 200..<240 where second % 2 == 0 {
            _ = send(&engine, "Good", 1.1, second: Double(second), spread: -0.0003)
            _ = send(&engine, "Good", 1.1 + Double(second % 7) * 0.00001, second: Double(second) + 1)
        }
        #expect(share(240) > 0.05)
        for second in 240..<3_000 {
            _ = send(&engine, "Good", 1.1 + Double(second % 7) * 0.00001, second: Double(second))
        }
        #expect(share(3_000) < 0.005, "what is long past is forgotten")
    }

    @Test("the first to move is not punished: the others follow within the moment they are given")
    func leader() {
        var engine = Drawn.engine()
        var suspicions = 0
        var used = 0
        for second in 0..<120 {
            let jumped = second >= 60
            for (source, delay) in [("Lead", 0.0), ("Follow", 0.9)] {
                let moved = jumped && !(second == 60 && source == "Follow" && delay == 0)
                let outputs = send(
                    &engine, source, (moved ? 1.1040 : 1.1) + Double(second % 5) * 0.00001,
                    second: Double(second) + delay)
                for case .manipulation in outputs { suspicions += 1 }
                used = engine.counters["ticks_used"] ?? 0
            }
        }
        #expect(engine.symbols.first?.source == "Lead")
        #expect(suspicions == 0)
        #expect(used >= 118)
    }

    @Test("two brokers that stay apart: one event, counted once an episode, and the condition says they disagree")
    func apart() throws {
        var engine = Drawn.engine()
        var events: [ManipulationEvent] = []
        for second in 0..<300 {
            let away = second >= 100 && second < 200
            for (source, price) in [("A", 1.1), ("B", away ? 1.1050 : 1.1)] {
                let outputs = send(
                    &engine, source, price + Double(second % 5) * 0.00001,
                    second: Double(second) + (source == "A" ? 0 : 0.4))
                for case .manipulation(let event) in outputs { events.append(event) }
            }
            if second == 150 {
                let now = Drawn.start + 150_500
                let condition = try #require(engine.condition(of: "EURUSD", now: now))
                #expect(condition.sourceCount == 2 && !condition.sourcesAgree)
                #expect(condition.manipulation == events)
            }
        }
        // With two brokers nobody can say which is wrong: the one that left the other's price is named, once.
        #expect(events.count == 1)
        #expect(events.first?.kind == .outlyingQuote && events.first?.source == "B")
        #expect(abs((events.first?.measured ?? 0) - 50) < 2)
        #expect(engine.symbols.first?.source == "A")
        let now = Drawn.start + 300_000
        #expect(engine.condition(of: "EURUSD", now: now)?.sourcesAgree == true)
        #expect(engine.condition(of: "EURUSD", now: now + 1_800_000)?.manipulation.isEmpty == true)
    }

    @Test("brokers are bounded a symbol, and a flood of names changes nothing for the one in use")
    func bounded() {
        var engine = Drawn.engine { $0.maximumSources = 4 }
        for second in 0..<100 {
            _ = send(&engine, "Real", 1.1 + Double(second % 5) * 0.00001, second: Double(second))
            _ = send(&engine, "Fake-\(second)", 1.5, second: Double(second) + 0.1)
        }
        #expect(engine.symbols.first?.source == "Real")
        #expect((engine.counters["ticks_used"] ?? 0) >= 95)
        #expect(engine.counters["source_switches"] == 0)
    }

    @Test(
        "a guessed pip is one a trader would use, whatever the decimals",
        arguments: [
            ("EURUSD", 5, 1.08512, 0.0001), ("EURUSD", 4, 1.0851, 0.0001), ("USDJPY", 3, 147.366, 0.01),
            ("XAUUSD", 2, 3_344.46, 0.1), ("US30", 1, 44_512.5, 1), ("US30", 2, 44_512.25, 1),
            ("JP225", 0, 38_120, 1), ("BTCUSD", 2, 99_120.55, 1), ("USDHUF", 3, 350.125, 0.01),
        ])
    func learnedPip(symbol: String, decimals: Int, price: Double, pip: Double) {
        let profile = InstrumentProfile.learned(symbol: symbol, decimals: decimals, price: price)
        #expect(abs(profile.pip / pip - 1) < 1e-9, "\(symbol) \(profile.pip)")
        #expect(!profile.known && profile.digits == decimals)
    }
}
