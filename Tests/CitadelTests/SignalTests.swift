import Testing

@testable import Citadel

@Suite("Signals")
struct SignalTests {
    private let now = Drawn.start + 300 * Drawn.minute

    private func ready() -> CitadelEngine {
        var engine = Drawn.engine()
        Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        return engine
    }

    private func signal(
        _ identifier: String = "S1", direction: TradeDirection = .buy, expires: Int64? = nil
    ) -> TradingSignal {
        let sign = direction == .buy ? 1.0 : -1.0
        return TradingSignal(
            signalIdentifier: identifier, symbol: "EURUSD", direction: direction, entryPrice: 1.1020,
            stopLoss: 1.1020 - sign * 0.002, takeProfit: 1.1020 + sign * 0.01, createdMilliseconds: now,
            expiresMilliseconds: expires)
    }

    @Test("a signal is scored, published once, and the same identifier gets the same answer")
    func submission() throws {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        let answer = try engine.submit(signal(), now: now, into: &outputs)
        #expect(outputs == [.signalPublished(signal(), answer)])
        #expect(answer == (try engine.score(signal().query, now: now)))
        Drawn.feed(&engine, [Drawn.tick(1.1025, at: now + 1_000)])
        let repeated = try engine.submit(signal(), now: now + 5_000, into: &outputs)
        #expect(repeated == answer)
        #expect(outputs.count == 1)
        #expect(engine.liveSignals.map(\.signal.signalIdentifier) == ["S1"])
        #expect(engine.counters["signals_repeated"] == 1)
    }

    @Test("without an expiry a signal lives for an hour; at its end it is reported expired, once")
    func expiry() throws {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        _ = try engine.submit(signal(), now: now, into: &outputs)
        outputs.removeAll()
        engine.advance(to: now + 3_599_999, into: &outputs)
        #expect(Drawn.updates(outputs).allSatisfy { $0.update == .decay })
        outputs.removeAll()
        engine.advance(to: now + 3_600_000, into: &outputs)
        engine.advance(to: now + 3_700_000, into: &outputs)
        #expect(Drawn.updates(outputs).map(\.update) == [.expired])
        #expect(engine.liveSignals.isEmpty && engine.liveSignal("S1") == nil)
        let failure = #expect(throws: QueryError.self) {
            try engine.submit(signal(expires: now + 9_000_000), now: now + 3_700_000, into: &outputs)
        }
        #expect(failure?.code == "signal_ended")
    }

    @Test("a touched stop invalidates: a buy's by the bid, a sell's by the ask", arguments: TradeDirection.allCases)
    func stopTouched(direction: TradeDirection) throws {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        let signal = signal(direction: direction)
        _ = try engine.submit(signal, now: now, into: &outputs)
        outputs.removeAll()
        let stop = try #require(signal.stopLoss)
        // Half a pip of spread lies between the middle and the side that counts: near is not touched, and the touch
        // comes while the middle still stands clear of the stop.
        let sign = direction == .buy ? 1.0 : -1.0
        engine.handle(Drawn.tick(stop + sign * 0.0001, at: now + 1_000), now: now + 1_000, into: &outputs)
        #expect(Drawn.updates(outputs).isEmpty)
        engine.handle(Drawn.tick(stop + sign * 0.00003, at: now + 2_000), now: now + 2_000, into: &outputs)
        let updates = Drawn.updates(outputs)
        #expect(updates.map(\.update) == [.invalidated])
        #expect(updates.first?.reason.contains("stop") == true)
        #expect(engine.liveSignals.isEmpty)
    }

    @Test("a reached target ends a signal as well; an old tick ends nothing")
    func targetAndOldTicks() throws {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        _ = try engine.submit(signal(), now: now, into: &outputs)
        outputs.removeAll()
        engine.handle(Drawn.tick(1.0995, at: now + 1_000), now: now + 120_000, into: &outputs)
        #expect(Drawn.updates(outputs).isEmpty)
        engine.handle(Drawn.tick(1.1125, at: now + 121_000), now: now + 121_000, into: &outputs)
        #expect(Drawn.updates(outputs).first?.reason.contains("target") == true)
    }

    @Test("a standing is published only when the level changes or the score moves by half a point")
    func decay() throws {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        let first = try engine.submit(signal(expires: now + 7_200_000), now: now, into: &outputs)
        outputs.removeAll()
        engine.advance(to: now + 5_000, into: &outputs)
        engine.advance(to: now + 5_001, into: &outputs)
        #expect(outputs.isEmpty)
        // The market drifts away, then falls silent: points go step by step, never twice for the same standing.
        var published: [Double] = [first.protectionScore]
        for second in 6...600 {
            let time = now + Int64(second) * 1_000
            if second < 300 {
                engine.handle(
                    Drawn.tick(1.1020 + Double(second) * 0.00002, at: time), now: time, into: &outputs)
            }
            engine.advance(to: time, into: &outputs)
        }
        let updates = Drawn.updates(outputs)
        #expect(!updates.isEmpty)
        for update in updates {
            #expect(update.update == .decay && update.answer != nil)
            let before = try #require(published.last)
            #expect(abs(update.score - before) >= 0.499 || RiskLevel(score: before) != update.riskLevel)
            #expect(update.reason.contains("from \(Decimals.text(before, 1)) to \(Decimals.text(update.score, 1))"))
            published.append(update.score)
        }
        #expect((published.last ?? 10) < first.protectionScore)
        #expect(engine.counters["signals_decayed"] == updates.count)
    }

    @Test("live signals are bounded, and the refusal says so")
    func bounded() throws {
        var engine = Drawn.engine { $0.maximumSignals = 5 }
        Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        var outputs: [CitadelOutput] = []
        for index in 0..<5 { _ = try engine.submit(signal("S\(index)"), now: now, into: &outputs) }
        let failure = #expect(throws: QueryError.self) {
            try engine.submit(signal("S9"), now: now, into: &outputs)
        }
        #expect(failure?.code == "too_many_signals")
        _ = try engine.submit(signal("S3"), now: now, into: &outputs)
        #expect(outputs.count == 5)
    }

    @Test("nonsense is refused and not followed")
    func refusals() {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        var wrongSide = signal()
        wrongSide.stopLoss = 1.2
        var overdue = signal()
        overdue.createdMilliseconds = .min
        var farAhead = signal("")
        farAhead.createdMilliseconds = .max
        for (bad, code) in [
            (wrongSide, "stop_wrong_side"), (overdue, "signal_expired"), (farAhead, "bad_signal_id"),
            (signal("S", expires: now), "signal_expired"),
        ] {
            let failure = #expect(throws: QueryError.self) { try engine.submit(bad, now: now, into: &outputs) }
            #expect(failure?.code == code)
        }
        #expect(outputs.isEmpty && engine.liveSignals.isEmpty)
        #expect(engine.counters["signals_refused"] == 4)
    }

    @Test("after a restart signals are followed on, without a second publication or a hasty decay")
    func restore() throws {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        let answer = try engine.submit(signal(), now: now, into: &outputs)
        let live = try #require(engine.liveSignal("S1"))

        var again = Drawn.engine()
        var after: [CitadelOutput] = []
        let taken = again.restore(signal: live, now: now + 2_000)
        let twice = again.restore(signal: live, now: now + 2_000)
        #expect(taken && !twice)
        again.advance(to: now + 30_000, into: &after)
        #expect(after.isEmpty)
        let repeated = try again.submit(signal(), now: now + 30_000, into: &after)
        #expect(repeated == answer)
        #expect(after.isEmpty)
        again.advance(to: now + 3_600_000, into: &after)
        #expect(Drawn.updates(after).map(\.update) == [.expired])
        let over = again.restore(signal: live, now: now + 3_600_000)
        #expect(!over)
    }

    @Test("many signals are scored in turns, a bounded number in one step, all within a round")
    func turns() throws {
        var engine = Drawn.engine { $0.rescoresPerAdvance = 10 }
        Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        var outputs: [CitadelOutput] = []
        for index in 0..<95 {
            _ = try engine.submit(signal("S\(index)", expires: now + 7_200_000), now: now, into: &outputs)
        }
        outputs.removeAll()
        var updated: Set<String> = []
        for step in 0..<10 {
            // Twenty minutes of silence: the standing of every one of them changes.
            engine.advance(to: now + 1_200_000 + Int64(step), into: &outputs)
            let updates = Drawn.updates(outputs)
            #expect(updates.count <= 10)
            updated.formUnion(updates.map(\.signal.signalIdentifier))
            outputs.removeAll()
        }
        #expect(updated.count == 95)
    }
}
