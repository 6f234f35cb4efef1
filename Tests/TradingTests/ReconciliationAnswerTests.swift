import Domain
import Testing

@testable import Trading

/// One account of one position, or of one unknown fire, and an operator who looked.
@Suite("answers to reconciliation's questions") struct ReconciliationAnswerTests {
    private typealias Mesh = ReconciliationMesh

    private var mesh: ReconciliationMesh
    private var state: AccountState

    init() {
        mesh = ReconciliationMesh()
        state = AccountState(server: Mesh.server, account: Mesh.account, userUUID: Mesh.user)
        state.balance = Amount(10_000)
        mesh.reconciler.restore(state)
    }

    private func question(_ kind: ReconciliationQuestion.Kind, _ subject: String) -> ReconciliationQuestion {
        ReconciliationQuestion(
            kind, about: subject, server: Mesh.server, account: Mesh.account, userUUID: Mesh.user, text: "?",
            askedAt: mesh.now)
    }

    private mutating func ask(_ question: ReconciliationQuestion) -> String {
        mesh.reconciler.restore(question)
        return question.identifier
    }

    private mutating func open() {
        var report = TradeReport(kind: .opened)
        report.userUUID = Mesh.user
        report.account = Mesh.account
        report.ticket = 7
        report.symbol = "EURUSD"
        report.direction = .buy
        report.lot = "0.10"
        report.openPrice = "1.08500"
        mesh.confirm(report, hash: "o")
    }

    private mutating func answer(
        _ identifier: String, _ word: ReconciliationAnswer.Word, profit: String? = nil, ticket: Int64? = nil,
        price: String? = nil
    ) throws -> [ReconciliationOutput] {
        var outputs: [ReconciliationOutput] = []
        var answer = ReconciliationAnswer(word, reason: "looked")
        answer.profit = profit
        answer.ticket = ticket
        answer.price = price
        _ = try mesh.reconciler.answer(identifier, answer, mesh.fixture.engine, now: mesh.now, into: &outputs)
        return outputs
    }

    /// Why an answer is not taken.
    private mutating func refusal(
        _ identifier: String, _ word: ReconciliationAnswer.Word, profit: String? = nil, ticket: Int64? = nil
    ) -> ReconciliationEngine.AnswerError? {
        do {
            _ = try answer(identifier, word, profit: profit, ticket: ticket)
            return nil
        } catch {
            return error as? ReconciliationEngine.AnswerError
        }
    }

    private func inferred(_ outputs: [ReconciliationOutput]) -> [InferredTrade] {
        outputs.compactMap { if case .infer(let trade) = $0 { trade } else { nil } }
    }

    @Test("closed: an inferred closing with the operator's money; the position goes, told twice it is one")
    mutating func closed() throws {
        open()
        #expect(mesh.fixture.engine.positions.count == 1)
        var silent = question(.silentClose, "7")
        silent.ticket = 7
        let identifier = ask(silent)
        let trade = try #require(inferred(try answer(identifier, .closed, profit: "-12.50")).first)
        #expect(trade.kind == .closed && trade.witness == .operator && trade.profit == "-12.50")
        #expect(refusal(identifier, .closed, profit: "-12.50") == .notOpen)
        mesh.inferred = [trade]
        mesh.deliverInferred(twice: true)
        #expect(mesh.fixture.engine.positions.isEmpty)
        #expect(mesh.closedRows[7]?.netProfit == Amount("-12.5"))
        #expect(mesh.counts.events == 2 && mesh.counts.doubles == 1)
        // What it was about is over: it is not kept.
        mesh.advance()
        #expect(mesh.reconciler.questions[identifier] == nil)
    }

    @Test("open: nothing happens to the position, and it is not asked again for that step")
    mutating func stillOpen() throws {
        open()
        var silent = question(.silentClose, "7")
        silent.ticket = 7
        let outputs = try answer(ask(silent), .open)
        #expect(inferred(outputs).isEmpty)
        #expect(mesh.fixture.engine.positions.count == 1)
        #expect(mesh.reconciler.accounts[mesh.accountKey]?.keptOpen[7] == mesh.now)
    }

    @Test("noted: the step stays visible, and is said to be noted; other steps are not")
    mutating func noted() throws {
        let before = mesh.now.adding(milliseconds: -30_000)
        let steps = [0, 1000].map { shift in
            BalanceStep(
                from: Amount(10_000), to: Amount(9_000), after: before.adding(milliseconds: shift),
                at: mesh.now.adding(milliseconds: shift), seenAt: mesh.now)
        }
        state.steps = steps
        mesh.reconciler.restore(state)
        _ = try answer(ask(question(.unexplainedStep, steps[0].subject)), .noted)
        #expect(mesh.reconciler.accounts[mesh.accountKey]?.steps.map(\.isNoted) == [true, false])
    }

    @Test("ghost: noted accepts the margin as it is; closed needs a ticket")
    mutating func ghost() throws {
        state.margin = MarginRate(symbols: "EURUSD", net: nil, gross: Amount(1))
        state.unfitting = LookCount(count: 2, since: mesh.now)
        mesh.reconciler.restore(state)
        let identifier = ask(question(.ghost, "margin"))
        #expect(refusal(identifier, .closed) == .missing("ticket"))
        _ = try answer(identifier, .noted)
        #expect(mesh.reconciler.accounts[mesh.accountKey]?.margin == nil)
        #expect(mesh.reconciler.accounts[mesh.accountKey]?.unfitting == nil)
    }

    @Test(
        "an unknown fire: never executed, rejected",
        arguments: [(ReconciliationAnswer.Word.neverExecuted, FireState.neverExecuted), (.rejected, .rejected)])
    mutating func settled(_ word: ReconciliationAnswer.Word, _ expected: FireState) throws {
        let outputs = try answer(ask(unknownFire()), word)
        #expect(outputs.contains(.settle(fireID: "f1", expected, reason: "looked", by: "operator")))
    }

    @Test("an unknown fire: filled, by the operator's ticket and price")
    mutating func filled() throws {
        let identifier = ask(unknownFire())
        #expect(refusal(identifier, .filled) == .missing("ticket"))
        let trade = try #require(inferred(try answer(identifier, .filled, ticket: 9, price: "1.08500")).first)
        mesh.inferred = [trade]
        mesh.deliverInferred(twice: true)
        #expect(mesh.fixture.engine.positions.values.map(\.key.ticket) == [9])
        #expect(mesh.fires["f1"]?["state"] == "filled")
        #expect(mesh.counts.events == 1 && mesh.counts.doubles == 1)
    }

    @Test("a word that does not answer the question, and a question nobody asked, change nothing")
    mutating func refused() throws {
        let identifier = ask(question(.unexplainedStep, "1|2|3"))
        let before = mesh.reconciler.accounts
        #expect(refusal(identifier, .closed, ticket: 1) == .wrongWord([.noted]))
        #expect(refusal("ghost|nobody", .noted) == .unknownQuestion)
        #expect(mesh.reconciler.accounts == before)
        #expect(mesh.reconciler.questions[identifier]?.state == .open)
    }

    private mutating func unknownFire() -> ReconciliationQuestion {
        let isSent = mesh.fire(
            "f1", .buy, lot: Amount(units: 10_000_000), stop: Amount("1.08") ?? .zero, target: Amount("1.09") ?? .zero)
        #expect(isSent)
        mesh.fixture.pass(milliseconds: 60_000)
        mesh.advance()
        #expect(mesh.fixture.engine.fires["f1"]?.state == .unknown)
        var asked = question(.unknownFire, "f1")
        asked.fireID = "f1"
        return asked
    }
}
