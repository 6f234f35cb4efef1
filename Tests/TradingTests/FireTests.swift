import Domain
import Testing

@testable import Trading

@Suite("Fires") struct FireTests {
    @Test("a fire that passes every check leaves once, with the identity learned from the terminal's frames")
    func sends() throws {
        var fixture = TrackerFixture()
        fixture.connect("user_1", identity: Array("user_".utf8))
        fixture.moveMarket()
        let answers = fixture.fire(TrackerFixture.request())
        #expect(answers.map(\.state) == [.sent])
        #expect(fixture.sentFires.count == 1)
        let identities = fixture.outputs.compactMap { output -> [UInt8]? in
            if case .send(let identity, _, _) = output { identity } else { nil }
        }
        #expect(identities == [Array("user_".utf8)])
        #expect(fixture.engine.fires["f1"]?.state == .sent)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let reason: DenialReason
        let prepare: @Sendable (inout TrackerFixture) -> FireRequest
    }

    static let denials: [Case] = [
        Case(testDescription: "no stop", reason: .noStop) { _ in TrackerFixture.request(stop: nil) },
        Case(testDescription: "a stop of zero is no stop", reason: .noStop) { _ in TrackerFixture.request(stop: "0") },
        Case(testDescription: "stop above a buy", reason: .stopWrongSide) { _ in TrackerFixture.request(stop: "1.09000")
        },
        Case(testDescription: "stop inside the spread", reason: .stopWrongSide) { _ in
            TrackerFixture.request(stop: "1.08505")
        },
        Case(testDescription: "target below a buy", reason: .stopWrongSide) { _ in
            TrackerFixture.request(target: "1.07000")
        },
        Case(testDescription: "symbol nobody knows", reason: .unknownSymbol) { _ in
            TrackerFixture.request(symbol: "ABCXYZ")
        },
        Case(testDescription: "symbol this broker does not have", reason: .unknownSymbol) { _ in
            TrackerFixture.request(symbol: "XAGUSD")
        },
        Case(testDescription: "unknown user", reason: .userUnknown) { _ in TrackerFixture.request(user: "nobody") },
        Case(testDescription: "deadline in the past", reason: .expired) { fixture in
            var request = TrackerFixture.request()
            request.expiresAt = fixture.now
            return request
        },
        Case(testDescription: "chart stands still for six seconds", reason: .marketQuiet) { fixture in
            fixture.pass(milliseconds: 6000)
            fixture.tick("USDJPY", "150.000", "150.010")
            return TrackerFixture.request()
        },
        Case(testDescription: "the same quote again is no movement", reason: .marketQuiet) { fixture in
            let then = fixture.now.seconds
            fixture.pass(milliseconds: 5500)
            fixture.tick("EURUSD", "1.08500", "1.08510", behind: fixture.now.seconds - then)
            return TrackerFixture.request()
        },
        Case(testDescription: "node ended", reason: .nodeOffline) { fixture in
            var report = TerminalReport(kind: .handshake)
            report.userUUID = "user_1"
            report.nodeID = "NODE_1_1"
            fixture.engine.nodeChanged(report, isActive: false)
            return TrackerFixture.request()
        },
        Case(testDescription: "brake", reason: .halted) { fixture in
            _ = fixture.engine.set(brake: .all, to: .halted, reason: "test", now: fixture.now, into: &fixture.outputs)
            return TrackerFixture.request()
        },
        Case(testDescription: "closes only, for this symbol", reason: .reducingOnly) { fixture in
            _ = fixture.engine.set(
                brake: .symbol("EURUSD"), to: .reducing, reason: "test", now: fixture.now, into: &fixture.outputs)
            return TrackerFixture.request()
        },
        Case(testDescription: "suspended", reason: .userSuspended) { fixture in
            fixture.engine.restore(
                user: User(uuid: "user_1", tier: "COMMANDER", state: .suspended, createdAt: fixture.now))
            return TrackerFixture.request()
        },
        Case(testDescription: "Redis away", reason: .stateUnavailable) { fixture in
            fixture.engine.stateIsAvailable = false
            return TrackerFixture.request()
        },
        Case(testDescription: "lot above the cap", reason: .riskExceeded) { _ in TrackerFixture.request(lot: "5.00") },
        Case(testDescription: "two users on one identity", reason: .identityConflict) { fixture in
            fixture.connect("user_2", node: "NODE_2_2", identity: Array("user_".utf8))
            return TrackerFixture.request()
        },
    ]

    @Test("what is not let through is denied with its word, and nothing leaves", arguments: denials)
    func denies(_ denial: Case) {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        let request = denial.prepare(&fixture)
        let answers = fixture.fire(request)
        #expect(answers.map(\.denial?.reason) == [denial.reason])
        #expect(fixture.sentFires.isEmpty)
        #expect(fixture.engine.fires.isEmpty)
    }

    @Test("a backlog of old quotes never makes the market current")
    func oldQuotes() {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        fixture.pass(milliseconds: 600_000)
        for second in 0..<300 { fixture.tick("EURUSD", "1.08500", "1.08510", behind: Int64(600 - second)) }
        #expect(fixture.fire(TrackerFixture.request()).first?.denial?.reason == .marketQuiet)
    }

    @Test("what the slot script or libzmq refuse is a denial, and the id may be tried again")
    func refusals() {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        let full = fixture.fire(TrackerFixture.request(), reservation: .noSlot(slotsUsed: 1))
        #expect(full.first?.denial?.reason == .noSlot)
        #expect(full.first?.slotsUsed == 1)
        let twice = fixture.fire(TrackerFixture.request(), reservation: .duplicate(state: "filled"))
        #expect(twice.first?.denial?.reason == .duplicateFire)
        let gone = fixture.fire(TrackerFixture.request(), handOver: .unreachable)
        #expect(gone.first?.denial?.reason == .nodeOffline)
        #expect(fixture.engine.fires.isEmpty)
        #expect(fixture.fire(TrackerFixture.request()).first?.state == .sent)
    }

    @Test("canonical symbols reach the terminal under its broker's name")
    func brokerNames() {
        var fixture = TrackerFixture()
        fixture.connect(chart: "EURUSD.r", symbols: ["EURUSD.r", "GOLD#"])
        for _ in 0..<2 {
            fixture.pass(milliseconds: 1000)
            fixture.tick("EURUSD.r", "1.08500", "1.08510")
            fixture.tick("GOLD#", "2400.00", "2400.30")
        }
        _ = fixture.fire(TrackerFixture.request())
        #expect(fixture.sentFires.first?.symbol == "EURUSD.r")
        #expect(fixture.engine.catalogue.canonical("GOLD#") == "XAUUSD")
    }

    @Test("one fire is outstanding per terminal; the next leaves when the first is answered")
    func queues() throws {
        var fixture = TrackerFixture()
        fixture.engine.restore(user: User(uuid: "user_1", tier: "COMMANDER", createdAt: fixture.now))
        fixture.connect()
        fixture.moveMarket()
        #expect(fixture.fire(TrackerFixture.request("a")).first?.state == .sent)
        #expect(fixture.fire(TrackerFixture.request("b"), reservation: .reserved(slotsUsed: 2)).first?.state == .queued)
        #expect(fixture.sentFires.isEmpty)
        fixture.outputs = []
        let answer = try #require(fixture.event(.opened, entry: "1-1", fireID: "a", ticket: 5, extra: opened))
        fixture.engine.apply(answer, entryID: "1-1", now: fixture.now, into: &fixture.outputs)
        fixture.engine.moveAnswered(fireID: "b", isDone: true, now: fixture.now, into: &fixture.outputs)
        #expect(fixture.sentFires.map(\.fireID) == ["b"])
    }

    @Test("close_all withdraws what waits, and it never leaves")
    func closeAllWithdraws() {
        var fixture = TrackerFixture()
        fixture.engine.restore(user: User(uuid: "user_1", tier: "COMMANDER", createdAt: fixture.now))
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request("a"))
        _ = fixture.fire(TrackerFixture.request("b"))
        let result = fixture.engine.closeAll(of: "user_1", now: fixture.now, into: &fixture.outputs)
        #expect(result.withdrawn == ["b"])
        #expect(fixture.engine.fires.keys.sorted() == ["a"])
    }

    @Test("no answer in time is unknown, never a rejection; a late answer is booked as what happened")
    func lateAnswer() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        fixture.pass(milliseconds: 30_001)
        fixture.outputs = []
        fixture.engine.advance(to: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.fires["f1"]?.state == .unknown)
        let answer = try #require(fixture.event(.opened, entry: "1-1", fireID: "f1", ticket: 5, extra: opened))
        fixture.engine.apply(answer, entryID: "1-1", now: fixture.now, into: &fixture.outputs)
        let effects = fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }
        #expect(effects.map(\.fire?.state) == [.filled])
        #expect(effects.map(\.fire?.isLate) == [true])
        #expect(effects.map(\.fire?.reason) == [nil])
        #expect(fixture.engine.positions.count == 1)
    }

    @Test("after a restart what was being sent is unknown and never sent again; what only waited is withdrawn")
    func restart() throws {
        var before = TrackerFixture()
        before.connect()
        before.moveMarket()
        _ = before.fire(TrackerFixture.request())
        var fire = try #require(before.engine.fires["f1"])
        for (state, expected) in [(FireState.sending, FireState.unknown), (.reserved, .expired)] {
            var after = TrackerFixture()
            fire.state = state
            after.engine.restore(fire: fire, now: after.now, into: &after.outputs)
            let moved = after.outputs.compactMap { if case .move(let fire, _) = $0 { fire.state } else { nil } }
            #expect(moved == [expected])
            #expect(after.sentFires.isEmpty)
        }
    }

    @Test("the transition table is the only way: every step it lacks is refused")
    func table() {
        for from in FireState.allCases {
            for next in FireState.allCases where !from.canBecome(next) {
                #expect(!FireState.origins(of: next).contains(from))
            }
        }
        #expect(FireState.filled.isFinal && FireState.denied.isFinal && !FireState.unknown.isFinal)
        #expect(!FireState.unknown.canBecome(.expired), "a command that may have left can't be called expired")
    }

    @Test("an entry far from the market changes nothing about the risk: terminals trade at market")
    func entryIsNoDiscount() {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        var request = TrackerFixture.request(stop: "1.08000", lot: nil)
        request.size = .percent(Amount(1))
        request.entry = Amount("1.08010")
        let answer = fixture.fire(request).first
        // 51 pips from 1.08510 at one percent of 10,000.
        #expect(answer?.lot == Amount("0.19"))
        #expect(answer?.risk?.entryPrice == Amount("1.08510"))
    }

    @Test("another terminal that claims the same server changes neither my prices nor my clock")
    func foreignQuotes() {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.connect("stranger_1", node: "NODE_9_9", identity: Array("stranger".utf8))
        fixture.moveMarket()
        fixture.tick("EURUSD", "1.50000", "1.50010", node: "NODE_9_9", behind: -3600)
        fixture.tick("EURUSD", "1.50000", "1.50010", node: "NODE_9_9")
        let answer = fixture.fire(TrackerFixture.request()).first
        #expect(answer?.state == .sent)
        #expect(answer?.risk?.entryPrice == Amount("1.08510"))
    }

    @Test("an operator may settle what is unknown, and nothing else")
    func settle() {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        var outputs: [TrackerOutput] = []
        let early = fixture.engine.settle(
            fireID: "f1", as: .neverExecuted, reason: "looked", now: fixture.now, into: &outputs)
        #expect(!early && outputs.isEmpty)
        fixture.pass(milliseconds: 30_001)
        fixture.engine.advance(to: fixture.now, into: &fixture.outputs)
        let settled = fixture.engine.settle(
            fireID: "f1", as: .neverExecuted, reason: "looked", now: fixture.now, into: &outputs)
        #expect(settled)
        let released = outputs.contains { if case .move(_, let releases) = $0 { releases } else { false } }
        #expect(released && fixture.engine.fires.isEmpty)
    }

    @Test("a brake that came while the slot was being taken stops the fire")
    func lastLook() {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        fixture.engine.fire(TrackerFixture.request(), token: 1, now: fixture.now, into: &fixture.outputs)
        fixture.engine.scoreAnswered(token: 1, score: nil, now: fixture.now, into: &fixture.outputs)
        _ = fixture.engine.set(brake: .all, to: .halted, reason: "now", now: fixture.now, into: &fixture.outputs)
        fixture.engine.reservationAnswered(
            fireID: "f1", .reserved(slotsUsed: 1), now: fixture.now, into: &fixture.outputs)
        #expect(fixture.sentFires.isEmpty)
        #expect(fixture.engine.fires.isEmpty)
    }

    private var opened: [String: String] {
        ["symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "open_price": "1.08510"]
    }
}
