import Domain
import Testing

@testable import Trading

@Suite("The ledger in random histories") struct LedgerPropertyTests {
    private static var policy: RiskPolicy {
        var policy = RiskPolicy(
            tiers: [Tier(name: "CAPTAIN", slots: 3, multiplier: Amount(1))], defaultTier: "CAPTAIN",
            basePercent: Amount(1), capPercent: Amount(2), citadel: [(.zero, Amount(1))])
        policy.openRiskPercent = Amount("1.7") ?? .zero
        policy.dailyLossPercent = Amount("4") ?? .zero
        policy.automaticBrake = AutomaticBrake(windowMilliseconds: 60_000, minimum: 10, share: Amount("0.9") ?? .zero)
        return policy
    }

    @Test("slots, counters, single hand-over and money caps hold at every step, over crashes and outages")
    func property() {
        let seed: UInt64 = 20_261_121
        let histories = 2000
        var totals = (steps: 0, sent: 0, crashes: 0, refused: 0, capped: 0, contradicted: 0, parts: 0)
        var generator = SeededGenerator(state: seed)
        for history in 0..<histories {
            var world = LedgerWorld(policy: LedgerPropertyTests.policy)
            let steps = Int.random(in: 10...60, using: &generator)
            for step in 0..<steps {
                take(step, &world, &generator)
                world.check()
                // A few answers at a time: the next request comes into the middle of it.
                if !world.run(&generator, answers: Int.random(in: 0...12, using: &generator), deadly: true) {
                    totals.crashes += 1
                    world.crash()
                    _ = world.run(&generator, deadly: false)
                }
                totals.steps += 1
                guard world.violations.isEmpty else { break }
            }
            let isWhole = world.resolveEverything(&generator)
            #expect(isWhole)
            #expect(world.violations.isEmpty, "history \(history) of seed \(seed): \(world.violations.prefix(3))")
            let unanswered = world.asked.filter { world.answers[$0] != 1 }
            #expect(unanswered.isEmpty, "history \(history): requests without one answer")
            let open = world.rows.values.filter { !$0.isOver }
            let left = open.map { "\($0.fireID) \($0.state) \($0.timeline.map { "\($0.state) by \($0.by)" })" }
            #expect(left.isEmpty, "history \(history)")
            let taken = world.slots.values.reduce(0) { $0 + $1.count }
            #expect(taken == 0, "history \(history): leaked slots \(world.slots)")
            let realised = world.days.values.reduce(Amount.zero) { $0 + ($1.realised["USD"] ?? .zero) }
            let lost = world.lost.values.reduce(Amount.zero, +)
            #expect(-realised == lost, "history \(history): the days' sums are the broker's")
            #expect(world.positions.values.allSatisfy { $0.state == .closed }, "history \(history)")
            for (fireID, trade) in world.trades {
                let position = world.positions.values.first { $0.key.ticket == trade.ticket }
                let total = ((trade.partProfit ?? .zero) - trade.lossAtStop).text(minimumDecimals: 2)
                let said = position?.profit.flatMap { Amount($0) }?.text(minimumDecimals: 2)
                #expect(said == total, "history \(history): \(fireID) in \(position?.closings.list ?? [])")
                guard let row = world.rows[fireID] else { continue }
                let story = "history \(history): \(fireID), \(row.timeline.map { "\($0.state) by \($0.by)" })"
                #expect(row.isContradicted == (row.state != .filled), "\(story)")
                #expect(row.ticket == trade.ticket && row.times[.answered] != nil, "\(story)")
            }
            totals.contradicted += world.counters["contradicted"] ?? 0
            totals.parts += world.trades.values.filter { $0.partProfit != nil }.count
            totals.sent += world.frames.count
            totals.refused += world.refusedMoves
            totals.capped += world.rows.values.filter { $0.reason == "risk_exceeded" }.count
            guard world.violations.isEmpty else { break }
        }
        print(
            "LedgerPropertyTests seed \(seed): \(histories) histories, \(totals.steps) steps, \(totals.sent) fires sent, "
                + "\(totals.crashes) crashes, \(totals.refused) moves refused by Redis, \(totals.capped) capped, "
                + "\(totals.contradicted) contradicted, \(totals.parts) closed in parts")
        #expect(totals.sent > 1000 && totals.crashes > 100 && totals.capped > 100, "the dice must reach what is tested")
        #expect(totals.contradicted > 100 && totals.parts > 100, "the dice must reach what is tested")
    }

    private func take(_ step: Int, _ world: inout LedgerWorld, _ generator: inout SeededGenerator) {
        world.fixture.pass(milliseconds: Int64.random(in: 1...4000, using: &generator))
        for user in world.users { world.fixture.tick("EURUSD", "1.08500", "1.08510", node: world.node(user)) }
        let fireID = "f\(Int.random(in: 0..<25, using: &generator))"
        let user = world.users[Int.random(in: 0..<world.users.count, using: &generator)]
        let now = world.fixture.now
        switch Int.random(in: 0..<24, using: &generator) {
        case 0...7:
            let lot = ["0.05", "0.10", "0.19", nil][Int.random(in: 0..<4, using: &generator)]
            let request = TrackerFixture.request(fireID, user: user, lot: lot)
            world.request(request, token: step)
        case 8...12:
            // An answer of something that was handed over, once or twice, soon or late.
            guard let sent = world.frames.keys.sorted().randomElement(using: &generator) else { return }
            if world.trades[sent] != nil { world.deliver(.opened, sent) }
            if world.refusedByBroker.contains(sent) { world.deliver(.failed, sent) }
        case 13, 14:
            let open = world.trades.filter { $0.value.isOpen }.keys.sorted()
            guard let name = open.randomElement(using: &generator), let trade = world.trades[name] else { return }
            world.trades[name]?.isOpen = false
            world.lost[trade.userUUID, default: .zero] += trade.lossAtStop
            // Its close may never be told, by a witness only, and before its opening.
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: break
            case 1: world.deliver(.closed, name, source: "inferred")
            default: world.deliver(.closed, name)
            }
        case 15:
            _ = world.fixture.engine.closeAll(of: user, now: now, into: &world.fixture.outputs)
        case 16:
            _ = world.fixture.engine.withdraw(
                fireID: fireID, by: "withdraw", reason: "test", now: now, into: &world.fixture.outputs)
        case 17:
            let state: BrakeState = Bool.random(using: &generator) ? .reducing : .active
            _ = world.fixture.engine.set(
                brake: .all, to: state, reason: "test", now: now, into: &world.fixture.outputs)
        case 18:
            if world.isRedisUp {
                world.redisLeaves(&generator)
            } else {
                world.redisReturns()
            }
        case 19:
            // Two at once, of which the second waits, then everything is taken back.
            world.request(TrackerFixture.request("\(fireID)-a", user: user, lot: "0.02"), token: 1000 + step)
            world.request(TrackerFixture.request("\(fireID)-b", user: user, lot: "0.02"), token: 2000 + step)
            _ = world.run(&generator, answers: Int.random(in: 0...4, using: &generator), deadly: false)
            _ = world.fixture.engine.closeAll(of: user, now: now, into: &world.fixture.outputs)
        case 20: world.fixture.pass(milliseconds: 31_000)
        case 21:
            guard let sent = world.frames.keys.sorted().randomElement(using: &generator) else { return }
            if world.trades[sent] != nil { world.deliver(.opened, sent, source: "inferred") }
        case 22:
            // Somebody says it never traded; he may be wrong.
            let unknown = world.fixture.engine.fires.values.filter { $0.state == .unknown }.map(\.fireID).sorted()
            guard let fireID = unknown.randomElement(using: &generator) else { return }
            world.settle(fireID, as: Bool.random(using: &generator) ? .neverExecuted : .rejected)
        case 23:
            let open = world.trades.filter { $0.value.isOpen }.keys.sorted()
            guard let name = open.randomElement(using: &generator) else { return }
            // It may be told late, by a witness only, and before its opening.
            guard world.closePart(name, &generator), Bool.random(using: &generator) else { return }
            world.deliver(.closed, name, source: Bool.random(using: &generator) ? "message" : "inferred", isPart: true)
        default: break
        }
        world.fixture.engine.advance(to: world.fixture.now, into: &world.fixture.outputs)
    }
}
