import Testing

@testable import Citadel

@Suite("Confidence by the last hours")
struct CoverageTests {
    private func fed(hours: Int64, from start: Int64 = Drawn.start) -> CitadelEngine {
        var engine = Drawn.engine()
        Drawn.feed(
            &engine,
            (0...(hours * 60)).map { Drawn.tick(1.1 + Double($0 % 7) * 0.0001, at: start + $0 * Drawn.minute) })
        return engine
    }

    private func confidence(_ engine: CitadelEngine, _ now: Int64) throws -> Double {
        try engine.score(ProtectionQuery(symbol: "EURUSD", entryPrice: 1.1), now: now).confidence
    }

    @Test("an old history with one fresh quote is not known well; it comes back with the bars")
    func hole() throws {
        var engine = fed(hours: 25)
        let end = Drawn.start + 25 * Drawn.hour
        #expect(try confidence(engine, end) == 1)
        var outputs: [CitadelOutput] = []
        let later = end + 24 * Drawn.hour
        engine.handle(Drawn.tick(1.1, at: later), now: later, into: &outputs)
        var last = try confidence(engine, later)
        #expect(last < 0.1)
        for minute in 1...(4 * 60) {
            let time = later + Int64(minute) * Drawn.minute
            engine.handle(Drawn.tick(1.1, at: time), now: time, into: &outputs)
            guard minute % 60 == 0 else { continue }
            let next = try confidence(engine, time)
            #expect(next >= last)
            last = next
        }
        #expect(last == 1)
    }

    @Test("an hour's hole costs little, and a weekend nothing")
    func shortHole() throws {
        var engine = fed(hours: 25)
        var outputs: [CitadelOutput] = []
        let later = Drawn.start + 27 * Drawn.hour
        engine.handle(Drawn.tick(1.1, at: later), now: later, into: &outputs)
        #expect((0.5..<0.8).contains(try confidence(engine, later)))
        // From Wednesday 21:00 to Friday 21:00, then the first quote of Sunday 21:00.
        var weekend = fed(hours: 48, from: Drawn.start + 21 * Drawn.hour)
        let sunday = Drawn.start + 4 * 24 * Drawn.hour + 21 * Drawn.hour
        weekend.handle(Drawn.tick(1.1, at: sunday), now: sunday, into: &outputs)
        #expect(try confidence(weekend, sunday) == 1)
    }

    @Test("less of the last hours is never more confident")
    func monotone() throws {
        let values = [0, 0.1, 0.5, 0.9, 1].map { share in Drawn.view { $0.coverage = share }.confidence }
        #expect(values == values.sorted() && values.first == 0 && values.last == 1)
    }
}
