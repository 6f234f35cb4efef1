import Domain
import Testing

@testable import Trading

@Suite("What is told of another user's trades") struct ForeignClaimTests {
    private func objection(
        _ change: (inout TradeReport, inout ConfirmationContext) -> Void, isOutside: Bool = true
    ) -> ForeignClaim? {
        var report = TradeReport(kind: .closed)
        var context = ConfirmationContext()
        report.account = "1"
        change(&report, &context)
        let confirmation = Confirmation(
            sequence: 1, receivedAt: Timestamp(milliseconds: 1), sourcePort: "ea-confirmations", frameHash: "",
            report: report)
        return ConfirmationEngine.foreignClaim(confirmation, context, isOutside: isOutside)
    }

    @Test("another user's fire, position or terminal is not his to tell of; his own and what nobody knows are")
    func owners() {
        for (claimed, isForeign) in [("bert", true), ("anna", false)] {
            let fire = objection { report, context in
                report.userUUID = claimed
                report.fireID = "f1"
                context.fire = ["user_uuid": "anna"]
            }
            let position = objection { report, context in
                report.userUUID = claimed
                report.ticket = 77
                context.positions = [["ticket": "77", "user_uuid": "anna"]]
            }
            let node = objection { report, context in
                report.userUUID = claimed
                report.nodeID = "N1"
                context.node = ["user_uuid": "anna"]
            }
            for found in [fire, position, node] { #expect((found?.owner == "anna") == isForeign) }
        }
        let orphan = objection { report, _ in
            report.userUUID = "bert"
            report.ticket = 78
            report.fireID = "nobody's"
        }
        #expect(orphan == nil)
    }

    @Test("a known terminal that carried out another's fire has a position of its own; a stranger has none")
    func carriedOutByAnother() {
        for (user, isForeign) in [("bert", false), ("stranger", true)] {
            let found = objection { report, context in
                report.kind = .opened
                report.userUUID = user
                report.fireID = "f1"
                report.ticket = 79
                context.fire = ["user_uuid": "anna"]
                context.node = ["user_uuid": "bert"]
            }
            #expect((found != nil) == isForeign)
        }
    }

    @Test("of an account that another's terminal runs only those tell who have a terminal, a fire or a trade in it")
    func accounts() {
        func found(
            isOutside: Bool = true, _ change: (inout TradeReport, inout ConfirmationContext) -> Void
        ) -> ForeignClaim? {
            objection(
                { report, context in
                    report.userUUID = "bert"
                    report.ticket = 901
                    context.account = "1"
                    context.accountNode = ["user_uuid": "anna", "account": "1", "server": "Demo"]
                    change(&report, &context)
                }, isOutside: isOutside)
        }
        #expect(found { _, _ in }?.owner == "anna")
        #expect(found(isOutside: false) { _, _ in } == nil, "services of this machine speak for terminals")
        #expect(found { report, _ in report.userUUID = "anna" } == nil)
        #expect(found { _, context in context.accountNode["account"] = "2" } == nil, "it has another account by now")
        #expect(found { _, context in context.node = ["user_uuid": "bert", "account": "1"] } == nil)
        #expect(found { _, context in context.node = ["user_uuid": "bert", "account": "2"] } != nil)
        #expect(
            found { report, context in
                report.server = "Demo"
                context.node = ["user_uuid": "bert", "account": "1", "server": "Other"]
            } != nil, "the same login at another broker is another account")
        #expect(found { _, context in context.lifecycles = [901: ["lot": "0.1"]] } == nil)
        #expect(found { _, context in context.accountNode = [:] } == nil, "nobody's account: an orphan")
    }

    @Test("an account that an operator bound is told of by whom it is bound to, whoever runs a terminal in it")
    func boundAccounts() {
        for (claimed, isForeign) in [("bert", true), ("anna", false), ("cleo", false)] {
            let found = objection { report, context in
                report.userUUID = claimed
                context.account = "1"
                context.node = ["user_uuid": claimed, "account": "1"]
                context.accountNode = ["bound_to": "anna cleo"]
            }
            #expect((found?.owner == "anna") == isForeign)
        }
    }

    @Test("an own fire, position or life in an account that is bound to another is told of to its end")
    func ownTradeInBoundAccount() {
        func found(_ change: (inout ConfirmationContext) -> Void) -> ForeignClaim? {
            objection { report, context in
                report.userUUID = "bert"
                report.ticket = 77
                context.account = "1"
                context.accountNode = ["bound_to": "anna"]
                change(&context)
            }
        }
        #expect(found { _ in }?.owner == "anna")
        #expect(found { $0.fire = ["user_uuid": "bert", "account": "1"] } == nil)
        #expect(found { $0.fire = ["user_uuid": "bert", "account": "2"] }?.owner == "anna", "fired at another account")
        #expect(found { $0.positions = [["ticket": "77", "user_uuid": "bert"]] } == nil)
        #expect(found { $0.lifecycles = [77: ["lot": "0.1"]] } == nil)
    }

    @Test("who names nobody tells nothing of anybody's from another machine; services of this one may, for 7.01")
    func nameless() {
        for isOutside in [true, false] {
            let found = objection(
                { report, context in
                    report.ticket = 77
                    context.positions = [["ticket": "77", "user_uuid": "anna"]]
                }, isOutside: isOutside)
            #expect((found != nil) == isOutside)
        }
    }

    @Test("nor of what is nobody's yet, nor as nobody: tickets can be guessed, and all be closed at once")
    func namelessAhead() {
        for user in [nil, "", "unknown"] {
            for kind in [TradeReport.Kind.opened, .closed, .closedAll, .failed] {
                for isOutside in [true, false] {
                    let found = objection(
                        { report, context in
                            report.kind = kind
                            report.userUUID = user
                            report.ticket = kind == .closedAll ? nil : 78
                            context.positions = [["ticket": "77", "user_uuid": "anna"]]
                        }, isOutside: isOutside)
                    #expect((found?.isKnown == false) == isOutside)
                }
            }
        }
    }

    @Test("handed on by a service, a result is its terminal's: of another's fire it tells nothing")
    func handedOn() {
        for (owner, isForeign) in [("bert", false), ("", true)] {
            let found = objection(
                { report, context in
                    report.kind = .failed
                    report.nodeID = "N1"
                    report.signalID = "f1"
                    context.node = ["user_uuid": owner]
                    context.fire = ["user_uuid": owner.isEmpty ? "anna" : owner]
                }, isOutside: false)
            #expect((found != nil) == isForeign)
        }
        let anothers = objection(
            { report, context in
                report.kind = .closed
                report.nodeID = "N1"
                report.ticket = 77
                context.node = ["user_uuid": "bert"]
                context.positions = [["ticket": "77", "user_uuid": "anna"]]
            }, isOutside: false)
        #expect(anothers?.owner == "anna")
    }

    @Test("a witness' signed finding is position-tracker's own word")
    func witness() {
        let found = objection { report, context in
            report.source = "inferred"
            report.userUUID = "bert"
            report.ticket = 77
            context.positions = [["ticket": "77", "user_uuid": "anna"]]
        }
        #expect(found == nil)
    }

    @Test("another user's close, part close, early close and opening change nothing of a position and its slot")
    func tracker() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        let opening = ["symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "open_price": "1.08510"]
        let key = PositionKey(server: TrackerFixture.server, account: "16", ticket: 77)
        let mine = try #require(fixture.event(.opened, entry: "1-1", fireID: "f1", ticket: 77, extra: opening))
        fixture.engine.apply(mine, entryID: "1-1", now: fixture.now, into: &fixture.outputs)
        let before = try #require(fixture.engine.positions[key])
        let part = ["profit": "-900.00", "lot": "0.05", "final": "0", "account": "16"]
        for (entry, kind, extra) in [
            ("2-1", .closed, ["profit": "-900.00", "account": "16"]), ("2-2", .closed, part),
            ("2-3", .opened, opening.merging(["account": "16", "open_price": "9.00000"]) { $1 }),
        ] as [(String, TradeReport.Kind, [String: String])] {
            let event = try #require(fixture.event(kind, entry: entry, user: "stranger_0", ticket: 77, extra: extra))
            fixture.outputs = []
            fixture.engine.apply(event, entryID: entry, now: fixture.now, into: &fixture.outputs)
            #expect(fixture.engine.positions[key] == before)
            #expect(fixture.outputs.contains(.count("events_of_another_user")))
        }
        // Tickets are numbered on: what is told of the next one must not meet it.
        let next = PositionKey(server: TrackerFixture.server, account: "16", ticket: 78)
        for (entry, kind) in [("3-1", .closed), ("3-2", .opened)] as [(String, TradeReport.Kind)] {
            let event = try #require(
                fixture.event(
                    kind, entry: entry, user: "stranger_0", ticket: 78, extra: opening.merging(["account": "16"]) { $1 }
                ))
            fixture.engine.apply(event, entryID: entry, now: fixture.now, into: &fixture.outputs)
        }
        #expect(fixture.engine.earlyCloses[next] == nil && fixture.engine.positions[next] == nil)
        let close = try #require(fixture.event(.closed, entry: "4-1", ticket: 77, extra: ["profit": "5.00"]))
        fixture.engine.apply(close, entryID: "4-1", now: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.positions[key] == nil, "the terminal's own word ends it")
    }
}
