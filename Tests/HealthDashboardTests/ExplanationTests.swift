import Domain
import Testing
import Wire

@testable import HealthDashboard

/// A fire that was filled after its deadline, with everything a row has.
private enum StoryFixtures {
    static let now = Fixtures.now.milliseconds
    static let sections = [
        "request", "signal", "score", "risk", "slot", "route", "answer", "position", "money",
    ]

    static let euro = Instrument(
        symbol: "EURUSD", kind: .forex, digits: 5, pip: Amount(units: 10_000), contractSize: Amount(100_000),
        quoteCurrency: "USD", lotStep: Amount(units: 1_000_000), minimumLot: Amount(units: 1_000_000),
        maximumLot: Amount(100))

    static let filled: [String: String] = [
        "fire_id": "f", "state": "filled", "late": "1", "user_uuid": "u", "node_id": "n", "server": "IC",
        "account": "1",
        "symbol": "EURUSD.r", "canonical_symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "sl": "1.08",
        "signal_id": "s", "protection_score": "7.5", "ticket": "21",
        "factors":
            #"{"liquidity":{"score":8,"weight":0.5,"contribution":4},"trend":{"score":7,"weight":0.5,"contribution":3.5}}"#,
        "risk":
            #"{"amount":50.00,"currency":"USD","percent":0.50,"cap_percent":1.00,"equity":10000.00,"entry_price":1.085,"stop_pips":50,"loss_per_lot":500.00,"conversion_rate":1,"tier_multiplier":1,"citadel_multiplier":1,"lot":0.10}"#,
        "created_at": "\(now - 90_000)", "reserved_at": "\(now - 90_000)", "sent_at": "\(now - 89_900)",
        "answered_at": "\(now - 50_000)", "expires_at": "\(now - 60_000)",
        "timeline":
            #"[{"state":"slot","at":\#(now - 90_000),"by":"slot script"},{"state":"sent","at":\#(now - 89_900),"by":"libzmq"}]"#,
    ]
}

@Suite("The whole story of a fire as data")
struct ExplanationTests {
    private func story(
        _ fire: [String: String], position: [String: String] = [:], answer: [String: String] = [:], slot: String? = nil
    ) -> JSONObject {
        var sources = Explanation.Sources(fire: fire)
        sources.position = position
        sources.answer = answer
        sources.slot = slot
        return Explanation(sources, instrument: StoryFixtures.euro, questions: [], now: Fixtures.now).document
    }

    private func value(_ story: JSONObject, _ section: String, _ name: String) -> JSON? {
        story[section]?.object?[name]
    }

    private func reason(_ story: JSONObject, _ section: String, _ name: String) -> String {
        story[section]?.object?["not_known"]?.object?[name]?.text ?? ""
    }

    @Test("A filled fire, from the request to its money")
    func filled() {
        let story = story(
            StoryFixtures.filled,
            position: [
                "ticket": "21", "state": "open", "open_price": "1.0853", "lot": "0.10", "currency": "USD",
                "current_pnl": "12.30", "opened_at": "\(StoryFixtures.now - 50_000)",
            ], answer: ["event_id": "u|1|21|opened", "seq": "77", "source": "inferred", "witness": "positions"],
            slot: "IC|1|21")
        #expect(story["late"] == .bool(true) && story["accounted"] == .bool(true))
        #expect(story["summary"] == .string("BUY 0.10 EURUSD.r for u was filled as ticket 21, after its deadline"))
        #expect(value(story, "score", "contributions_sum") == .number("7.5"))
        #expect(value(story, "slot", "status") == .string("held"))
        #expect(value(story, "answer", "took_ms") == .number("39900"))
        #expect(value(story, "answer", "witness") == .string("positions"))
        #expect(value(story, "position", "slippage") == .number("0.0003"))
        #expect(value(story, "money", "unrealised") == .number("12.30"))
        #expect(value(story, "money", "realised") == .null)
        #expect(reason(story, "money", "realised") == "it is open")
        #expect(story["timeline"]?.array?.last?.object?["after_ms"] == .number("100"))
    }

    @Test("The arithmetic of the lot can be followed line by line")
    func arithmetic() throws {
        let found = value(story(StoryFixtures.filled), "risk", "steps")?.array
        let steps = try #require(found).compactMap(\.object)
        let results = steps.map { "\($0["step"]?.text ?? "") = \($0["result"]?.text ?? "")" }
        #expect(
            results == [
                "distance to the stop = 0.005", "the stop in pips = 50", "loss of one lot at the stop = 500.00",
                "most that may be risked = 1", "the same in money = 100.00", "most lots within that = 0.2",
                "lot = 0.10",
                "at risk = 50.00", "the same in percent = 0.50",
            ])
        #expect(steps[2]["formula"] == .string("0.005 x 100000 units a lot x 1 to USD"))
    }

    @Test("An instrument that is another today is not made to fit: its numbers are left out")
    func changedInstrument() throws {
        var other = StoryFixtures.euro
        other.contractSize = Amount(10)
        let story = Explanation(
            Explanation.Sources(fire: StoryFixtures.filled), instrument: other, questions: [], now: Fixtures.now)
        let steps = value(story.document, "risk", "steps")?.array?.compactMap(\.object) ?? []
        #expect(steps[2]["formula"] == .string("distance x units a lot x 1 to USD"))
        #expect(steps[2]["result"] == .number("500.00"))
    }

    @Test(
        "Every null has its reason, whatever state the fire is in",
        arguments: Schema.fireStates, [[:], StoryFixtures.filled] as [[String: String]])
    func reasons(state: String, base: [String: String]) {
        let story = story(base.merging(["fire_id": "f", "state": state, "reason": "no_slot"]) { $1 })
        for section in StoryFixtures.sections {
            let fields = story[section]?.object?.fields ?? []
            #expect(!fields.isEmpty, "\(section) is empty")
            for field in fields where field.value == .null {
                #expect(!reason(story, section, field.name).isEmpty, "\(state): \(section).\(field.name)")
            }
        }
        #expect(story["summary"]?.text?.isEmpty == false)
    }

    @Test("A time-out is never told as a rejection, a denial never as an answer")
    func words() {
        let unknown = story(["fire_id": "f", "state": "unknown", "sent_at": "\(StoryFixtures.now - 90_000)"])
        #expect(
            reason(unknown, "answer", "result") == "no answer has come: a time-out is no rejection, it may have traded")
        #expect(value(unknown, "answer", "result") == .null)
        let denied = story(["fire_id": "f", "state": "denied", "reason": "market_quiet"])
        #expect(reason(denied, "route", "sent_at") == "denied (market_quiet): nothing left")
        #expect(value(denied, "slot", "status") == .string("never_taken"))
        let withdrawn = story(["fire_id": "f", "state": "expired", "reason": "withdrawn: wrong stop"])
        #expect(reason(withdrawn, "route", "sent_at") == "it never left: withdrawn: wrong stop")
        let expired = story(["fire_id": "f", "state": "expired", "reason": "expired"])
        #expect(reason(expired, "route", "sent_at") == "it never left: its time was over before")
        let crashed = story(["fire_id": "f", "state": "unknown", "sending_at": "\(StoryFixtures.now - 90_000)"])
        #expect(reason(crashed, "route", "sent_at").contains("the process died"))
    }

    @Test("The row points to its neighbours by the keys of the contract")
    func neighbours() {
        let commands = Clerk.neighbours(of: StoryFixtures.filled, "f").map { $0.joined(separator: " ") }
        #expect(
            commands == [
                "HGETALL signal:s", "HGETALL position:IC|1|21", "HGETALL trade:u|1|21|opened", "HGETALL user:u",
                "HGET slots:u f",
            ])
        let rejected = Clerk.neighbours(of: ["user_uuid": "u|x"], "f").map { $0.joined(separator: " ") }
        #expect(rejected[2] == "HGETALL trade:u%7Cx|f")
    }

    @Test("/fires/{id} has every field of the row, also those nobody named here, and its timeline")
    func details() {
        let item = Details.fire(
            "f", StoryFixtures.filled.merging(["new_at": "1795000000000", "odd": "x"]) { $1 }, now: Fixtures.now)
        #expect(item["factors"]?.object?["trend"] != nil)
        #expect(item["new_at"] == .string("\(Fixtures.now)") && item["odd"] == .string("x"))
        #expect(item["timeline"]?.array?.first?.object?["at"]?.text?.hasSuffix("Z") == true)
        #expect(item["overdue"] == .bool(false))
    }
}

@Suite("Stories that are not there")
struct MissingStoryTests {
    @Test("the answer says which story may be meant")
    func hints() {
        #expect(Clerk.missing("many", isBatch: true).contains("'many.1' and so on"))
        #expect(Clerk.missing("6000036005", isBatch: false).contains("/positions?q=6000036005"))
        #expect(Clerk.missing("x-1", isBatch: false).contains("no fire 'x-1' is known; stories are kept for 90 days"))
    }
}
