import ArgumentParser
import Wire

/// `meshctl questions`.
struct QuestionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "questions", abstract: "List what only an operator can decide.",
        discussion: """
            `meshctl answer ID ANSWER --reason TEXT` answers one. Exit code 1 while one is open.

            Examples:
              meshctl questions
              meshctl questions --state answered --limit 10
            """)

    static let states = ["open", "answered", "withdrawn"]
    static let kinds = ["silent_close", "unexplained_step", "unknown_fire", "ghost"]

    @Option(help: "open, answered or withdrawn.") var state = "open"
    @Option(help: "silent_close, unexplained_step, unknown_fire or ghost.") var kind: String?
    @Option(help: "Only of this user.") var user: String?
    @Option(help: "Only of this account.") var account: String?
    @OptionGroup var page: LimitOption
    @OptionGroup var query: QueryOptions

    func validate() throws {
        guard QuestionsCommand.states.contains(state) else {
            throw ValidationError("--state is one of \(QuestionsCommand.states.joined(separator: ", "))")
        }
        guard kind.map({ QuestionsCommand.kinds.contains($0) }) ?? true else {
            throw ValidationError("--kind is one of \(QuestionsCommand.kinds.joined(separator: ", "))")
        }
    }

    func run() throws {
        let list = try ListPage.get(
            "/questions", query.mesh(), limit: page.limit,
            [("state", state), ("kind", kind), ("user", user), ("account", account)])
        if query.json {
            print(list.body.compactText)
        } else if list.items.isEmpty {
            print("no question is \(state)")
        } else {
            Output.show(QuestionsCommand.lines(list.items), isWide: query.wide)
            if list.total > list.items.count { print("\(list.items.count) of \(list.total); --limit shows more") }
        }
        if state == "open", list.total > 0 { try Verdict.warning.exit() }
    }

    /// What may be answered, by kind.
    private static let answers = [
        "silent_close": "closed [--profit AMOUNT] [--close-price PRICE] | open", "ghost": "closed | open",
        "unknown_fire": "filled --ticket TICKET | rejected | never_executed", "unexplained_step": "noted",
    ]

    static func lines(_ items: [JSONObject], coloured: Bool = Style.isWanted) -> [String] {
        items.enumerated().flatMap { index, item in
            let age = item["age_s"]?.text.flatMap { Int64($0) }.map { Fields.duration(milliseconds: $0 * 1000) } ?? "-"
            var lines = index == 0 ? [] : [""]
            lines.append(Style.bold.applied(to: Fields.text(item["question_id"]), coloured: coloured))
            lines.append("  \(Fields.text(item["text"]))")
            let money =
                item["money"].map { $0 == .null } ?? true
                ? "" : ", \(Fields.text(item["money"])) \(Fields.text(item["currency"]))"
            lines.append("  \(Fields.text(item["kind"])), asked \(age) ago\(money), \(Fields.text(item["user_uuid"]))")
            guard item["state"]?.text == "open" else {
                let said = "\(Fields.text(item["answer"])) at \(Fields.time(item["answered_at"]))"
                return lines + ["  \(Fields.text(item["state"])): \(said): \(Fields.text(item["reason"]))"]
            }
            let choices =
                answers[item["kind"]?.text ?? ""] ?? "closed | open | filled | rejected | never_executed | noted"
            return lines + ["  answers: \(choices)"]
        }
    }
}
