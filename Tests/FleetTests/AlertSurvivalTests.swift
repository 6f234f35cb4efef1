import Domain
import Fleet
import Testing

/// What outlasts a restart of the monitor, moves with a user, or keeps rolling in.
@Suite struct AlertSurvivalTests {
    private func raised(_ effects: [AlertEngine.Effect]) -> [Alert] {
        effects.compactMap { if case .raised(let alert) = $0 { alert } else { nil } }
    }

    @Test func anAlertOfOurRestartEndsThoughTheMonitorWasRestartedMeanwhile() throws {
        var first = RestartWatch()
        first.note("handshake-processor", "was started anew after signal 9", terminals: 400, at: at(0))
        let condition = try #require(first.look(at: at(1)) { _ in 400 }.raise.first)
        var engine = AlertEngine(uuids: UUIDSource(SplitMix64(seed: 3)))
        var effects: [AlertEngine.Effect] = []
        engine.raise(condition, at: at(1), into: &effects)
        let alert = try #require(raised(effects).first)

        // Another process: it has the alert from Redis and has heard nobody yet.
        var second = RestartWatch()
        let found = second.restore(alert, at: at(10))
        let restored = try #require(found)
        #expect(restored.service == "handshake-processor" && restored.why == "was started anew after signal 9")
        #expect(second.look(at: at(11)) { _ in 0 }.resolve.isEmpty)
        let still = second.look(at: at(20)) { _ in 30 }
        #expect(still.resolve.isEmpty && still.raise.first?.key == alert.key)
        #expect(still.raise.first?.message == condition.message)
        let over = second.look(at: at(26)) { _ in 0 }
        #expect(over.raise.isEmpty && over.resolve.map(\.key) == [alert.key])
        // Others are none of its business.
        let other = Alert(
            alertID: "x", key: "service_down:redis", type: "service_down", severity: .critical, message: "",
            fields: [:], raisedAt: at(0))
        #expect(second.restore(other, at: at(30)) == nil)
    }

    @Test func itEndsAfterItsPatienceWhoeverIsMissing() throws {
        var watch = RestartWatch()
        watch.note("position-tracker", "was started anew", terminals: 9, at: at(0))
        #expect(watch.look(at: at(119)) { _ in 3 }.resolve.isEmpty)
        let over = watch.look(at: at(121)) { _ in 3 }
        #expect(over.resolve.first?.message == "position-tracker runs; 3 terminals have not been heard since")
    }

    @Test func aUsersAlertMovesToHisNewNode() throws {
        var engine = AlertEngine(uuids: UUIDSource(SplitMix64(seed: 4)))
        func conflict(_ nodeID: String) -> Condition {
            Condition(
                key: "identity_conflict:user_1", type: "identity_conflict", severity: .critical, message: "two of one",
                fields: ["node_id": nodeID, "user_uuid": "user_1"], story: AlertStory(.node, nodeID))
        }
        var effects: [AlertEngine.Effect] = []
        engine.raise(conflict("NODE_1"), at: at(0), into: &effects)
        let identifier = try #require(raised(effects).first?.alertID)
        effects = []
        engine.raise(conflict("NODE_2"), at: at(5), into: &effects)
        guard case .updated(let alert, isWorse: false) = try #require(effects.first) else {
            Issue.record("the alert was not kept up: \(effects)")
            return
        }
        #expect(effects.count == 1 && alert.alertID == identifier && alert.fields["node_id"] == "NODE_2")
        #expect(alert.story.scopeName == "NODE_2")
        // Saying it again is no news.
        effects = []
        engine.raise(conflict("NODE_2"), at: at(6), into: &effects)
        #expect(effects.isEmpty)
    }

    @Test func lossesThatKeepRollingInAreToldWithinHalfAMinuteAsOne() throws {
        var finder = CauseFinder(type: "node_timeout", groupType: "nodes_lost")
        var engine = AlertEngine(uuids: UUIDSource(SplitMix64(seed: 6)))
        var population = FleetPopulation()
        func detail(_ number: Int, _ server: String) -> LivenessEngine.Detail {
            var detail = LivenessEngine.Detail()
            detail.server = server
            detail.address = "10.\(number % 200).\(number / 200).7"
            return detail
        }
        for number in 0..<400 { population.add(detail(number, "Other")) }
        var told: [(Alert, Int)] = []
        // One a second for two minutes: there never is a calm of two seconds.
        for second in 0..<130 {
            if second < 120 {
                let lost = detail(1_000 + second, "Rolling")
                finder.add(
                    NodeTrouble(
                        nodeID: "N\(second)", type: "node_timeout", severity: .warning, message: "lost",
                        reason: "its connection is lost", detail: lost), at: at(Double(second)))
            }
            var effects: [AlertEngine.Effect] = []
            let look = finder.look(at: at(Double(second))) { population }
            for condition in look.raise { engine.raise(condition, at: at(Double(second)), into: &effects) }
            told += raised(effects).map { ($0, second) }
        }
        #expect(told.count == 1)
        let (alert, moment) = try #require(told.first)
        #expect(alert.type == "nodes_lost" && alert.story.scopeName == "Rolling" && (28...31).contains(moment))
        #expect(engine.active.values.map(\.story.count) == [120])
    }

    @Test func aStepOfTheClockIsToldForAWhile() {
        var engine = LivenessEngine()
        var effects: [LivenessEngine.Effect] = []
        func look(_ wall: Double, _ steady: Double) {
            engine.look(
                sightings: [], quotes: [], listeningSince: nil, at: at(wall), steady: at(steady).milliseconds,
                into: &effects)
        }
        look(0, 0)
        look(1, 1)
        #expect(engine.clockStep(within: 120_000, steady: at(1).milliseconds) == nil)
        look(-3_598, 2)
        #expect(engine.clockStep(within: 120_000, steady: at(3).milliseconds)?.milliseconds == -3_600_000)
        #expect(engine.clockStep(within: 120_000, steady: at(3).milliseconds)?.age == 1_000)
        #expect(engine.clockStep(within: 120_000, steady: at(123).milliseconds) == nil)
    }
}
