import ArgumentParser
import Wire

/// `meshctl fires`.
struct FiresCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fires", abstract: "List commanded trades and where they stand, the newest first.",
        discussion: """
            `meshctl explain FIRE_ID` tells the whole story of one.

            Examples:
              meshctl fires --overdue
              meshctl fires --state denied
              meshctl fires --user COMMANDER_DEV_001 --limit 10
            """)

    static let states = [
        "reserved", "sending", "sent", "acknowledged", "unknown", "filled", "rejected", "never_executed", "expired",
        "denied",
    ]

    @Option(help: "Only of this user.") var user: String?
    @Option(help: "Only in this symbol.") var symbol: String?
    @Option(help: "One of \(FiresCommand.states.joined(separator: ", ")); several with commas between.")
    var state: String?
    @Option(help: "Only those of this signal.") var signal: String?
    @Flag(help: "Only those past their deadline without a known outcome.") var overdue = false
    @Flag(help: "Only those that left and whose outcome is not known.") var unaccounted = false
    @Flag(help: "Only those that were answered after their deadline.") var late = false
    @OptionGroup var page: LimitOption
    @OptionGroup var query: QueryOptions

    func validate() throws {
        for word in (state ?? "").split(separator: ",") where !FiresCommand.states.contains(String(word)) {
            throw ValidationError("--state is one of \(FiresCommand.states.joined(separator: ", "))")
        }
    }

    var filters: [(String, String?)] {
        [
            ("user", user), ("symbol", symbol), ("state", state), ("signal", signal), ("overdue", overdue ? "1" : nil),
            ("unaccounted", unaccounted ? "1" : nil), ("late", late ? "1" : nil),
        ]
    }

    func run() throws {
        let list = try ListPage.get("/fires", query.mesh(), limit: page.limit, filters)
        if query.json { return print(list.body.compactText) }
        list.show(FiresCommand.table(list.items), what: "fires", isWide: query.wide)
    }

    static func table(_ items: [JSONObject]) -> Table {
        var table = Table([
            .text("fire"), .text("state"), .text("late", rank: 7), .text("reason", rank: 8), .text("user", rank: 6),
            .text("symbol"), .text("direction", rank: 7), .number("lot", rank: 7), .number("sl", rank: 2),
            .number("tp", rank: 2), .number("ticket", rank: 5), .text("created", rank: 4),
        ])
        for fire in items {
            func text(_ name: String) -> String { Fields.text(fire[name]) }
            let isOverdue = fire["overdue"]?.bool == true
            table.add([
                Table.Cell(text("fire_id")), .state(text("state")),
                Table.Cell(
                    isOverdue ? "overdue" : fire["late"]?.bool == true ? "late" : "-", isOverdue ? .bad : .plain),
                Table.Cell(text("reason")), Table.Cell(text("user_uuid")), Table.Cell(text("symbol")),
                Table.Cell(text("direction")), Table.Cell(text("lot")), Table.Cell(text("sl")), Table.Cell(text("tp")),
                Table.Cell(text("ticket")), Table.Cell(Fields.time(fire["created_at"])),
            ])
        }
        return table
    }
}
