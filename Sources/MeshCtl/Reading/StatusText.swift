import Domain
import Wire

/// `/health` and `/services` as lines for a person.
enum StatusText {
    static func lines(_ health: JSONObject, coloured: Bool = Style.isWanted) -> [String] {
        let status = Fields.text(health["status"])
        var lines = [
            "\(Style.of(state: status).applied(to: status, coloured: coloured)), health score \(Fields.text(health["health_score"])) of 100"
        ]
        for reason in health["reasons"]?.array?.compactMap(\.object) ?? [] {
            let severity = Fields.text(reason["severity"])
            lines.append(
                "  \(Style.of(state: severity).applied(to: severity, coloured: coloured)): \(Fields.text(reason["message"]))"
            )
        }
        lines += facts(health)
        let factors = factors(health)
        if !factors.isEmpty { lines += ["", "what the score is made of:"] + factors.map { "  " + $0 } }
        return lines
    }

    private static func facts(_ health: JSONObject) -> [String] {
        func text(_ part: String, _ name: String) -> String { Fields.text(health[part]?.object?[name]) }
        let brake = health["brake"]?.object?["state"]?.text ?? "ACTIVE"
        var lines = [
            "services   \(Fields.text(health["services_running"])) of \(Fields.text(health["services_total"])) running",
            "redis      \(text("redis", "state"))",
            "nodes      \(text("nodes", "active")) active, \(text("nodes", "timeout")) timed out, \(text("nodes", "total")) known",
            "positions  \(text("positions", "open")) open, \(text("positions", "closed")) closed",
            "ledger     \(text("ledger", "sent")) sent, \(text("ledger", "accounted")) accounted for, "
                + "\(text("ledger", "unaccounted")) not yet, \(text("ledger", "overdue")) past the deadline",
        ]
        if let compared = health["reconciliation"]?.object, compared["accounts"]?.text != "0" {
            lines.append(
                "accounts   \(Fields.text(compared["accounts"])) compared: \(Fields.text(compared["matched"])) matched, "
                    + "\(Fields.text(compared["only_ours"])) only ours, \(Fields.text(compared["only_theirs"])) only theirs"
            )
        }
        if let questions = health["reconciliation"]?.object?["questions"]?.text, questions != "0" {
            lines.append("questions  \(questions) open: meshctl questions")
        }
        if brake != "ACTIVE" { lines.append("brake      \(TerminalText.sanitised(brake))") }
        if let alerts = health["alerts_active"]?.text, alerts != "0" {
            lines.append("alerts     \(alerts) active: meshctl alerts")
        }
        if let uptime = health["uptime_s"]?.text.flatMap({ Int64($0) }) {
            lines.append(
                "up for     \(Fields.duration(milliseconds: uptime * 1000)), version \(Fields.text(health["version"]))")
        }
        return lines
    }

    /// `18 / 20  terminals  19 of 20 expected terminals are connected`.
    private static func factors(_ health: JSONObject) -> [String] {
        var table = Table([.number(""), .text(""), .text("")])
        for factor in health["health_factors"]?.array?.compactMap(\.object) ?? [] {
            let points = "\(Fields.text(factor["points"])) / \(Fields.text(factor["max_points"]))"
            table.add([
                Table.Cell(points), Table.Cell(Fields.text(factor["name"])), Table.Cell(Fields.text(factor["why"])),
            ])
        }
        return Array(table.lines(coloured: false).dropFirst())
    }

    static func services(_ items: [JSON]) -> Table {
        var table = Table([
            .text("service"), .text("state"), .number("pid", rank: 5), .number("restarts", rank: 6),
            .text("last exit", rank: 4), .text("problems"),
        ])
        for service in items.compactMap(\.object) {
            table.add([
                Table.Cell(Fields.text(service["name"])), .state(Fields.text(service["state"])),
                Table.Cell(Fields.text(service["pid"])), Table.Cell(Fields.text(service["restarts"])),
                Table.Cell(lastExit(service["last_exit"]?.object)),
                Table.Cell(problems(service["problems"]?.object), .warning),
            ])
        }
        return table
    }

    private static func problems(_ problems: JSONObject?) -> String {
        (problems?.fields ?? []).map { Fields.text($0.value) }.joined(separator: "; ")
    }

    private static func lastExit(_ exit: JSONObject?) -> String {
        guard let exit else { return "-" }
        let signal = exit["signal"]?.text ?? "0"
        let how = signal == "0" ? "exit \(Fields.text(exit["exit_code"]))" : "signal \(signal)"
        return "\(how) at \(Fields.time(exit["time"]))"
    }
}
