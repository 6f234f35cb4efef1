import Domain
import Testing

@testable import Trading

@Suite("Closings before their openings") struct LedgerEarlyCloseTests {
    private let opened = ["symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "open_price": "1.08510"]

    private func apply(
        _ kind: TradeReport.Kind, _ entry: String, _ extra: [String: String], _ fixture: inout TrackerFixture
    ) throws -> EventEffect {
        let event = try #require(
            fixture.event(
                kind, entry: entry, fireID: kind == .opened ? "f1" : nil, ticket: 77,
                extra: opened.merging(extra) { $1 }))
        fixture.outputs = []
        fixture.engine.apply(event, entryID: entry, now: fixture.now, into: &fixture.outputs)
        return try #require(fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }.last)
    }

    @Test(
        "the opening that comes later is closed at once, with the closing's figures and without a slot, over a restart")
    func closed() throws {
        var before = TrackerFixture()
        before.connect()
        before.moveMarket()
        _ = before.fire(TrackerFixture.request())
        let row = try #require(before.engine.fires["f1"])
        let early = try apply(.closed, "1", ["profit": "-7.50", "profit_source": "message"], &before)
        #expect(early.closed.isEmpty && early.opened.isEmpty && early.day != nil)
        let kept = before.outputs.compactMap { if case .rememberEarlyClose(let close) = $0 { close } else { nil } }
        var after = TrackerFixture()
        after.now = before.now
        after.connect()
        after.engine.restore(fire: row, now: after.now, into: &after.outputs)
        after.engine.restore(early: try #require(kept.first))
        let effect = try apply(.opened, "2", [:], &after)
        #expect(effect.opened.isEmpty && after.engine.positions.isEmpty && after.engine.fires.isEmpty)
        let position = try #require(effect.closed.first)
        #expect(position.state == .closed && position.profit == "-7.50" && position.slotField == "f1")
        #expect(effect.fire?.state == .filled)
        #expect(after.outputs.contains(.forgetEarlyClose(position.key)))
    }

    @Test("a part that was closed first leaves the rest open")
    func part() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        _ = try apply(.closed, "1", ["lot": "0.04", "final": "0"], &fixture)
        let effect = try apply(.opened, "2", [:], &fixture)
        #expect(effect.closed.isEmpty && effect.opened.first?.lot == Amount("0.06"))
        #expect(effect.opened.first?.openedLot == Amount("0.10"))
    }

    @Test(
        "a closing that names an unanswered fire proves it filled and frees its slot; the late answer opens nothing")
    func provesFill() throws {
        for isUnknown in [true, false] {
            var fixture = TrackerFixture()
            fixture.connect()
            fixture.moveMarket()
            _ = fixture.fire(TrackerFixture.request())
            if isUnknown {
                fixture.pass(milliseconds: 30_001)
                fixture.engine.advance(to: fixture.now, into: &fixture.outputs)
            }
            let told = ["fire_id": "f1", "profit": "12.00", "orphan": "1", "lot": ""]
            let effect = try apply(.closed, "1", told, &fixture)
            #expect(effect.fire?.state == .filled && effect.fire?.ticket == 77)
            #expect(effect.fire?.previousState == (isUnknown ? .unknown : .sent))
            let position = try #require(effect.closed.first)
            #expect(position.slotField == "f1" && position.profit == "12.00" && !position.isOrphan)
            #expect(fixture.engine.fires.isEmpty && fixture.engine.positions.isEmpty && effect.opened.isEmpty)
            // Nobody heard its answer: none is noted, nor that one was late. It was open from the moment it left.
            let proven = try #require(effect.fire)
            #expect(proven.times[.answered] == nil && !proven.isLate && proven.isRevisable)
            #expect(proven.timeline.suffix(2).map(\.state) == ["proven by close", "applied"])
            #expect(proven.timeline.last?.by == "terminal: ticket 77 closed")
            #expect(position.openedAt == proven.times[.sent] && position.closedAt == fixture.now)
            fixture.pass(milliseconds: 40_000)
            let late = try apply(.opened, "2", ["open_price": "1.08530"], &fixture)
            #expect(late.opened.isEmpty && fixture.engine.positions.isEmpty && fixture.engine.fires.isEmpty)
            #expect(late.fire?.state == .filled && late.fire?.previousState == .filled && !late.releasesSlot)
            #expect(late.fire?.times[.answered] == fixture.now && late.fire?.isLate == true)
            #expect(late.fire?.isRevisable == false)
            let ended = try #require(late.closed.first)
            #expect(ended.fireID == "f1" && ended.openPriceText == "1.08530" && ended.profit == "12.00")
            #expect(ended.openedAt == position.openedAt && ended.closedAt == position.closedAt)
        }
    }

    @Test("what a part closed proves is open with the command's figures until the terminal's own come, over a restart")
    func provesRest() throws {
        for restarts in [false, true] {
            var fixture = TrackerFixture()
            fixture.connect()
            fixture.moveMarket()
            _ = fixture.fire(TrackerFixture.request())
            fixture.pass(milliseconds: 2000)
            let told = ["fire_id": "f1", "final": "0", "lot": "0.04", "open_price": "", "profit": "4.00"]
            let effect = try apply(.closed, "1", told, &fixture)
            let planned = try #require(effect.opened.first)
            // The ask it was sized with.
            #expect(planned.openPrice == Amount("1.0851") && planned.lot == Amount("0.06"))
            let fire = try #require(effect.fire)
            if restarts {
                let kept = fixture.outputs.compactMap {
                    if case .rememberEarlyClose(let close) = $0 { close } else { nil }
                }
                let now = fixture.now
                fixture = TrackerFixture()
                fixture.now = now
                fixture.connect()
                fixture.engine.restore(position: planned)
                fixture.engine.restore(settled: fire)
                fixture.engine.restore(early: try #require(kept.first))
            }
            fixture.pass(milliseconds: 1000)
            let own = ["lot": "0.09", "open_price": "1.08550", "sl": "1.08100", "tp": "1.09900"]
            let late = try apply(.opened, "2", own, &fixture)
            #expect(late.opened.isEmpty && late.closed.isEmpty && late.fire?.times[.answered] == fixture.now)
            let position = try #require(fixture.engine.positions[planned.key])
            #expect(position.openPriceText == "1.08550" && position.stopLoss == "1.08100")
            #expect(position.lot == Amount("0.05") && position.openedLot == Amount("0.09"))
            // 51 pips of the command's entry, 0.05 lots.
            #expect(planned.risk == Amount("30.6") && position.risk == Amount("25.5"))
            let corrected = Dictionary(
                uniqueKeysWithValues: try #require(late.corrected.first).fields.map { ($0.name, $0.value) })
            #expect(corrected["open_price"] == "1.08550" && corrected["lot"] == "0.05")
            #expect(corrected["opened_lot"] == "0.09" && corrected["risk_amount"] == position.risk?.description)
            #expect(corrected["sl"] == "1.08100" && corrected["tp"] == "1.09900")
            #expect(fixture.outputs.contains(.forgetEarlyClose(planned.key)))
            let end = try apply(.closed, "3", ["lot": "0.05", "profit": "5.00", "closed_volume": "0.09"], &fixture)
            #expect(end.closed.first?.profit == "9.00")
        }
    }

    @Test("what nobody knows of such a part's money is in the day once, however often the opening is told")
    func unknownMoney() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        func today() -> Amount { fixture.engine.realisedToday("user_1", in: "USD", now: fixture.now) }
        _ = try apply(.closed, "1", ["fire_id": "f1", "lot": ""], &fixture)
        #expect(today() == Amount(-51))
        _ = try apply(.opened, "2", [:], &fixture)
        #expect(today() == Amount(-51))
        _ = try apply(.closed, "1", ["profit": "-20.00", "correction": "1", "seq": "9", "lot": ""], &fixture)
        #expect(today() == Amount(-51), "the same entry")
        _ = try apply(.closed, "4", ["profit": "-20.00", "correction": "1", "event_id": "e-1", "lot": ""], &fixture)
        #expect(today() == Amount(-20))
    }

    @Test("a row that is read while its end is on the way does not begin anew")
    func ended() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        let row = try #require(fixture.engine.fires["f1"])
        _ = try apply(.opened, "1", [:], &fixture)
        fixture.engine.restore(fire: row, now: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.fires.isEmpty)
    }
}
