import Domain
import Wire

/// The story of a fire as lines for a person.
enum StoryText {
    private static let sections = [
        ("request", "asked for"), ("signal", "signal"), ("score", "score"), ("risk", "lot"), ("slot", "slot"),
        ("route", "way out"), ("answer", "answer"), ("position", "position"), ("money", "money"),
    ]
    /// Shown as tables where they are known.
    private static let tables: Set<String> = ["factors", "steps"]

    /// - Parameter story: the body of `/explain/{id}`.
    static func lines(_ story: JSONObject, coloured: Bool = Style.isWanted) -> [String] {
        var lines = [head(story, coloured), "  \(Fields.text(story["summary"]))"]
        for question in story["questions"]?.array?.compactMap(\.object) ?? [] {
            lines.append(Style.warning.applied(to: "  asked: \(Fields.text(question["text"]))", coloured: coloured))
        }
        for (name, title) in sections {
            guard let section = story[name]?.object else { continue }
            lines += ["", Style.bold.applied(to: title, coloured: coloured)]
            lines += facts(section, coloured)
            if name == "score" { lines += factors(section) }
            if name == "risk" { lines += steps(section) }
        }
        let timeline = timeline(story["timeline"], coloured)
        if !timeline.isEmpty { lines += ["", Style.bold.applied(to: "timeline", coloured: coloured)] + timeline }
        return lines
    }

    /// A reply of `outcome`: the row as it is.
    static func row(_ row: JSONObject, coloured: Bool = Style.isWanted) -> [String] {
        var lines = [head(row, coloured)]
        lines += Fields.lines(row, without: ["ok", "request_id", "state", "fire_id", "timeline"], indent: 2)
        let timeline = timeline(row["timeline"], coloured)
        return timeline.isEmpty ? lines : lines + [""] + timeline
    }

    private static func head(_ story: JSONObject, _ coloured: Bool) -> String {
        let state = Fields.text(story["state"])
        var head = "\(Fields.text(story["fire_id"])): \(Style.of(state: state).applied(to: state, coloured: coloured))"
        if story["late"]?.bool == true { head += Style.warning.applied(to: ", late", coloured: coloured) }
        if story["overdue"]?.bool == true { head += Style.bad.applied(to: ", past its deadline", coloured: coloured) }
        return head
    }

    /// One line a field that is known; then one line for each reason, with the fields it is the reason for.
    private static func facts(_ section: JSONObject, _ coloured: Bool) -> [String] {
        let shown = section.fields.filter { field in
            field.name != "not_known" && !(tables.contains(field.name) && field.value != .null)
        }
        let known = shown.filter { $0.value != .null }
        let width = known.map(\.name.count).max() ?? 0
        var lines = known.map { field in
            let name = TerminalText.sanitised(field.name)
            return
                "  \(name)\(String(repeating: " ", count: max(0, width - name.count) + 2))\(Fields.text(field.value))"
        }
        var reasons: [(why: String, names: [String])] = []
        for field in shown where field.value == .null {
            let why = Fields.text(section["not_known"]?.object?[field.name])
            if let index = reasons.firstIndex(where: { $0.why == why }) {
                reasons[index].names.append(TerminalText.sanitised(field.name))
            } else {
                reasons.append((why, [TerminalText.sanitised(field.name)]))
            }
        }
        for reason in reasons {
            let isAll = known.isEmpty && reasons.count == 1
            let text = isAll ? "nothing: \(reason.why)" : "no \(reason.names.joined(separator: ", ")): \(reason.why)"
            lines.append("  " + Style.dim.applied(to: text, coloured: coloured))
        }
        return lines
    }

    private static func factors(_ section: JSONObject) -> [String] {
        guard let factors = section["factors"]?.object, !factors.isEmpty else { return [] }
        var table = Table([.text("factor"), .number("score"), .number("weight"), .number("contribution")])
        for factor in factors.fields {
            let parts = factor.value.object
            table.add([
                Table.Cell(factor.name), Table.Cell(Fields.text(parts?["score"])),
                Table.Cell(Fields.text(parts?["weight"])), Table.Cell(Fields.text(parts?["contribution"])),
            ])
        }
        return indented(table)
    }

    private static func steps(_ section: JSONObject) -> [String] {
        guard let steps = section["steps"]?.array?.compactMap(\.object), !steps.isEmpty else { return [] }
        var table = Table([.text("step"), .number("result"), .text(""), .text("from")])
        for step in steps {
            table.add(["step", "result", "unit", "formula"].map { Table.Cell(Fields.text(step[$0])) })
        }
        return indented(table)
    }

    private static func indented(_ table: Table) -> [String] { table.lines(coloured: false).map { "    " + $0 } }

    private static func timeline(_ value: JSON?, _ coloured: Bool) -> [String] {
        let steps = value?.array?.compactMap(\.object) ?? []
        guard !steps.isEmpty else { return [] }
        var table = Table([.text("time"), .number("after ms"), .text("step"), .text("by")])
        var before: Timestamp?
        for step in steps {
            let moment = moment(step["at"] ?? step["time"])
            let after = moment.flatMap { moment in before.map { "\(moment - $0)" } } ?? "-"
            table.add([
                Table.Cell(moment?.description ?? "-"), Table.Cell(after), .state(Fields.text(step["state"])),
                Table.Cell(Fields.text(step["by"])),
            ])
            before = moment ?? before
        }
        return table.lines(coloured: coloured).map { "  " + $0 }
    }

    private static func moment(_ value: JSON?) -> Timestamp? {
        guard let text = value?.text else { return nil }
        return Timestamp(rfc3339: text) ?? Int64(text).map { Timestamp(milliseconds: $0) }
    }
}
