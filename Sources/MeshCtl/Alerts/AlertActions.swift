import ArgumentParser
import Foundation
import ServiceKit
import Wire

extension AlertsCommand {
    struct Acknowledge: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ack", abstract: "Say that somebody looks after an alert: it is not repeated.")

        @Argument(help: "The alert's id, or the beginning of it.") var alert: String
        @OptionGroup var action: AlertActionOptions

        func run() throws {
            let list = try ListPage.get("/alerts", action.query.mesh(), limit: 1000, [("state", "firing")])
            let found = list.items.compactMap { $0["alert_id"]?.text }.filter { $0.hasPrefix(alert) }
            guard let identifier = found.first, found.count == 1 else {
                throw ToolError(ExitStatus.denied, "\(found.count) active alerts begin with \(alert)")
            }
            let answer = try action.post("/alerts/\(HTTPClient.encoded(identifier))/acknowledge", [])
            print(action.query.json ? answer.compactText : "acknowledged: \(identifier)")
        }
    }

    struct Silence: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold back the notifications of alerts that match; the history goes on.",
            discussion: """
                Matchers are FIELD=VALUE, and all of them must match; `*` at the end stands for any rest. Fields:
                type severity scope scope_name node_id user_uuid account server broker subnet version service alert_id
                """)

        @Argument(help: "For example server=Demo-1 or type=node_timeout.") var matchers: [String]
        @Option(help: "For how long, in minutes.") var minutes: Int = 60
        @OptionGroup var action: AlertActionOptions

        func validate() throws {
            guard !matchers.isEmpty else { throw ValidationError("say what is meant, for example server=Demo-1") }
            guard (1...527_040).contains(minutes) else { throw ValidationError("--minutes must be 1 to 527040") }
            guard matchers.allSatisfy({ $0.contains("=") }) else { throw ValidationError("a matcher is FIELD=VALUE") }
        }

        func run() throws {
            let identifier = UUID().uuidString.lowercased()
            var fields = [("request_id", identifier), ("minutes", String(minutes))]
            for matcher in matchers {
                let parts = matcher.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                fields.append((String(parts[0]), String(parts[1])))
            }
            let answer = try action.post("/silence", fields)
            print(action.query.json ? answer.compactText : "silence \(identifier) for \(minutes) min")
        }
    }

    struct Unsilence: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a silence.")

        @Argument(help: "The silence's id; `meshctl alerts list --muted` shows them.") var silence: String
        @OptionGroup var action: AlertActionOptions

        func run() throws {
            let answer = try action.post("/unsilence", [("silence_id", silence)])
            print(action.query.json ? answer.compactText : "ended: \(silence)")
        }
    }

    struct Maintenance: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Announce planned work: what happens there notifies nobody meanwhile.",
            discussion: """
                Scopes: all, node:ID, user:UUID, account:N, server:NAME, broker:NAME, subnet:NET, version:V, service:NAME.
                """)

        @Option(help: "What is worked on.") var scope: String
        @Option(help: "For how long, in minutes.") var minutes: Int = 60
        @Option(help: "When it begins, RFC 3339; default: now.") var from: String?
        @Flag(help: "End the windows of this scope instead.") var end = false
        @OptionGroup var action: AlertActionOptions

        func validate() throws {
            guard (1...527_040).contains(minutes) else { throw ValidationError("--minutes must be 1 to 527040") }
        }

        func run() throws {
            if end {
                let answer = try action.post("/maintenance/end", [("scope", scope)])
                return print(action.query.json ? answer.compactText : "ended: \(scope)")
            }
            let identifier = UUID().uuidString.lowercased()
            var fields = [("request_id", identifier), ("scope", scope), ("minutes", String(minutes))]
            if let from { fields.append(("from", from)) }
            let answer = try action.post("/maintenance", fields)
            print(action.query.json ? answer.compactText : "maintenance \(identifier): \(scope) for \(minutes) min")
        }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a test through every outlet and say what each answered.")

        @OptionGroup var action: AlertActionOptions

        func run() throws {
            let identifier = UUID().uuidString.lowercased()
            _ = try action.post("/alerts/test", [("request_id", identifier)])
            let mesh = try action.query.mesh()
            let deadline = SystemClock.monotonicMilliseconds() + 75_000
            while SystemClock.monotonicMilliseconds() < deadline {
                let list = try ListPage.get("/alerts", mesh, limit: 100, [("type", "test")])
                if let found = list.items.first(where: { $0["key"]?.text == "test:\(identifier)" }) {
                    return try say(found, identifier)
                }
                _ = poll(nil, 0, 200)
            }
            throw ToolError(ExitStatus.unavailable, "heartbeat-monitor has not answered: is it running? meshctl doctor")
        }

        private func say(_ alert: JSONObject, _ identifier: String) throws {
            let result = Fields.text(alert["resolution"])
            if action.query.json {
                print(alert.compactText)
            } else {
                for line in result.components(separatedBy: "; ") { print(TerminalText.sanitised(line)) }
            }
            guard !result.contains("refused"), !result.contains("not reached"), !result.contains("answered "),
                !result.contains("no answer"), !result.contains("no outlet")
            else { throw ToolError(ExitStatus.denied, "not every outlet took the test") }
        }
    }

    struct Drift: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show how the fleet drifts: versions, frozen charts, refused trading, unknown symbols, clocks.")

        @OptionGroup var query: QueryOptions

        func run() throws {
            let client = HTTPClient(port: try query.mesh().configuration.ports[.health].port)
            guard let body = try client.get("/drift").json?.object else {
                throw ToolError(ExitStatus.unavailable, "/drift: the dashboard answered no JSON")
            }
            if query.json { return print(body.compactText) }
            for line in Fields.lines(body, without: []) { print(line) }
        }
    }
}
