import Domain
import Redis
import Testing
import Wire

@testable import HealthDashboard

@Suite("Silences, windows and closes that are over, insisted on, or denied")
struct AskedBeforeTests {
    private func text(_ text: String) -> RedisValue { .string(Array(text.utf8)) }

    /// Entries as `XREVRANGE` gives them: the newest first.
    private func stream(_ entries: [[String]]) -> RedisValue {
        .array(
            entries.enumerated().map { place, fields in
                .array([text("\(100 - place)-0"), .array(fields.map(text))])
            })
    }

    private func standing(_ kind: AskedBefore, _ name: String, _ entries: [[String]]) -> AskedBefore.Standing {
        kind.standing(of: name, stream(entries), Fixtures.now)
    }

    private let at = String(Fixtures.now.milliseconds - 60_000)

    @Test("A silence is under way until somebody ends it or its time is over, and a new one under its name begins anew")
    func silences() {
        let asked = ["action", "silence", "at", at, "request_id", "s1", "type", "x", "minutes", "5"]
        let ended = ["action", "unsilence", "at", at, "silence_id", "s1"]
        #expect(standing(.silence, "s1", [asked]) == .underWay)
        #expect(standing(.silence, "s1", [ended, asked]) == .over)
        #expect(standing(.silence, "s1", [asked, ended, asked]) == .underWay)
        #expect(standing(.silence, "s1", [ended]) == .over, "its beginning has left the stream")
        #expect(standing(.silence, "s2", [ended, asked]) == .unheard)
        #expect(standing(.silence, "100-0", [asked.map { $0 == "request_id" ? "comment" : $0 }]) == .underWay)
        let past = String(Fixtures.now.milliseconds - 1)
        for end in [["minutes", "1"], ["until_ms", past], ["until", "\(Timestamp(milliseconds: 1000))"]] {
            let old = ["action", "silence", "at", at, "request_id", "s1", "type", "x"] + end
            #expect(standing(.silence, "s1", [old]) == .over, "\(end)")
        }
    }

    @Test("A window is ended by its id or its scope, and known by both")
    func windows() {
        let all = ["action", "maintenance", "at", at, "request_id", "w1", "minutes", "5"]
        let broker = ["action", "maintenance", "at", at, "request_id", "w2", "scope", "broker:B", "minutes", "5"]
        #expect(standing(.maintenance, "all", [all]) == .underWay && standing(.maintenance, "w1", [all]) == .underWay)
        #expect(standing(.maintenance, "w1", [["action", "maintenance_end", "scope", "all"], all]) == .over)
        #expect(standing(.maintenance, "all", [["action", "maintenance_end"], all]) == .over)
        #expect(standing(.maintenance, "w2", [["action", "maintenance_end"], all, broker]) == .underWay)
        let off = ["action", "maintenance", "state", "off", "scope", "broker:B"]
        #expect(standing(.maintenance, "broker:B", [off, broker]) == .over)
        #expect(standing(.maintenance, "w3", [off, broker]) == .unheard)
    }

    @Test("Ending what is over is a conflict with a code of its own, though heartbeat-monitor may still have it")
    func objections() throws {
        let ended = stream([["action", "unsilence", "silence_id", "s1"], ["action", "silence", "request_id", "s1"]])
        for kept in [RedisValue.integer(0), .integer(1)] {
            let check = ActionCheck.of(
                ["action", "unsilence", "silence_id", "s1"], Fixtures.snapshot(), now: Fixtures.now)
            guard case .conflict(let code, _)? = check?.objection([kept, ended]) else {
                Issue.record("a silence that is over was ended again")
                return
            }
            #expect(code == "silence_over")
        }
        let closed = stream([["action", "maintenance_end"], ["action", "maintenance", "request_id", "w1"]])
        let window = ActionCheck.of(
            ["action", "maintenance_end", "scope", "all"], Fixtures.snapshot(), now: Fixtures.now)
        guard case .conflict(let code, _)? = window?.objection([.array([]), closed]) else {
            Issue.record("a window that is over was ended again")
            return
        }
        #expect(code == "window_over")
    }

    @Test("A close carries who asks and whether he insists; a denial is no success")
    func closes() throws {
        func request(_ action: Endpoint.Action, _ body: String) throws -> JSONObject? {
            let errand = try ActionRequests.errand(action, body: Array(body.utf8), now: Fixtures.now)
            guard case .order(let object) = errand else { return nil }
            return object
        }
        let one = try request(.close, #"{"user_uuid":"u","ticket":7,"by":"ann","force":true}"#)
        #expect(one?["by"]?.text == "ann" && one?["force"]?.bool == true && one?["type"]?.text == "close")
        let all = try request(.closeAll, #"{"all":true,"by":"ann","force":false}"#)
        #expect(all?["by"]?.text == "ann" && all?["force"]?.bool == false && all?["all"]?.bool == true)
        let plain = try request(.close, #"{"user_uuid":"u","ticket":7,"by":null}"#)
        #expect(plain?["by"] == nil && plain?["force"] == nil)
        for body in [#"{"user_uuid":"u","ticket":7,"force":"yes"}"#, #"{"user_uuid":"u","ticket":7,"by":3}"#] {
            #expect(throws: HTTPProblem.self, "\(body)") { try request(.close, body) }
        }
        let good = Answer.json(.object(["ok": .bool(true)]))
        #expect(Refusal.answer(["ok": .bool(true), "state": .string("sent")], else: good).status == 200)
        #expect(Refusal.answer(["ok": .bool(false)], else: good).status == 400)
        for (reason, status) in [("unknown_position", 404), ("halted", 409)] {
            let reply: JSONObject = [
                "ok": .bool(true), "state": .string("denied"), "reason": .string(reason), "message": .string("why"),
            ]
            let answer = Refusal.answer(reply, else: good)
            let error = try JSON(answer.body).object?["error"]?.object
            #expect(answer.status == status && error?["code"]?.text == reason && error?["message"]?.text == "why")
        }
    }
}
