import ArgumentParser
import Wire

/// `meshctl reconciliation`.
struct ReconciliationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconciliation",
        abstract: "Compare what we say is open with what the terminals say, account by account.",
        discussion: """
            Three lists for each account: ours and theirs (matched), only ours (a ghost that holds a slot), only theirs
            (by hand, foreign, or an orphan). What can't be decided here is asked: meshctl questions.

            Examples:
              meshctl reconciliation
              meshctl reconciliation --account 843859 --kind ghost
            """)

    static let kinds = ["matched", "ghost", "manual", "foreign", "orphan"]

    @Option(help: "Only this account.") var account: String?
    @Option(help: "Only accounts of this user.") var user: String?
    @Option(help: "Only matched, ghost, manual, foreign or orphan.") var kind: String?
    @OptionGroup var page: LimitOption
    @OptionGroup var query: QueryOptions

    func validate() throws {
        guard kind.map({ ReconciliationCommand.kinds.contains($0) }) ?? true else {
            throw ValidationError("--kind is one of \(ReconciliationCommand.kinds.joined(separator: ", "))")
        }
    }

    func run() throws {
        let list = try ListPage.get(
            "/reconciliation", query.mesh(), limit: page.limit,
            [("account", account), ("user", user), ("kind", kind)])
        if query.json { return print(list.body.compactText) }
        if list.items.isEmpty { return print("no account has been compared with a second witness") }
        let width = query.wide ? nil : Screen.width
        Output.show(ReconciliationCommand.lines(list.items, width: width), isWide: query.wide)
        if list.total > list.items.count { print("\(list.items.count) of \(list.total) accounts; --limit shows more") }
    }

    private static let lists = [("only_ours", "only ours"), ("only_theirs", "only theirs"), ("matched", "matched")]

    /// - Parameter width: the longest a line of a table may be; nil: no limit.
    static func lines(
        _ accounts: [JSONObject], coloured: Bool = Style.isWanted, width: Int? = nil
    ) -> [String] {
        accounts.enumerated().flatMap { index, account in (index == 0 ? [] : [""]) + lines(account, coloured, width) }
    }

    private static func lines(_ account: JSONObject, _ coloured: Bool, _ width: Int?) -> [String] {
        func age(_ value: JSON?) -> String {
            value?.text.flatMap { Int64($0) }.map { Fields.duration(milliseconds: $0 * 1000) } ?? "-"
        }
        let name = "\(Fields.text(account["account"])) at \(Fields.text(account["server"]))"
        var lines = [
            "\(Style.bold.applied(to: name, coloured: coloured)), \(Fields.text(account["user_uuid"])): "
                + "witness \(Fields.text(account["witness"])), \(age(account["age_s"])) ago, "
                + "balance \(Fields.text(account["balance"])) \(Fields.text(account["currency"]))"
        ]
        var table = Table([
            .text("list"), .text("kind"), .number("ticket"), .text("symbol"), .text("side"), .number("lot"),
            .number("opened at"), .number("age"), .number("money"), .text("fire"),
        ])
        for (field, title) in lists {
            for item in account[field]?.array?.compactMap(\.object) ?? [] {
                func cell(_ name: String) -> Table.Cell { Table.Cell(Fields.text(item[name])) }
                table.add([
                    Table.Cell(title, field == "only_ours" ? .bad : field == "only_theirs" ? .warning : .plain),
                    cell("kind"), cell("ticket"), cell("symbol"), cell("direction"), cell("lot"), cell("open_price"),
                    Table.Cell(age(item["age_s"])), cell("money"), cell("fire_id"),
                ])
            }
        }
        lines +=
            table.rows.isEmpty
            ? ["  nothing is open, here or there"]
            : table.lines(coloured: coloured, width: width.map { $0 - 2 }).map { "  " + $0 }
        for step in account["unexplained"]?.array?.compactMap(\.object) ?? [] {
            lines.append(
                "  unexplained: balance \(Fields.text(step["from"])) to \(Fields.text(step["to"])), "
                    + "\(Fields.text(step["amount"])), at \(Fields.time(step["at"]))"
                    + (step["noted"]?.bool == true ? ", noted" : ""))
        }
        for question in account["questions"]?.array?.compactMap(\.object) ?? [] {
            let text = "asked: \(Fields.text(question["text"])) (\(Fields.text(question["question_id"])))"
            lines.append("  " + Style.warning.applied(to: text, coloured: coloured))
        }
        return lines
    }
}
