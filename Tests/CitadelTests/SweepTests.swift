import Testing

@testable import Citadel

@Suite("Sweeps on drawn paths")
struct SweepTests {
    /// What became of the level at 1.10400 and which events named it.
    private func run(_ more: [(minute: Int, price: Double)]) -> (state: LevelState?, sweeps: [LiquiditySweep]) {
        var engine = Drawn.engine()
        let outputs = Drawn.feed(&engine, Drawn.path(Drawn.oneHigh + more))
        let level = engine.levels(of: "EURUSD").first { abs($0.anchor - 1.104) < 1e-9 && $0.side == .buySide }
        return (level?.state, Drawn.sweeps(outputs).filter { abs($0.level - 1.104) < 1e-6 })
    }

    @Test("a clean sweep of a high is announced once, with its extreme and the end of the bar that closed back")
    func cleanSweep() throws {
        let result = run([(303, 1.1046), (306, 1.1025), (330, 1.1020)])
        #expect(result.state == .swept)
        let sweep = try #require(result.sweeps.first)
        #expect(result.sweeps.count == 1)
        #expect(sweep.side == .buySide && sweep.kind.rawValue == "bullish_sweep")
        #expect(sweep.extreme == 1.1046)
        #expect(sweep.timeMilliseconds == Drawn.start + 305 * Drawn.minute)
        #expect(sweep.zoneStrength > 0 && sweep.zoneStrength <= 10)
        #expect(sweep.takenMilliseconds < sweep.timeMilliseconds)
    }

    @Test("the mirror image: a sweep of a low is sell_side and bearish_sweep")
    func sweepOfALow() throws {
        var engine = Drawn.engine()
        let points = (Drawn.oneHigh + [(303, 1.1046), (306, 1.1025), (330, 1.1020)])
            .map { (minute: $0.minute, price: 2.2 - $0.price) }
        let sweep = try #require(
            Drawn.sweeps(Drawn.feed(&engine, Drawn.path(points))).first { abs($0.level - 1.096) < 1e-6 })
        #expect(sweep.side == .sellSide && sweep.kind.rawValue == "bearish_sweep")
        #expect(abs(sweep.extreme - 1.0954) < 1e-9)
    }

    @Test("beyond and no return: broken, no event")
    func broken() {
        let result = run([(303, 1.1046), (330, 1.1060), (360, 1.1061)])
        #expect(result.state == .broken)
        #expect(result.sweeps.isEmpty)
    }

    @Test("a return in the third bar after the piercing one still sweeps, in the fourth it is too late")
    func window() {
        // Pierced in the bar of minute 300; bars 305, 310 and 315 may close back.
        let intime = run([(303, 1.1046), (317, 1.1045), (319, 1.1030), (330, 1.1025)])
        #expect(intime.state == .swept && intime.sweeps.count == 1)
        let late = run([(303, 1.1046), (321, 1.1045), (323, 1.1030), (335, 1.1025)])
        #expect(late.state == .broken && late.sweeps.isEmpty)
    }

    @Test("a touch, or a hair beyond less than the pierce margin, takes nothing", arguments: [1.1039, 1.1040, 1.10402])
    func touchOnly(reach: Double) {
        let result = run([(303, reach), (306, 1.1025), (330, 1.1020)])
        #expect(result.state == .resting)
        #expect(result.sweeps.isEmpty)
    }

    @Test("an untouched double top is one pool of two, and still resting")
    func doubleTop() throws {
        var engine = Drawn.engine()
        let outputs = Drawn.feed(
            &engine, Drawn.path(Drawn.oneHigh + [(340, 1.10395), (380, 1.1015), (420, 1.1020)]))
        let top = try #require(engine.levels(of: "EURUSD").first { abs($0.anchor - 1.104) < 1e-9 })
        #expect(top.state == .resting && top.members.count == 2)
        #expect(abs(top.price - (1.104 + 1.10395) / 2) < 1e-9)
        #expect(!Drawn.sweeps(outputs).contains { abs($0.level - top.price) < 0.0002 })
    }

    @Test("a weekend gap over a level is no sweep, not even when price comes back later")
    func gapOver() {
        var engine = Drawn.engine()
        var outputs = Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        let monday = Drawn.start + 60 * Drawn.hour
        outputs += Drawn.feed(&engine, (0..<180).map { Drawn.tick(1.1070, at: monday + Int64($0) * 10_000) })
        let level = engine.levels(of: "EURUSD").first { abs($0.anchor - 1.104) < 1e-9 }
        #expect(level == nil || level?.state == .broken)
        outputs += Drawn.feed(
            &engine, (180..<360).map { Drawn.tick(1.1020, at: monday + Int64($0) * 10_000) })
        #expect(!Drawn.sweeps(outputs).contains { abs($0.level - 1.104) < 1e-6 })
    }

    @Test("pierced before a weekend and back after it is no sweep either")
    func acrossTheWeekend() {
        var engine = Drawn.engine()
        var outputs = Drawn.feed(&engine, Drawn.path(Drawn.oneHigh + [(304, 1.1046)]))
        let monday = Drawn.start + 60 * Drawn.hour
        outputs += Drawn.feed(&engine, (0..<180).map { Drawn.tick(1.1020, at: monday + Int64($0) * 10_000) })
        #expect(!Drawn.sweeps(outputs).contains { abs($0.level - 1.104) < 1e-6 })
    }

    @Test("crossed quotes far beyond a level do not pierce it")
    func crossedQuotes() {
        var engine = Drawn.engine()
        var outputs = Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        let time = Drawn.start + 301 * Drawn.minute
        outputs += Drawn.feed(
            &engine,
            [
                MarketTick(
                    symbol: "EURUSD", source: "Broker-1", timeMilliseconds: time, bid: 1.1080, ask: 1.1060, decimals: 5)
            ])
        #expect(engine.counters["tick_crossed"] == 1)
        #expect(engine.levels(of: "EURUSD").first { abs($0.anchor - 1.104) < 1e-9 }?.state == .resting)
    }

    @Test("a backlog changes the levels and rings no bell")
    func backlog() {
        var engine = Drawn.engine()
        var outputs: [CitadelOutput] = []
        let ticks = Drawn.path(Drawn.oneHigh + [(303, 1.1046), (306, 1.1025), (330, 1.1020)])
        let now = Drawn.start + 12 * Drawn.hour
        for tick in ticks { engine.handle(tick, now: now, into: &outputs) }
        #expect(Drawn.sweeps(outputs).isEmpty)
        #expect((engine.counters["sweeps_not_announced"] ?? 0) >= 1)
        #expect(engine.levels(of: "EURUSD").first { abs($0.anchor - 1.104) < 1e-9 }?.state == .swept)
    }

    @Test("twenty clear spikes above highs and twenty below lows are all found", arguments: [1.0, -1.0])
    func everyClearSpike(sign: Double) {
        for index in 0..<20 {
            var engine = Drawn.engine()
            let spike = 1.1046 + Double(index) * 0.0001
            let back = 304 + index % 10
            let points = (Drawn.oneHigh + [(302, spike), (back, 1.1024), (back + 20, 1.1020)])
                .map { (minute: $0.minute, price: sign > 0 ? $0.price : 2.2 - $0.price) }
            let level = sign > 0 ? 1.104 : 1.096
            let sweeps = Drawn.sweeps(Drawn.feed(&engine, Drawn.path(points)))
            #expect(sweeps.filter { abs($0.level - level) < 1e-6 }.count == 1, "spike \(index)")
        }
    }
}
