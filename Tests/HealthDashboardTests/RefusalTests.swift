import Domain
import Glibc
import Redis
import Synchronization
import Testing
import Wire

@testable import HealthDashboard

@Suite("What is refused: strange parameters, strange pages, actions on what is not there")
struct RefusalTests {
    /// How often something was worked out, told by many tasks.
    private final class Count: Sendable {
        let value = Mutex(0)
    }

    @Test("A parameter nobody knows is refused with those that there are; probes and pages may be asked with anything")
    func parameters() throws {
        for (path, names) in [
            ("/nodes", ["limit", "offset", "sort", "status", "q", "format", "conflict"]), ("/nodes/x", ["format"]),
            ("/overview", ["since", "parts"]), ("/history", ["range", "points"]), ("/health", ["format"]),
            ("/services", ["state", "sort", "limit"]), ("/livez", ["x"]), ("/readyz", ["x"]), ("/metrics", ["x"]),
            ("/dashboard", ["x"]), ("/dashboard/fire/x", ["x"]), ("/nothing", ["x"]),
        ] { #expect(throws: Never.self) { try KnownParameters.check(names, path: path) } }
        for (path, name) in [
            ("/nodes", "stauts"), ("/nodes/x", "limit"), ("/health", "verbose"), ("/fires", "Limit"), ("/stats", "q"),
        ] {
            let problem = #expect(throws: HTTPProblem.self) { try KnownParameters.check([name], path: path) }
            #expect(problem?.status == 400 && problem?.code == "unknown_parameter")
            #expect(problem?.message.contains("'\(name)'") == true && problem?.message.contains("format") == true)
        }
    }

    @Test("Every parameter that the document describes is known")
    func described() throws {
        for read in Operations.reads where read.type == "application/json" {
            let path = read.path.replacing(/\{[a-z]+\}/, with: "x")
            #expect(throws: Never.self) { try KnownParameters.check(read.parameters.map(\.name), path: path) }
        }
    }

    @Test("An address below /dashboard that shows nothing is a page with status 404")
    func pages() throws {
        for path in ["dashboard/nothing", "dashboard/terminal", "dashboard/x/1", "dashboard/fire/a/b"] {
            let endpoint = try Endpoint.resolve(method: "GET", path: "/\(path)")
            let answer = try SnapshotAnswers.answer(
                endpoint, [:], Fixtures.snapshot(), now: Fixtures.now, monotonic: 1_000_000)
            #expect(answer?.status == 404 && answer?.contentType.hasPrefix("text/html") == true, "\(path)")
        }
        let position = try Endpoint.resolve(method: "GET", path: "/dashboard/position/Demo-1%7C7001%7C12")
        #expect(position == .asset(.page))
        #expect(
            try Endpoint.resolve(method: "GET", path: "/positions/Demo-1|7001|12")
                == .inquiry(.position("Demo-1|7001|12")))
    }

    private func errand(_ action: Endpoint.Action, _ body: String) throws -> Errand {
        try ActionRequests.errand(action, body: Array(body.utf8), now: Fixtures.now)
    }

    @Test("A brake needs a reason; a silence something to match and an end; an end its name")
    func bodies() throws {
        let bad: [(Endpoint.Action, String, String)] = [
            (.brake, #"{"state":"HALTED"}"#, "missing_field"),
            (.brake, #"{"state":"HALTED","reason":" "}"#, "missing_field"),
            (.silence, #"{"minutes":5}"#, "missing_field"), (.silence, #"{"type":"x"}"#, "missing_field"),
            (.silence, #"{"type":"x","minutes":0}"#, "bad_request"), (.unsilence, "{}", "missing_field"),
            (.maintenance, #"{"scope":"all"}"#, "missing_field"),
            (.maintenance, #"{"scope":"nobody:x","minutes":5}"#, "bad_request"),
        ]
        for (action, body, code) in bad {
            let problem = #expect(throws: HTTPProblem.self) { try errand(action, body) }
            #expect(problem?.status == 400 && problem?.code == code, "\(action) \(body)")
        }
        for (action, body) in [
            (Endpoint.Action.brake, #"{"state":"HALTED","reason":"news"}"#), (.silence, #"{"type":"x","minutes":5}"#),
            (.unsilence, #"{"silence_id":"s"}"#), (.maintenance, #"{"minutes":5}"#),
            (.maintenance, #"{"state":"off","scope":"all"}"#),
        ] { #expect(throws: Never.self) { try errand(action, body) } }
    }

    private func text(_ text: String) -> RedisValue { .string(Array(text.utf8)) }

    private func objection(_ entry: [String], _ replies: [RedisValue]) -> ErrandOutcome? {
        ActionCheck.of(entry, Fixtures.snapshot(), now: Fixtures.now)?.objection(replies)
    }

    @Test("An acknowledgement needs an alert that is not over; ends need what they end; silences what they name")
    func existence() {
        let acknowledge = ["action", "acknowledge", "alert_id", "a1"]
        #expect(objection(acknowledge, [.integer(1), .integer(1)]) == nil)
        guard case .missing? = objection(acknowledge, [.integer(0), .integer(0)]),
            case .conflict(let code, _)? = objection(acknowledge, [.integer(1), .integer(0)])
        else {
            Issue.record("an alert that is not there, or over, was acknowledged")
            return
        }
        #expect(code == "alert_over")
        let unsilence = ["action", "unsilence", "silence_id", "s1"]
        let pending: RedisValue = .array([
            .array([text("9-0"), .array(["action", "silence", "request_id", "s1"].map(text))])
        ])
        #expect(objection(unsilence, [.integer(1), .array([])]) == nil)
        #expect(objection(unsilence, [.integer(0), pending]) == nil, "asked for a moment ago")
        #expect(objection(unsilence, [.integer(0), .array([])]) != nil)
        let end = ["action", "maintenance_end", "scope", "all"]
        let windows: RedisValue = .array([text("w1"), text(#"{"id":"w1","scope":"all"}"#)])
        #expect(objection(end, [windows, .array([])]) == nil)
        #expect(objection(end, [.array([]), .array([])]) != nil)
        #expect(objection(["action", "silence", "node_id", "n1", "minutes", "5"], [.integer(0)]) != nil)
        #expect(objection(["action", "silence", "node_id", "n1", "minutes", "5"], [.integer(1)]) == nil)
        #expect(objection(["action", "silence", "service", "nobody", "minutes", "5"], []) != nil)
        #expect(objection(["action", "silence", "server", "Nowhere", "minutes", "5"], []) != nil)
        for matcher in [["node_id", "n*"], ["type", "x"]] {
            let entry = ["action", "silence"] + matcher + ["minutes", "5"]
            #expect(ActionCheck.of(entry, Fixtures.snapshot(), now: Fixtures.now) == nil, "\(matcher)")
        }
    }

    @Test("Texts are found without regard to case, in ASCII and beyond")
    func cases() {
        #expect(CaseInsensitive.contains("Kestrel Markets", "kestrel"))
        #expect(CaseInsensitive.contains("xKES", "kes") && !CaseInsensitive.contains("ke", "kes"))
        #expect(CaseInsensitive.contains("БРОКЕР", "брокер") && CaseInsensitive.contains("Éa", "éa"))
        #expect(CaseInsensitive.isEqual("Demo-1", "demo-1") && !CaseInsensitive.isEqual("Demo-1", "demo-2"))
        #expect(CaseInsensitive.isEqual("ÉCOLE", "école") && !CaseInsensitive.isEqual("[", "{"))
    }

    @Test("What a hundred ask at the same moment is worked out once; a failure is everybody's own")
    func once() async throws {
        let cache = AnswerCache()
        let count = Count()
        let deadline = ContinuousClock.now + .seconds(60)
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    try await cache.entry("/nodes", tag: "1") { () throws(HTTPProblem) in
                        count.value.withLock { $0 += 1 }
                        // Not done before all the others have come to ask for the same.
                        while cache.waitingCount < 99, ContinuousClock.now < deadline { sched_yield() }
                        return AnswerCache.Entry(tag: "1", answer: .text("x", type: "text/plain"), packed: nil)
                    }.answer
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ContinuousClock.now < deadline, "99 waited for the one")
        #expect(answers.count == 100 && count.value.withLock { $0 } == 1 && cache.waitingCount == 0)
    }

    @Test("Whoever waited for what could not be worked out asks for himself and is told why")
    func failures() async throws {
        let cache = AnswerCache()
        let count = Count()
        let deadline = ContinuousClock.now + .seconds(60)
        let failures = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do throws(HTTPProblem) {
                        _ = try await cache.entry("/nodes", tag: "2") { () throws(HTTPProblem) in
                            let isFirst = count.value.withLock { count in
                                count += 1
                                return count == 1
                            }
                            while isFirst, cache.waitingCount < 19, ContinuousClock.now < deadline { sched_yield() }
                            throw .badRequest("no")
                        }
                        return false
                    } catch {
                        return error == .badRequest("no")
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(ContinuousClock.now < deadline, "19 waited for the one")
        #expect(failures == 20 && count.value.withLock { $0 } == 20 && cache.waitingCount == 0)
    }

    @Test("The brake is in the metrics, by kind of scope, and names nobody")
    func metrics() {
        var snapshot = Fixtures.snapshot()
        snapshot.brakes = ["all": "REDUCING|1|x", "user:someone": "HALTED|1|y", "user:other": "HALTED|1|y"]
        let text = MetricsText(snapshot, now: Fixtures.now).text
        #expect(text.contains(#"mesh_brakes{scope="all",state="REDUCING"} 1"#))
        #expect(text.contains(#"mesh_brakes{scope="user",state="HALTED"} 2"#))
        #expect(text.contains(#"mesh_brakes{scope="tier",state="HALTED"} 0"#))
        #expect(!text.contains("someone"))
    }

    @Test("As text, wide rows show what a person looks for, and entries of streams every column that any has")
    func columns() throws {
        var snapshot = Fixtures.snapshot()
        snapshot.nodes = [
            Fixtures.node("n1", ["broker": "B", "server": "S-1", "equity": "10.00", "session_id": "long"])
        ]
        snapshot.audit = [
            ["id": .string("2-0"), "stream": .string("events:audit"), "at": .string("t2"), "event": .string("brake")],
            [
                "id": .string("1-0"), "stream": .string("events:audit"), "at": .string("t1"),
                "user_uuid": .string("ann"),
            ],
        ]
        func text(_ path: String) throws -> String {
            let answer = try #require(try Fixtures.answer(path, [:], snapshot))
            return String(decoding: try AnswerForm(["format": "text"]).dressed(answer).body, as: UTF8.self)
        }
        let nodes = try text("/nodes")
        #expect(nodes.hasPrefix("NODE_ID") && nodes.contains("S-1") && !nodes.contains("SESSION_ID"))
        // What is left out is said, and how to get it.
        #expect(nodes.contains("more fields of each are in the JSON: leave out format=text"), "\(nodes)")
        let audit = try text("/audit")
        #expect(audit.hasPrefix("AT  EVENT  USER_UUID\n") && audit.contains("ann"), "\(audit)")
        #expect(audit.contains("; 2 more fields of each"), "id and stream: \(audit)")
        let drift = try text("/performance")
        #expect(!drift.contains("more fields"), "\(drift)")
    }
}
