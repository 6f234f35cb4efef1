import Domain
import Testing

@testable import Trading

@Suite("What is told of fires that were over") struct LedgerSettledTests {
    private let opened = ["symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "open_price": "1.08510"]

    /// A fire that nobody answered, past its deadline.
    private func unknown() -> TrackerFixture {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        fixture.pass(milliseconds: 30_001)
        fixture.engine.advance(to: fixture.now, into: &fixture.outputs)
        return fixture
    }

    private func settle(_ fixture: inout TrackerFixture, _ state: FireState = .neverExecuted) throws -> Fire {
        fixture.outputs = []
        let isDone = fixture.engine.settle(
            fireID: "f1", as: state, reason: "looked", now: fixture.now, into: &fixture.outputs)
        #expect(isDone)
        return try #require(fixture.outputs.compactMap { if case .move(let fire, _) = $0 { fire } else { nil } }.last)
    }

    private func apply(
        _ kind: TradeReport.Kind, _ entry: String, _ fixture: inout TrackerFixture, fireID: String? = "f1",
        user: String = "user_1", ticket: Int64? = 77, _ extra: [String: String] = [:]
    ) throws -> EventEffect {
        let event = try #require(
            fixture.event(
                kind, entry: entry, fireID: fireID, user: user, ticket: ticket, extra: opened.merging(extra) { $1 }))
        fixture.outputs = []
        fixture.engine.apply(event, entryID: entry, now: fixture.now, into: &fixture.outputs)
        return try #require(fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }.last)
    }

    @Test("a fill of what was settled takes its slot and is told beside the state, over a restart too")
    func contradicted() throws {
        for (state, restarts) in [(FireState.neverExecuted, false), (.rejected, false), (.neverExecuted, true)] {
            var fixture = unknown()
            let row = try settle(&fixture, state)
            #expect(row.isRevisable)
            if restarts {
                let now = fixture.now
                fixture = TrackerFixture()
                fixture.now = now
                fixture.connect()
                fixture.engine.restore(settled: row)
            }
            fixture.pass(milliseconds: 500)
            let effect = try apply(.opened, "1", &fixture)
            let fire = try #require(effect.fire)
            #expect(fire.state == state && fire.previousState == state && fire.reason == "looked")
            #expect(fire.isContradicted && fire.isLate && fire.ticket == 77 && effect.contradicts)
            #expect(!effect.releasesSlot && !fire.isRevisable && fire.times[.answered] == fixture.now)
            #expect(fire.times[.resolved] == row.times[.resolved])
            #expect(fire.timeline.last?.state == "contradicted" && fire.timeline.last?.by == "terminal: filled")
            let position = try #require(effect.opened.first)
            #expect(position.slotField == "f1" && !position.isOrphan && position.contradicts == state)
            #expect(LedgerCounts.changes(from: state, to: state).isEmpty)
            let audits = fixture.outputs.compactMap { if case .audit(let name, _) = $0 { name } else { nil } }
            #expect(audits == ["fire_contradicted"])
            #expect(fixture.engine.contradictionText?.contains("f1 was settled as \(state.rawValue)") == true)
            let closed = try apply(.closed, "2", &fixture, fireID: nil)
            #expect(closed.closed.first?.slotField == "f1" && closed.closed.first?.contradicts == state)
            #expect(fixture.engine.contradictionText == nil)
        }
    }

    @Test("a witness's list contradicts as well; the terminal's word completes it once")
    func byWitness() throws {
        var fixture = unknown()
        _ = try settle(&fixture)
        let seen = try apply(.opened, "1", &fixture, ["source": "inferred", "witness": "positions"])
        #expect(seen.contradicts && seen.fire?.isLate == false && seen.fire?.isRevisable == true)
        let told = try apply(.opened, "2", &fixture, ["source": "merged", "correction": "1"])
        #expect(told.fire?.times[.answered] == fixture.now && told.fire?.isLate == true && !told.contradicts)
        #expect(told.opened.isEmpty)
        let again = try apply(.opened, "3", &fixture, ["source": "merged", "correction": "1"])
        #expect(again.fire == nil)
    }

    @Test("a closing that names it proves the trade; a second ticket and another user do not")
    func others() throws {
        var fixture = unknown()
        _ = try settle(&fixture)
        let foreign = try apply(.opened, "1", &fixture, user: "stranger", ticket: 5)
        #expect(foreign.fire == nil && foreign.opened.first?.isOrphan == true)
        let closing = try apply(.closed, "2", &fixture, ["profit": "-3.00", "profit_source": "message"])
        #expect(closing.fire?.isContradicted == true && closing.contradicts)
        #expect(closing.closed.first?.profit == "-3.00" && closing.closed.first?.slotField == "f1")
        let second = try apply(.opened, "3", &fixture, ticket: 78)
        #expect(second.fire == nil && second.opened.first?.isOrphan == true)
    }

    @Test("a terminal that says the same as the operator is only noted")
    func agrees() throws {
        var fixture = unknown()
        _ = try settle(&fixture)
        let effect = try apply(.failed, "1", &fixture, ticket: nil, ["message": "no money"])
        let fire = try #require(effect.fire)
        #expect(fire.state == .neverExecuted && fire.isLate && fire.times[.answered] == fixture.now)
        #expect(fire.reason == "looked" && !fire.isContradicted)
        // It may have traded all the same.
        #expect(try apply(.opened, "2", &fixture).contradicts)
    }

    @Test("a row a witness filled gets the terminal's answer and its lateness when it comes")
    func answeredAtLast() throws {
        for kind in ["correction", "opened"] {
            var fixture = unknown()
            let inferred = try apply(.opened, "1", &fixture, ["source": "inferred", "witness": "positions"])
            #expect(inferred.fire?.state == .filled && inferred.fire?.times[.answered] == nil)
            #expect(inferred.fire?.isLate == false && inferred.fire?.isRevisable == true)
            fixture.pass(milliseconds: 700)
            var extra = ["durable_at": String(fixture.now.adding(milliseconds: 3).milliseconds)]
            if kind == "correction" { extra["correction"] = "1" }
            let effect = try apply(.opened, "2", &fixture, extra)
            let fire = try #require(effect.fire)
            #expect(fire.state == .filled && fire.previousState == .filled && !fire.isContradicted)
            #expect(fire.times[.answered] == fixture.now && fire.isLate && !fire.isRevisable)
            #expect(fire.times[.durable] == fixture.now.adding(milliseconds: 3))
            #expect(fire.timeline.suffix(3).map(\.state) == ["answer", "durable", "applied"])
            #expect(effect.opened.isEmpty && fixture.engine.positions.count == 1)
        }
    }

    @Test("the answer of another ticket is not taken for it")
    func otherTicket() throws {
        var fixture = unknown()
        _ = try apply(.opened, "1", &fixture, ["source": "inferred"])
        let effect = try apply(.opened, "2", &fixture, ticket: 99)
        #expect(effect.fire == nil, "another ticket is no answer to this one")
    }
}
