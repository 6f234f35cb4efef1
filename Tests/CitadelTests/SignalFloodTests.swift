import Testing

@testable import Citadel

/// Thousands of signals end at once: in bounded steps, each of them once, while everything else goes on.
@Suite("Signals ending by the thousand")
struct SignalFloodTests {
    private static let many = 10_000
    private static let atOnce = 32
    private let now = Drawn.start + 300 * Drawn.minute

    private func signal(
        _ identifier: String, stop: Double = 1.1000, target: Double? = nil, expires: Int64? = nil
    ) -> TradingSignal {
        TradingSignal(
            signalIdentifier: identifier, symbol: "EURUSD", direction: .buy, entryPrice: 1.1020, stopLoss: stop,
            takeProfit: target, createdMilliseconds: now, expiresMilliseconds: expires ?? now + 7_200_000)
    }

    private func engine() -> CitadelEngine {
        var engine = Drawn.engine {
            $0.endingsPerStep = Self.atOnce
            $0.rescoresPerAdvance = 8
            $0.maximumSignals = 20_000
        }
        Drawn.feed(&engine, Drawn.path(Drawn.oneHigh))
        return engine
    }

    private func restore(_ signals: [TradingSignal], into engine: inout CitadelEngine) throws {
        let answer = try engine.score(signals[0].query, now: now)
        for signal in signals {
            // As after a restart: ten thousand scorings would only cost time here.
            let isTaken = engine.restore(
                signal: LiveSignal(
                    signal: signal, answer: answer, expiresMilliseconds: signal.expiresMilliseconds ?? 0), now: now)
            #expect(isTaken)
        }
    }

    @Test("one quote touches ten thousand stops: no step ends more than its share, none is lost, none ends twice")
    func touched() throws {
        var engine = engine()
        let deep = (0..<500).map { signal("DEEP\($0)", stop: 1.0900) }
        let crowd = (0..<Self.many).map { signal("S\($0)", stop: 1.1000 + Double($0 % 100) * 0.00001) }
        try restore(deep + crowd, into: &engine)
        var outputs: [CitadelOutput] = []
        var ended: [String: SignalUpdate.Kind] = [:]
        var most = 0
        var steps = 0
        func take(_ time: Int64) {
            let updates = Drawn.updates(outputs).filter { $0.update != .decay }
            most = max(most, updates.count)
            for update in updates {
                #expect(ended.updateValue(update.update, forKey: update.signal.signalIdentifier) == nil)
                #expect(update.reason.contains("stop"))
            }
            outputs.removeAll(keepingCapacity: true)
        }
        // The touch itself, then the market is back where nothing is touched: what was touched ends all the same.
        var time = now + 1_000
        engine.handle(Drawn.tick(1.0990, at: time), now: time, into: &outputs)
        take(time)
        engine.handle(Drawn.tick(1.1020, at: time + 1), now: time + 1, into: &outputs)
        take(time + 1)
        _ = try engine.submit(signal("YOUNG", stop: 1.0995), now: time + 2, into: &outputs)
        outputs.removeAll()
        while ended.count < Self.many, steps < 2 * Self.many / Self.atOnce {
            steps += 1
            time += 5
            if steps % 4 == 0 {
                engine.handle(Drawn.tick(1.1019 + Double(steps % 3) * 0.00001, at: time), now: time, into: &outputs)
            }
            engine.advance(to: time, into: &outputs)
            take(time)
            if steps % 50 == 0 {
                #expect(try engine.score(signal("Q").query, now: time).protectionScore >= 1)
                #expect(engine.liveSignal("YOUNG") != nil, "it came after the quote that touched the others")
            }
        }
        #expect(most == Self.atOnce)
        #expect(ended.count == Self.many && ended.keys.allSatisfy { $0.hasPrefix("S") })
        #expect(steps <= Self.many / Self.atOnce + 1)
        #expect(engine.liveSignals.count == 501 && engine.liveSignals.last?.signal.signalIdentifier == "YOUNG")
        #expect(engine.counters["signals_invalidated"] == Self.many)
        // The young one and the deep ones are watched on.
        engine.handle(Drawn.tick(1.0993, at: time + 5), now: time + 5, into: &outputs)
        #expect(Drawn.updates(outputs).map(\.signal.signalIdentifier) == ["YOUNG"])
        outputs.removeAll()
        for step in 0..<20 {
            engine.handle(Drawn.tick(1.0890, at: time + 10 + Int64(step)), now: time + 10 + Int64(step), into: &outputs)
        }
        #expect(Set(Drawn.updates(outputs).map(\.signal.signalIdentifier)).count == 500)
        #expect(engine.liveSignals.isEmpty)
    }

    @Test("a burst of quotes taken at one moment ends no more signals than one quote")
    func burst() throws {
        var engine = engine()
        try restore((0..<1_000).map { signal("S\($0)") }, into: &engine)
        var outputs: [CitadelOutput] = []
        for step in 0..<512 {
            engine.handle(
                Drawn.tick(1.0990 - Double(step) * 0.000001, at: now + 1_000), now: now + 1_000, into: &outputs)
        }
        engine.advance(to: now + 1_000, into: &outputs)
        #expect(Drawn.updates(outputs).count == Self.atOnce)
    }

    @Test("ten thousand whose time is over at one moment expire in bounded steps")
    func expired() throws {
        var engine = engine()
        let end = now + 60_000
        try restore((0..<Self.many).map { signal("S\($0)", expires: end) }, into: &engine)
        var outputs: [CitadelOutput] = []
        var ended: Set<String> = []
        var time = end
        while ended.count < Self.many, time < end + 10_000 {
            engine.advance(to: time, into: &outputs)
            let updates = Drawn.updates(outputs)
            #expect(updates.count <= Self.atOnce && updates.allSatisfy { $0.update == .expired })
            for update in updates { #expect(ended.insert(update.signal.signalIdentifier).inserted) }
            outputs.removeAll(keepingCapacity: true)
            time += 5
        }
        #expect(ended.count == Self.many && engine.liveSignals.isEmpty)
        #expect(engine.counters["signals_expired"] == Self.many)
    }

    @Test("what touched first is told, also of a signal that waited for its end while the other side was reached")
    func firstCause() throws {
        var engine = engine()
        try restore((0..<100).map { signal("S\($0)", stop: 1.1000, target: 1.1040) }, into: &engine)
        var outputs: [CitadelOutput] = []
        for (offset, price) in [1.1045, 1.0990, 1.1020, 1.1020, 1.1020].enumerated() {
            let time = now + Int64(offset) * 1_000 + 1_000
            engine.handle(Drawn.tick(price, at: time), now: time, into: &outputs)
        }
        let updates = Drawn.updates(outputs)
        #expect(updates.count == 100 && updates.allSatisfy { $0.reason.contains("target") })
    }

    @Test("the queue gives the smallest first, whatever was moved or taken out")
    func queue() {
        let seed: UInt64 = 0x9E0E_2026
        print("queue: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        var queue = RemovableQueue<Int>()
        var wanted: [Int: Int] = [:]
        for step in 0..<20_000 {
            let sequence = Int.random(in: 0..<300, using: &generator)
            if Int.random(in: 0..<3, using: &generator) == 0 {
                queue.remove(sequence)
                wanted[sequence] = nil
            } else {
                let key = Int.random(in: 0..<50, using: &generator)
                queue.insert(sequence, at: key)
                wanted[sequence] = key
            }
            let first = wanted.min { ($0.value, $0.key) < ($1.value, $1.key) }
            #expect(queue.first?.sequence == first?.key && queue.first?.key == first?.value, "step \(step)")
            #expect(queue.count == wanted.count)
        }
    }
}
