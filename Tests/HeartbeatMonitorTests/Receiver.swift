import Domain
import Fleet
import Foundation
import Logging
import ServiceKit
import TestKit
import Wire

@testable import HeartbeatMonitor

/// A small real HTTP server in another process: keeps what it was sent, and answers as a file tells it.
final class Receiver {
    private static let program = """
        import http.server, json, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                try:
                    answer = json.load(open(sys.argv[2]))
                except (OSError, ValueError):
                    answer = {"status": 200}
                with open(sys.argv[1], "a") as log:
                    log.write(json.dumps({"path": self.path, "type": self.headers.get("Content-Type"),
                        "authorization": self.headers.get("Authorization"), "status": answer["status"],
                        "body": body, "method": self.command}) + "\\n")
                self.send_response(answer["status"])
                if "location" in answer:
                    self.send_header("Location", answer["location"])
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            def do_GET(self):
                with open(sys.argv[1], "a") as log:
                    log.write(json.dumps({"path": self.path, "method": self.command}) + "\\n")
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            def log_message(self, *arguments):
                pass
        http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Handler).serve_forever()
        """

    let port: Int
    private let directory: TemporaryDirectory
    private var child: ChildProcess?

    init() throws {
        directory = try TemporaryDirectory("alerts")
        port = try FreePorts.next()
        try Receiver.program.write(toFile: directory.path + "/server.py", atomically: true, encoding: .utf8)
    }

    var url: String { "http://127.0.0.1:\(port)/hook" }

    func start() throws {
        child = try ChildProcess(
            "/usr/bin/python3",
            [directory.path + "/server.py", directory.path + "/log", directory.path + "/answer", String(port)],
            environment: ["PATH": "/usr/bin:/bin"], log: directory.path + "/server")
        try eventually("the receiver listens") { !FreePorts.isFree(port) }
    }

    func stop() throws {
        child?.kill(SIGKILL)
        try child?.wait(within: 5)
        child = nil
    }

    func answer(_ status: Int, location: String? = nil) throws {
        var answer: JSONObject = ["status": .integer(Int64(status))]
        if let location { answer.append("location", .string(location)) }
        try answer.compactText.write(toFile: directory.path + "/answer", atomically: true, encoding: .utf8)
    }

    /// What came, in order.
    var requests: [JSONObject] {
        let text = (try? String(contentsOfFile: directory.path + "/log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { (try? JSON(String($0)))?.object }
    }

    /// Messages of the alerts that came with a status.
    func told(_ status: Int = 200) -> [String] {
        requests.filter { $0["status"]?.text == String(status) }.compactMap { request in
            let body = request["body"]?.text.flatMap { (try? JSON($0))?.object }
            return body?["alerts"]?.array?.first?.object?["annotations"]?.object?["summary"]?.text
        }
    }
}

/// An outlet desk on a loop of its own, as the service runs it.
struct DeskBench {
    let reactor = Reactor()
    let report = ServiceReport(service: .heartbeatMonitor, now: Timestamp(milliseconds: 0))
    let desk: OutletDesk

    init(
        _ configuration: AlertsConfiguration, spool: String,
        log: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) {
        var pauses = DeliveryQueue.Settings()
        pauses.firstPause = 20
        pauses.longestPause = 200
        desk = OutletDesk(
            configuration, spool: spool, reactor: reactor, report: report,
            log: log, clock: SteadyClock(), pauses: pauses)
    }

    func tell(_ message: String) {
        let now = SystemClock.now()
        let alert = Alert(
            alertID: message, key: message, type: "test", severity: .warning, message: message, fields: [:],
            raisedAt: now)
        desk.tell(Notice(alert: alert, startsAt: now, endsAt: nil, resolution: "", externalURL: ""))
    }

    func run(_ seconds: Double = 10, until condition: () -> Bool) throws -> Bool {
        try reactor.run(until: condition, milliseconds: Int64(seconds * 1_000))
    }
}

func webhook(_ url: String, token: String? = nil) -> AlertsConfiguration {
    var configuration = AlertsConfiguration()
    var outlet = OutletConfiguration(
        name: "webhook",
        kind: .webhook(url: Secret(revealed: url), authorization: token.map { Secret(revealed: $0) }))
    outlet.timeout = 500
    configuration.outlets = [outlet]
    return configuration
}

/// Runs a blocking test on a thread of its own: tests that block the shared threads would keep HTTP from them.
func onOwnThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
