import Testing

@testable import Citadel

@Suite("Late and unordered history")
struct LateHistoryTests {
    private struct Known: Equatable {
        var price: Double
        var side: LiquiditySide
        var state: LevelState
        var members: Int
        var touches: Int
        var origins: LevelOrigins
        var born: Int64
    }

    private struct Sent {
        var timeframe: Timeframe
        var bar: Bar
        var turn: BarTurn { BarTurn(bar, timeframe) }
    }

    private func known(_ engine: CitadelEngine) -> [Known] {
        engine.levels(of: "EURUSD").map {
            Known(
                price: $0.price, side: $0.side, state: $0.state, members: $0.members.count, touches: $0.touches,
                origins: $0.origins, born: $0.born)
        }
    }

    private let walk = Drawn.walk(seed: 77, ticks: 30_000)

    /// The bars of a day and a half, in the order of their ends.
    private func bars() throws -> [Sent] {
        var engine = Drawn.engine()
        Drawn.feed(&engine, walk)
        let snapshot = try #require(engine.snapshot(of: "EURUSD"))
        let bars = snapshot.series.flatMap { series in
            series.closed.map { Sent(timeframe: series.timeframe, bar: $0) }
        }
        return bars.sorted { $0.turn < $1.turn }
    }

    private func send(_ bars: [Sent], to engine: inout CitadelEngine, now: Int64) -> [CitadelOutput] {
        var outputs: [CitadelOutput] = []
        for sent in bars {
            engine.handle(
                bar: MarketBar(
                    symbol: "EURUSD", source: "T", timeframe: sent.timeframe,
                    startMilliseconds: sent.bar.startMilliseconds, open: sent.bar.open, high: sent.bar.high,
                    low: sent.bar.low, close: sent.bar.close), now: now, into: &outputs)
        }
        return outputs
    }

    private func rebuilds(_ outputs: [CitadelOutput]) -> Int {
        outputs.count { if case .historyRebuilt(let symbol) = $0 { symbol == "EURUSD" } else { false } }
    }

    @Test("levels do not depend on the order in which a terminal sends its history, nor on what is sent twice")
    func orders() throws {
        let seed: UInt64 = 0xBA25_0DE2
        print("orders of history: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let bars = try bars()
        let now = (walk.last?.timeMilliseconds ?? 0) + 60_000
        let next = Drawn.tick(walk.last?.bid ?? 1.1, at: now)
        var reference = Drawn.engine()
        let inOrder = send(bars, to: &reference, now: now) + Drawn.feed(&reference, [next])
        #expect(rebuilds(inOrder) == 0, "what comes in its turn is learned as it comes")
        let wanted = known(reference)
        #expect(wanted.count > 10)
        func of(_ timeframes: [Timeframe]) -> [Sent] {
            timeframes.flatMap { timeframe in bars.filter { $0.timeframe == timeframe } }
        }
        let orders: [(String, [Sent])] = [
            ("M5 before M15", of([.m1, .m5, .m15, .h1])), ("M15 before M5", of([.h1, .m15, .m5, .m1])),
            ("newest first", bars.reversed()), ("anyhow", bars.shuffled(using: &generator)),
            ("anyhow, twice", bars.shuffled(using: &generator) + bars.shuffled(using: &generator)),
        ]
        for (name, order) in orders {
            var engine = Drawn.engine()
            let early = send(order, to: &engine, now: now)
            let outputs = early + Drawn.feed(&engine, [next])
            #expect(rebuilds(outputs) == 1, "\(name)")
            #expect(known(engine) == wanted, "\(name)")
            let stored = try #require(engine.snapshot(of: "EURUSD")).series.map(\.closed.count)
            #expect(stored == reference.snapshot(of: "EURUSD")?.series.map(\.closed.count), "\(name)")
        }
    }

    @Test("history that comes bar by bar between quotes is built in once a second at most, and all of it in the end")
    func paced() throws {
        let bars = try bars().filter { $0.timeframe != .m1 }
        let now = (walk.last?.timeMilliseconds ?? 0) + 60_000
        var engine = Drawn.engine()
        var reference = Drawn.engine()
        _ = send(bars, to: &reference, now: now)
        var told = 0
        var time = now
        for sent in bars.reversed() {
            told += rebuilds(send([sent], to: &engine, now: time))
            told += rebuilds(Drawn.feed(&engine, [Drawn.tick(1.1 + Double(time % 7) * 0.00001, at: time)]))
            time += 10
        }
        #expect(told >= 2 && told <= Int(time - now) / 1_000 + 2)
        told += rebuilds(Drawn.feed(&engine, [Drawn.tick(1.1, at: time + 1_000)]))
        let stored = try #require(engine.snapshot(of: "EURUSD")).series.map(\.closed.count)
        #expect(stored.dropFirst() == (reference.snapshot(of: "EURUSD")?.series.map(\.closed.count) ?? []).dropFirst())
        let before = told
        told += rebuilds(Drawn.feed(&engine, [Drawn.tick(1.1001, at: time + 9_000)]))
        #expect(told == before, "nothing new, nothing rebuilt")
    }

    @Test("of many symbols with late history one is built in at one moment, all of them soon")
    func oneAtATime() throws {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        let names = (0..<40).map { "SYM\($0)" }
        let start = Drawn.start + 10 * Drawn.hour
        func quote(_ name: String, at time: Int64) {
            engine.handle(
                Drawn.tick(1.1 + Double(time % 9) * 0.00001, at: time, symbol: name), now: time, into: &outputs)
        }
        for name in names {
            quote(name, at: start)
            quote(name, at: start + 400_000)
            for bar in 1...20 {
                engine.handle(
                    bar: MarketBar(
                        symbol: name, source: "T", timeframe: .m5,
                        startMilliseconds: start - Int64(bar) * 300_000, open: 1.1, high: 1.101, low: 1.099, close: 1.1),
                    now: start + 400_000, into: &outputs)
            }
        }
        outputs.removeAll()
        var built: Set<String> = []
        for step in 1...40 {
            for name in names { quote(name, at: start + 400_000 + Int64(step)) }
            let told = outputs.compactMap { if case .historyRebuilt(let symbol) = $0 { symbol } else { nil } }
            #expect(told.count <= 1)
            built.formUnion(told)
            outputs.removeAll()
        }
        #expect(built.count == 40)
    }

    @Test("a bar of a terminal whose clock is ahead is not there a second time when quotes of its time come")
    func ahead() throws {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        let start = Drawn.start + 600_000
        let now = start + 270_000
        let bar = MarketBar(
            symbol: "EURUSD", source: "T", timeframe: .m5, startMilliseconds: start, open: 1.1, high: 1.1010,
            low: 1.0990, close: 1.1)
        engine.handle(bar: bar, now: now, into: &outputs)
        for second in 0..<120 {
            let time = now + Int64(second) * 1_000
            engine.handle(Drawn.tick(1.1 + Double(second) * 0.00001, at: time), now: time, into: &outputs)
        }
        engine.handle(Drawn.tick(1.1, at: start + 600_000), now: start + 600_000, into: &outputs)
        let series = try #require(engine.snapshot(of: "EURUSD")?.series.first { $0.timeframe == .m5 })
        #expect(series.closed.map(\.startMilliseconds) == [start, start + 300_000])
        #expect(series.closed.map(\.origin) == [.terminal, .ticks])
    }
}
