import Testing

@testable import Citadel

@Suite("Engine")
struct EngineTests {
    @Test("unusable quotes are counted by reason and change nothing")
    func refusedQuotes() {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        let now = Drawn.start + 1_000
        func send(_ bid: Double, _ ask: Double, at time: Int64 = Drawn.start + 1_000) {
            let tick = MarketTick(
                symbol: "EURUSD", source: "A", timeMilliseconds: time, bid: bid, ask: ask, decimals: 5)
            engine.handle(tick, now: now, into: &outputs)
        }
        send(.nan, 1.1)  // before the symbol exists: no symbol may come of it
        #expect(engine.symbols.isEmpty)
        send(1.1, 1.1001)
        let before = engine.levels(of: "EURUSD").count
        send(1.1002, 1.1001)
        send(.nan, 1.1)
        send(1.1, .infinity)
        send(1e308, 1e308)
        send(0, 1.1)
        send(-1, -0.5)
        send(1.1, 1.1001, at: -5)
        send(1.1, 1.1001, at: .max)
        send(1.1, 1.1001, at: Drawn.start)
        send(1.1, 1.1001)
        send(11, 11.001)
        let counters = engine.counters
        #expect(counters["ticks_used"] == 1)
        #expect(counters["tick_crossed"] == 1)
        #expect(counters["tick_not_finite"] == 4)
        #expect(counters["tick_not_positive"] == 3)
        #expect(counters["tick_future"] == 1)
        #expect(counters["tick_out_of_order"] == 1)
        #expect(counters["tick_repeated"] == 1)
        #expect(counters["tick_outlier"] == 1)
        #expect(engine.symbols.first?.bid == 1.1)
        #expect(engine.levels(of: "EURUSD").count == before)
    }

    @Test("a price that jumped is believed when a second quote agrees")
    func outliers() {
        var engine = Drawn.engine()
        Drawn.feed(
            &engine,
            [
                Drawn.tick(1.1, at: Drawn.start), Drawn.tick(1.7, at: Drawn.start + 1_000),
                Drawn.tick(1.701, at: Drawn.start + 2_000),
            ])
        #expect(engine.counters["tick_outlier"] == 1)
        #expect(engine.symbols.first?.bid.map { $0 > 1.7 } == true)
    }

    @Test("one source at a time: another takes over after ten seconds of silence, and only with present quotes")
    func sources() {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        func send(_ source: String, _ second: Int64, now: Int64? = nil) {
            let time = Drawn.start + second * 1_000
            engine.handle(
                Drawn.tick(1.1 + Double(second) * 0.00001, at: time, source: source), now: now ?? time, into: &outputs)
        }
        send("A", 0)
        send("B", 1)
        send("A", 5)
        send("B", 14)
        #expect(engine.counters["tick_other_source"] == 2)
        // Silent for 15 s, but the candidate lives an hour behind: no.
        send("B", 20, now: Drawn.start + 3_620_000)
        #expect(engine.symbols.first?.source == "A")
        send("C", 21)
        #expect(engine.symbols.first?.source == "C")
        #expect(outputs.contains(.sourceSwitched(symbol: "EURUSD", from: "A", to: "C")))
        send("A", 22)
        #expect(engine.counters["tick_other_source"] == 4)
        #expect(engine.counters["source_switches"] == 1)
    }

    @Test("a source that lives in the past gives way at once to one that quotes the present")
    func pastGivesWay() {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        let now = Drawn.start + 3 * Drawn.hour
        engine.handle(Drawn.tick(1.1, at: Drawn.start, source: "Late"), now: now, into: &outputs)
        engine.handle(Drawn.tick(1.1, at: now, source: "Live"), now: now + 100, into: &outputs)
        #expect(engine.symbols.first?.source == "Live")
    }

    @Test("unconfigured symbols are learned from their decimals and marked")
    func learned() {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        for (symbol, price, decimals) in [("USDJPY", 147.3, 1), ("USDJPY", 147.366, 3), ("AUDNZD", 1.0912, 5)] {
            engine.handle(
                Drawn.tick(price, at: Drawn.start, spread: 0.002, symbol: symbol, decimals: decimals),
                now: Drawn.start, into: &outputs)
        }
        let profiles = engine.symbols.map(\.profile)
        #expect(profiles.map(\.symbol) == ["AUDNZD", "USDJPY"])
        #expect(profiles.map(\.digits) == [5, 3])
        #expect(profiles.allSatisfy { !$0.known })
        #expect(abs(profiles[0].pip - 0.0001) < 1e-12 && abs(profiles[1].pip - 0.01) < 1e-12)
    }

    @Test("symbols are bounded, and names are too")
    func symbolBound() {
        var engine = Drawn.engine { $0.maximumSymbols = 3 }
        var outputs: [CitadelOutput] = []
        for name in ["A", "B", "", String(repeating: "x", count: 33), "C", "D", "E"] {
            engine.handle(Drawn.tick(1.1, at: Drawn.start, symbol: name), now: Drawn.start, into: &outputs)
        }
        #expect(engine.symbols.count == 3)
        #expect(engine.counters["tick_symbol_refused"] == 4)
    }

    @Test("the same ticks give the same outputs and the same levels")
    func determinism() {
        var first = Drawn.engine { $0.roundNumberPips = 50 }
        var second = Drawn.engine { $0.roundNumberPips = 50 }
        let ticks = Drawn.walk(seed: 11, ticks: 15_000)
        let once = Drawn.feed(&first, ticks)
        let again = Drawn.feed(&second, ticks)
        #expect(once == again)
        #expect(first.levels(of: "EURUSD") == second.levels(of: "EURUSD"))
        #expect(first.counters == second.counters)
    }

    @Test("nothing is known early: a prefix of the ticks gives a prefix of the outputs, swings come six bars late")
    func causality() {
        print("causality: walk seed 12")
        let ticks = Drawn.walk(seed: 12, ticks: 12_000)
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        var levelsSeen = 0
        for (index, tick) in ticks.enumerated() {
            engine.handle(tick, now: tick.timeMilliseconds, into: &outputs)
            guard index % 60 == 0 else { continue }
            for level in engine.levels(of: "EURUSD") {
                #expect(level.born <= tick.timeMilliseconds)
                guard let first = level.members.first else { continue }
                let length: Int64 = first.origin == .swingFifteenMinute ? 900_000 : 300_000
                #expect(level.members.allSatisfy { $0.time + 6 * 300_000 <= tick.timeMilliseconds })
                #expect(
                    first.origin == .previousDay || level.born >= first.time + 6 * length || level.members.count > 1)
                levelsSeen += 1
            }
        }
        #expect(levelsSeen > 100)
        for cut in [1_000, 5_003, 9_997] {
            var part = Drawn.engine()
            let early = Drawn.feed(&part, Array(ticks[..<cut]))
            #expect(Array(outputs.prefix(early.count)) == early)
        }
    }

    @Test("what a restart rebuilds from bars is what the stream knew", arguments: [21, 22, 23] as [UInt64])
    func restoredKnowledge(seed: UInt64) throws {
        print("restore: walk seed \(seed)")
        struct Known: Equatable {
            var price: Double
            var side: LiquiditySide
            var state: LevelState
            var members: Int
            var touches: Int
            var origins: LevelOrigins
            var extreme: Double?
        }
        func known(_ engine: CitadelEngine) -> [Known] {
            engine.levels(of: "EURUSD").map {
                Known(
                    price: $0.price, side: $0.side, state: $0.state, members: $0.members.count, touches: $0.touches,
                    origins: $0.origins, extreme: $0.state == .taken ? nil : $0.extreme)
            }
        }
        var engine = Drawn.engine { $0.roundNumberPips = 50 }
        let ticks = Drawn.walk(seed: seed, ticks: 25_000)
        for part in [ticks[..<12_345], ticks[12_345...]] {
            Drawn.feed(&engine, Array(part))
            let now = try #require(part.last?.timeMilliseconds)
            let snapshot = try #require(engine.snapshot(of: "EURUSD"))
            var restored = Drawn.engine { $0.roundNumberPips = 50 }
            let taken = restored.restore(snapshot, now: now)
            let twice = restored.restore(snapshot, now: now)
            #expect(taken && !twice)
            #expect(known(restored) == known(engine))
            #expect(restored.snapshot(of: "EURUSD") == snapshot)
            let query = ProtectionQuery(symbol: "EURUSD", entryPrice: 1.1)
            let answer = try restored.score(query, now: now)
            #expect(answer.stale, "bars are no quote")
        }
    }

    @Test("a damaged snapshot is survived")
    func damagedSnapshot() {
        var engine = Drawn.engine()
        let bad = [
            Bar(startMilliseconds: .max - 807, open: 1, high: 1, low: 1, close: 1, volume: 1, origin: .ticks),
            Bar(startMilliseconds: .min, open: 1, high: 1, low: 1, close: 1, volume: 1, origin: .ticks),
            Bar(startMilliseconds: 0, open: .nan, high: 1, low: 1, close: 1, volume: 1, origin: .ticks),
            Bar(startMilliseconds: 0, open: 1, high: 0.5, low: 1, close: 1, volume: 1, origin: .ticks),
        ]
        let snapshot = SymbolSnapshot(
            symbol: "EURUSD", decimals: 900, usualSpread: .nan, spreadSamples: -4,
            series: Timeframe.allCases.map { .init(timeframe: $0, closed: bad + bad, open: bad[0]) })
        let taken = engine.restore(snapshot, now: Drawn.start)
        #expect(taken)
        #expect(engine.snapshot(of: "EURUSD")?.series.allSatisfy { $0.closed.isEmpty && $0.open == nil } == true)
    }

    @Test("random garbage never traps and never leaves a sum out of place")
    func garbage() {
        let seed: UInt64 = 99
        print("garbage: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        var engine = Drawn.engine { $0.roundNumberPips = 50 }
        var outputs: [CitadelOutput] = []
        let odd: [Double] = [0, -0.0, .nan, .infinity, -.infinity, 1e-300, 1e300, 1.1, 1.1001, 1.2, 99_999_999.9, -5]
        let times: [Int64] = [.min, -1, 0, 1, Drawn.start, Drawn.start + 60_000, .max - 1, .max]
        func price() -> Double { odd.randomElement(using: &generator) ?? 0 }
        for step in 0..<20_000 {
            let now = Drawn.start + Int64(step) * 997
            let time = Bool.random(using: &generator) ? now : times.randomElement(using: &generator) ?? 0
            let symbol = ["EURUSD", "%n\n*", "é", "XAUUSD"].randomElement(using: &generator) ?? ""
            let tick = MarketTick(
                symbol: symbol, source: Bool.random(using: &generator) ? "A" : "B", timeMilliseconds: time,
                bid: price(), ask: price(), decimals: Int.random(in: -3...300, using: &generator))
            engine.handle(tick, now: now, into: &outputs)
            let bar = MarketBar(
                symbol: symbol, source: "A", timeframe: .m5, startMilliseconds: time, open: price(), high: price(),
                low: price(), close: price())
            engine.handle(bar: bar, now: now, into: &outputs)
            let query = ProtectionQuery(
                symbol: symbol, entryPrice: price(), direction: Bool.random(using: &generator) ? .buy : nil,
                stopLoss: price(), takeProfit: price())
            if let answer = try? engine.score(query, now: now) {
                #expect((1...10).contains(answer.protectionScore))
            }
            engine.advance(to: now, into: &outputs)
            outputs.removeAll(keepingCapacity: true)
        }
        #expect((engine.counters["ticks_used"] ?? 0) > 0)
    }
}
