import ArgumentParser
import ServiceKit
import Wire

/// `meshctl ledger`.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Say whether every commanded trade is accounted for.",
        discussion: """
            A fire that left is accounted for when it is filled, rejected, or found never to have been executed.

            Exit codes: 0 all accounted for or still in time, 2 something is unaccounted past its deadline, 3 unknown.
            """)

    @OptionGroup var query: QueryOptions

    func run() throws {
        var verdict = Verdict.unknown
        try Verdict.unlessKnown {
            let reply = try RequestPort(query.mesh(), .orders).demand(["type": .string("ledger")])
            if query.json {
                print(reply.compactText)
            } else {
                for line in LedgerCommand.lines(reply) { print(line) }
            }
            verdict = LedgerCommand.verdict(reply)
        }
        try verdict.exit()
    }

    static func verdict(_ reply: JSONObject) -> Verdict {
        guard let overdue = reply["overdue"]?.text.flatMap({ Int64($0) }) else { return .unknown }
        return overdue > 0 ? .critical : .good
    }

    static func lines(_ reply: JSONObject, coloured: Bool = Style.isWanted) -> [String] {
        var table = Table([.text("state"), .number("fires")])
        for field in reply.fields where !["ok", "request_id", "open", "overdue"].contains(field.name) {
            table.add([.state(field.name), Table.Cell(Fields.text(field.value))])
        }
        var lines = table.lines(coloured: coloured)
        let open = reply["open"]?.array?.compactMap(\.object) ?? []
        if !open.isEmpty {
            var waiting = Table([
                .text("under way"), .text("state"), .text("user"), .text("symbol"), .number("lot"), .number("age s"),
            ])
            for fire in open {
                waiting.add([
                    Table.Cell(Fields.text(fire["fire_id"])), .state(Fields.text(fire["state"])),
                    Table.Cell(Fields.text(fire["user_uuid"])), Table.Cell(Fields.text(fire["symbol"])),
                    Table.Cell(Fields.text(fire["lot"])), Table.Cell(Fields.text(fire["age_s"])),
                ])
            }
            lines += [""] + waiting.lines(coloured: coloured)
        }
        let overdue = Fields.text(reply["overdue"])
        let summary =
            verdict(reply) == .good
            ? "nothing is unaccounted past its deadline" : "\(overdue) past the deadline without a known outcome"
        return lines + ["", verdict(reply).style.applied(to: summary, coloured: coloured)]
    }
}
