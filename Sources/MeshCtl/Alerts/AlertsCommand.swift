import ArgumentParser
import Domain
import Foundation
import ServiceKit
import Wire

/// `meshctl alerts`.
struct AlertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "List alerts, and say what shall be done about them.",
        discussion: """
            Examples:
              meshctl alerts --severity critical --limit 20
              meshctl alerts show ALERT_ID
              meshctl alerts ack ALERT_ID --reason "on it"
              meshctl alerts silence server=Demo-1 --minutes 120 --reason "the broker works on it"
              meshctl alerts maintenance --scope server:Demo-1 --minutes 60 --reason "new VPS"
              meshctl alerts test
            """,
        subcommands: [
            List.self, Show.self, Acknowledge.self, Silence.self, Unsilence.self, Maintenance.self, Test.self,
            Drift.self,
        ],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List alerts, the newest first.")

        @Option(help: "For example critical or warning.") var severity: String?
        @Option(help: "For example node_timeout.") var type: String?
        @Option(help: "firing or resolved.") var state: String?
        @Option(help: "Only of this user's terminals.") var user: String?
        @Flag(help: "The silences and maintenance windows in force instead.") var muted = false
        @OptionGroup var page: LimitOption
        @OptionGroup var query: QueryOptions

        func run() throws {
            guard !muted else { return try showMuted() }
            let list = try ListPage.get(
                "/alerts", query.mesh(), limit: page.limit,
                [("severity", severity), ("type", type), ("state", state), ("user", user)])
            if query.json { return print(list.body.compactText) }
            list.show(AlertsCommand.table(list.items, now: list.now), what: "alerts")
        }

        private func showMuted() throws {
            let client = HTTPClient(port: try query.mesh().configuration.ports[.health].port)
            for path in ["/silence", "/maintenance"] {
                guard let body = try client.get(path).json else {
                    throw ToolError(ExitStatus.unavailable, "\(path): the dashboard answered no JSON")
                }
                print(TerminalText.sanitised(body.compactText))
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one alert: what, why, since when, what to do.")

        @Argument(help: "The alert's id, or the beginning of it.") var alert: String
        @OptionGroup var query: QueryOptions

        func run() throws {
            let list = try ListPage.get("/alerts", query.mesh(), limit: 1000, [])
            let found = list.items.filter { $0["alert_id"]?.text?.hasPrefix(alert) == true }
            guard let item = found.first, found.count == 1 else {
                let words =
                    found.isEmpty ? "no alert begins with \(alert)" : "\(found.count) alerts begin with \(alert)"
                throw ToolError(ExitStatus.denied, words)
            }
            if query.json { return print(item.compactText) }
            Output.show(Fields.lines(item, without: []), isWide: query.wide)
        }
    }

    static func table(_ items: [JSONObject], now: Timestamp) -> Table {
        var table = Table([
            .number("ago"), .text("severity"), .text("state"), .text("type"), .number("count"), .text("message"),
            .text("id"),
        ])
        for alert in items {
            table.add([
                Table.Cell(Fields.age(alert["time"], now: now)), .state(Fields.text(alert["severity"])),
                .state(Fields.text(alert["state"])), Table.Cell(Fields.text(alert["type"])),
                Table.Cell(Fields.text(alert["count"])), Table.Cell(Fields.text(alert["message"])),
                Table.Cell(String(Fields.text(alert["alert_id"]).prefix(8))),
            ])
        }
        return table
    }
}

/// Who does something about alerts, and why.
struct AlertActionOptions: ParsableArguments {
    @Option(help: "Why; kept in the history.") var reason: String?
    @Option(help: "Who; default: the login name.") var by: String?
    @OptionGroup var query: QueryOptions

    /// Posts an action to the dashboard, which alone writes the stream that heartbeat-monitor reads.
    func post(_ path: String, _ fields: [(String, String)]) throws -> JSONObject {
        let mesh = try query.mesh()
        var body = JSONObject()
        for (name, value) in fields { body.append(name, .string(value)) }
        body.append("by", .string(by ?? NSUserName()))
        if let reason { body.append("reason", .string(reason)) }
        let file = mesh.configuration.tokenFile
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw ToolError(ExitStatus.denied, "\(file): \(TokenFile.problem(file) ?? "it can't be read")")
        }
        let answer = try HTTPClient(port: mesh.configuration.ports[.health].port).post(
            path, body, token: text.trimmingCharacters(in: .whitespacesAndNewlines))
        guard (200..<300).contains(answer.status), let object = answer.json?.object else {
            let message = answer.json?.object?["error"]?.object?["message"]?.text ?? "status \(answer.status)"
            throw ToolError(ExitStatus.denied, TerminalText.sanitised("\(path): \(message)"))
        }
        return object
    }
}
