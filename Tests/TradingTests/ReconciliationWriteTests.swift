import Domain
import Testing

@testable import Trading

/// Each write of an account's state is a record of the ledger's journal: only what changed is worth one.
@Suite("what reconciliation writes") struct ReconciliationWriteTests {
    private typealias Mesh = ReconciliationMesh

    private var mesh = ReconciliationMesh()

    private mutating func look(
        balance: String, equity: String? = nil, margin: String = "0.00", listed: [WitnessedPosition]? = nil
    ) -> [ReconciliationOutput] {
        mesh.fixture.pass(milliseconds: 30_000)
        var report = TerminalReport(kind: .heartbeat)
        report.userUUID = Mesh.user
        report.account = Mesh.account
        report.leverage = "500"
        report.balance = balance
        report.equity = equity ?? balance
        report.margin = margin
        report.openPositions = listed
        report.openPositionCount = listed?.count
        report.timestamp = Timestamp.brokerText(seconds: mesh.now.seconds + Mesh.offset)
        mesh.hear(report)
        mesh.fixture.pass(milliseconds: 2_000)
        var outputs: [ReconciliationOutput] = []
        mesh.reconciler.advance(to: mesh.now, mesh.fixture.engine, into: &outputs)
        return outputs
    }

    private func writes(_ outputs: [ReconciliationOutput]) -> Int {
        outputs.count { if case .write = $0 { true } else { false } }
    }

    private func questions(_ outputs: [ReconciliationOutput]) -> Int {
        outputs.count { if case .ask = $0 { true } else { false } }
    }

    @Test("looks at a flat account write nothing after the second")
    mutating func flat() {
        _ = look(balance: "10000.00")
        _ = look(balance: "10000.00")
        let later = (0..<20).map { _ in writes(look(balance: "10000.00")) }
        #expect(later.allSatisfy { $0 == 0 })
        #expect(writes(look(balance: "9000.00")) == 1)
    }

    @Test("a trade by hand that stays listed writes nothing after the second look, whatever it earns")
    mutating func byHand() {
        var trade = WitnessedPosition(ticket: 5)
        trade.symbol = "EURUSD"
        trade.direction = .buy
        trade.volume = "0.10"
        for _ in 0..<2 { _ = look(balance: "10000.00", margin: "21.70", listed: [trade]) }
        for number in 0..<20 {
            trade.profit = "\(number).00"
            let equity = "100\(number + 10).00"
            #expect(writes(look(balance: "10000.00", equity: equity, margin: "21.70", listed: [trade])) == 0)
        }
    }

    @Test("an account whose balance moves for ever asks a few questions, shows every step, and loses no money")
    mutating func manySteps() throws {
        var asked = 0
        for number in 0..<100 { asked += questions(look(balance: "\(10_000 + number).00")) }
        #expect(asked == ReconciliationEngine.askedSteps)
        let state = try #require(mesh.reconciler.accounts[mesh.accountKey])
        #expect(state.steps.count == AccountState.keptSteps)
        #expect(state.steps.reduce(Amount.zero) { $0 + $1.amount } == Amount(99))
    }

    @Test("what a restart reads decides as what was forgotten would have")
    mutating func restart() throws {
        _ = look(balance: "10000.00")
        _ = look(balance: "9900.00")
        mesh.restart()
        let asked = (0..<3).map { _ in questions(look(balance: "9900.00")) }.reduce(0, +)
        #expect(asked == 1)
        let names = Set(mesh.reconciler.questions.keys)
        mesh.restart()
        let again = (0..<3).map { _ in questions(look(balance: "9900.00")) }.reduce(0, +)
        #expect(again == 0)
        #expect(Set(mesh.reconciler.questions.keys) == names)
    }
}
