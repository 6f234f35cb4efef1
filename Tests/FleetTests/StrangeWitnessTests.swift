import Domain
import Fleet
import Testing

/// Who speaks while a market should be closed, or without being anybody here, says nothing of others.
@Suite struct StrangeWitnessTests {
    private static let pairs = "EURUSD,GBPUSD,XAUUSD"
    /// A Saturday.
    private static let saturday = "2026-07-04T12:00:00Z"
    private static let day = 86_400

    private func fleet(of count: Int, at text: String) -> MixedFleet {
        var fleet = MixedFleet(at: text)
        for number in 0..<count { fleet.add("node-\(number)", StrangeWitnessTests.pairs, user: "user-\(number)") }
        return fleet
    }

    @Test func oneTerminalThatSpeaksOnASaturdayKillsNobody() {
        var fleet = fleet(of: 400, at: StrangeWitnessTests.saturday)
        fleet.add("stranger", StrangeWitnessTests.pairs, user: "nobody")
        fleet.add("other", "EURUSD", user: "nobody")
        fleet.run(0...600) { nodeID, _ in nodeID == "stranger" || nodeID == "other" }
        #expect(fleet.deaths.isEmpty)
        #expect(fleet.engine.counts() == [.quiet: 400, .live: 2])
        // A plug that is pulled beside it is an alarm as ever.
        fleet.terminals["node-7"]?.connection = .lost
        fleet.run(601...700) { nodeID, _ in nodeID == "stranger" || nodeID == "other" }
        #expect(fleet.deaths == ["node-7": .connectionLost])
    }

    @Test func twoSuchWeekendsTeachNothing() throws {
        var fleet = fleet(of: 30, at: StrangeWitnessTests.saturday)
        fleet.add("stranger", StrangeWitnessTests.pairs, user: "nobody")
        for week in 0..<3 {
            let start = week * 7 * StrangeWitnessTests.day
            fleet.run(start...(start + 3_600)) { nodeID, _ in nodeID == "stranger" }
            // All speak on Wednesday.
            let wednesday = start + 4 * StrangeWitnessTests.day
            fleet.run(wednesday...(wednesday + 60)) { _, _ in true }
        }
        let session = try #require(fleet.engine.session(of: "Mixed"))
        let next = fleet.start.adding(milliseconds: (21 * 86_400 + 1_800) * 1000)
        #expect(session.learned(at: next) == .closed)
        #expect(fleet.deaths.isEmpty)
    }

    @Test func aMarketThatOpensUnplannedIsBelievedAndLearned() throws {
        var fleet = fleet(of: 60, at: StrangeWitnessTests.saturday)
        for week in 0..<2 {
            let start = week * 7 * StrangeWitnessTests.day
            fleet.run(start...(start + 3_600)) { nodeID, second in nodeID != "node-9" || second < start + 1_000 }
            let wednesday = start + 4 * StrangeWitnessTests.day
            fleet.run(wednesday...(wednesday + 60)) { _, _ in true }
        }
        #expect(fleet.deaths == ["node-9": .silentAmongQuotes])
        let session = try #require(fleet.engine.session(of: "Mixed"))
        #expect(session.learned(at: fleet.start.adding(milliseconds: (14 * 86_400 + 1_800) * 1000)) == .open)
    }

    @Test("more than a tenth, and of two users", arguments: [(2, 2, false), (3, 1, false), (3, 2, true)])
    func share(speaking: Int, users: Int, isBelieved: Bool) {
        var fleet = MixedFleet(at: StrangeWitnessTests.saturday)
        for number in 0..<21 {
            let user = number < speaking ? "speaker-\(number % users)" : "user-\(number)"
            fleet.add("node-\(number)", StrangeWitnessTests.pairs, user: user)
        }
        let speakers = Set((0..<speaking).map { "node-\($0)" })
        fleet.run(0...200) { nodeID, second in second == 0 || speakers.contains(nodeID) }
        #expect(fleet.deaths.count == (isBelieved ? 21 - speaking : 0))
    }

    /// Where anybody can reach the ports, who is not registered is seen and says nothing of others.
    @Test func whoBearsNoWitnessKillsNobodyOnAWednesdayEither() {
        for bearsWitness in [false, true] {
            var fleet = fleet(of: 20, at: "2026-07-08T12:00:00Z")
            fleet.add("stranger", StrangeWitnessTests.pairs, user: "nobody")
            fleet.terminals["stranger"]?.bearsWitness = bearsWitness
            fleet.run(0...1_200) { nodeID, second in second == 0 || nodeID == "stranger" }
            #expect(fleet.deaths.count == (bearsWitness ? 20 : 0))
            #expect(fleet.engine.liveServers().isEmpty == !bearsWitness)
            guard !bearsWitness else { continue }
            // Nor does it hide that its broker's own terminals are silent.
            let now = fleet.start.adding(milliseconds: 1_200_000)
            #expect(fleet.engine.silentBrokers(for: 900_000, at: now).silent.map(\.nodes) == [20])
        }
    }
}
