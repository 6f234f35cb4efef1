import ArgumentParser
import Domain
import Wire

/// `meshctl nodes`.
struct NodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "List the terminals: account, broker, figures, when they were last heard.",
        discussion: """
            Examples:
              meshctl nodes --status active
              meshctl nodes --user COMMANDER_DEV_001 --json
            """)

    @Option(help: "active, timeout, disconnected or replaced; several with commas.") var status: String?
    @Option(help: "live, quiet, late, stale or dead.") var liveness: String?
    @Option(help: "Only of this user.") var user: String?
    @Option(help: "Only at this broker or server.") var broker: String?
    @Option(help: "Only those that have this symbol.") var symbol: String?
    @Option(name: .customLong("search"), help: "Text anywhere in names, accounts, brokers.") var text: String?
    @OptionGroup var page: LimitOption
    @OptionGroup var query: QueryOptions

    func run() throws {
        let list = try ListPage.get(
            "/nodes", query.mesh(), limit: page.limit,
            [
                ("status", status), ("liveness", liveness), ("user", user), ("broker", broker), ("symbol", symbol),
                ("q", text),
            ])
        if query.json { return print(list.body.compactText) }
        list.show(NodesCommand.table(list.items, now: list.now), what: "terminals")
    }

    static func table(_ items: [JSONObject], now: Timestamp) -> Table {
        var table = Table([
            .text("node"), .text("user"), .number("account"), .text("server"), .text("status"), .text("liveness"),
            .number("balance"), .number("equity"), .text("cur"), .text("ea"), .text("chart"), .number("heard ago"),
        ])
        for node in items {
            func text(_ name: String) -> String { Fields.text(node[name]) }
            table.add([
                Table.Cell(text("node_id")), Table.Cell(text("user_uuid")), Table.Cell(text("account")),
                Table.Cell(text("server")), .state(text("status")), .state(text("liveness")),
                Table.Cell(text("balance")), Table.Cell(text("equity")), Table.Cell(text("currency")),
                Table.Cell(text("version")), Table.Cell(text("chart_symbol")),
                Table.Cell(Fields.age(node["last_seen"] ?? node["last_heartbeat"], now: now)),
            ])
        }
        return table
    }
}
