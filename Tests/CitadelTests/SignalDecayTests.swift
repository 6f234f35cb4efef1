import Testing

@testable import Citadel

@Suite("Signals that age")
struct SignalDecayTests {
    private let now = Drawn.start + 300 * Drawn.minute

    private func ready() throws -> CitadelEngine {
        var engine = Drawn.engine()
        Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        return engine
    }

    private func signal(expires: Int64) -> TradingSignal {
        TradingSignal(
            signalIdentifier: "S1", symbol: "EURUSD", direction: .buy, entryPrice: 1.1020, stopLoss: 1.0985,
            takeProfit: 1.1120, createdMilliseconds: now, expiresMilliseconds: expires)
    }

    /// Follows the signal for some minutes of a market at `price`, a quote every ten seconds.
    private func follow(
        _ engine: inout CitadelEngine, from: Int64, minutes: Int64, price: (Double) -> Double,
        spread: Double = 0.0001
    ) -> [SignalUpdate] {
        var outputs: [CitadelOutput] = []
        let steps = minutes * 6
        for step in 1...steps {
            let time = from + step * 10_000
            engine.handle(
                Drawn.tick(price(Double(step) / Double(steps)), at: time, spread: spread), now: time, into: &outputs)
            engine.advance(to: time, into: &outputs)
        }
        return Drawn.updates(outputs)
    }

    @Test("a market that runs from the entry takes the score down, step by step, and each step says why")
    func drift() throws {
        var engine = try ready()
        var outputs: [CitadelOutput] = []
        let first = try engine.submit(signal(expires: now + 4 * Drawn.hour), now: now, into: &outputs)
        let updates = follow(&engine, from: now, minutes: 30) { 1.1020 + 0.0035 * $0 }
        #expect(!updates.isEmpty && updates.allSatisfy { $0.update == .decay && $0.reason.contains("protection") })
        let last = try #require(updates.last)
        #expect(last.score < first.protectionScore - 1)
        let answer = try #require(last.answer)
        let decay = try #require(answer.decay)
        #expect(decay.driftShare > 0.8 && decay.remaining < 0.6)
        #expect(
            answer.insights.contains { $0.contains("This signal has aged") && $0.contains("stops) from its entry") })
        let sum = answer.factors.map { Int(($0.contribution * 1_000).rounded()) }.reduce(0, +)
        #expect(sum == Int((answer.protectionScore * 1_000).rounded()))
        // Not every tick: 180 quotes, a handful of publications.
        #expect(updates.count < 20)
    }

    @Test("time alone takes it down, and a quiet market publishes a standing only when it changes")
    func time() throws {
        var engine = try ready()
        var outputs: [CitadelOutput] = []
        _ = try engine.submit(signal(expires: now + 2 * Drawn.hour), now: now, into: &outputs)
        let early = try #require(try engine.score(following: "S1", now: now + 30 * Drawn.minute))
        #expect(early.decay?.ageShare == 0.25)
        _ = follow(&engine, from: now, minutes: 110) { _ in 1.1020 }
        let late = try #require(try engine.score(following: "S1", now: now + 110 * Drawn.minute))
        let decay = try #require(late.decay)
        #expect(decay.ageShare > 0.9 && decay.remaining < 0.7)
        let asTrade = try engine.score(signal(expires: 0).query, now: now + 110 * Drawn.minute)
        #expect(late.protectionScore < asTrade.protectionScore)
        #expect(asTrade.decay == nil)
    }

    @Test("a spread several times that of the submission takes it down")
    func spread() throws {
        var engine = try ready()
        var outputs: [CitadelOutput] = []
        _ = try engine.submit(signal(expires: now + 4 * Drawn.hour), now: now, into: &outputs)
        let updates = follow(&engine, from: now, minutes: 2, price: { _ in 1.1020 }, spread: 0.0005)
        let decay = try #require(updates.last?.answer?.decay)
        #expect(decay.spreadRatio > 4 && decay.remaining < 0.8)
    }

    @Test("a level taken between stop and target since the submission counts")
    func levelTaken() throws {
        var engine = try ready()
        var outputs: [CitadelOutput] = []
        _ = try engine.submit(signal(expires: now + 4 * Drawn.hour), now: now, into: &outputs)
        #expect(engine.levels(of: "EURUSD").contains { $0.side == .buySide && $0.state == .resting })
        // Over the one high at 1.1040 and back.
        _ = follow(&engine, from: now, minutes: 12) { 1.1020 + 0.0025 * $0 }
        _ = follow(&engine, from: now + 12 * Drawn.minute, minutes: 12) { 1.1045 - 0.0025 * $0 }
        let answer = try #require(try engine.score(following: "S1", now: now + 24 * Drawn.minute))
        #expect((answer.decay?.levelsTaken ?? 0) >= 1)
    }

    @Test("the curve begins with the submission, goes on with the publications, is bounded and in order")
    func curve() throws {
        var engine = try ready()
        var outputs: [CitadelOutput] = []
        let first = try engine.submit(signal(expires: now + 6 * Drawn.hour), now: now, into: &outputs)
        let updates = follow(&engine, from: now, minutes: 200) {
            1.1020 + ($0 * 40).truncatingRemainder(dividingBy: 1) * 0.003
        }
        let live = try #require(engine.liveSignal("S1"))
        #expect(live.curve.first == CurvePoint(timeMilliseconds: now, score: first.protectionScore))
        #expect(live.curve.count > 10 && live.curve.count <= LiveSignal.maximumCurvePoints)
        #expect(zip(live.curve, live.curve.dropFirst()).allSatisfy { $0.timeMilliseconds < $1.timeMilliseconds })
        let last = try #require(updates.last)
        #expect(live.curve.contains(CurvePoint(timeMilliseconds: last.timeMilliseconds, score: last.score)))
    }

    @Test("a pause between quotes is no new standing; a market that stays away is")
    func pause() throws {
        var engine = try ready()
        var outputs: [CitadelOutput] = []
        _ = try engine.submit(signal(expires: now + 4 * Drawn.hour), now: now, into: &outputs)
        outputs.removeAll()
        for second in stride(from: Int64(5), through: 240, by: 5) {
            engine.advance(to: now + second * 1_000, into: &outputs)
        }
        #expect(Drawn.updates(outputs).allSatisfy { $0.answer?.stale == false })
        for second in stride(from: Int64(240), through: 360, by: 5) {
            engine.advance(to: now + second * 1_000, into: &outputs)
        }
        let gone = try #require(Drawn.updates(outputs).last)
        #expect(gone.answer?.stale == true && gone.score <= 3)
    }

    @Test("after a restore it ages on from its submission, not from the restart")
    func restored() throws {
        var engine = try ready()
        var outputs: [CitadelOutput] = []
        _ = try engine.submit(signal(expires: now + 2 * Drawn.hour), now: now, into: &outputs)
        let live = try #require(engine.liveSignal("S1"))
        var again = try ready()
        let isBack = again.restore(signal: live, now: now + Drawn.hour)
        #expect(isBack)
        _ = follow(&again, from: now + Drawn.hour, minutes: 5) { _ in 1.1020 }
        let decay = try #require(try again.score(following: "S1", now: now + 66 * Drawn.minute)?.decay)
        #expect(decay.ageShare == 0.55)
        #expect(again.liveSignal("S1")?.curve.first == live.curve.first)
    }
}
