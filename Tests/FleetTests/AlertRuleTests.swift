import Domain
import Fleet
import Testing

private struct RuleBench {
    var engine: AlertEngine
    var told: [String] = []

    init(_ change: (inout AlertRule) -> Void = { _ in }) {
        var rules = AlertRules()
        change(&rules.defaults)
        engine = AlertEngine(rules: rules, uuids: UUIDSource(SplitMix64(seed: 4)))
    }

    mutating func take(_ effects: [AlertEngine.Effect]) {
        for effect in effects {
            switch effect {
            case .raised(let alert): told.append(alert.mute == nil ? "raised" : "kept")
            case .updated(let alert, let isWorse): told.append(isWorse ? "worse" : "count \(alert.story.count)")
            case .reminded: told.append("reminded")
            case .noted: told.append("noted")
            case .resolved(let alert, _): told.append(alert.toldSeverity != nil ? "resolved" : "over")
            }
        }
    }

    mutating func fail(_ second: Double, _ severity: Alert.Severity = .warning, count: Int = 1) {
        var effects: [AlertEngine.Effect] = []
        let condition = Condition(
            key: "service_down:x", type: "service_down", severity: severity, message: "", fields: ["service": "x"],
            story: AlertStory(.service, "x", count: count))
        engine.raise(condition, at: at(second), into: &effects)
        take(effects)
    }

    mutating func pass(_ second: Double) {
        var effects: [AlertEngine.Effect] = []
        engine.resolve("service_down:x", message: "well", at: at(second), into: &effects)
        take(effects)
    }

    mutating func tick(_ second: Double) {
        var effects: [AlertEngine.Effect] = []
        engine.tick(at: at(second), into: &effects)
        take(effects)
    }
}

@Suite struct AlertRuleTests {
    @Test func aCheckMustFailThreeTimesAndPassTwice() {
        var bench = RuleBench {
            $0.failuresBeforeCritical = 3
            $0.successBeforePassing = 2
        }
        bench.fail(0)
        bench.fail(1)
        bench.pass(2)
        bench.fail(3)
        bench.fail(4)
        #expect(bench.told.isEmpty)
        bench.fail(5)
        #expect(bench.told == ["raised"])
        bench.pass(6)
        bench.fail(7)
        bench.pass(8)
        #expect(bench.told == ["raised"])
        bench.pass(9)
        #expect(bench.told == ["raised", "resolved"])
        #expect(bench.engine.openKeys("service_").isEmpty)
    }

    @Test func aTroubleMustLast() {
        var bench = RuleBench { $0.hold = 10_000 }
        for second in 0..<10 { bench.fail(Double(second)) }
        #expect(bench.told.isEmpty)
        bench.fail(10)
        #expect(bench.told == ["raised"])
    }

    @Test func whatNobodyAcknowledgesIsToldAgain() throws {
        var bench = RuleBench { $0.repeatEvery = 60_000 }
        bench.fail(0)
        for second in 1...150 { bench.tick(Double(second)) }
        #expect(bench.told == ["raised", "reminded", "reminded"])
        let alert = try #require(bench.engine.active.values.first)
        var effects: [AlertEngine.Effect] = []
        let first = bench.engine.acknowledge(alert.alertID, by: "ann", at: at(150), into: &effects)
        let second = bench.engine.acknowledge(alert.alertID, by: "bob", at: at(151), into: &effects)
        let third = bench.engine.acknowledge("none", by: "ann", at: at(150), into: &effects)
        #expect(first && second && !third)
        #expect(bench.engine.active.values.first?.acknowledgedBy == "ann")
        bench.take(effects)
        for second in 151...400 { bench.tick(Double(second)) }
        #expect(bench.told == ["raised", "reminded", "reminded", "noted"])
    }

    @Test func moreOrWorseIsAnUpdateAndNoSecondAlert() {
        var bench = RuleBench()
        bench.fail(0, count: 3)
        bench.fail(1, count: 3)
        bench.fail(2, count: 5)
        bench.fail(3, .critical, count: 5)
        bench.fail(4, .warning, count: 5)
        #expect(bench.told == ["raised", "count 5", "worse"])
        #expect(bench.engine.active.values.first?.severity == .critical)
    }

    @Test func aSilenceHoldsTheNotificationBackAndItsEndTellsWhatLasts() throws {
        var bench = RuleBench()
        let silence = try #require(
            AlertSilence(
                identifier: "s", matchers: ["service": "x", "type": "service_*"], until: at(100), by: "ann",
                comment: "work"))
        #expect(bench.engine.add(silence) == true)
        bench.fail(0)
        for second in 1..<100 { bench.tick(Double(second)) }
        #expect(bench.told == ["kept"])
        bench.tick(100)
        #expect(bench.told == ["kept", "reminded"])
        #expect(AlertSilence(identifier: "s", matchers: [:], until: at(1), by: "", comment: "") == nil)
        #expect(AlertSilence(identifier: "s", matchers: ["colour": "red"], until: at(1), by: "", comment: "") == nil)
    }

    @Test func whoWasToldOfTheBeginIsToldOfTheEndInASilenceToo() throws {
        var bench = RuleBench()
        bench.fail(0)
        let silence = try #require(
            AlertSilence(identifier: "s", matchers: ["service": "x"], until: at(100), by: "ann", comment: "work"))
        #expect(bench.engine.add(silence) == true)
        bench.tick(10)
        #expect(bench.engine.active.values.first?.mute != nil)
        bench.pass(20)
        #expect(bench.told == ["raised", "noted", "resolved"])
    }

    @Test func whatGrowsWorseInASilenceIsToldWhenItEndsAndItsEndToThoseWhoHeardOfIt() throws {
        for isOverBefore in [true, false] {
            var bench = RuleBench()
            bench.fail(0, .warning)
            let silence = try #require(
                AlertSilence(identifier: "s", matchers: ["service": "x"], until: at(100), by: "ann", comment: "work"))
            #expect(bench.engine.add(silence) == true)
            bench.tick(10)
            bench.fail(20, .critical)
            var alert = try #require(bench.engine.active.values.first)
            #expect(alert.severity == .critical && alert.toldSeverity == .warning)
            if !isOverBefore {
                bench.tick(100)
                #expect(bench.told == ["raised", "noted", "worse", "reminded"])
                alert = try #require(bench.engine.active.values.first)
                #expect(alert.toldSeverity == .critical)
                bench.tick(101)
            }
            bench.pass(110)
            #expect(bench.told.last == "resolved" && bench.told.count == (isOverBefore ? 4 : 5))
        }
    }

    @Test func whoAcknowledgedAWarningIsToldThatItGrewWorseInASilence() throws {
        var bench = RuleBench { $0.repeatEvery = 10_000 }
        bench.fail(0, .warning)
        let told = try #require(bench.engine.active.values.first)
        var effects: [AlertEngine.Effect] = []
        #expect(bench.engine.acknowledge(told.alertID, by: "ann", at: at(1), into: &effects))
        let silence = try #require(
            AlertSilence(identifier: "s", matchers: ["service": "x"], until: at(100), by: "ann", comment: "work"))
        #expect(bench.engine.add(silence) == true)
        bench.tick(10)
        bench.fail(20, .critical)
        for second in 90...150 { bench.tick(Double(second)) }
        #expect(bench.told.filter { $0 == "reminded" }.count == 1)
        #expect(bench.engine.active.values.first?.toldSeverity == .critical)
    }

    @Test func whatBeginsAndEndsInAMaintenanceWindowIsToldToNobody() throws {
        var bench = RuleBench()
        let window = try #require(
            MaintenanceWindow(
                identifier: "m", scope: "service:x", from: at(10), until: at(50), by: "ann", comment: ""))
        #expect(bench.engine.add(window) == true)
        bench.fail(20)
        bench.pass(30)
        #expect(bench.told == ["kept", "over"])
        #expect(
            MaintenanceWindow(identifier: "m", scope: "moon:1", from: at(0), until: at(1), by: "", comment: "") == nil)
        #expect(bench.engine.removeExpiredMutes(wall: at(50)).windows == ["m"])
        // Another service is not in it.
        var other = RuleBench()
        let elsewhere = try #require(
            MaintenanceWindow(
                identifier: "m", scope: "service:y", from: at(10), until: at(50), by: "ann", comment: ""))
        #expect(other.engine.add(elsewhere) == true)
        other.fail(20)
        #expect(other.told == ["raised"])
    }

    @Test func aRuleThatIsSwitchedOffRaisesNothing() {
        var bench = RuleBench { $0.isEnabled = false }
        bench.fail(0)
        #expect(bench.told.isEmpty && bench.engine.active.isEmpty)
    }

    @Test func everyTypeSaysWhatToDo() {
        for (name, type) in AlertType.known { #expect(!type.action.isEmpty && !type.what.isEmpty, "\(name)") }
    }
}

@Suite struct DeliveryQueueTests {
    private func delivery(_ number: Int64, at second: Double = 0) -> Delivery {
        Delivery(number: number, outlet: "o", alertID: "a", body: "b", createdAt: at(second))
    }

    @Test(arguments: [31, 32] as [UInt64])
    func pausesGrowUpToTheLongest(seed: UInt64) {
        print("seed \(seed)")
        var queue = DeliveryQueue(outlet: "o", random: SplitMix64(seed: seed))
        _ = queue.add(delivery(1))
        var now = at(0)
        var pauses: [Int64] = []
        for _ in 0..<14 {
            #expect(queue.next(at: now, steady: now).send?.number == 1)
            #expect(queue.next(at: now, steady: now).send == nil)
            #expect(queue.finish(1, .failed("x", retryAfter: nil), steady: now) == nil)
            let failed = now
            while queue.next(at: at(0), steady: now).send == nil { now = now.adding(milliseconds: 100) }
            #expect(queue.finish(1, .failed("x", retryAfter: 0), steady: failed) == nil)
            pauses.append(now - failed)
            now = now.adding(milliseconds: 1_000_000)
        }
        #expect(pauses.first ?? 0 >= 500 && pauses.first ?? 0 <= 1_100)
        #expect(pauses.allSatisfy { $0 <= 300_100 })
        #expect(pauses.last ?? 0 >= 150_000)
    }

    @Test func theOldestGoWhenThereIsNoRoomAndWhatIsOldIsNoNews() {
        var settings = DeliveryQueue.Settings()
        settings.limit = 3
        settings.maximumAge = 60_000
        var queue = DeliveryQueue(outlet: "o", settings: settings, random: SplitMix64(seed: 1))
        for number in 1...3 { #expect(queue.add(delivery(Int64(number))) == []) }
        #expect(queue.next(at: at(1), steady: at(1)).send?.number == 1)
        // The one on its way stays.
        #expect(queue.add(delivery(4, at: 50)) == [2])
        #expect(queue.finish(1, .accepted("ok"), steady: at(2)) == 1)
        let next = queue.next(at: at(70), steady: at(70))
        #expect(next.expired == [3] && next.send?.number == 4)
        #expect(queue.dropped == 2 && queue.delivered == 1)
    }

    @Test func theOtherSidesPauseIsKept() {
        var queue = DeliveryQueue(outlet: "o", random: SplitMix64(seed: 1))
        _ = queue.add(delivery(1))
        _ = queue.next(at: at(0), steady: at(0))
        _ = queue.finish(1, .failed("answered 429", retryAfter: 30_000), steady: at(0))
        #expect(queue.next(at: at(29), steady: at(29)).send == nil)
        #expect(queue.next(at: at(30), steady: at(30)).send != nil)
    }
}
