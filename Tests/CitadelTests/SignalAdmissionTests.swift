import Testing

@testable import Citadel

@Suite("Signals that come too late")
struct SignalAdmissionTests {
    private let now = Drawn.start + 300 * Drawn.minute

    /// The market stands at 1.10200, bid 1.10195, ask 1.10205.
    private func ready() -> CitadelEngine {
        var engine = Drawn.engine()
        Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        return engine
    }

    private func signal(_ direction: TradeDirection, entry: Double, stop: Double?, target: Double?) -> TradingSignal {
        TradingSignal(
            signalIdentifier: "S1", symbol: "EURUSD", direction: direction, entryPrice: entry, stopLoss: stop,
            takeProfit: target, createdMilliseconds: now)
    }

    private var dead: [(TradingSignal, String)] {
        [
            (signal(.buy, entry: 1.1040, stop: 1.1030, target: 1.1080), "stop 1.10300"),
            (signal(.buy, entry: 1.1040, stop: 1.10195, target: 1.1080), "stop 1.10195"),
            (signal(.buy, entry: 1.1000, stop: 1.0990, target: 1.1015), "target 1.10150"),
            (signal(.sell, entry: 1.1000, stop: 1.10205, target: 1.0950), "stop 1.10205"),
            (signal(.sell, entry: 1.1040, stop: 1.1060, target: 1.1030), "target 1.10300"),
        ]
    }

    @Test("a signal whose stop or target the market has passed is refused, not published, and says why")
    func refused() {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        for (signal, what) in dead {
            let failure = #expect(throws: QueryError.self) {
                try engine.submit(signal, now: now + 1_000, into: &outputs)
            }
            #expect(failure?.code == "invalidated")
            #expect(failure?.message.contains(what) == true && failure?.message.contains("bid 1.10195") == true)
        }
        #expect(outputs.isEmpty && engine.liveSignals.isEmpty)
        #expect(engine.counters["signals_refused"] == dead.count)
        #expect(engine.counters["signals_accepted"] == 0)
    }

    @Test("what the next quote would not end is published: the side that closes the trade decides")
    func admitted() throws {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        let near = signal(.buy, entry: 1.1021, stop: 1.10190, target: 1.1022)
        _ = try engine.submit(near, now: now + 1_000, into: &outputs)
        outputs.removeAll()
        engine.handle(Drawn.tick(1.1020, at: now + 2_000), now: now + 2_000, into: &outputs)
        #expect(Drawn.updates(outputs).isEmpty && engine.liveSignals.count == 1)
    }

    @Test("an old quote ends nothing: the signal is published and its answer is stale")
    func oldQuote() throws {
        var engine = ready()
        var outputs: [CitadelOutput] = []
        let answer = try engine.submit(dead[0].0, now: now + 61_000, into: &outputs)
        #expect(answer.stale && outputs == [.signalPublished(dead[0].0, answer)])
    }
}
