import ArgumentParser
import Domain
import Wire

/// `meshctl alerts`.
struct AlertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "List alerts, the newest first.",
        discussion: """
            Example:
              meshctl alerts --severity critical --limit 20
            """)

    @Option(help: "For example critical or warning.") var severity: String?
    @Option(help: "For example node_timeout.") var type: String?
    @Option(help: "Only of this user's terminals.") var user: String?
    @OptionGroup var page: LimitOption
    @OptionGroup var query: QueryOptions

    func run() throws {
        let list = try ListPage.get(
            "/alerts", query.mesh(), limit: page.limit, [("severity", severity), ("type", type), ("user", user)])
        if query.json { return print(list.body.compactText) }
        list.show(AlertsCommand.table(list.items, now: list.now), what: "alerts")
    }

    static func table(_ items: [JSONObject], now: Timestamp) -> Table {
        var table = Table([
            .number("ago"), .text("severity"), .text("state"), .text("type"), .text("message"),
        ])
        for alert in items {
            table.add([
                Table.Cell(Fields.age(alert["time"], now: now)), .state(Fields.text(alert["severity"])),
                .state(Fields.text(alert["state"])), Table.Cell(Fields.text(alert["type"])),
                Table.Cell(Fields.text(alert["message"])),
            ])
        }
        return table
    }
}
