import Domain
import Testing
import Wire

@testable import HealthDashboard

@Suite("The second witness as it is seen: three lists, questions, and what storage takes")
struct ReconciliationTests {
    private static let now = Fixtures.now.milliseconds

    private static func document(
        _ account: String, user: String = "u", ours: String = "", theirs: String = "", matched: String = "",
        unexplained: String = ""
    ) -> String {
        #"""
        {"user_uuid":"\#(user)","node_id":"n","account":"\#(account)","server":"IC","currency":"USD","witness":"positions",
        "seen_at":\#(now - 3000),"balance":"1000.10","matched":[\#(matched)],"only_ours":[\#(ours)],
        "only_theirs":[\#(theirs)],"unexplained":[\#(unexplained)]}
        """#
    }

    private static func item(_ kind: String, ticket: Int, money: String) -> String {
        #"{"ticket":\#(ticket),"fire_id":null,"symbol":"EURUSD","direction":"BUY","lot":"0.10","open_price":"1.08","since":\#(now - 60_000),"money":\#(money),"kind":"\#(kind)"}"#
    }

    private static var snapshot: Snapshot {
        var snapshot = Fixtures.snapshot()
        let documents = [
            "IC|1": document("1", matched: item("matched", ticket: 1, money: #""1.10""#)),
            "IC|2": document(
                "2", user: "v", ours: item("ghost", ticket: 2, money: #""-4.20""#),
                theirs: item("manual", ticket: 3, money: #""2.00""#) + "," + item("orphan", ticket: 4, money: "null"),
                unexplained: #"{"amount":"-5.00","from":"1005.10","to":"1000.10","at":\#(now - 9000)},"#
                    + #"{"amount":500.00,"from":505.10,"to":1005.10,"at":\#(now - 99000),"noted":true}"#),
        ]
        for (key, text) in documents { snapshot.reconciliations[key] = AccountReconciliation(key: key, text) }
        snapshot.questions = [
            question("q1", ["state": "open", "account": "2", "server": "IC", "user_uuid": "v", "kind": "ghost"]),
            question("q2", ["state": "answered", "account": "2", "server": "IC", "kind": "silent_close"]),
        ]
        snapshot.judgement = Judgement(snapshot, now: Fixtures.now)
        return snapshot
    }

    private static func question(_ identifier: String, _ fields: [String: String]) -> Record {
        let usual = ["question_id": identifier, "text": "Is it?", "asked_at": "\(now - 120_000)", "money": "-4.20"]
        return Fixtures.record(identifier, .questions, usual.merging(fields) { $1 })
    }

    private func accounts(_ parameters: [String: String]) throws -> [JSONObject] {
        let body = try Fixtures.body("/reconciliation", parameters, Self.snapshot)
        return body["items"]?.array?.compactMap(\.object) ?? []
    }

    @Test("Where something is amiss stands first; every item has its age, every list its sum")
    func lists() throws {
        let found = try accounts([:])
        #expect(found.map { $0["account"]?.text } == ["2", "1"])
        let worst = try #require(found.first)
        #expect(worst["age_s"] == .number("3"))
        #expect(worst["balance"] == .number("1000.10"))
        let ghost = worst["only_ours"]?.array?.first?.object
        #expect(ghost?["age_s"] == .number("60") && ghost?["money"] == .number("-4.20"))
        let summary = worst["summary"]?.object
        #expect(summary?["only_ours"]?.object?["money"] == .number("-4.20"))
        // One of them has no figure: a sum without it would look like the whole.
        #expect(summary?["only_theirs"]?.object?["money"] == .null)
        #expect(summary?["only_theirs"]?.object?["count"] == .number("2"))
        #expect(ghost?["lot"] == .number("0.10"))
        let steps = worst["unexplained"]?.array?.compactMap(\.object) ?? []
        #expect(steps.map { $0["amount"] } == [.number("-5.00"), .number("500.00")])
        #expect(steps.map { $0["noted"] } == [.bool(false), .bool(true)])
        #expect(worst["questions"]?.array?.map { $0.object?["question_id"]?.text } == ["q1"])
    }

    @Test(
        "Filters",
        arguments: [
            (["account": "1"], ["1"]), (["user": "V"], ["2"]), (["kind": "manual"], ["2"]),
            (["kind": "matched"], ["1"]),
            (["kind": "foreign"], []), (["sort": "account"], ["1", "2"]), (["server": "other"], []),
        ])
    func filters(parameters: [String: String], expected: [String]) throws {
        #expect(try accounts(parameters).map { $0["account"]?.text ?? "" } == expected)
        if parameters["kind"] == "manual" {
            #expect(try accounts(parameters).first?["only_ours"] == .array([]))
        }
    }

    @Test("/questions: the open ones are asked for by their state; each has its age")
    func questions() throws {
        let items = try Fixtures.body("/questions", ["state": "open"], Self.snapshot)["items"]?.array ?? []
        #expect(items.map { $0.object?["question_id"]?.text } == ["q1"])
        #expect(items.first?.object?["age_s"] == .number("120"))
        #expect(try Fixtures.body("/questions", [:], Self.snapshot)["total"] == .number("2"))
    }

    @Test("/health counts the lists, and an open question is a warning, never a failure")
    func health() throws {
        let body = try Fixtures.body("/health", [:], Self.snapshot)
        let counts = try #require(body["reconciliation"]?.object)
        #expect(
            counts.compactText
                == #"{"accounts":2,"matched":1,"only_ours":1,"only_theirs":2,"unexplained":1,"questions":1}"#)
        #expect(body["status"] == .string("warn"))
        #expect(body["reasons"]?.array?.compactMap { $0.object?["code"]?.text } == ["question_open"])
    }

    @Test("A document that can't be read is no account; one that vanishes is gone")
    func family() {
        let family = ReconciliationFamily(budget: 10)
        family.update(["reconciliation:IC|1", "IC|2"])
        _ = family.questions()
        family.take("IC|1", Self.document("1"))
        family.take("IC|2", "{broken")
        #expect(Set(family.accounts.keys) == ["IC|1"])
        #expect(family.takeChange())
        family.take("IC|1", Self.document("1"))
        #expect(!family.takeChange(), "the same text is no change")
        family.update(["IC|2"])
        #expect(family.accounts.isEmpty && family.takeChange())
    }

    @Test("Redis's memory: of maxmemory where it is set, else of the machine; a warning from 70 %")
    func memory() throws {
        func judged(_ information: [String: String]) -> Snapshot {
            var snapshot = Fixtures.snapshot()
            snapshot.redis.information = information
            snapshot.system.memoryTotal = 1000
            snapshot.judgement = Judgement(snapshot, now: Fixtures.now)
            return snapshot
        }
        let configured = judged(["used_memory": "70", "maxmemory": "100", "total_system_memory": "9000"])
        #expect(configured.judgement.reasons.map(\.code) == ["redis_memory"])
        let body = try Fixtures.body("/health", [:], configured)["redis"]?.object?["memory"]?.object
        #expect(body?.compactText == #"{"used_bytes":70,"max_bytes":100,"share":0.7,"limit":"maxmemory"}"#)
        #expect(judged(["used_memory": "69", "maxmemory": "100"]).judgement.status == .pass)
        #expect(judged(["used_memory": "690", "maxmemory": "0"]).judgement.status == .pass)
        #expect(judged(["used_memory": "700", "maxmemory": "0"]).judgement.status == .warn)
        #expect(
            judged(["used_memory": "700", "maxmemory": "0", "total_system_memory": "9000"]).judgement.status == .pass)
    }

    @Test("The journals' sizes are what the services report; what nobody reports is null")
    func journal() throws {
        let services = Fixtures.services { name, report in
            if name == .confirmationLogger {
                report["gauges"] =
                    #"{"journal_segments":4,"journal_bytes":100,"journal_hot_bytes":60,"journal_warm_bytes":40}"#
            }
            if name == .positionTracker { report["gauges"] = #"{"ledger_journal_bytes":7}"# }
        }
        let body = try Fixtures.body("/health", [:], Fixtures.snapshot(services))["journal"]?.object
        #expect(
            body?.compactText
                == #"{"segments":4,"hot_bytes":60,"warm_bytes":40,"cold_bytes":null,"bytes":100,"ledger_bytes":7}"#)
    }

    @Test("What a service reports as a problem is a reason")
    func problems() {
        let services = Fixtures.services { name, report in
            guard name == .positionTracker else { return }
            report["state"] = "degraded"
            report["problems"] = #"{"brake":"automatic: 12 of 20 outcomes unknown"}"#
        }
        let reasons = Judgement(Fixtures.snapshot(services), now: Fixtures.now).reasons
        #expect(reasons.map(\.message) == ["position-tracker: automatic: 12 of 20 outcomes unknown"])
    }
}
