import Testing

@testable import Citadel

@Suite("Bars")
struct BarTests {
    @Test("ticks make bars by UTC, counted as volume, closed by the first tick of a later bar")
    func aggregation() {
        var series = BarSeries(timeframe: .m1, capacity: 10)
        let early = [(1.0, 1_000), (1.3, 20_000), (0.9, 59_999)].map { price, offset in
            series.add(price, at: Drawn.start + Int64(offset))
        }
        #expect(early == [nil, nil, nil])
        let bar = series.add(1.1, at: Drawn.start + 60_000)
        #expect(
            bar
                == Bar(
                    startMilliseconds: Drawn.start, open: 1.0, high: 1.3, low: 0.9, close: 0.9, volume: 3,
                    origin: .ticks))
        #expect(series.open?.volume == 1)
    }

    @Test("a gap leaves no bars behind and its jump is no range")
    func gaps() {
        var series = BarSeries(timeframe: .m5, capacity: 10)
        _ = series.add(1.1000, at: Drawn.start)
        _ = series.add(1.1002, at: Drawn.start + 1_000)
        _ = series.add(1.1000, at: Drawn.start + 2_000)
        let monday = Drawn.start + 49 * Drawn.hour
        let before = series.add(1.2000, at: monday)
        _ = series.add(1.2002, at: monday + 1_000)
        let after = series.add(1.2000, at: monday + 300_000)
        #expect(before?.startMilliseconds == Drawn.start)
        #expect(after?.startMilliseconds == monday)
        #expect(series.closed.count == 2)
        #expect(abs(series.averageTrueRange - 0.0002) < 1e-9)
    }

    @Test("the ring holds the newest bars, oldest first")
    func ring() {
        var ring = RingBuffer<Int>(capacity: 4)
        #expect(ring.elements.isEmpty && ring.last == nil)
        for number in 1...11 { ring.append(number) }
        #expect(ring.elements == [8, 9, 10, 11])
        #expect(ring[0] == 8 && ring.last == 11 && ring.count == 4)
    }

    @Test("a terminal's bar fills a hole and never overwrites what ticks built")
    func terminalBars() {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        func bar(_ minute: Int, high: Double) -> MarketBar {
            MarketBar(
                symbol: "EURUSD", source: "Broker-1", timeframe: .m1,
                startMilliseconds: Drawn.start + Int64(minute) * Drawn.minute, open: 1.1, high: high, low: 1.09,
                close: 1.1)
        }
        let now = Drawn.start + 10 * Drawn.minute
        for minute in 0..<3 { engine.handle(bar: bar(minute, high: 1.2), now: now, into: &outputs) }
        for minute in 3...5 {
            engine.handle(
                Drawn.tick(1.1, at: Drawn.start + Int64(minute) * Drawn.minute), now: now, into: &outputs)
        }
        for minute in 0...5 { engine.handle(bar: bar(minute, high: 1.3), now: now, into: &outputs) }
        let closed = engine.snapshot(of: "EURUSD")?.series.first { $0.timeframe == .m1 }?.closed ?? []
        #expect(closed.map(\.high) == [1.2, 1.2, 1.2, 1.1, 1.1])
        #expect(closed.map(\.origin) == [.terminal, .terminal, .terminal, .ticks, .ticks])
        #expect(engine.counters["bars_used"] == 3)
        #expect(engine.counters["bar_known"] == 6)
    }

    @Test(
        "history that a terminal sends after the first ticks, newest bar first, builds the levels it would have built")
    func lateHistory() {
        let past = Drawn.walk(seed: 31, ticks: 12_000)
        let cut = 9_000
        var whole = Drawn.engine()
        let outputs = Drawn.feed(&whole, past)
        var late = Drawn.engine()
        Drawn.feed(&late, Array(past[cut...]))
        let first = Timeframe.m15.start(of: past[cut].timeMilliseconds)
        var silent: [CitadelOutput] = []
        for case .barClosed(let symbol, let timeframe, let bar) in outputs.reversed()
        where bar.startMilliseconds + timeframe.milliseconds <= first {
            late.handle(
                bar: MarketBar(
                    symbol: symbol, source: "T", timeframe: timeframe, startMilliseconds: bar.startMilliseconds,
                    open: bar.open, high: bar.high, low: bar.low, close: bar.close),
                now: past[past.count - 1].timeMilliseconds, into: &silent)
        }
        #expect(silent.isEmpty, "what is long past rings no bell")
        let next = Drawn.tick(1.1, at: past[past.count - 1].timeMilliseconds + 1_000)
        let told = Drawn.feed(&late, [next])
        #expect(Drawn.sweeps(told).isEmpty)
        Drawn.feed(&whole, [next])
        #expect(late.symbols.first?.bars == whole.symbols.first?.bars)
        func prices(_ engine: CitadelEngine) -> [Double] {
            engine.levels(of: "EURUSD").filter { $0.born <= first }.map(\.price)
        }
        #expect(prices(whole).count > 3)
        #expect(prices(late) == prices(whole))
        #expect(Set(late.levels(of: "EURUSD").map(\.identifier)).count == late.levels(of: "EURUSD").count)
    }

    @Test(
        "malformed bars are counted and change nothing",
        arguments: [
            (1.1, 1.0, 0.9, 1.0, Int64(0)), (1.0, 1.2, 1.1, 1.15, 0), (.nan, 1.2, 1.0, 1.1, 0),
            (1.0, .infinity, 0.9, 1.0, 0), (0, 1, 0, 1, 0), (1, 1.1, 0.9, 1, 30_000), (1, 1.1, 0.9, 1, .max),
            (1, 1.1, 0.9, 1, -60_000),
        ])
    func malformed(open: Double, high: Double, low: Double, close: Double, start: Int64) {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        let bar = MarketBar(
            symbol: "EURUSD", source: "x", timeframe: .m1, startMilliseconds: start, open: open, high: high, low: low,
            close: close)
        engine.handle(bar: bar, now: Drawn.start, into: &outputs)
        #expect(engine.counters["bar_malformed"] == 1)
        #expect(outputs.isEmpty && engine.symbols.isEmpty)
    }

    @Test("decimal text is exact at the edges")
    func decimalText() {
        #expect(Decimals.text(1.1, 5) == "1.10000")
        #expect(Decimals.text(-0.004, 2) == "0.00")
        #expect(Decimals.text(-0.005, 2) == "-0.01")
        #expect(Decimals.text(0, 0) == "0")
        #expect(Decimals.text(147.366, 3) == "147.366")
        #expect(Decimals.text(12.96, 1) == "13.0")
        #expect(Decimals.text(0.00001, 5) == "0.00001")
        #expect(Decimals.text(3678, 0) == "3678")
        #expect(Decimals.text(89_999_999.12345678, 8) == "89999999.12345678")
    }
}
