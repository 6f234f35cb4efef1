import ArgumentParser
import Domain
import ServiceKit
import Wire

/// `meshctl ledger`.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Say whether every commanded trade is accounted for.",
        discussion: """
            A fire that left is accounted for when it is filled, rejected, or found never to have been executed. What \
            is not is named with its age and the money at its stop. So is what was settled as never executed or rejected \
            and has a position open all the same: it counts as accounted for, and somebody has to look at it.

            Exit codes: 0 all is accounted for, 1 something is under way within its deadline or a question waits for \
            an answer, 2 something is unaccounted past its deadline, or a settled fire traded after all and its \
            position is open, 3 unknown. While Redis is away nobody can say that all is accounted for: 2 if something \
            is past its deadline as far as position-tracker remembers, else 3.

            Examples:
              meshctl ledger
              meshctl ledger --json
            """)

    @OptionGroup var query: QueryOptions

    func run() throws {
        var verdict = Verdict.unknown
        try Verdict.unlessKnown {
            let mesh = try query.mesh()
            var reply = try RequestPort(mesh, .orders).demand(["type": .string("ledger")])
            reply["questions"] = LedgerCommand.openQuestions(mesh)
            // The rows with their money are the dashboard's; without it the tracker's own list has to do.
            let rows = try? ListPage.get("/fires", mesh, limit: 1000, [("unaccounted", "1"), ("sort", "sending_at")])
            if let rows { reply["fires"] = .array(rows.items.map { .object($0) }) }
            if query.json {
                print(reply.compactText)
            } else {
                Output.show(LedgerText.lines(reply, width: query.wide ? nil : Screen.width), isWide: query.wide)
            }
            verdict = LedgerCommand.verdict(reply)
        }
        try verdict.exit()
    }

    /// How many wait; null where position-tracker does not say.
    private static func openQuestions(_ mesh: Mesh) -> JSON {
        let request: JSONObject = ["type": .string("questions"), "state": .string("open")]
        guard let reply = try? RequestPort(mesh, .orders).demand(request) else { return .null }
        if let total = reply["total"]?.text.flatMap({ Int64($0) }) { return .integer(total) }
        return reply["items"]?.array.map { .integer($0.count) } ?? .null
    }

    static func verdict(_ reply: JSONObject) -> Verdict {
        func number(_ name: String) -> Int64? { reply[name]?.text.flatMap { Int64($0) } }
        if (number("overdue") ?? 0) > 0 || !contradictions(reply).isEmpty { return .critical }
        guard number("overdue") != nil, let unaccounted = number("unaccounted"), reply["redis"]?.bool != false else {
            return .unknown
        }
        guard let questions = number("questions") else { return .unknown }
        return unaccounted > 0 || questions > 0 ? .warning : .good
    }

    /// Open positions of fires that were settled as ones that did not trade.
    static func contradictions(_ reply: JSONObject) -> [JSONObject] {
        reply["contradictions"]?.array?.compactMap(\.object) ?? []
    }
}

/// The ledger as lines for a person.
enum LedgerText {
    static func lines(_ reply: JSONObject, coloured: Bool = Style.isWanted, width: Int? = nil) -> [String] {
        func text(_ name: String) -> String { Fields.text(reply[name]) }
        let verdict = LedgerCommand.verdict(reply)
        var lines = [
            verdict.style.applied(to: headline(reply, verdict), coloured: coloured),
            "sent \(text("sent")) = accounted \(text("accounted")) + unaccounted \(text("unaccounted"))",
            "accounted: filled \(text("filled")), rejected \(text("rejected")), never executed \(text("never_executed"))",
            "never left: denied \(text("denied")), expired \(text("expired"))",
        ]
        if let age = reply["oldest_age_s"]?.text.flatMap({ Int64($0) }) {
            lines.append("the oldest unaccounted: \(Fields.duration(milliseconds: age * 1000))")
        }
        for fire in LedgerCommand.contradictions(reply) {
            let said = "\(Fields.text(fire["fire_id"])) was settled as \(Fields.text(fire["state"]))"
            let position = "ticket \(Fields.text(fire["ticket"])) of \(Fields.text(fire["user_uuid"])) is open"
            let line = "\(said) and traded after all: \(position)"
            lines.append(Style.bad.applied(to: line, coloured: coloured))
        }
        let money = money(reply["money_at_risk"])
        if !money.isEmpty { lines.append("at risk: \(money)") }
        lines.append(
            "questions: " + (reply["questions"] == .null ? "not known" : "\(text("questions")) open: meshctl questions")
        )
        let table = table(reply)
        if !table.rows.isEmpty { lines += [""] + table.lines(coloured: coloured, width: width) }
        return lines
    }

    private static func headline(_ reply: JSONObject, _ verdict: Verdict) -> String {
        switch verdict {
        case .good: "every commanded trade is accounted for"
        case .warning:
            reply["unaccounted"]?.text == "0"
                ? "every commanded trade is accounted for; a question waits for an answer"
                : "nothing is unaccounted past its deadline; \(Fields.text(reply["unaccounted"])) under way"
        case .critical: critical(reply)
        case .unknown:
            reply["redis"]?.bool == false
                ? "not known: Redis is away, so nothing can be said of what was answered"
                : "not known: position-tracker did not say everything"
        }
    }

    private static func critical(_ reply: JSONObject) -> String {
        var words: [String] = []
        if let overdue = reply["overdue"]?.text, overdue != "0" {
            let doubt = reply["redis"]?.bool == false ? ", as far as is known without Redis" : ""
            words.append("\(Fields.text(reply["overdue"])) past the deadline without a known outcome\(doubt)")
        }
        let contradicted = LedgerCommand.contradictions(reply).count
        if contradicted > 0 {
            words.append(
                contradicted == 1
                    ? "1 fire is settled and its position is open: the books say it did not trade"
                    : "\(contradicted) fires are settled and their positions are open: the books say they did not trade"
            )
        }
        return words.joined(separator: "; ")
    }

    /// `41.20 USD, 3.00 EUR`.
    static func money(_ sums: JSON?) -> String {
        (sums?.object?.fields ?? []).map { "\(Fields.text($0.value)) \(TerminalText.sanitised($0.name))" }
            .joined(separator: ", ")
    }

    private static func table(_ reply: JSONObject) -> Table {
        var table = Table([
            .text("fire"), .text("state"), .number("age"), .text("deadline"), .number("at risk", rank: 8),
            .text("", rank: 8), .text("symbol", rank: 6), .number("lot", rank: 5), .text("user", rank: 7),
        ])
        let rows = (reply["fires"] ?? reply["open"])?.array?.compactMap(\.object) ?? []
        for fire in rows {
            let age = fire["age_s"]?.text.flatMap { Int64($0) }
            let isOverdue = fire["overdue"]?.bool == true
            let risk = fire["risk"]?.object
            table.add([
                Table.Cell(Fields.text(fire["fire_id"])), .state(Fields.text(fire["state"])),
                Table.Cell(age.map { Fields.duration(milliseconds: $0 * 1000) } ?? "-"),
                Table.Cell(isOverdue ? "passed" : "in time", isOverdue ? .bad : .plain),
                Table.Cell(risk?["amount"]?.text.flatMap { Amount($0) }?.money ?? "-"),
                Table.Cell(Fields.text(risk?["currency"])),
                Table.Cell(Fields.text(fire["symbol"])), Table.Cell(Fields.text(fire["lot"])),
                Table.Cell(Fields.text(fire["user_uuid"])),
            ])
        }
        return table
    }
}
