import Domain
import Redis
import ServiceKit
import Supervision
import Wire

/// The six checks of a running mesh, each from outside: what a client would see.
struct LiveCheck {
    struct Result {
        let name: String
        /// What was found good.
        let text: String
        /// Why it failed; nil where it did not.
        let problem: String?
    }

    let mesh: Mesh

    init(_ mesh: Mesh) { self.mesh = mesh }

    func run() -> [Result] {
        [
            result("Redis", redis), result("ZMQ", requests), result("ports", ports), result("persistence", persistence),
            result("APIs", interfaces), result("dashboard", dashboard),
        ]
    }

    private func result(_ name: String, _ check: () throws -> String) -> Result {
        do {
            return Result(name: name, text: try check(), problem: nil)
        } catch {
            return Result(name: name, text: "", problem: ToolError(error)?.message ?? "\(error)")
        }
    }

    private func failure(_ message: String) -> ToolError { ToolError(ExitStatus.unavailable, message) }

    private func redis() throws -> String {
        let address = mesh.configuration.redis
        try RedisCheck.answers(address)
        if let problem = try RedisSafety.problem(of: address) {
            guard mesh.configuration.allowUnsafeRedis else { throw failure("\(address): \(problem)") }
            return "\(address) answers; unsafe as allowed: \(problem)"
        }
        return "\(address) answers and keeps what it acknowledges"
    }

    /// A question to each port that answers some without a trace: neither a journaled record nor a counted refusal.
    private func requests() throws -> String {
        let questions: [(PortList.Name, JSONObject)] = [
            (.registry, ["type": .string("stats")]), (.orders, ["type": .string("ledger")]),
            (.citadelQueries, ["symbol": .string("EURUSD"), "entry_price": .number("1.1")]),
        ]
        for (name, question) in questions { _ = try RequestPort(mesh, name).ask(question) }
        return "\(questions.map { $0.0.rawValue }.joined(separator: ", ")) answer"
    }

    private func ports() throws -> String {
        let entries = mesh.configuration.ports.entries.filter { $0.name != .state || mesh.usesOwnRedis }
        let listeners = Processes.listeners(on: entries.map(\.port))
        for entry in entries {
            let words = "port \(entry.port), \(entry.name.rawValue)"
            guard let listener = listeners[entry.port] else { throw failure("nobody listens on \(words)") }
            guard let pid = listener.pid, let owner = mesh.supervisor.status(entry.service.rawValue).pid else {
                continue
            }
            if pid != owner { throw failure("\(words) is held by \(listener.words), not by \(entry.service.rawValue)") }
        }
        return "all \(entries.count) are served by their owners"
    }

    /// What is written comes back, the append-only file takes it, and the journal is as it was written.
    private func persistence() throws -> String {
        let redis = RedisConnection(mesh.configuration.redis)
        let mark = "\(SystemClock.now())"
        // A key of our own that is gone in a minute.
        let key = "meshctl:live"
        let replies = try redis.call(
            pipeline: [["SET", key, mark, "EX", "60"], ["GET", key], ["INFO", "persistence"]])
        if let refusal = replies[0].errorMessage { throw failure("Redis refuses writes: \(refusal)") }
        guard replies[1].text == mark else { throw failure("Redis gave back something else than was written") }
        let information = replies[2].text ?? ""
        let isKept = RedisSafety.field("aof_enabled", in: information) == "1"
        guard isKept || mesh.configuration.allowUnsafeRedis else { throw failure("Redis keeps no append-only file") }
        if isKept, let status = RedisSafety.field("aof_last_write_status", in: information), status != "ok" {
            throw failure("Redis could not write its append-only file")
        }
        return "Redis writes are kept, " + (try JournalCheck.summary(mesh.journalDirectory))
    }

    private func interfaces() throws -> String {
        let client = HTTPClient(port: mesh.configuration.ports[.health].port)
        let paths = [
            "/livez", "/readyz", "/version", "/health", "/services", "/nodes", "/positions", "/stats", "/metrics",
        ]
        for path in paths {
            let answer = try client.get(path)
            guard answer.status == 200 else {
                let reasons = answer.json?.object?["reasons"]?.array?.first
                let why = reasons?.object?["message"]?.text ?? reasons?.text
                throw failure("\(path) answers with status \(answer.status)" + (why.map { ": \($0)" } ?? ""))
            }
            if path != "/metrics" && answer.json == nil { throw failure("\(path) answers no JSON") }
        }
        return "\(paths.joined(separator: " ")) answer"
    }

    private func dashboard() throws -> String {
        let answer = try HTTPClient(port: mesh.configuration.ports[.health].port).get("/dashboard")
        guard answer.status == 200 else { throw failure("/dashboard answers with status \(answer.status)") }
        let page = String(decoding: answer.body, as: UTF8.self)
        guard answer.headers["content-type"]?.hasPrefix("text/html") == true, page.contains("</html>") else {
            throw failure("/dashboard is no complete page")
        }
        return "\(mesh.dashboardAddress), \(answer.body.count) bytes"
    }
}
