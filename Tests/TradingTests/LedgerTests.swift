import Domain
import Testing

@testable import Trading

@Suite("The fire ledger") struct LedgerTests {
    private let opened = ["symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "open_price": "1.08510"]

    private func ready(tier: String = "COMMANDER") -> TrackerFixture {
        var fixture = TrackerFixture()
        fixture.engine.restore(user: User(uuid: "user_1", tier: tier, createdAt: fixture.now))
        fixture.connect()
        fixture.moveMarket()
        return fixture
    }

    private func effect(_ fixture: TrackerFixture) -> EventEffect? {
        fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }.last
    }

    @Test("the transition table is the contract's, word for word")
    func table() {
        let contract: [FireState: Set<FireState>] = [
            .reserved: [.sending, .expired], .sending: [.sent, .unknown, .denied], .sent: [.acknowledged, .unknown],
            .acknowledged: [.filled, .rejected], .unknown: [.filled, .rejected, .neverExecuted],
        ]
        #expect(FireState.transitions == contract)
    }

    @Test("every step of the table keeps sent = accounted + unaccounted")
    func counts() {
        for from in FireState.allCases {
            for next in FireState.transitions[from] ?? [] {
                let changes = Dictionary(
                    uniqueKeysWithValues: LedgerCounts.changes(from: from, to: next).map { ($0.field, $0.by) })
                let accounted = LedgerCounts.accounted.reduce(0) { $0 + (changes[$1] ?? 0) }
                let unaccounted = (next.isUnaccounted ? 1 : 0) - (from.isUnaccounted ? 1 : 0)
                #expect(changes["sent", default: 0] == accounted + unaccounted, "\(from) to \(next)")
            }
        }
    }

    @Test("a filled fire tells its story in order, each step with its time and what moved it")
    func timeline() throws {
        var fixture = ready()
        var request = TrackerFixture.request()
        request.signalID = "S1"
        request.signalAt = fixture.now.adding(milliseconds: -700)
        fixture.outputs = []
        let requestedAt = fixture.now
        fixture.engine.fire(request, token: 1, now: requestedAt, into: &fixture.outputs)
        fixture.pass(milliseconds: 3)
        fixture.engine.scoreAnswered(
            token: 1, score: Amount(7), factors: #"{"trend":{"score":7}}"#, now: fixture.now, into: &fixture.outputs)
        fixture.engine.reservationAnswered(
            fireID: "f1", .reserved(slotsUsed: 1), now: fixture.now, into: &fixture.outputs)
        fixture.pass(milliseconds: 2)
        fixture.engine.commandHandedOver(fireID: "f1", .sent, now: fixture.now, into: &fixture.outputs)
        let sentAt = fixture.now
        fixture.pass(milliseconds: 150)
        let received = fixture.now
        var extra = opened
        extra["durable_at"] = String(received.adding(milliseconds: 4).milliseconds)
        let event = try #require(fixture.event(.opened, entry: "1", fireID: "f1", ticket: 5, extra: extra))
        fixture.pass(milliseconds: 9)
        fixture.engine.apply(event, entryID: "1-0", now: fixture.now, into: &fixture.outputs)
        let fire = try #require(effect(fixture)?.fire)
        #expect(
            fire.timeline.map(\.state)
                == ["signal", "score", "slot", "sending", "sent", "answer", "durable", "applied"])
        #expect(
            fire.timeline.map(\.by) == [
                "signal S1", "citadel-monitor", "slot script", "slot script", "libzmq", "terminal", "journal 1",
                "terminal: filled",
            ])
        #expect(fire.times[.signal] == request.signalAt && fire.times[.sent] == sentAt)
        #expect(fire.times[.answered] == received && fire.times[.durable] == received.adding(milliseconds: 4))
        #expect(fire.times[.applied] == fixture.now && fire.times[.resolved] == fixture.now)
        #expect(fire.createdAt == requestedAt && !fire.isLate && fire.previousState == .sent)
        #expect(fire.factors == #"{"trend":{"score":7}}"#)
        #expect(fire.quoteBid == Amount("1.08500") && fire.quoteAsk == Amount("1.08510"))
    }

    @Test("what a restart made unknown and is answered in time is not late; after the deadline it is")
    func late() throws {
        for (delay, isLate) in [(1000, false), (40_000, true)] as [(Int64, Bool)] {
            var before = ready()
            _ = before.fire(TrackerFixture.request())
            var row = try #require(before.engine.fires["f1"])
            row.state = .sending
            var after = ready()
            after.now = before.now
            after.engine.restore(fire: row, now: after.now, into: &after.outputs)
            #expect(after.engine.fires["f1"]?.state == .unknown)
            after.pass(milliseconds: delay)
            let event = try #require(after.event(.opened, entry: "1", fireID: "f1", ticket: 5, extra: opened))
            after.engine.apply(event, entryID: "1-0", now: after.now, into: &after.outputs)
            #expect(effect(after)?.fire?.state == .filled)
            #expect(effect(after)?.fire?.isLate == isLate)
        }
    }

    @Test("unaccounted, unknown, overdue, age and money of what is open")
    func summary() {
        var fixture = ready()
        _ = fixture.fire(TrackerFixture.request("a"))
        fixture.pass(milliseconds: 2500)
        var summary = LedgerSummary(fixture.engine.fires.values, now: fixture.now)
        #expect(summary.unaccounted == 1 && summary.unknown == 0 && summary.overdue == 0)
        #expect(summary.oldestAgeSeconds == 2)
        // 51 pips at 0.10 lots.
        #expect(summary.moneyAtRisk.mapValues(\.money) == ["USD": "51.00"])
        fixture.pass(milliseconds: 28_000)
        fixture.engine.advance(to: fixture.now, into: &fixture.outputs)
        summary = LedgerSummary(fixture.engine.fires.values, now: fixture.now)
        #expect(summary.unaccounted == 1 && summary.unknown == 1 && summary.overdue == 1)
        #expect(LedgerSummary([Fire](), now: fixture.now).oldestAgeSeconds == nil)
    }

    @Test("withdrawing takes back what waits and what has not left; what has left is refused")
    func withdraw() {
        var fixture = ready()
        _ = fixture.fire(TrackerFixture.request("a"))
        #expect(fixture.fire(TrackerFixture.request("b")).first?.state == .queued)
        fixture.outputs = []
        func withdraw(_ fireID: String, _ fixture: inout TrackerFixture) -> Bool {
            fixture.engine.withdraw(
                fireID: fireID, by: "withdraw", reason: "changed my mind", now: fixture.now, into: &fixture.outputs)
        }
        #expect(withdraw("b", &fixture))
        #expect(!withdraw("b", &fixture) && !withdraw("a", &fixture) && !withdraw("nobody", &fixture))
        let moved = fixture.outputs.compactMap {
            if case .move(let fire, let releases) = $0 { (fire, releases) } else { nil }
        }
        #expect(moved.count == 1 && moved.first?.0.state == .expired && moved.first?.1 == true)
        #expect(moved.first?.0.reason == "changed my mind")
    }

    @Test("close_all stops a fire whose slot is being taken and one whose score is awaited")
    func closeAllInBetween() {
        for afterScore in [true, false] {
            var fixture = ready()
            fixture.outputs = []
            fixture.engine.fire(TrackerFixture.request(), token: 1, now: fixture.now, into: &fixture.outputs)
            if afterScore {
                fixture.engine.scoreAnswered(token: 1, score: nil, now: fixture.now, into: &fixture.outputs)
            }
            let result = fixture.engine.closeAll(of: "user_1", now: fixture.now, into: &fixture.outputs)
            #expect(result.withdrawn == ["f1"])
            if afterScore {
                fixture.engine.reservationAnswered(
                    fireID: "f1", .reserved(slotsUsed: 1), now: fixture.now, into: &fixture.outputs)
            } else {
                fixture.engine.scoreAnswered(token: 1, score: nil, now: fixture.now, into: &fixture.outputs)
            }
            #expect(fixture.sentFires.isEmpty && fixture.engine.fires.isEmpty)
            let answers = fixture.outputs.compactMap { if case .answer(_, let list) = $0 { list } else { nil } }
            #expect(answers.count == 1 && answers.first?.first?.denial?.reason == .expired)
        }
    }

    @Test("close_all of a symbol withdraws what waits in it, of users without a position too, and nothing else")
    func closeAllOfSymbol() throws {
        var fixture = ready()
        fixture.connect("user_2", node: "NODE_2_2", identity: Array("other_".utf8))
        fixture.engine.restore(user: User(uuid: "user_2", tier: "COMMANDER", createdAt: fixture.now))
        fixture.moveMarket(node: "NODE_2_2")
        fixture.moveMarket()
        for user in ["user_1", "user_2"] {
            #expect(fixture.fire(TrackerFixture.request("sent-\(user)", user: user)).first?.state == .sent)
            #expect(fixture.fire(TrackerFixture.request("waits-\(user)", user: user)).first?.state == .queued)
        }
        let gold = TrackerFixture.request(
            "gold", symbol: "XAUUSD", stop: "2390.00", target: "2420.00", lot: "0.01")
        #expect(fixture.fire(gold).first?.state == .queued)
        let answer = try #require(fixture.event(.opened, entry: "1", fireID: "sent-user_1", ticket: 5, extra: opened))
        fixture.engine.apply(answer, entryID: "1-0", now: fixture.now, into: &fixture.outputs)
        // The first one's answer let the next go: another one waits in its place.
        fixture.engine.moveAnswered(fireID: "waits-user_1", isDone: true, now: fixture.now, into: &fixture.outputs)
        fixture.engine.commandHandedOver(fireID: "waits-user_1", .sent, now: fixture.now, into: &fixture.outputs)
        #expect(fixture.fire(TrackerFixture.request("again-user_1")).first?.state == .queued)
        // One whose score is awaited.
        fixture.outputs = []
        fixture.engine.fire(
            TrackerFixture.request("asked-user_2", user: "user_2"), token: 77, now: fixture.now,
            into: &fixture.outputs)
        let results = fixture.engine.closeAll(symbol: "EURUSD.r", now: fixture.now, into: &fixture.outputs)
        #expect(results.map(\.userUUID) == ["user_1", "user_2"])
        #expect(results.map(\.withdrawn) == [["again-user_1"], ["asked-user_2", "waits-user_2"]])
        #expect(results.map(\.commands) == [1, 0], "only who has a position is told to close it")
        #expect(results.allSatisfy { $0.denial == nil })
        fixture.engine.scoreAnswered(token: 77, score: nil, now: fixture.now, into: &fixture.outputs)
        #expect(fixture.sentFires.isEmpty)
        #expect(fixture.engine.fires.keys.sorted() == ["gold", "sent-user_2", "waits-user_1"])
        let again = fixture.engine.closeAll(symbol: "EURUSD", now: fixture.now, into: &fixture.outputs)
        #expect(again.flatMap(\.withdrawn).isEmpty && again.map(\.userUUID) == ["user_1"])
    }

    @Test("a queued fire does not leave before Redis has its slot, whatever frees its terminal meanwhile")
    func queueWaitsForSlot() throws {
        var fixture = ready()
        _ = fixture.fire(TrackerFixture.request("a"))
        fixture.outputs = []
        fixture.engine.fire(TrackerFixture.request("b"), token: 9, now: fixture.now, into: &fixture.outputs)
        fixture.engine.scoreAnswered(token: 9, score: nil, now: fixture.now, into: &fixture.outputs)
        let answer = try #require(fixture.event(.opened, entry: "1", fireID: "a", ticket: 5, extra: opened))
        fixture.engine.apply(answer, entryID: "1-0", now: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.fires["b"]?.state == .reserved)
        fixture.engine.reservationAnswered(
            fireID: "b", .reserved(slotsUsed: 2), now: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.fires["b"]?.state == .sending && fixture.sentFires.isEmpty)
        fixture.engine.moveAnswered(fireID: "b", isDone: true, now: fixture.now, into: &fixture.outputs)
        #expect(fixture.sentFires.map(\.fireID) == ["b"])
    }

    @Test("a fill without a ticket keeps its slot and waits for its position, which a witness may find")
    func ticketFound() throws {
        var fixture = ready()
        _ = fixture.fire(TrackerFixture.request())
        let answer = try #require(fixture.event(.opened, entry: "1", fireID: "f1", extra: opened))
        fixture.engine.apply(answer, entryID: "1-0", now: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.fires["f1"]?.state == .filled)
        var extra = opened
        extra["source"] = "inferred"
        extra["witness"] = "positions"
        let found = try #require(fixture.event(.opened, entry: "2", fireID: "f1", ticket: 9, extra: extra))
        fixture.engine.apply(found, entryID: "2-0", now: fixture.now, into: &fixture.outputs)
        let applied = try #require(effect(fixture))
        #expect(applied.fire?.ticket == 9 && applied.fire?.previousState == .filled)
        #expect(applied.opened.first?.slotField == "f1" && applied.opened.first?.source == "inferred")
        #expect(fixture.engine.fires.isEmpty && fixture.engine.positions.count == 1)
        #expect(LedgerCounts.changes(from: .filled, to: .filled).isEmpty)
    }
}
