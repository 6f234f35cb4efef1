import ArgumentParser
import Domain
import ServiceKit
import Wire

/// `meshctl explain`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tell the whole story of one fire.",
        discussion: """
            Example:
              meshctl explain cli-mi8q2k7f-04zx
            """)

    @Argument(help: "The fire's id; of a fire for many users with its number, for example morning.3.") var fireID:
        String
    @OptionGroup var query: QueryOptions

    func run() throws {
        let reply = try RequestPort(query.mesh(), .orders).demand([
            "type": .string("outcome"), "fire_id": .string(fireID),
        ])
        if query.json { return print(reply.compactText) }
        for line in ExplainCommand.lines(reply) { print(line) }
    }

    static func lines(_ reply: JSONObject, coloured: Bool = Style.isWanted) -> [String] {
        let state = Fields.text(reply["state"])
        var lines = [
            "\(Fields.text(reply["fire_id"])): \(Style.of(state: state).applied(to: state, coloured: coloured))"
        ]
        lines += Fields.lines(reply, without: ["ok", "request_id", "state", "fire_id", "timeline"], indent: 2)
        let steps = reply["timeline"]?.array?.compactMap(\.object) ?? []
        guard !steps.isEmpty else { return lines }
        var table = Table([.text("time"), .number("after ms"), .text("state"), .text("by")])
        var before: Timestamp?
        for step in steps {
            let moment = moment(step["time"] ?? step["at"])
            let after = moment.flatMap { moment in before.map { "\(moment - $0)" } } ?? "-"
            table.add([
                Table.Cell(moment?.description ?? "-"), Table.Cell(after), .state(Fields.text(step["state"])),
                Table.Cell(Fields.text(step["by"])),
            ])
            before = moment ?? before
        }
        return lines + [""] + table.lines(coloured: coloured)
    }

    private static func moment(_ value: JSON?) -> Timestamp? {
        guard let text = value?.text else { return nil }
        return Timestamp(rfc3339: text) ?? Int64(text).map { Timestamp(milliseconds: $0) }
    }
}
