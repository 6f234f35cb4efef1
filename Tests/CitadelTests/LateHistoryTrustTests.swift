import Testing

@testable import Citadel

@Suite("What late history may change")
struct LateHistoryTrustTests {
    private let start = Drawn.start + 10 * Drawn.hour

    private func bar(
        _ start: Int64, _ open: Double, _ close: Double, high: Double? = nil, low: Double? = nil,
        _ timeframe: Timeframe = .m5
    ) -> MarketBar {
        MarketBar(
            symbol: "EURUSD", source: "T", timeframe: timeframe, startMilliseconds: start, open: open,
            high: high ?? max(open, close), low: low ?? min(open, close), close: close)
    }

    /// An engine with one closed and one open M5 bar at 1.1, whose quotes began at `start`.
    private func engine(_ outputs: inout [CitadelOutput]) -> CitadelEngine {
        var engine = Drawn.engine()
        for step in 0...8 {
            let time = start + Int64(step) * Drawn.minute
            engine.handle(Drawn.tick(1.1, at: time), now: time, into: &outputs)
        }
        return engine
    }

    private func known(_ engine: CitadelEngine) -> [Int64] {
        (engine.snapshot(of: "EURUSD")?.series.first { $0.timeframe == .m5 }?.closed ?? []).map(\.startMilliseconds)
    }

    @Test("a late bar that lies nowhere near the bars around it is counted and changes nothing")
    func outlier() {
        var outputs: [CitadelOutput] = []
        var engine = engine(&outputs)
        let now = start + 9 * Drawn.minute
        let before = known(engine)
        let bad = [
            bar(start - 600_000, 1.5, 1.5), bar(start - 600_000, 0.8, 0.8), bar(start - 600_000, 110, 110.5),
            // In its place, but for a needle.
            bar(start - 600_000, 1.1, 1.1001, high: 1.4), bar(start - 600_000, 1.1, 1.1001, low: 0.7),
        ]
        for sent in bad { engine.handle(bar: sent, now: now, into: &outputs) }
        #expect(engine.counters["bar_outlier"] == bad.count)
        engine.handle(Drawn.tick(1.1001, at: now), now: now, into: &outputs)
        #expect(known(engine) == before)
        #expect(engine.levels(of: "EURUSD").allSatisfy { abs($0.price - 1.1) < 0.05 })
        // What belongs there is taken all the same, also where the bar beside it still waits.
        engine.handle(bar: bar(start - 600_000, 1.0995, 1.1), now: now, into: &outputs)
        engine.handle(bar: bar(start - 300_000, 1.4, 1.4), now: now, into: &outputs)
        engine.handle(bar: bar(start - 300_000, 1.1, 1.1), now: now, into: &outputs)
        #expect(engine.counters["bar_outlier"] == bad.count + 1)
        let later = now + 2_000
        engine.handle(Drawn.tick(1.1, at: later), now: later, into: &outputs)
        #expect(known(engine) == [start - 600_000, start - 300_000] + before)
    }

    @Test("a bar in its turn that lies nowhere near the others, in a hole or at its end, changes nothing either")
    func outlierInAHole() {
        for timeframe in [Timeframe.m1, .m5, .m15, .h1] {
            var outputs: [CitadelOutput] = []
            var engine = engine(&outputs)
            let monday = start + 48 * Drawn.hour
            engine.handle(Drawn.tick(1.11, at: monday), now: monday, into: &outputs)
            func bars() -> [Int64] {
                (engine.snapshot(of: "EURUSD")?.series.first { $0.timeframe == timeframe }?.closed ?? [])
                    .map(\.startMilliseconds)
            }
            let before = bars()
            outputs = []
            let bad = [
                bar(start + 24 * Drawn.hour, 1.5, 1.5, timeframe), bar(start + 24 * Drawn.hour, 0.7, 0.8, timeframe),
                bar(start + 24 * Drawn.hour, 1.1, 1.1, high: 1.6, timeframe),
                bar(monday - timeframe.milliseconds, 110, 110, timeframe),
            ]
            for sent in bad { engine.handle(bar: sent, now: monday, into: &outputs) }
            #expect(engine.counters["bar_outlier"] == bad.count)
            #expect(bars() == before && outputs.isEmpty)
            engine.handle(
                bar: bar(start + 24 * Drawn.hour, 1.1, 1.105, timeframe), now: monday, into: &outputs)
            #expect(bars() == before + [start + 24 * Drawn.hour])
            #expect(engine.counters["bar_outlier"] == bad.count)
        }
    }

    @Test("a real jump has one side that agrees, so history goes on beyond it")
    func jump() {
        var outputs: [CitadelOutput] = []
        var engine = engine(&outputs)
        let now = start + 9 * Drawn.minute
        // From 1.5 down to 1.1 in one bar, told newest first.
        engine.handle(bar: bar(start - 300_000, 1.5, 1.1), now: now, into: &outputs)
        engine.handle(bar: bar(start - 600_000, 1.49, 1.5), now: now, into: &outputs)
        engine.handle(bar: bar(start - 900_000, 1.48, 1.49), now: now, into: &outputs)
        #expect(engine.counters["bar_outlier"] == 0)
        engine.handle(Drawn.tick(1.1001, at: now), now: now, into: &outputs)
        #expect(known(engine) == [start - 900_000, start - 600_000, start - 300_000, start])
    }

    private struct Key: Hashable {
        var side: LiquiditySide
        var anchor: Double
        var born: Int64

        init(_ level: LiquidityLevel) { (side, anchor, born) = (level.side, level.anchor, level.born) }
    }

    @Test("levels keep their names while history comes bar by bar, and the steps told add up to what is known")
    func names() throws {
        let walk = Drawn.walk(seed: 77, ticks: 30_000)
        let cut = walk.count / 2
        var whole = Drawn.engine()
        let bars = Drawn.feed(&whole, Array(walk[..<cut])).compactMap { output -> MarketBar? in
            guard case .barClosed(let symbol, let timeframe, let bar) = output, timeframe.makesLevels else {
                return nil
            }
            return MarketBar(
                symbol: symbol, source: "T", timeframe: timeframe, startMilliseconds: bar.startMilliseconds,
                open: bar.open, high: bar.high, low: bar.low, close: bar.close)
        }
        var engine = Drawn.engine()
        var folded: [Int: LiquidityLevel] = [:]
        func fold(_ outputs: [CitadelOutput]) {
            for case .levelChanged(let change) in outputs {
                let isGone = change.kind == .evicted || change.kind == .expired
                folded[change.level.identifier] = isGone ? nil : change.level
            }
        }
        fold(Drawn.feed(&engine, Array(walk[cut...])))
        var time = try #require(walk.last).timeMilliseconds
        var kept = 0
        var rebuilds = 0
        for late in bars.reversed().prefix(60) {
            let before = Dictionary(
                engine.levels(of: "EURUSD").map { (Key($0), $0.identifier) }, uniquingKeysWith: { first, _ in first })
            time += 1_500
            var outputs: [CitadelOutput] = []
            engine.handle(bar: late, now: time, into: &outputs)
            engine.handle(Drawn.tick(1.1, at: time), now: time, into: &outputs)
            rebuilds += outputs.count { if case .historyRebuilt = $0 { true } else { false } }
            fold(outputs)
            let levels = engine.levels(of: "EURUSD")
            for level in levels where before[Key(level)] != nil {
                #expect(before[Key(level)] == level.identifier)
                kept += 1
            }
            #expect(Set(levels.map(\.identifier)).count == levels.count)
            #expect(folded.count == levels.count)
            for level in levels {
                let told = folded[level.identifier]
                #expect(told?.state == level.state && told?.price == level.price && told?.members == level.members)
            }
        }
        #expect(rebuilds > 50 && kept > 500, "\(rebuilds) rebuilds, \(kept) names")
    }
}
