import Domain
import Fleet
import Testing

/// Which brokers quote, while our wall clock is set an hour forth and back: what passes is told by a clock that never
/// steps, what Redis keeps is the wall clock's time.
@Suite struct QuoteClockTests {
    /// - Parameter step: by how much our clock is wrong at a second, in milliseconds.
    /// - Returns: the seconds at which the broker was said not to quote.
    private func silent(until end: Int, quotesUntil last: Int, step: (Int) -> Int64) -> [Int] {
        var engine = LivenessEngine()
        var watch = QuoteWatch()
        var quote: Timestamp?
        var told: [Int] = []
        for second in 0...end {
            let steady = at(Double(second))
            let wall = steady.adding(milliseconds: step(second))
            if second <= last { quote = wall }
            var effects: [LivenessEngine.Effect] = []
            engine.look(
                sightings: [("N", wall)], quotes: quote.map { [("Demo", $0)] } ?? [],
                listeningSince: at(-1000).adding(milliseconds: step(second)), at: wall, steady: steady.milliseconds,
                into: &effects)
            for case .ask(let nodeID) in effects {
                var detail = LivenessEngine.Detail()
                detail.server = "Demo"
                detail.connection = .up
                engine.learn(nodeID, detail, earlier: nil, at: wall, steady: steady.milliseconds)
            }
            if !watch.note(live: engine.liveServers(), quotes: engine.quotes(), at: steady).isEmpty {
                told.append(second)
            }
        }
        return told
    }

    @Test func aBrokerThatQuotesDoesSoWhateverOurClockShows() {
        let told = silent(until: 2_000, quotesUntil: 2_000) { second in
            [0, 3_600_000, -3_600_000, 0, -90_000][second / 400 % 5]
        }
        #expect(told.isEmpty)
    }

    @Test("a broker that falls silent is told of within two minutes", arguments: [0, 3_600_000, -3_600_000] as [Int64])
    func silence(step: Int64) throws {
        let told = silent(until: 1_000, quotesUntil: 300) { $0 > 300 ? step : 0 }
        let first = try #require(told.first)
        #expect((360...425).contains(first))
        #expect(told == Array(first...1_000))
    }
}
