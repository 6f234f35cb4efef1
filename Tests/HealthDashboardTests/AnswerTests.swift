import Domain
import Testing
import Wire

@testable import HealthDashboard

@Suite("Answers: the interface of the contract, section 5")
struct AnswerTests {
    @Test("Known paths are found, unknown ones are 404, wrong methods 405, garbled ones 400")
    func table() throws {
        let known = [
            "health", "services", "nodes", "positions", "stats", "signals", "levels", "alerts", "fires", "events",
            "metrics", "livez", "readyz", "version", "dashboard", "nodes/x", "users/x", "fires/x", "explain/x",
            "reconciliation", "questions", "", "openapi.json", "overview", "history", "latency", "exposure",
            "performance",
            "sweeps", "audit", "silence", "maintenance", "users", "positions/x", "alerts/x", "symbols/x", "services/x",
            "dashboard/terminal/x", "dashboard/position/x",
        ]
        for path in known { _ = try Endpoint.resolve(method: "GET", path: "/\(path)") }
        #expect(try Endpoint.resolve(method: "HEAD", path: "/health/") == .health)
        #expect(try Endpoint.resolve(method: "GET", path: "/nodes/a%2Fb%20c") == .inquiry(.node("a/b c")))
        #expect(try Endpoint.resolve(method: "POST", path: "/brake") == .action(.brake))
        let wrong = [
            ("GET", "/x", 404), ("GET", "/nodes/a/b", 404), ("POST", "/nodes", 405), ("GET", "/brake", 405),
            ("DELETE", "/silence", 405),
        ]
        for (method, path, status) in wrong {
            let error = #expect(throws: HTTPProblem.self) { try Endpoint.resolve(method: method, path: path) }
            #expect(error?.status == status, "\(method) \(path)")
        }
        for path in ["/nodes/%zz", "/nodes/%00", "/nodes/" + String(repeating: "a", count: 300)] {
            let error = #expect(throws: HTTPProblem.self) { try Endpoint.resolve(method: "GET", path: path) }
            #expect(error?.status == 400)
        }
    }

    @Test("/health is 200 for pass and warn, 503 for fail, and has what the contract promises")
    func health() throws {
        let snapshot = Fixtures.snapshot()
        #expect(try Fixtures.answer("/health", [:], snapshot)?.status == 200)
        let body = try Fixtures.body("/health", [:], snapshot)
        let promised = [
            "status", "health_score", "health_factors", "services_running", "services_total", "redis", "ports",
            "system",
            "nodes", "positions", "ledger", "reconciliation", "journal", "time", "version", "uptime_s", "demo",
        ]
        for name in promised { #expect(body[name] != nil, "\(name) is missing") }
        #expect(body["services_running"] == .number("7"))
        #expect(body["uptime_s"] == .number("90"))
        var failing = snapshot
        failing.redis.state = .away
        failing.judgement = Judgement(failing, now: Fixtures.now)
        #expect(try Fixtures.answer("/health", [:], failing)?.status == 503)
        #expect(try Fixtures.body("/health", [:], failing)["status"] == .string("fail"))
    }

    @Test("A snapshot that is not renewed is not shown as the present")
    func oldSnapshot() throws {
        let snapshot = Fixtures.snapshot()
        let late: Int64 = 1_000_000 + 5001
        let health = try SnapshotAnswers.answer(.health, [:], snapshot, now: Fixtures.now, monotonic: late)
        #expect(health?.status == 503)
        let ready = try SnapshotAnswers.answer(.ready, [:], snapshot, now: Fixtures.now, monotonic: late)
        #expect(ready?.status == 503)
        let live = try SnapshotAnswers.answer(.live, [:], snapshot, now: Fixtures.now, monotonic: late)
        #expect(live?.status == 200)
    }

    @Test("/readyz needs Redis and a state that was read within 5 s")
    func readiness() throws {
        var snapshot = Fixtures.snapshot()
        #expect(try Fixtures.answer("/readyz", [:], snapshot)?.status == 200)
        snapshot.readMonotonic = 990_000
        #expect(try Fixtures.answer("/readyz", [:], snapshot)?.status == 503)
        snapshot.readMonotonic = nil
        #expect(try Fixtures.body("/readyz", [:], snapshot)["ready"] == .bool(false))
    }

    @Test("A list has its envelope; what a terminal wrote into a name comes back as text")
    func lists() throws {
        var snapshot = Fixtures.snapshot()
        let evil = "<img src=x onerror=alert(1)>\"\n"
        snapshot.nodes = [Fixtures.node("n1", ["broker": evil]), Fixtures.node("n2")]
        snapshot.lastSeen = ["n2": Fixtures.now.milliseconds]
        let body = try Fixtures.body("/nodes", ["limit": "1", "sort": "node_id"], snapshot)
        #expect(body["total"] == .number("2"))
        #expect(body["limit"] == .number("1"))
        #expect(body["offset"] == .number("0"))
        #expect(body["now"] == .string("\(Fixtures.now)"))
        #expect(body["items"]?.array?.count == 1)
        #expect(body["items"]?.array?.first?.object?["broker"] == .string(evil))
        let second = try Fixtures.body("/nodes", ["offset": "1"], snapshot)
        #expect(second["items"]?.array?.first?.object?["last_seen"] == .string("\(Fixtures.now)"))
        #expect(throws: HTTPProblem.self) { try Fixtures.answer("/nodes", ["limit": "x"], snapshot) }
        #expect(throws: HTTPProblem.self) { try Fixtures.answer("/services", ["limit": "0"], snapshot) }
    }

    @Test("/services names all seven with what the contract promises")
    func services() throws {
        let items = try Fixtures.body("/services", [:], Fixtures.snapshot())["items"]?.array ?? []
        #expect(items.count == 7)
        for item in items {
            for name in ["name", "state", "pid", "restarts", "last_exit", "ports", "counters", "rejected"] {
                #expect(item.object?[name] != nil, "\(name) is missing")
            }
        }
        #expect(items.first?.object?["rejected"]?.object?["not_json"] == .number("2"))
    }

    @Test("An error is JSON with its code, and a refusal says what is allowed")
    func problems() throws {
        let answer = Answer.problem(.methodNotAllowed(["POST"]))
        #expect(answer.status == 405)
        #expect(answer.headers["allow"] == "POST")
        #expect(try JSON(answer.body).object?["error"]?.object?["code"] == .string("method_not_allowed"))
        #expect(Answer.problem(.unauthorized).headers["www-authenticate"] == "Bearer")
    }

    @Test("The page loads nothing but its own files, and no script of it makes markup from text")
    func page() {
        let policy = Answer.securityHeaders.first { $0.0 == "content-security-policy" }?.1 ?? ""
        #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"))
        #expect(!policy.contains("unsafe"))
        let page = String(decoding: Asset.page.bytes, as: UTF8.self)
        for asset in Asset.allCases where asset != .page {
            let text = String(decoding: asset.bytes, as: UTF8.self)
            #expect(!text.contains("innerHTML") && !text.contains("insertAdjacentHTML") && !text.contains("eval("))
        }
        #expect(page.contains("/assets/dashboard.js") && page.contains("/assets/dashboard.css"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("style="))
    }
}
