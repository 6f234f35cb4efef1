import ArgumentParser
import Domain
import ServiceKit
import Wire

/// `meshctl nodes`.
struct NodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "List the terminals: account, broker, figures, when they were last heard.",
        discussion: """
            Examples:
              meshctl nodes --status active
              meshctl nodes --find 5012345
              meshctl nodes --user COMMANDER_DEV_001 --json
              meshctl nodes clear COMMANDER_DEV_001 --reason "the copy was stopped"
            """, subcommands: [List.self, Clear.self, Confirmations.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the terminals (the default).")

        @Option(help: "active, timeout, disconnected or replaced; several with commas.") var status: String?
        @Option(help: "live, quiet, late, stale or dead.") var liveness: String?
        @Option(help: "Only of this user.") var user: String?
        @Option(help: "Only at this broker or server.") var broker: String?
        @Option(help: "Only those that have this symbol.") var symbol: String?
        @Option(name: .customLong("search"), help: "Text anywhere in names, accounts, brokers.") var text: String?
        @Option(name: .customLong("find"), help: "The same as --search: user, login, broker, session, node, address.")
        var find: String?
        @Flag(help: "Only those whose identity is in doubt.") var conflicts = false
        @OptionGroup var page: LimitOption
        @OptionGroup var query: QueryOptions

        func run() throws {
            let list = try ListPage.get(
                "/nodes", query.mesh(), limit: page.limit,
                [
                    ("status", status), ("liveness", liveness), ("user", user), ("broker", broker), ("symbol", symbol),
                    ("q", find ?? text),
                ])
            let items = conflicts ? list.items.filter { $0["identity_conflict"]?.text?.isEmpty == false } : list.items
            if query.json {
                var body = list.body
                if conflicts { body["items"] = .array(items.map { .object($0) }) }
                return print(body.compactText)
            }
            list.show(NodesCommand.table(items, now: list.now), what: "terminals", isWide: query.wide)
            for node in items { NodesCommand.explain(node, isWide: query.wide) }
        }
    }

    static func table(_ items: [JSONObject], now: Timestamp) -> Table {
        var table = Table([
            .text("node", rank: 1), .text("user"), .number("account"), .text("server", rank: 6), .text("status"),
            .text("liveness", rank: 8), .number("balance", rank: 3), .number("equity", rank: 7), .text("cur", rank: 7),
            .text("ea", rank: 5), .text("chart", rank: 4), .number("heard ago", rank: 8),
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

    /// A doubt about who speaks under a terminal's name, and what to do about it.
    private static func explain(_ node: JSONObject, isWide: Bool) {
        guard let kind = node["identity_conflict"]?.text, !kind.isEmpty else { return }
        func text(_ name: String) -> String { Fields.text(node[name]) }
        let what = "\(text("user_uuid")): \(text("identity_conflict")): \(text("identity_conflict_text"))"
        Screen.show(what, isWide: isWide)
        Screen.show("  do: \(text("identity_conflict_action"))", isWide: isWide)
    }

    /// Ends a doubt about who speaks under a user's name.
    struct Clear: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that a doubt about a terminal's identity is settled.",
            discussion: """
                Commands are held back from a terminal whose identity is in doubt (identity_conflict). First do what
                `meshctl nodes --conflicts` says; a copy that still speaks brings the doubt back at once.
                """)

        @Argument(help: "The user's UUID.") var user: String
        @Option(help: "Why; it stays in the audit trail.") var reason: String
        @OptionGroup var query: QueryOptions

        func run() throws {
            let reply = try RequestPort(query.mesh(), .orders).demand([
                "type": .string("clear_conflict"), "user_uuid": .string(user), "reason": .string(reason),
                "by": .string("meshctl"),
            ])
            UserCommand.show(reply, query)
        }
    }
}
