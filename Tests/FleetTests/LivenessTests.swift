import Domain
import Fleet
import Testing

/// A fleet that is looked at once a second, with a registry's answers at hand.
private struct LivenessBench {
    var engine = LivenessEngine()
    var lastSeen: [String: Timestamp] = [:]
    var quotes: [String: Timestamp] = [:]
    var details: [String: LivenessEngine.Detail] = [:]
    var listening: Timestamp? = at(-1000)
    var deaths: [(String, LivenessEngine.Cause, Double)] = []
    var changes: [String: [Liveness]] = [:]
    var appeared: [String] = []

    mutating func add(_ nodeID: String, server: String? = "Demo", connection: ConnectionState = .up, seen: Double) {
        var detail = LivenessEngine.Detail()
        detail.server = server
        detail.connection = connection
        details[nodeID] = detail
        lastSeen[nodeID] = at(seen)
    }

    mutating func look(_ seconds: Double) {
        var effects: [LivenessEngine.Effect] = []
        engine.look(
            sightings: lastSeen.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
            quotes: quotes.map { ($0.key, $0.value) }, listeningSince: listening, at: at(seconds), into: &effects)
        for effect in effects {
            switch effect {
            case .ask(let nodeID):
                guard let detail = details[nodeID] else { continue }
                engine.learn(nodeID, detail, earlier: nil, at: at(seconds))
            case .appeared(let nodeID): appeared.append(nodeID)
            case .liveness(let nodeID, let liveness): changes[nodeID, default: []].append(liveness)
            case .dead(let death):
                deaths.append((death.nodeID, death.cause, seconds))
                lastSeen[death.nodeID] = nil
            }
        }
    }

    /// Looks each second; `each` says what happens before each look.
    mutating func run(_ from: Int, _ through: Int, _ each: (inout LivenessBench, Double) -> Void = { _, _ in }) {
        for second in from...through {
            each(&self, Double(second))
            look(Double(second))
        }
    }
}

@Suite struct LivenessTests {
    @Test func oneSilentTerminalAmongQuotingOnesIsDeadAfterAMinute() throws {
        var bench = LivenessBench()
        bench.add("silent", seen: 0)
        bench.add("other", seen: 0)
        bench.run(0, 90) { bench, now in
            bench.lastSeen["other"] = at(now - now.truncatingRemainder(dividingBy: 10))
            bench.quotes["Demo"] = at(now - 1)
        }
        #expect(bench.deaths.count == 1)
        let death = try #require(bench.deaths.first)
        #expect(death.0 == "silent")
        #expect(death.1 == .silentAmongQuotes)
        #expect((60...63).contains(death.2))
        #expect(bench.changes["silent"] == [.late])
        #expect(bench.changes["other"] == nil)
    }

    @Test func aWeekendRaisesNoAlarm() {
        var bench = LivenessBench()
        // At the close terminals fall silent within half a minute of one another, the illiquid first.
        for index in 0..<30 { bench.add("N\(index)", seen: Double(index) - 30) }
        bench.quotes["Demo"] = at(0)
        bench.run(0, 49 * 3600 / 60) { _, _ in }
        for minute in 50..<(49 * 60) { bench.look(Double(minute) * 60) }
        #expect(bench.deaths.isEmpty)
        #expect(bench.engine.counts() == [.quiet: 30])
        // Sunday evening: prices come back, terminals one by one within half a minute.
        let opening = 49 * 3600
        bench.run(opening, opening + 40) { bench, now in
            bench.quotes["Demo"] = at(now)
            for index in 0..<30 where Double(opening + index) <= now { bench.lastSeen["N\(index)"] = at(now) }
        }
        #expect(bench.deaths.isEmpty)
        #expect(bench.engine.counts() == [.live: 30])
    }

    @Test("about the close terminals fall silent over minutes; silent for five of them while others go on is dead")
    func edges() throws {
        // Friday, 17:00 in New York, by the calendar alone.
        let close = (Timestamp(rfc3339: "2026-10-30T21:00:00Z") ?? at(0)) - at(0)
        for (lasting, deaths) in [(150, [String]()), (400, ["early"])] {
            var bench = LivenessBench()
            let start = Int(close / 1000) - lasting
            bench.listening = at(Double(start) - 1000)
            bench.add("early", seen: Double(start))
            for index in 0..<10 { bench.add("N\(index)", seen: Double(start)) }
            bench.run(start, start + lasting + 2000) { bench, now in
                guard now <= Double(start + lasting) else { return }
                bench.quotes["Demo"] = at(now)
                // One after the other, the last with the close.
                for index in 0..<10 where now <= Double(start + lasting * (index + 1) / 10) {
                    bench.lastSeen["N\(index)"] = at(now)
                }
            }
            #expect(bench.deaths.map(\.0).filter { $0 == "early" } == deaths, "\(bench.deaths)")
            if lasting == 150 { #expect(bench.deaths.isEmpty, "\(bench.deaths)") }
        }
    }

    @Test func whoStaysSilentAfterTheOpeningIsDead() throws {
        var bench = LivenessBench()
        bench.add("gone", seen: 0)
        bench.add("other", seen: 0)
        bench.quotes["Demo"] = at(0)
        bench.run(0, 600)
        #expect(bench.deaths.isEmpty)
        bench.run(601, 700) { bench, now in
            bench.quotes["Demo"] = at(now)
            bench.lastSeen["other"] = at(now)
        }
        #expect(bench.deaths.map(\.0) == ["gone"])
        #expect((645...650).contains(try #require(bench.deaths.first).2))
    }

    @Test func aLostConnectionIsDeathEvenWhenTheMarketIsClosed() {
        var bench = LivenessBench()
        bench.add("cut", connection: .lost, seen: 0)
        bench.add("kept", connection: .up, seen: 0)
        bench.run(0, 120)
        #expect(bench.deaths.map(\.0) == ["cut"])
        #expect(bench.deaths.map(\.1) == [.connectionLost])
        #expect(bench.changes["kept"] == [.late, .quiet])
    }

    @Test func aQuietNodeWhoseConnectionGoesIsDead() {
        var bench = LivenessBench()
        bench.add("A", seen: 0)
        bench.run(0, 300)
        bench.details["A"]?.connection = .lost
        bench.run(301, 330)
        #expect(bench.deaths.map(\.1) == [.connectionLost])
    }

    @Test func otherBrokersQuotesSayNothing() {
        var bench = LivenessBench()
        bench.add("A", server: "Closed", seen: 0)
        bench.add("B", server: nil, seen: 0)
        bench.run(0, 300) { bench, now in bench.quotes["Open"] = at(now) }
        #expect(bench.deaths.isEmpty)
        #expect(bench.engine.counts() == [.quiet: 2])
    }

    @Test func silenceCountsOnlyWhileSomebodyListened() {
        var bench = LivenessBench()
        bench.add("A", connection: .lost, seen: -600)
        bench.listening = at(0)
        bench.run(0, 55)
        #expect(bench.deaths.isEmpty)
        bench.listening = nil
        bench.run(56, 200)
        #expect(bench.deaths.isEmpty)
        bench.listening = at(0)
        bench.run(201, 205)
        #expect(bench.deaths.count == 1)
    }

    @Test func aJudgeThatRestartsKnowsWhoWasSilentLonger() {
        var bench = LivenessBench()
        bench.add("A", connection: .lost, seen: -59)
        bench.run(0, 4)
        #expect(bench.deaths.count == 1)
    }

    @Test func theDeadThatSpeakAgainAppear() {
        var bench = LivenessBench()
        bench.add("A", connection: .lost, seen: 0)
        bench.run(0, 70)
        #expect(bench.deaths.count == 1)
        bench.lastSeen["A"] = at(80)
        bench.run(80, 82)
        #expect(bench.appeared == ["A", "A"])
        #expect(bench.engine.liveness(of: "A") == .live)
    }

    @Test func stabilityFallsWithTroubleAndComesBackWithTime() throws {
        var bench = LivenessBench()
        bench.add("steady", seen: 0)
        bench.add("shaky", seen: 0)
        var statistics: [String: [String: String]] = [:]
        for second in 0..<600 {
            bench.lastSeen["steady"] = at(Double(second / 10) * 10)
            bench.lastSeen["shaky"] = at(Double(second / 45) * 45)
            bench.look(Double(second))
            for (nodeID, fields) in bench.engine.takeStatistics(limit: 100, at: at(Double(second))) {
                statistics[nodeID] = Dictionary(fields.map { ($0.name, $0.value) }) { first, _ in first }
            }
        }
        #expect(statistics["steady"]?["grade"] == "A")
        #expect(statistics["steady"]?["missed"] == "0")
        #expect(statistics["steady"]?["average_interval_ms"] == "10000")
        let shaky = try #require(statistics["shaky"])
        #expect(Int(shaky["missed"] ?? "") ?? 0 >= 12)
        #expect(Int(shaky["stability"] ?? "") ?? 100 < 60)
        // A restarted monitor goes on from there, and half a day of calm gives most of it back.
        var later = LivenessBench()
        later.add("shaky", seen: 50_000)
        later.look(50_000)
        later.engine = LivenessEngine()
        var effects: [LivenessEngine.Effect] = []
        later.engine.look(
            sightings: [("shaky", at(50_000))], quotes: [], listeningSince: at(0), at: at(50_000), into: &effects)
        later.engine.learn("shaky", LivenessEngine.Detail(), earlier: shaky, at: at(50_000))
        let restored = try #require(later.engine.takeStatistics(limit: 1, at: at(50_000)).first)
        let fields = Dictionary(restored.fields.map { ($0.name, $0.value) }) { first, _ in first }
        #expect(fields["missed"] == shaky["missed"])
        #expect(Int(fields["stability"] ?? "") ?? 0 > 80)
    }
}
