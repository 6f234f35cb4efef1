import Domain
import Testing
import Wire

@testable import PositionTracker
@testable import Trading

@Suite("what reconciliation keeps") struct ReconciliationRowsTests {
    private static let moment = Timestamp(milliseconds: 1_789_992_000_000)

    /// An account with something in every field.
    private var state: AccountState {
        let moment = ReconciliationRowsTests.moment
        let look = LookCount(count: 2, since: moment, volume: Amount("0.05"))
        var state = AccountState(server: "Demo \"Server\" 1|é", account: "16", userUUID: "user_1")
        state.nodeID = "NODE_16_1"
        state.currency = "USD"
        state.version = "2.05"
        state.leverage = Amount(500)
        state.witness = .figures
        state.lookedAt = moment.adding(milliseconds: 1)
        state.listTakenAt = moment.adding(milliseconds: 2)
        state.balance = Amount("10000.01")
        state.balanceAt = moment.adding(milliseconds: 3)
        state.floating = Amount("-12.34")
        state.flatLooks = 1
        state.hasExposure = true
        state.mismatch = look
        state.unfitting = LookCount(count: 1, since: moment)
        state.margin = MarginRate(symbols: "EURUSD XAUUSD", net: nil, gross: Amount("0.002") ?? .zero)
        state.isComplete = true
        var step = BalanceStep(from: Amount(10), to: Amount("9.5") ?? .zero, after: moment, at: moment, seenAt: moment)
        step.isNoted = true
        state.steps = [step]
        var cause = BalanceCause(
            amount: nil, band: Amount(1), at: moment, ticket: 4_294_967_296, isOpening: true, isTimed: false)
        cause.isSpent = true
        state.causes = [cause, BalanceCause(amount: Amount("-0.5"), band: .zero, at: moment, ticket: nil)]
        state.touches = [1: Touch(isTarget: true, at: moment), 2: Touch(isTarget: false, at: moment)]
        state.missing = [3: look]
        state.reduced = [4: look]
        state.strangers = [5: LookCount(count: 1, since: moment)]
        state.listedAt = [6: moment]
        state.closed = [7: moment]
        state.openedAt = [8: moment]
        state.keptOpen = [9: moment]
        state.watches = [
            "a \"fire\"": FireWatch(
                balanceBefore: Amount("9.99"), balanceAt: moment, since: moment, ticks: 2, lastTick: moment, ahead: 3),
            "b": FireWatch(balanceBefore: nil, balanceAt: nil, since: moment),
        ]
        var listed = WitnessedPosition(ticket: 10)
        listed.fireID = "a comment"
        listed.symbol = "EURUSD.r"
        listed.direction = .sell
        listed.volume = "0.10"
        listed.openPrice = "1.08500"
        listed.currentPrice = "1.08400"
        listed.profit = "-1.00"
        listed.magicNumber = "7176191872"
        state.theirs = [listed, WitnessedPosition(ticket: 11)]
        return state
    }

    @Test("an account is read as it was written")
    func accountState() throws {
        let read = try #require(AccountStateText.read(AccountStateText.text(state)))
        #expect(read == state)
        let empty = AccountState(server: "s", account: "1", userUUID: "u")
        #expect(AccountStateText.read(AccountStateText.text(empty)) == empty)
        // A field that is not written would be the default in both: every one differs from it above.
        for (left, right) in zip(Mirror(reflecting: state).children, Mirror(reflecting: empty).children) {
            #expect("\(left.value)" != "\(right.value)", "\(left.label ?? "") is not set in this test")
        }
    }

    @Test("what is no account is not read", arguments: ["", "{}", "[1]", #"{"server":"s","account":"1"}"#])
    func garbled(_ text: String) {
        #expect(AccountStateText.read(text) == nil)
    }

    @Test("a question is read as it was written", arguments: [ReconciliationQuestion.State.open, .answered])
    func question(_ word: ReconciliationQuestion.State) throws {
        var question = ReconciliationQuestion(
            .silentClose, about: "4294967296", server: "S|1", account: "16", userUUID: "u", text: "is it closed?",
            evidence: [("from", "1.00"), ("to", "2.00")], askedAt: ReconciliationRowsTests.moment)
        question.nodeID = "n"
        question.ticket = 4_294_967_296
        question.fireID = "f"
        question.symbol = "EURUSD"
        question.money = "-5.00"
        question.currency = "USD"
        question.state = word
        if word == .answered {
            question.answer = "open"
            question.answeredAt = ReconciliationRowsTests.moment
            question.reason = "looked"
        }
        let row = question.row
        let fields = stride(from: 0, to: row.count, by: 2).map { (row[$0], row[$0 + 1]) }
        let read = try #require(ReconciliationQuestion(row: Dictionary(fields) { first, _ in first }))
        #expect(read == question)
        #expect(read.row == row)
    }
}
