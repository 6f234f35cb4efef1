/// The bodies of the interface that no table of fields describes. Names are those of `components/schemas`.
enum Bodies {
    static let all: [(String, Shape)] =
        [
            ("Error", .object([("error", .object([("code", .text), ("message", .text)]))])),
            ("Node", .item(of: .nodes)), ("Position", .item(of: .positions)),
            (
                "Fire",
                .item(of: .fires, and: [("unaccounted", .flag), ("overdue", .flag), ("age_s", .optional(.integer))])
            ),
            ("Signal", .item(of: .signals)), ("Alert", .item(of: .alerts, and: [("active", .flag)])),
            ("Question", .item(of: .questions, and: [("age_s", .optional(.integer))])), ("User", .item(of: .users)),
            ("Port", port), ("Service", service), ("Health", health), ("Reason", reason), ("Factor", factor),
            ("NodeCounts", nodeCounts), ("Ledger", ledger), ("Money", .map(.number)),
            ("Statistic", statistic), ("Stage", stage), ("Exposure", exposure), ("Result", result),
            ("Levels", .object([("symbol", .text)])), ("Entry", .object([("id", .text)])),
            ("Account", account), ("History", history), ("Overview", overview), ("Picture", picture),
            ("Readiness", .object([("ready", .flag), ("reasons", .list(.text))])),
            ("Version", .object([("name", .text), ("version", .text), ("demo", .flag), ("started_at", .time)])),
            ("Explanation", explanation),
        ]

    /// Of `/explain/{id}`.
    static let sections = ["request", "signal", "score", "risk", "slot", "route", "answer", "position", "money"]

    private static let explanation: Shape = {
        let head: [(String, Shape)] = [
            ("fire_id", .text), ("state", .text), ("late", .flag), ("accounted", .flag), ("unaccounted", .flag),
            ("overdue", .flag), ("age_s", .optional(.integer)), ("summary", .text),
        ]
        let told: [(String, Shape)] = sections.map { ($0, .map(.any)) }
        return .object(head + told + [("questions", .list(.any)), ("timeline", .list(.map(.any)))])
    }()
    private static let reason: Shape = .object([
        ("severity", .word(["warn", "fail"])), ("code", .text), ("message", .text),
    ])
    private static let factor: Shape = .object([
        ("name", .text), ("points", .integer), ("max_points", .integer), ("why", .text),
    ])
    private static let port: Shape = .object([
        ("port", .integer), ("name", .text), ("service", .text), ("socket", .text), ("listening", .optional(.flag)),
        ("open", .flag), ("carries", .text),
    ])
    private static let service: Shape = .object([
        ("name", .text), ("state", .word(ServiceStatus.State.allCases.map(\.rawValue))), ("pid", .optional(.integer)),
        ("version", .optional(.text)), ("started_at", .optional(.time)), ("report_age_ms", .optional(.integer)),
        ("last_progress", .optional(.time)), ("ready_ms", .optional(.integer)),
        ("longest_turn_ms", .optional(.integer)),
        ("restarts", .integer), ("last_exit", .optional(.map(.any))), ("restart_alarm", .flag),
        ("ports", .list(.named("Port"))), ("counters", .map(.integer)), ("rejected", .map(.integer)),
        ("gauges", .map(.integer)), ("problems", .map(.text)),
    ])
    private static let nodeCounts: Shape = {
        let counts: [(String, Shape)] = (["total"] + NodeCounts.statuses).map { ($0, .integer) }
        let livenesses: [(String, Shape)] = NodeCounts.livenesses.map { ($0, .integer) }
        return .object(counts + [("by_liveness", .object(livenesses))])
    }()
    private static let ledger: Shape = .object([
        ("sent", .integer), ("accounted", .integer), ("unaccounted", .integer), ("unknown", .integer),
        ("overdue", .integer), ("oldest_age_s", .optional(.integer)), ("money_at_risk", .named("Money")),
        ("without_figure", .integer), ("by_state", .map(.integer)),
    ])
    private static let health: Shape = .object([
        ("status", .word(["pass", "warn", "fail"])), ("health_score", .integer), ("health_score_source", .text),
        ("health_factors", .list(.named("Factor"))), ("reasons", .list(.named("Reason"))), ("demo", .flag),
        ("services_running", .integer), ("services_total", .integer), ("redis", .map(.any)),
        ("ports", .list(.named("Port"))), ("system", .map(.optional(.number))), ("nodes", .named("NodeCounts")),
        ("positions", .object([("open", .integer), ("closed", .integer), ("current_pnl", .named("Money"))])),
        ("ledger", .named("Ledger")), ("reconciliation", .map(.integer)), ("journal", .map(.optional(.integer))),
        ("brake", .object([("state", .text), ("scopes", .list(.map(.any)))])), ("alerts_active", .integer),
        ("time", .time), ("as_of", .optional(.time)), ("version", .text), ("started_at", .time), ("uptime_s", .integer),
    ])
    private static let statistic: Shape = .object([
        ("scope", .text), ("kind", .word(["global", "symbol", "account"])), ("currency", .optional(.text)),
        ("total_trades", .integer), ("wins", .integer), ("losses", .integer), ("breakeven", .integer),
        ("unknown_profit", .integer), ("win_rate", .number), ("gross_profit", .number), ("gross_loss", .number),
        ("net_profit", .number), ("profit_factor", .optional(.number)), ("average_duration_s", .optional(.number)),
    ])
    private static let stage: Shape = .object([
        ("stage", .word(Stage.allCases.map(\.rawValue))), ("meaning", .text), ("count", .integer),
        ("p50_ms", .optional(.integer)), ("p90_ms", .optional(.integer)), ("p95_ms", .optional(.integer)),
        ("p99_ms", .optional(.integer)), ("max_ms", .optional(.integer)),
    ])
    private static let exposure: Shape = .object([
        ("symbol", .text), ("positions", .integer), ("long_lots", .number), ("short_lots", .number),
        ("net_lots", .number), ("unrealised", .named("Money")), ("at_risk", .named("Money")),
    ])
    private static let result: Shape = .object([
        ("by", .word(["symbol", "session"])), ("name", .text), ("trades", .integer), ("wins", .integer),
        ("losses", .integer), ("unknown_profit", .integer), ("win_rate", .optional(.number)), ("net", .named("Money")),
    ])
    private static let account: Shape = .object([
        ("account", .optional(.text)), ("server", .optional(.text)), ("user_uuid", .optional(.text)),
        ("seen_at", .optional(.time)), ("matched", .list(.map(.any))), ("only_ours", .list(.map(.any))),
        ("only_theirs", .list(.map(.any))), ("summary", .map(.any)), ("unexplained", .list(.map(.any))),
        ("questions", .list(.named("Question"))),
    ])
    private static let history: Shape = .object([
        ("now", .time), ("since", .time), ("range", .word(HistoryAnswer.ranges)), ("from", .time), ("step_s", .integer),
        ("times", .list(.time)), ("series", .map(.list(.optional(.number)))),
    ])
    private static let overview: Shape = .object([
        ("version", .text), ("now", .time), ("as_of", .optional(.time)), ("full", .flag), ("parts", .map(.any)),
    ])
    private static let picture: Shape = .object([
        ("symbol", .text), ("now", .time), ("timeframe", .text), ("levels", .list(.any)), ("sweeps", .list(.map(.any))),
        (
            "bars",
            .list(
                .object([
                    ("time", .time), ("open", .number), ("high", .number), ("low", .number), ("close", .number),
                    ("ticks", .integer),
                ]))
        ),
        ("signals", .list(.named("Signal"))), ("positions", .list(.named("Position"))), ("positions_total", .integer),
    ])
}
