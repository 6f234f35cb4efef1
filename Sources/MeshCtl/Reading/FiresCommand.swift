import ArgumentParser
import Wire

/// `meshctl fires`.
struct FiresCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fires", abstract: "List commanded trades and where they stand, the newest first.",
        discussion: """
            `meshctl explain FIRE_ID` tells the whole story of one.

            Examples:
              meshctl fires --state denied
              meshctl fires --user COMMANDER_DEV_001 --limit 10
            """)

    @Option(help: "Only of this user.") var user: String?
    @Option(help: "Only in this symbol.") var symbol: String?
    @Option(
        help: "reserved, sending, sent, acknowledged, filled, rejected, unknown, never_executed, expired or denied.")
    var state: String?
    @Option(help: "Only those of this signal.") var signal: String?
    @OptionGroup var page: LimitOption
    @OptionGroup var query: QueryOptions

    func run() throws {
        let list = try ListPage.get(
            "/fires", query.mesh(), limit: page.limit,
            [("user", user), ("symbol", symbol), ("state", state), ("signal", signal)])
        if query.json { return print(list.body.compactText) }
        list.show(FiresCommand.table(list.items), what: "fires")
    }

    static func table(_ items: [JSONObject]) -> Table {
        var table = Table([
            .text("fire"), .text("state"), .text("reason"), .text("user"), .text("symbol"), .text("direction"),
            .number("lot"), .number("sl"), .number("tp"), .number("ticket"), .text("created"),
        ])
        for fire in items {
            func text(_ name: String) -> String { Fields.text(fire[name]) }
            table.add([
                Table.Cell(text("fire_id")), .state(text("state")), Table.Cell(text("reason")),
                Table.Cell(text("user_uuid")), Table.Cell(text("symbol")), Table.Cell(text("direction")),
                Table.Cell(text("lot")), Table.Cell(text("sl")), Table.Cell(text("tp")), Table.Cell(text("ticket")),
                Table.Cell(Fields.time(fire["created_at"])),
            ])
        }
        return table
    }
}
