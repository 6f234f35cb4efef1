import Domain
import Fleet
import Testing

@Suite struct MixedMarketTests {
    @Test func cryptoThatQuotesOverAWeekendKillsNoTerminalOfForeignExchange() {
        // Friday's close in New York's summer, then two hours of a night of crypto alone.
        var fleet = MixedFleet(at: "2026-07-03T20:55:00Z")
        for number in 0..<20 { fleet.add("fx-\(number)", "EURUSD,GBPUSD,XAUUSD") }
        for number in 0..<5 { fleet.add("coin-\(number)", "BTCUSD") }
        fleet.add("both", "EURUSD,BTCUSD")
        fleet.add("pulled", "BTCUSD")
        fleet.run(0...7_200) { nodeID, second in
            if nodeID == "pulled" { return second < 3_600 }
            return nodeID.hasPrefix("coin") || nodeID == "both" || second <= 300
        }
        // Who watches what quotes and is silent all the same is dead, and nobody else.
        #expect(fleet.deaths == ["pulled": .silentAmongQuotes])
        #expect(fleet.engine.counts() == [.quiet: 20, .live: 6])
    }

    @Test func aTerminalThatWatchesCryptoTooIsExpectedToSpeakOnSunday() {
        var fleet = MixedFleet(at: "2026-07-05T10:00:00Z")
        fleet.add("hung", "EURUSD,BTCUSD")
        fleet.add("other", "BTCUSD")
        fleet.run(0...200) { nodeID, second in nodeID == "other" || second < 60 }
        #expect(fleet.deaths == ["hung": .silentAmongQuotes])
    }

    @Test func theDailyBreakOfMetalsKillsNobody() {
        // 17:00 to 18:00 in New York on a Tuesday: gold pauses, pairs go on.
        var fleet = MixedFleet(at: "2026-07-07T20:58:00Z")
        for number in 0..<5 { fleet.add("gold-\(number)", "XAUUSD") }
        for number in 0..<5 { fleet.add("pairs-\(number)", "EURUSD") }
        for number in 0..<5 { fleet.add("all-\(number)", "EURUSD,XAUUSD") }
        fleet.add("hung", "EURUSD,XAUUSD")
        fleet.run(0...3_000) { nodeID, second in
            if nodeID == "hung" { return second < 1_000 }
            return !nodeID.hasPrefix("gold") || second < 120
        }
        #expect(fleet.deaths == ["hung": .silentAmongQuotes])
        #expect(fleet.engine.counts() == [.quiet: 5, .live: 10])
    }

    @Test func indicesOfTwoExchangesSayNothingOfEachOther() {
        var fleet = MixedFleet(at: "2026-07-07T10:00:00Z")
        fleet.add("frankfurt", "GER40")
        fleet.add("new-york", "US30")
        fleet.run(0...300) { nodeID, _ in nodeID == "new-york" }
        #expect(fleet.deaths.isEmpty)
    }

    @Test func whoWatchesMoreThanItNamesIsComparedWithItsLikeAlone() {
        var fleet = MixedFleet(at: "2026-07-07T10:00:00Z")
        fleet.add("long-1", "EURUSD,XAUUSD", count: 90)
        fleet.add("long-2", "EURUSD,XAUUSD", count: 90)
        fleet.add("short", "EURUSD,XAUUSD")
        fleet.run(0...300) { nodeID, second in nodeID == "long-1" || second < 60 }
        // It may be quotes of a symbol nobody named that make the long one speak.
        #expect(fleet.deaths == ["long-2": .silentAmongQuotes])
    }

    @Test func aConnectionThatComesAndGoesIsNoQuote() {
        // A line that breaks every twenty seconds gives signs of life and says nothing of the market.
        var fleet = MixedFleet(at: "2026-07-07T10:00:00Z")
        for number in 0..<5 { fleet.add("fx-\(number)", "EURUSD") }
        fleet.add("flapping", "EURUSD")
        fleet.add("coin", "BTCUSD")
        for second in stride(from: 0, to: 600, by: 20) {
            fleet.terminals["flapping"]?.connections += 1
            fleet.run(second...(second + 19)) { nodeID, _ in nodeID == "coin" || nodeID == "flapping" }
        }
        #expect(fleet.deaths.isEmpty)
    }

    @Test func moreGroupsThanThereIsRoomForCostNobodyHisLife() {
        var fleet = MixedFleet(at: "2026-07-07T10:00:00Z")
        for number in 0..<100 { fleet.add("node-\(number)", "SYMBOL\(number)") }
        fleet.add("EU-1", "EURUSD")
        fleet.add("EU-2", "EURUSD")
        fleet.run(0...200) { nodeID, _ in nodeID == "node-7" || nodeID == "EU-2" }
        #expect(fleet.deaths.keys.allSatisfy { $0 == "EU-1" })
        #expect(fleet.engine.nodeCount + fleet.deaths.count == 102)
    }
}

@Suite struct UnheardTests {
    private func look(
        _ engine: inout LivenessEngine, _ seen: Timestamp, _ now: Timestamp, listening: Timestamp?
    ) -> [Liveness] {
        var effects: [LivenessEngine.Effect] = []
        engine.look(sightings: [("N", seen)], quotes: [], listeningSince: listening, at: now, into: &effects)
        var told: [Liveness] = []
        for effect in effects {
            switch effect {
            case .ask:
                var detail = LivenessEngine.Detail()
                detail.server = "Demo"
                detail.connection = .unknown
                engine.learn("N", detail, earlier: nil, at: now)
            case .liveness(_, let liveness): told.append(liveness)
            case .appeared, .dead: break
            }
        }
        return told
    }

    /// After `meshctl restore`, or a long outage of ours, rows say of everybody that he lives.
    @Test func aNodeOfABackupIsNotLiveUntilItIsHeard() throws {
        let now = try #require(Timestamp(rfc3339: "2026-07-07T10:00:00Z"))
        let backup = now.adding(milliseconds: -7_200_000)
        var engine = LivenessEngine()
        // Nobody listens yet.
        #expect(look(&engine, backup, now, listening: nil) == [.stale])
        // The listeners have just started: it has a minute to speak, and is not live meanwhile.
        for second in 1...30 {
            let moment = now.adding(milliseconds: Int64(second) * 1000)
            #expect(look(&engine, backup, moment, listening: now).isEmpty)
            #expect(engine.liveness(of: "N") == .stale)
        }
        let heard = now.adding(milliseconds: 31_000)
        #expect(look(&engine, heard, heard, listening: now) == [.live])
    }

    @Test func onAWeekendItIsQuietMeanwhile() throws {
        let now = try #require(Timestamp(rfc3339: "2026-07-05T10:00:00Z"))
        let backup = now.adding(milliseconds: -7_200_000)
        var engine = LivenessEngine()
        #expect(look(&engine, backup, now, listening: now) == [.stale])
        #expect(look(&engine, backup, now.adding(milliseconds: 1000), listening: now) == [.quiet])
    }

    @Test func aShortRestartOfOursChangesNothing() {
        var engine = LivenessEngine()
        #expect(look(&engine, at(-20), at(0), listening: at(-1000)).isEmpty)
        #expect(look(&engine, at(-20), at(2), listening: nil).isEmpty)
        #expect(look(&engine, at(-20), at(4), listening: at(3)).isEmpty)
        #expect(engine.liveness(of: "N") == .live)
    }
}
