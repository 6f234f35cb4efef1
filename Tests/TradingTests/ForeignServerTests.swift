import Domain
import Testing

@testable import Trading

/// Logins repeat between brokers, and a life is named by user, login and ticket: what somebody told of one broker's
/// account is no key to another's.
@Suite("What is told of another broker's account of the same login") struct ForeignServerTests {
    private static let holders = [
        ["bound_to": "anna"], ["user_uuid": "anna", "account": "1", "server": "A"],
    ]

    private func found(
        at server: String?, _ holder: [String: String], _ change: (inout ConfirmationContext) -> Void
    ) -> ForeignClaim? {
        var report = TradeReport(kind: .closed)
        report.userUUID = "bert"
        report.account = "1"
        report.ticket = 8
        report.server = server
        var context = ConfirmationContext()
        context.account = "1"
        context.server = server
        context.accountNode = holder
        change(&context)
        let confirmation = Confirmation(
            sequence: 1, receivedAt: Timestamp(milliseconds: 1), sourcePort: "ea-receipts", frameHash: "",
            report: report)
        return ConfirmationEngine.foreignClaim(confirmation, context, isOutside: true)
    }

    @Test("a life opens the account of its own server only", arguments: holders)
    func lives(_ holder: [String: String]) {
        #expect(found(at: "A", holder) { $0.lifecycles = [8: ["server": "B"]] }?.owner == "anna")
        #expect(found(at: "A", holder) { $0.lifecycles = [8: ["lot": "0.1"]] }?.owner == "anna", "of no server")
        #expect(found(at: "A", holder) { $0.lifecycles = [8: ["server": "A"]] } == nil)
    }

    @Test("so does a fire, in the account it was sent to", arguments: holders)
    func fires(_ holder: [String: String]) {
        for (account, server) in [("1", "B"), ("1", "unknown"), ("2", "A"), ("unknown", "A")] {
            let fire = ["user_uuid": "bert", "account": account, "server": server]
            #expect(found(at: "A", holder) { $0.fire = fire }?.owner == "anna")
        }
        #expect(found(at: "A", holder) { $0.fire = ["user_uuid": "bert", "account": "1", "server": "A"] } == nil)
    }

    @Test("a message that names no server is about the life's", arguments: holders)
    func unnamed(_ holder: [String: String]) {
        let claim = found(at: nil, holder) { context in
            context.lifecycles = [8: ["server": "B"]]
            context.server = "B"
        }
        #expect(claim == nil)
    }
}
