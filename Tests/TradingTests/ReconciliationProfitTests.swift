import Domain
import Testing

@testable import Trading

/// The money of an end nobody told, where the figures prove it.
@Suite("the money of a silent close") struct ReconciliationProfitTests {
    private typealias Mesh = ReconciliationMesh

    private var mesh = ReconciliationMesh()

    private mutating func quote(_ bid: String, _ ask: String) {
        mesh.fixture.pass(milliseconds: 1_000)
        var tick = Tick(symbol: "EURUSD", bid: Amount(bid) ?? .zero, ask: Amount(ask) ?? .zero, decimals: 5)
        tick.nodeID = "NODE_1_1"
        tick.brokerSeconds = mesh.now.seconds + Mesh.offset
        mesh.fixture.engine.tick(tick, now: mesh.now)
        mesh.reconciler.tick(tick, mesh.fixture.engine, now: mesh.now)
    }

    /// A look, judged a second and a half later; what was inferred.
    private mutating func look(
        balance: String, equity: String, margin: String, quoteAfter: String? = nil
    ) -> [InferredTrade] {
        mesh.fixture.pass(milliseconds: 10_000)
        var report = TerminalReport(kind: .heartbeat)
        report.userUUID = Mesh.user
        report.account = Mesh.account
        report.leverage = "500"
        report.balance = balance
        report.equity = equity
        report.margin = margin
        report.timestamp = Timestamp.brokerText(seconds: mesh.now.seconds + Mesh.offset)
        mesh.hear(report)
        if let quoteAfter { quote(quoteAfter, quoteAfter) }
        mesh.fixture.pass(milliseconds: 1_500)
        var outputs: [ReconciliationOutput] = []
        mesh.reconciler.advance(to: mesh.now, mesh.fixture.engine, into: &outputs)
        return outputs.compactMap { if case .infer(let trade) = $0 { trade } else { nil } }
    }

    private mutating func open(_ ticket: Int64, _ lot: String, stop: String) throws {
        let name = "f\(ticket)"
        mesh.fixture.moveMarket()
        let isSent = mesh.fire(
            name, .buy, lot: try #require(Amount(lot)), stop: try #require(Amount(stop)),
            target: try #require(Amount("1.09")))
        #expect(isSent)
        var report = TradeReport(kind: .opened)
        report.fireID = name
        report.userUUID = Mesh.user
        report.account = Mesh.account
        report.ticket = ticket
        report.symbol = "EURUSD"
        report.direction = .buy
        report.lot = lot
        report.openPrice = "1.08510"
        mesh.confirm(report, hash: name)
        mesh.fixture.pass(milliseconds: 10_000)
    }

    @Test("of the only position is the step, also where the price jumped behind the look before")
    mutating func flat() throws {
        _ = look(balance: "10000.00", equity: "10000.00", margin: "0.00")
        try open(7, "0.10", stop: "1.08")
        quote("1.08500", "1.08510")
        #expect(look(balance: "10000.00", equity: "9999.00", margin: "21.70", quoteAfter: "1.09010").isEmpty)
        let found = look(balance: "10049.00", equity: "10049.00", margin: "0.00")
        #expect(found.map(\.key.ticket) == [7])
        #expect(found.first?.profit == "49.00")
    }

    @Test("is not said where a trade by hand was seen before")
    mutating func byHand() throws {
        _ = look(balance: "10000.00", equity: "10000.00", margin: "0.00")
        try open(7, "0.10", stop: "1.08")
        quote("1.08500", "1.08510")
        #expect(look(balance: "10000.00", equity: "9950.00", margin: "43.40").isEmpty)
        quote("1.09010", "1.09020")
        let found = look(balance: "10049.00", equity: "10049.00", margin: "0.00")
        #expect(found.map(\.key.ticket) == [7])
        #expect(found.first.map { $0.profit == nil } == true)
    }

    @Test("of one of two is the step, where the other's unrealised money is what is left")
    mutating func oneOfTwo() throws {
        _ = look(balance: "10000.00", equity: "10000.00", margin: "0.00")
        try open(7, "0.10", stop: "1.08")
        try open(8, "0.05", stop: "1.07")
        quote("1.08500", "1.08510")
        #expect(look(balance: "10000.00", equity: "9998.50", margin: "32.55").isEmpty)
        quote("1.07990", "1.08000")
        let found = look(balance: "9948.00", equity: "9922.00", margin: "10.85")
        #expect(found.map(\.key.ticket) == [7])
        #expect(found.first?.profit == "-52.00")
    }

    @Test("of one of two is not said where what is left is not the other's: something by hand is there too")
    mutating func oneOfTwoAndByHand() throws {
        _ = look(balance: "10000.00", equity: "10000.00", margin: "0.00")
        try open(7, "0.10", stop: "1.08")
        try open(8, "0.05", stop: "1.07")
        quote("1.08500", "1.08510")
        #expect(look(balance: "10000.00", equity: "9998.50", margin: "32.55").isEmpty)
        quote("1.07990", "1.08000")
        let found = look(balance: "9948.00", equity: "9800.00", margin: "40.85")
        #expect(found.allSatisfy { $0.profit == nil })
    }

    @Test("small charges are listed and nobody is asked, until together they are more than small")
    mutating func charges() throws {
        var asked = 0
        for step in 0..<3 {
            _ = look(balance: "9999.\(99 - step * 30)", equity: "9999.\(99 - step * 30)", margin: "0.00")
            mesh.fixture.pass(milliseconds: 25_000)
            var outputs: [ReconciliationOutput] = []
            mesh.reconciler.advance(to: mesh.now, mesh.fixture.engine, into: &outputs)
            asked += outputs.count { if case .ask = $0 { true } else { false } }
        }
        let state = try #require(mesh.reconciler.accounts[mesh.accountKey])
        #expect(state.steps.count == 2)
        #expect(asked == 0)
        _ = look(balance: "9998.50", equity: "9998.50", margin: "0.00")
        mesh.fixture.pass(milliseconds: 25_000)
        var outputs: [ReconciliationOutput] = []
        mesh.reconciler.advance(to: mesh.now, mesh.fixture.engine, into: &outputs)
        #expect(
            outputs.contains { if case .ask(let question) = $0 { question.kind == .unexplainedStep } else { false } })
    }
}
