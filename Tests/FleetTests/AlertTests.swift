import Domain
import Fleet
import Testing

private struct AlertBench {
    var engine = AlertEngine(uuids: UUIDSource(SplitMix64(seed: 3)))
    var told: [String] = []

    private mutating func tell(_ effects: [AlertEngine.Effect]) {
        for effect in effects {
            switch effect {
            case .raised(let alert): told.append("+\(alert.type)")
            case .resolved(let alert, _): told.append("-\(alert.type)")
            case .updated, .reminded, .noted: break
            }
        }
    }

    mutating func raise(_ key: String, _ seconds: Double, flappingType: String? = nil) {
        var effects: [AlertEngine.Effect] = []
        let condition = Condition(
            key: key, type: "node_timeout", severity: .warning, message: "silent", flappingType: flappingType)
        engine.raise(condition, at: at(seconds), into: &effects)
        tell(effects)
    }

    mutating func resolve(_ key: String, _ seconds: Double) {
        var effects: [AlertEngine.Effect] = []
        engine.resolve(key, message: "back", at: at(seconds), into: &effects)
        tell(effects)
    }

    mutating func tick(_ seconds: Double) {
        var effects: [AlertEngine.Effect] = []
        engine.tick(at: at(seconds), into: &effects)
        tell(effects)
    }
}

@Suite struct AlertTests {
    @Test func oneTroubleIsToldOnceAndResolvedOnce() {
        var bench = AlertBench()
        for second in 0..<100 { bench.raise("A", Double(second)) }
        #expect(bench.told == ["+node_timeout"])
        bench.resolve("A", 100)
        bench.resolve("A", 101)
        #expect(bench.told == ["+node_timeout", "-node_timeout"])
        #expect(bench.engine.active.isEmpty)
    }

    @Test func whatComesBackWithinTheCoolDownWaits() {
        var bench = AlertBench()
        bench.raise("A", 0)
        bench.resolve("A", 10)
        bench.raise("A", 20)
        #expect(bench.told.count == 2)
        #expect(bench.engine.suppressed == 1)
        // Gone before the cool-down ends: nobody has to know.
        bench.resolve("A", 30)
        for second in 30..<400 { bench.tick(Double(second)) }
        #expect(bench.told.count == 2)
    }

    @Test func whatOutlastsTheCoolDownIsToldThen() {
        var bench = AlertBench()
        bench.raise("A", 0)
        bench.resolve("A", 10)
        bench.raise("A", 20)
        for second in 20..<300 { bench.tick(Double(second)) }
        #expect(bench.told.count == 2)
        bench.tick(300)
        #expect(bench.told == ["+node_timeout", "-node_timeout", "+node_timeout"])
    }

    @Test func comingAndGoingIsToldOnceAsFlapping() {
        var bench = AlertBench()
        for round in 0..<20 {
            bench.raise("A", Double(round) * 60, flappingType: "node_flapping")
            bench.resolve("A", Double(round) * 60 + 30)
            bench.tick(Double(round) * 60 + 40)
        }
        #expect(bench.told == ["+node_timeout", "-node_timeout", "+node_flapping"])
        // An hour of calm ends it.
        for minute in 20..<100 { bench.tick(Double(minute) * 60) }
        #expect(bench.told.last == "-node_flapping")
        #expect(bench.told.count == 4)
    }

    @Test func anotherSubjectHasItsOwnCoolDown() {
        var bench = AlertBench()
        bench.raise("A", 0)
        bench.raise("B", 1)
        #expect(bench.told.count == 2)
        #expect(Set(bench.engine.active.values.map(\.alertID)).count == 2)
    }

    @Test func aRestoredAlertIsNotToldAgain() throws {
        var first = AlertBench()
        first.raise("A", 0)
        let alert = try #require(first.engine.active["A"])
        var second = AlertBench()
        second.engine.restore(alert)
        second.raise("A", 10)
        #expect(second.told.isEmpty)
        second.resolve("A", 20)
        second.raise("A", 30)
        #expect(second.told == ["-node_timeout"])
    }

    @Test func troublesAreBounded() {
        var bench = AlertBench()
        for index in 0..<30_000 { bench.raise("N\(index)", 0) }
        #expect(bench.engine.active.count == 20_000)
        #expect(bench.engine.suppressed == 10_000)
    }
}
