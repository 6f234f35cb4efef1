import Domain
import Fleet
import Testing

@Suite struct HealthTests {
    @Test func aWholeMeshHasAllPoints() {
        let health = HealthScore(HealthScore.Facts())
        #expect(health.score == 100)
        #expect(health.factors.map(\.maximum).reduce(0, +) == 100)
        #expect(health.factors.allSatisfy { $0.points == $0.maximum && !$0.why.isEmpty })
    }

    @Test func eachTroubleCostsPointsAndSaysWhy() throws {
        let troubles: [(String, (inout HealthScore.Facts) -> Void, String)] = [
            ("services", { $0.silentServices = ["citadel-monitor"] }, "citadel-monitor"),
            ("services", { $0.degradedServices = ["node-registry"] }, "node-registry"),
            ("redis", { $0.isRedisReady = false }, "not answer"),
            ("nodes", { ($0.activeNodes, $0.deadNodes) = (4_999, 1) }, "1 of 5000"),
            ("quotes", { ($0.quotingBrokers, $0.staleBrokers) = (2, ["Demo"]) }, "Demo"),
            ("fires", { $0.unaccountedFires = 1 }, "1 fires"),
            ("alerts", { $0.warnings = 1 }, "1 warnings"),
        ]
        for (name, change, word) in troubles {
            var facts = HealthScore.Facts()
            change(&facts)
            let health = HealthScore(facts)
            #expect(health.score < 100)
            for factor in health.factors {
                #expect((factor.points < factor.maximum) == (factor.name == name))
            }
            #expect(try #require(health.factors.first { $0.name == name }).why.contains(word))
        }
    }

    @Test(arguments: [11, 12, 13] as [UInt64])
    func theScoreStaysBetweenZeroAndAHundred(seed: UInt64) {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        for _ in 0..<5_000 {
            var facts = HealthScore.Facts()
            facts.silentServices = Array(repeating: "s", count: Int.random(in: 0...9, using: &random))
            facts.degradedServices = Array(repeating: "d", count: Int.random(in: 0...9, using: &random))
            facts.isRedisReady = Bool.random(using: &random)
            facts.activeNodes = Int.random(in: 0...5, using: &random)
            facts.deadNodes = Int.random(in: 0...5, using: &random)
            facts.quotingBrokers = Int.random(in: 0...3, using: &random)
            facts.staleBrokers = Array(repeating: "b", count: Int.random(in: 0...5, using: &random))
            facts.unaccountedFires = Int64.random(in: -5...(.max), using: &random)
            facts.warnings = Int.random(in: 0...20_000, using: &random)
            facts.criticals = Int.random(in: 0...20, using: &random)
            let health = HealthScore(facts)
            #expect((0...100).contains(health.score))
            #expect(health.factors.allSatisfy { (0...$0.maximum).contains($0.points) })
        }
    }

    @Test func firesAreOverdueAfterAMinuteOnly() {
        var watch = LedgerWatch()
        #expect(watch.note(sent: 5, accounted: 3, at: at(0)) == 0)
        for second in 1..<60 { #expect(watch.note(sent: 9, accounted: 3, at: at(Double(second))) == 0) }
        #expect(watch.note(sent: 9, accounted: 3, at: at(60)) == 2)
        #expect(watch.note(sent: 9, accounted: 5, at: at(60.5)) == 0)
        #expect(watch.note(sent: 9, accounted: 5, at: at(61)) == 4)
        #expect(watch.note(sent: 9, accounted: 9, at: at(62)) == 0)
    }
}

@Suite struct QuoteWatchTests {
    @Test func aBrokerWithLiveTerminalsHasAMinuteToQuote() {
        var watch = QuoteWatch()
        for second in 0..<60 { #expect(watch.note(live: ["A"], quotes: [], at: at(Double(second))).isEmpty) }
        #expect(watch.note(live: ["A"], quotes: [], at: at(60)) == ["A"])
        // Quotes end it, and so does a fleet that went home.
        #expect(watch.note(live: ["A"], quotes: [("A", at(60))], at: at(61)).isEmpty)
        #expect(watch.note(live: [], quotes: [], at: at(500)).isEmpty)
        #expect(watch.note(live: ["A"], quotes: [("B", at(500))], at: at(501)).isEmpty)
    }
}

@Suite struct ServiceWatchTests {
    private func sighting(_ name: String, age: Double?, now: Double, state: String = "ready") -> ServiceSighting {
        var sighting = ServiceSighting(name: name)
        sighting.updatedAt = age.map { at(now - $0) }
        sighting.state = state
        return sighting
    }

    @Test func aMissingReportIsADeadService() {
        var watch = ServiceWatch(startedAt: at(0))
        #expect(watch.judge([sighting("x", age: 1, now: 3)], at: at(3)).silent == [])
        #expect(watch.judge([sighting("x", age: 6, now: 8)], at: at(8)).raise.map(\.type) == ["service_down"])
        #expect(watch.judge([sighting("x", age: nil, now: 9)], at: at(9)).silent == ["x"])
        #expect(watch.judge([sighting("x", age: 0, now: 10)], at: at(10)).resolve.map(\.key) == ["service_down:x"])
    }

    @Test func aServiceThatWasNeverSeenMayStillBeStarting() {
        var watch = ServiceWatch(startedAt: at(0))
        #expect(watch.judge([sighting("x", age: nil, now: 10)], at: at(10)).raise.isEmpty)
        #expect(watch.judge([sighting("x", age: nil, now: 16)], at: at(16)).raise.count == 1)
    }

    @Test func whileRedisWasAwayNobodyCouldReport() {
        var watch = ServiceWatch(startedAt: at(-100))
        let old = sighting("x", age: 20, now: 100)
        #expect(watch.judge([old], readableSince: at(99), at: at(100)).raise.isEmpty)
        #expect(watch.judge([old], readableSince: at(90), at: at(100)).raise.count == 1)
    }

    @Test func theSupervisorsAlarmIsRaisedUntilTheServiceLives() throws {
        let seconds = at(0).seconds
        let record = "\(seconds - 9) 1 0 77 2 died 1 0\n\(seconds) 1 0 78 1 alarm 3 5\n"
        var service = sighting("x", age: 0, now: 1)
        service.lastExit = ServiceExitLine.last(of: record)
        #expect(try #require(service.lastExit).isAlarm)
        var watch = ServiceWatch(startedAt: at(-100))
        #expect(watch.judge([service], at: at(1)).raise.map(\.type) == ["service_flapping"])
        service.updatedAt = at(70)
        #expect(watch.judge([service], at: at(70)).raise.isEmpty)
        #expect(ServiceExitLine.last(of: "") == nil)
        #expect(ServiceExitLine.last(of: "garbage") == nil)
    }
}
