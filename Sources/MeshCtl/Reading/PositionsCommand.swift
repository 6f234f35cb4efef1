import ArgumentParser
import Wire

/// `meshctl positions`.
struct PositionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "positions", abstract: "List positions: what they stand at, or what they brought.",
        discussion: """
            Amounts are in the account's currency. Profits of closed positions say where the figure comes from:
            the terminal's message, the step of its balance, or the last quote.

            Examples:
              meshctl positions --state open
              meshctl positions --user COMMANDER_DEV_001 --symbol EURUSD
            """)

    @Option(help: "Only of this user.") var user: String?
    @Option(help: "Only in this symbol, by the broker's name or the canonical one.") var symbol: String?
    @Option(help: "open or closed.") var state: String?
    @Option(help: "Only of this account.") var account: String?
    @OptionGroup var page: LimitOption
    @OptionGroup var query: QueryOptions

    func run() throws {
        let list = try ListPage.get(
            "/positions", query.mesh(), limit: page.limit,
            [("user", user), ("symbol", symbol), ("state", state), ("account", account)])
        if query.json { return print(list.body.compactText) }
        list.show(PositionsCommand.table(list.items), what: "positions", isWide: query.wide)
    }

    static func table(_ items: [JSONObject]) -> Table {
        var table = Table([
            .number("ticket"), .text("user", rank: 7), .number("account", rank: 4), .text("symbol"), .text("direction"),
            .number("lot"), .number("open price", rank: 6), .number("sl", rank: 2), .number("tp", rank: 2),
            .text("state"), .number("profit"), .text("from", rank: 3), .text("opened", rank: 5),
            .text("fire", rank: 4),
        ])
        for position in items {
            func text(_ name: String) -> String { Fields.text(position[name]) }
            let isOpen = position["state"]?.text == "open"
            table.add([
                Table.Cell(text("ticket")), Table.Cell(text("user_uuid")), Table.Cell(text("account")),
                Table.Cell(text("symbol")), Table.Cell(text("direction")), Table.Cell(text("lot")),
                Table.Cell(text("open_price")), Table.Cell(text("sl")), Table.Cell(text("tp")), .state(text("state")),
                Table.Cell(text(isOpen ? "current_pnl" : "profit")),
                Table.Cell(isOpen ? "quote" : text("profit_source")), Table.Cell(Fields.time(position["opened_at"])),
                Table.Cell(text("fire_id")),
            ])
        }
        return table
    }
}
