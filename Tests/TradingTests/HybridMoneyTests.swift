import Domain
import Testing

@testable import Trading

/// A hybrid in the terminal's lists: whose lots are whose, and what the day is charged.
@Suite("Hybrid money") struct HybridMoneyTests {
    private typealias Mesh = ReconciliationMesh

    private var mesh = ReconciliationMesh()

    /// A hybrid of 0.20, of which the terminal told its first ticket with the lot of all.
    private mutating func open() throws {
        _ = look([])
        mesh.fixture.moveMarket()
        var report = TerminalReport(kind: .handshake)
        report.userUUID = Mesh.user
        report.nodeID = "NODE_1_1"
        report.version = "2.06H"
        mesh.fixture.engine.nodeChanged(report, isActive: true)
        let isSent = mesh.fire(
            "h1", .buy, lot: try #require(Amount("0.20")), stop: try #require(Amount("1.08")),
            target: try #require(Amount("1.09")), hybrid: HybridPlan(first: 10, second: 20, trail: 15))
        #expect(isSent)
        var opened = told(.opened, 5, "0.20")
        opened.openPrice = "1.08500"
        opened.message = "HYBRID: 3/3 positions opened"
        mesh.confirm(opened, hash: "h1")
        #expect(position(5)?.risk == Amount(102) && position(5)?.standsForParts == true)
    }

    private func told(_ kind: TradeReport.Kind, _ ticket: Int64, _ lot: String) -> TradeReport {
        var report = TradeReport(kind: kind)
        report.fireID = kind == .opened ? "h1" : nil
        report.userUUID = Mesh.user
        report.account = Mesh.account
        report.ticket = ticket
        report.symbol = "EURUSD"
        report.direction = .buy
        report.lot = lot
        return report
    }

    private func listed(_ ticket: Int64, _ lot: String, _ suffix: String) -> WitnessedPosition {
        var trade = WitnessedPosition(ticket: ticket)
        trade.symbol = "EURUSD"
        trade.direction = .buy
        trade.volume = lot
        trade.openPrice = "1.08500"
        trade.fireID = "h1" + suffix
        return trade
    }

    private mutating func look(_ list: [WitnessedPosition]) -> [InferredTrade] {
        mesh.fixture.pass(milliseconds: 30_000)
        var report = TerminalReport(kind: .heartbeat)
        report.userUUID = Mesh.user
        report.account = Mesh.account
        report.balance = "10000.00"
        report.openPositions = list
        report.openPositionCount = list.count
        report.timestamp = Timestamp.brokerText(seconds: mesh.now.seconds + Mesh.offset)
        mesh.hear(report)
        mesh.fixture.pass(milliseconds: 2_000)
        mesh.advance()
        let inferred = mesh.inferred
        mesh.deliverInferred(twice: false)
        return inferred
    }

    private func position(_ ticket: Int64) -> Position? {
        mesh.fixture.engine.position(ticket: ticket, of: Mesh.user)
    }

    private var realised: Amount { mesh.fixture.engine.days[Mesh.user]?.realised["USD"] ?? .zero }

    @Test("a first part that no list ever showed is charged with its own lots, and the others are the fire's")
    mutating func unlisted() throws {
        try open()
        let rest = [listed(6, "0.05", "_P2"), listed(7, "0.10", "_TRAIL")]
        _ = look(rest)
        let found = look(rest)
        #expect(found.map(\.key.ticket) == [6, 7, 5], "its end comes behind the parts that take its slot")
        #expect(position(5) == nil && realised == Amount("-25.5"), "a quarter of what the whole may lose")
        let parts = [6, 7].compactMap { position($0) }
        #expect(parts.map(\.fireID) == ["h1", "h1"] && !parts.contains { $0.isOrphan })
        #expect(parts.map(\.hybridPart) == [.first, .further])
        #expect(look(rest).isEmpty && realised == Amount("-25.5"))
    }

    @Test("of a hybrid of which one part was opened, the list puts the lot right: nothing was closed")
    mutating func oneOfThree() throws {
        try open()
        let only = [listed(5, "0.05", "_P1")]
        for _ in 0..<4 { #expect(look(only).isEmpty) }
        #expect(position(5)?.lot == Amount("0.05") && position(5)?.risk == Amount("25.5"))
        #expect(position(5)?.standsForParts == false && realised.isZero)
        // From here a smaller volume is a part that was closed.
        let less = [listed(5, "0.03", "_P1")]
        _ = look(less)
        #expect(look(less).map(\.volume) == [Amount("0.02")])
        #expect(position(5)?.lot == Amount("0.03") && realised == Amount("-10.2"))
    }

    @Test("all three gone before any list had them are charged as the whole, once")
    mutating func allGone() throws {
        try open()
        _ = look([])
        #expect(look([]).map(\.key.ticket) == [5])
        #expect(position(5) == nil && realised == Amount(-102))
    }

    /// What the terminal answers to `close_ticket`: the ticket's own lots, in the words of a whole ticket.
    private mutating func closeFirst() {
        var report = told(.closed, 5, "0.05")
        report.message = "Position closed successfully"
        mesh.confirm(report, hash: "c5")
        mesh.confirm(report, hash: "c5 again")
    }

    @Test(
        "what closes the first ticket before a list showed it is a part: the rest stays, with its slot and its loss",
        arguments: [false, true])
    mutating func closedByTicket(isRestarted: Bool) throws {
        try open()
        if isRestarted { mesh.restart() }
        closeFirst()
        let rest = try #require(position(5))
        #expect(rest.lot == Amount("0.15") && rest.standsForParts && rest.takesSlot && rest.slotField == "h1")
        #expect(realised == Amount("-25.5"), "2.05 says no money: the part's loss at the stop, once")
        if isRestarted { mesh.restart() }
        var all = TradeReport(kind: .closedAll)
        all.userUUID = Mesh.user
        all.account = Mesh.account
        all.message = "Closed 2 positions, 0 failed, Total volume: 0.15"
        mesh.confirm(all, hash: "a5")
        #expect(mesh.fixture.engine.positions.isEmpty)
    }

    @Test("when a list shows the others, the rest of a ticket that was told to be closed costs nothing more")
    mutating func closedThenListed() throws {
        try open()
        closeFirst()
        let rest = [listed(6, "0.05", "_P2"), listed(7, "0.10", "_TRAIL")]
        _ = look(rest)
        let found = look(rest)
        #expect(found.map(\.key.ticket) == [6, 7, 5] && found.last?.profit == "0.00")
        #expect(position(5) == nil && realised == Amount("-25.5"))
        #expect(position(6)?.slotField == "h1" && position(7)?.hybridPart == .further)
    }

    @Test("a first part with lots of its own ends with these, though it was told with those of all")
    mutating func closedAfterList() throws {
        try open()
        let all = [listed(5, "0.05", "_P1"), listed(6, "0.05", "_P2"), listed(7, "0.10", "_TRAIL")]
        for _ in 0..<2 { _ = look(all) }
        #expect(mesh.fixture.engine.positions.count == 3)
        var report = told(.closed, 5, "0.05")
        report.profit = "-12.50"
        mesh.confirm(report, hash: "c5")
        #expect(position(5) == nil && realised == Amount("-12.5"))
        for _ in 0..<4 { _ = look(Array(all.dropFirst())) }
        #expect(realised == Amount("-12.5") && mesh.fixture.engine.positions.count == 2)
        #expect(position(6)?.takesSlot == true)
    }

    @Test("close_all by symbol closes a hybrid with all its parts, known or not, and says it where it can't")
    mutating func closeAllBySymbol() throws {
        try open()
        #expect(commands() == [.closeAll])
        var outputs: [TrackerOutput] = []
        let one = mesh.fixture.engine.close(ticket: 5, of: Mesh.user, now: mesh.now, into: &outputs)
        #expect(one.hybridPartsUnknown == [5] && one.commands == 1)
        // Something in another symbol must stay: the ticket alone, and its user is told.
        var gold = told(.opened, 9, "0.10")
        gold.fireID = nil
        gold.symbol = "XAUUSD"
        gold.openPrice = "2400.30"
        mesh.confirm(gold, hash: "g9")
        #expect(commands() == [.closeTicket(5)])
        let results = mesh.fixture.engine.closeAll(symbol: "EURUSD", now: mesh.now, into: &outputs)
        #expect(results.map(\.hybridPartsUnknown) == [[5]])
        // A list that shows the first part's own lots shows the others as well.
        let all = [listed(5, "0.05", "_P1"), listed(6, "0.05", "_P2"), listed(7, "0.10", "_TRAIL")]
        for _ in 0..<2 { _ = look(all) }
        #expect(commands() == [.closeTicket(5), .closeTicket(6), .closeTicket(7)])
    }

    /// What `close_all` of EURUSD tells the terminal.
    private mutating func commands() -> [TerminalCommand] {
        var outputs: [TrackerOutput] = []
        _ = mesh.fixture.engine.closeAll(symbol: "EURUSD", now: mesh.now, into: &outputs)
        return outputs.compactMap { if case .send(_, _, let command) = $0 { command } else { nil } }
    }
}
