import Domain
import Fleet
import Foundation
import Testing

/// A weekend of six brokers as heartbeat-monitor sees it: simulated time, the engines' own decisions.
///
/// `steady` is the time that passes, `wall` what our clock shows meanwhile.
private struct Weekend {
    struct Broker {
        let name: String
        /// Hours its clock is ahead of UTC before and after New York's change.
        let offsets: (before: Int64, after: Int64)
        let isAlwaysOpen: Bool
        var clock = BrokerClock()
        var lastQuote: Timestamp?
    }

    struct Terminal {
        let nodeID: String
        let broker: Int
        var lastSeen: Timestamp
        var heartbeats: Int64 = 0
        /// Milliseconds before the close it falls silent, and after the opening it speaks again.
        let lag: Int64
        var connection = ConnectionState.up
        var lostAt: Timestamp?
        var isActive = true
    }

    // New York's summer ends on Sunday, 1 November 2026, 06:00 UTC; so this weekend has 49 hours.
    static let close = Timestamp(rfc3339: "2026-10-30T21:00:00Z") ?? at(0)
    static let opening = Timestamp(rfc3339: "2026-11-01T22:00:00Z") ?? at(0)
    static let change = Timestamp(rfc3339: "2026-11-01T06:00:00Z") ?? at(0)

    var brokers: [Broker]
    var terminals: [Terminal] = []
    var engine = LivenessEngine()
    var finder = CauseFinder(type: "node_timeout", groupType: "nodes_lost")
    var alerts = AlertEngine(uuids: UUIDSource(SplitMix64(seed: 5)))
    var random: SplitMix64
    var clockStep: Int64 = 0
    var listeningSince: Timestamp
    let registryKeepsLatest: Bool

    var pulled: Set<String> = []
    var freedWrongly = 0
    var falseAlarms = 0
    var rightAlarms = 0
    var negative = 0
    var looks = 0
    var quietAtMost = 0

    init(terminals count: Int, seed: UInt64, registryKeepsLatest: Bool) {
        random = SplitMix64(seed: seed)
        self.registryKeepsLatest = registryKeepsLatest
        brokers = (0..<6).map {
            Broker(
                name: "Broker-\($0)", offsets: $0 < 3 ? (3, 2) : (2, 2), isAlwaysOpen: $0 == 5)
        }
        let start = Weekend.close.adding(milliseconds: -3_600_000)
        listeningSince = start.adding(milliseconds: -86_400_000)
        for index in 0..<count {
            terminals.append(
                Terminal(
                    nodeID: "NODE_\(index)", broker: index % 6, lastSeen: start,
                    lag: Int64.random(in: 0...150_000, using: &random)))
        }
        for broker in brokers {
            let learned = engine.restore(session: Weekend.learned(isAlwaysOpen: broker.isAlwaysOpen), of: broker.name)
            if !learned { negative += 1 }
        }
    }

    /// Three weeks of summer before it.
    static func learned(isAlwaysOpen: Bool) -> String {
        var session = BrokerSession()
        var time = close.adding(milliseconds: -22 * 86_400_000)
        while time < close {
            let isOpen = isAlwaysOpen || MarketCalendar.forex.isOpen(at: time)
            session.note(isHeard: isOpen, listened: 450_000, at: time)
            time = time.adding(milliseconds: 450_000)
        }
        return session.text
    }

    func wall(_ steady: Timestamp) -> Timestamp { steady.adding(milliseconds: clockStep) }

    // MARK: - A look

    mutating func look(_ steady: Timestamp) {
        looks += 1
        let now = wall(steady)
        live(steady, now)
        var effects: [LivenessEngine.Effect] = []
        engine.look(
            sightings: terminals.filter(\.isActive).map { ($0.nodeID, $0.lastSeen) },
            quotes: brokers.compactMap { broker in broker.lastQuote.map { (broker.name, $0) } },
            listeningSince: listeningSince, at: now, steady: steady.milliseconds, into: &effects)
        for effect in effects { carryOut(effect, steady, now) }
        judge(steady, now)
        guard looks % 20 == 0 else { return }
        quietAtMost = max(quietAtMost, engine.counts()[.quiet] ?? 0)
        for (_, fields) in engine.takeStatistics(limit: 200, at: now, steady: steady.milliseconds) {
            negative += fields.count { (Double($0.value) ?? 0) < 0 }
        }
    }

    /// What terminals and the services that hear them do.
    private mutating func live(_ steady: Timestamp, _ now: Timestamp) {
        for index in brokers.indices where isOpen(index, steady, lag: 0) {
            let hours = steady < Weekend.change ? brokers[index].offsets.before : brokers[index].offsets.after
            let shown = steady.adding(milliseconds: hours * 3_600_000).seconds
            if brokers[index].clock.isCurrent(brokerSeconds: shown, now: now) {
                // As Redis keeps it: the newest, which after a step of our clock is not the greatest.
                brokers[index].lastQuote = now
            }
        }
        for index in terminals.indices where terminals[index].isActive && terminals[index].connection == .up {
            guard isOpen(terminals[index].broker, steady, lag: terminals[index].lag) else { continue }
            terminals[index].heartbeats = steady.seconds / 30
            let spoke = now.adding(milliseconds: -Int64(truncatingIfNeeded: random.next() % 2_000))
            terminals[index].lastSeen = registryKeepsLatest ? max(terminals[index].lastSeen, spoke) : spoke
        }
    }

    private func isOpen(_ broker: Int, _ steady: Timestamp, lag: Int64) -> Bool {
        brokers[broker].isAlwaysOpen || steady < Weekend.close.adding(milliseconds: -lag)
            || steady >= Weekend.opening.adding(milliseconds: lag)
    }

    private mutating func carryOut(_ effect: LivenessEngine.Effect, _ steady: Timestamp, _ now: Timestamp) {
        switch effect {
        case .ask(let nodeID):
            let terminal = terminals[Int(nodeID.dropFirst(5)) ?? 0]
            var detail = LivenessEngine.Detail()
            detail.server = brokers[terminal.broker].name
            detail.connection = terminal.connection
            detail.lostAt = terminal.lostAt
            detail.heartbeats = terminal.heartbeats
            engine.learn(nodeID, detail, earlier: nil, at: now, steady: steady.milliseconds)
        case .dead(let death):
            if death.silence < 0 { negative += 1 }
            if !pulled.contains(death.nodeID) { freedWrongly += 1 }
            terminals[Int(death.nodeID.dropFirst(5)) ?? 0].isActive = false
            finder.add(
                NodeTrouble(
                    nodeID: death.nodeID, type: "node_timeout", severity: .warning, message: death.cause.rawValue,
                    reason: death.cause.rawValue, detail: death.detail), at: steady)
        case .appeared, .liveness: break
        }
    }

    private mutating func judge(_ steady: Timestamp, _ now: Timestamp) {
        var effects: [AlertEngine.Effect] = []
        let look = finder.look(at: steady) {
            var population = FleetPopulation()
            engine.forEachDetail { _, detail, liveness in if liveness != .dead { population.add(detail) } }
            return population
        }
        for condition in look.raise { alerts.raise(condition, at: steady, wall: now, into: &effects) }
        let silence = engine.silentBrokers(for: 900_000, at: now, steady: steady.milliseconds)
        for broker in silence.silent {
            if broker.silence < 0 { negative += 1 }
            let condition = Condition(
                key: "broker_silent:\(broker.server)", type: "broker_silent", severity: .warning, message: "")
            alerts.raise(condition, at: steady, wall: now, into: &effects)
        }
        for effect in effects {
            guard case .raised(let alert) = effect else { continue }
            if let nodeID = alert.fields["node_id"], pulled.contains(nodeID) {
                rightAlarms += 1
            } else {
                falseAlarms += 1
            }
        }
    }

    // MARK: - What happens

    mutating func pull(_ index: Int, _ steady: Timestamp) {
        terminals[index].connection = .lost
        terminals[index].lostAt = wall(steady)
        pulled.insert(terminals[index].nodeID)
    }

    mutating func drop(_ index: Int, _ steady: Timestamp) {
        terminals[index].connection = .lost
        terminals[index].lostAt = wall(steady)
    }

    /// A machine that was started anew says its handshake and is silent again.
    mutating func comeBack(_ index: Int, _ steady: Timestamp) {
        terminals[index].connection = .up
        terminals[index].lostAt = nil
        terminals[index].lastSeen = max(terminals[index].lastSeen, wall(steady))
    }
}

@Suite struct WeekendProofTests {
    /// Proof of the fleet's line 7, in a small dose; `MESH_PROOF_TERMINALS=3000` for the whole.
    @Test(arguments: [(20_261_031, true), (20_261_032, false)] as [(UInt64, Bool)])
    func aWeekendWithClockChangesMakesNoAlarm(seed: UInt64, registryKeepsLatest: Bool) {
        let wanted = ProcessInfo.processInfo.environment["MESH_PROOF_TERMINALS"].flatMap { Int($0) } ?? 300
        let count = max(60, wanted)
        var weekend = Weekend(terminals: count, seed: seed, registryKeepsLatest: registryKeepsLatest)
        let minutes = { (from: Timestamp, number: Double) in from.adding(milliseconds: Int64(number * 60_000)) }
        // Where seconds matter the looks are close; between, a minute and a half passes with each.
        let steps: [(at: Timestamp, by: Int64)] = [
            (minutes(Weekend.close, 700), 3_600_000), (minutes(Weekend.change, 300), -3_600_000),
            (minutes(Weekend.opening, 25), 3_600_000), (minutes(Weekend.opening, 40), -3_600_000),
        ]
        let pulls = (0..<6).map { (at: minutes(Weekend.change, Double(30 + $0 * 20)), terminal: $0 + 6) }
        let reboots = (0..<6).map { (at: minutes(Weekend.close, Double(200 + $0 * 7)), terminal: $0 + 24) }
        let moments = [Weekend.close, Weekend.opening] + steps.map(\.at) + pulls.map(\.at) + reboots.map(\.at)
        var time = minutes(Weekend.close, -15)
        let end = minutes(Weekend.opening, 60)
        var isRestarted = false
        while time < end {
            let isClose = moments.contains { -160_000...300_000 ~= time - $0 }
            let next = time.adding(milliseconds: isClose ? 5_000 : 90_000)
            for step in steps where time < step.at && step.at <= next { weekend.clockStep += step.by }
            for pull in pulls where time < pull.at && pull.at <= next { weekend.pull(pull.terminal, next) }
            for reboot in reboots where time < reboot.at && reboot.at <= next { weekend.drop(reboot.terminal, next) }
            for reboot in reboots where time < reboot.at.adding(milliseconds: 40_000) {
                if reboot.at.adding(milliseconds: 40_000) <= next { weekend.comeBack(reboot.terminal, next) }
            }
            // Our own processor is started anew in the middle of Saturday.
            if !isRestarted, next > minutes(Weekend.close, 900) {
                isRestarted = true
                weekend.listeningSince = weekend.wall(next)
            }
            time = next
            weekend.look(time)
        }
        print(
            "line 7: seed \(seed) terminals \(count) brokers 6 hours 49 looks \(weekend.looks)"
                + " clock_steps \(weekend.engine.clockSteps) quiet_at_most \(weekend.quietAtMost)"
                + " slots_freed_wrongly \(weekend.freedWrongly) false_alarms \(weekend.falseAlarms)"
                + " negative_durations \(weekend.negative) plugs_pulled \(pulls.count) alarms \(weekend.rightAlarms)")
        #expect(weekend.engine.clockSteps == steps.count)
        #expect(weekend.freedWrongly == 0)
        #expect(weekend.falseAlarms == 0)
        #expect(weekend.negative == 0)
        #expect(weekend.rightAlarms == pulls.count)
        // The weekend did happen: five of the six brokers were quiet, and all but the pulled ones are live again.
        #expect(weekend.quietAtMost >= count / 6 * 5 - pulls.count)
        #expect(weekend.engine.counts()[.live] == count - pulls.count)
    }
}
