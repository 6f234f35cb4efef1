import Wire

/// Every path of the interface, once.
enum Operations {
    struct Read: Sendable {
        let path: String
        let summary: String
        let shape: Shape
        var parameters: [Parameter] = []
        var type = "application/json"
        /// Whether a 503 has the same body as a 200.
        var isItsOwnFailure = false
    }

    struct Body: Sendable {
        let name: String
        let schema: JSON
        var isRequired = false
    }

    struct Action: Sendable {
        let path: String
        let summary: String
        var fields: [Body] = []
        /// The codes of its 409.
        var conflicts: [String] = []
    }

    private static func list(_ path: String, _ name: String, _ summary: String, _ others: [Parameter] = []) -> Read {
        Read(path: path, summary: summary, shape: .page(.named(name)), parameters: Parameter.page + others)
    }

    private static func rows(_ path: String, _ name: String, _ schema: Schema, _ summary: String) -> Read {
        Read(path: path, summary: summary, shape: .page(.named(name)), parameters: Parameter.list(schema))
    }

    static let reads: [Read] = [
        Read(
            path: "/health", summary: "Whether the mesh is well, and why not", shape: .named("Health"),
            isItsOwnFailure: true),
        Read(path: "/livez", summary: "The process answers", shape: .object([("alive", .flag)])),
        Read(path: "/readyz", summary: "It can serve", shape: .named("Readiness"), isItsOwnFailure: true),
        Read(path: "/version", summary: "What runs here", shape: .named("Version")),
        Read(
            path: "/overview", summary: "Everything the page draws, or what changed after `since`",
            shape: .named("Overview"),
            parameters: [
                Parameter(
                    name: "since", about: "the `version` of an earlier answer; any other text means everything",
                    schema: Shape.text.json),
                .words("parts", OverviewAnswer.parts.map(\.rawValue)),
            ]),
        list(
            "/services", "Service", "The seven services",
            [.words("state", ServiceStatus.State.allCases.map(\.rawValue))]),
        Read(path: "/services/{name}", summary: "One service", shape: .named("Service")),
        rows("/nodes", "Node", .nodes, "Terminals"),
        Read(path: "/nodes/{id}", summary: "One terminal", shape: .named("Node")),
        rows("/positions", "Position", .positions, "Positions: the open ones and the newest closed"),
        Read(
            path: "/positions/{id}", summary: "One position: `<server>|<account>|<ticket>`",
            shape: .object([("state", .optional(.text))])),
        rows("/users", "User", .users, "Users"),
        Read(
            path: "/users/{id}", summary: "One user",
            shape: .object([
                ("user_uuid", .text), ("slots_used", .integer), ("without_figure", .integer),
            ])),
        rows("/fires", "Fire", .fires, "Fires: the open ones and the newest 500"),
        Read(path: "/fires/{id}", summary: "One fire with its timeline", shape: .named("Fire")),
        Read(path: "/explain/{id}", summary: "The whole story of a fire", shape: .named("Explanation")),
        list(
            "/reconciliation", "Account", "Ours and theirs, by account",
            [
                .text("account", about: "only this one"), .text("user", about: "only this one"),
                .text("server", about: "only this one"), .words("kind", AccountReconciliation.kinds),
                .words(
                    "sort", ReconciliationList.sortings.flatMap { [$0, "-\($0)"] }, isSingle: true, about: "the order"),
            ]),
        rows("/questions", "Question", .questions, "What an operator was asked"),
        list(
            "/stats", "Statistic", "Statistics by scope and currency",
            [
                .words("scope", Statistics.scopes, isSingle: true), .text("symbol", about: "of one symbol"),
                .text("account", about: "of one account"),
            ]),
        rows("/signals", "Signal", .signals, "Signals with their score"),
        list("/levels", "Levels", "The market picture by symbol", [.text("symbol", about: "only this one")]),
        list("/sweeps", "Entry", "The newest sweeps", [.text("symbol", about: "only this one")]),
        Read(path: "/symbols/{symbol}", summary: "Bars, levels and sweeps of one symbol", shape: .named("Picture")),
        list("/exposure", "Exposure", "What is open, by symbol"),
        list("/performance", "Result", "How trades went", [.words("by", ["symbol", "session"])]),
        list("/latency", "Stage", "How long each stage of a fire takes"),
        Read(
            path: "/history", summary: "Equity, profit and telemetry over time", shape: .named("History"),
            parameters: [
                .words("range", HistoryAnswer.ranges, isSingle: true, about: "the last hour or the last day"),
                .integer("points", 10...3600, usual: 360, about: "how many points at most"),
            ]),
        rows("/alerts", "Alert", .alerts, "Alerts, newest first"),
        Read(path: "/alerts/{id}", summary: "One alert", shape: .object([("active", .flag)])),
        list("/silence", "Entry", "Silences in force"), list("/maintenance", "Entry", "Maintenance windows"),
        Read(path: "/drift", summary: "How terminals drift from what they should be", shape: .map(.any)),
        list("/audit", "Entry", "Who did what, newest first"),
        Read(
            path: "/events", summary: "Server-sent events: which parts to ask for again", shape: .text,
            type: "text/event-stream"),
        Read(path: "/metrics", summary: "Prometheus metrics", shape: .text, type: "text/plain"),
        Read(path: "/openapi.json", summary: "This document", shape: .object([("openapi", .text)])),
        Read(path: "/dashboard", summary: "The page", shape: .text, type: "text/html"),
    ]

    private static let text: JSON = .object(["type": .string("string"), "maxLength": .integer(100)])
    private static let reason: JSON = .object([
        "type": .string("string"), "minLength": .integer(1), "maxLength": .integer(100),
    ])
    private static let common: [Body] = ["by", "reason", "comment", "request_id"].map { Body(name: $0, schema: text) }
    private static let closing: [Body] = [
        Body(name: "force", schema: Shape.flag.json), Body(name: "by", schema: text),
    ]
    private static let period: [Body] = [
        Body(name: "minutes", schema: .object(["type": .string("integer"), "minimum": .integer(1)])),
        Body(name: "until_ms", schema: text),
    ]

    static let actions: [Action] = [
        Action(
            path: "/brake", summary: "Set or lift a brake",
            fields: [
                Body(name: "state", schema: Shape.word(["ACTIVE", "REDUCING", "HALTED"]).json, isRequired: true),
                Body(name: "scope", schema: text), Body(name: "reason", schema: reason, isRequired: true),
                Body(name: "by", schema: text),
            ]),
        Action(
            path: "/close", summary: "Close one position at the market's price",
            fields: [
                Body(name: "user_uuid", schema: text, isRequired: true),
                Body(name: "ticket", schema: Shape.integer.json, isRequired: true),
            ] + closing, conflicts: Refusal.codes),
        Action(
            path: "/close-all", summary: "Close the positions of a user, of a symbol, or all",
            fields: [
                Body(name: "user_uuid", schema: text), Body(name: "symbol", schema: text),
                Body(name: "all", schema: Shape.flag.json),
            ] + closing, conflicts: Refusal.codes),
        Action(path: "/alerts/test", summary: "Send a test through every outlet", fields: common),
        Action(
            path: "/alerts/{id}/acknowledge", summary: "Somebody knows of the alert", fields: common,
            conflicts: ["alert_over"]),
        Action(
            path: "/silence", summary: "Call nobody for such alerts",
            fields: ["type", "node_id", "broker", "account", "user_uuid"].map { Body(name: $0, schema: text) } + period
                + common),
        Action(
            path: "/unsilence", summary: "End a silence", fields: [Body(name: "id", schema: text)] + common,
            conflicts: ["silence_over"]),
        Action(
            path: "/maintenance", summary: "Open a maintenance window",
            fields: [Body(name: "scope", schema: text), Body(name: "state", schema: text)] + period + common),
        Action(
            path: "/maintenance/end", summary: "End a maintenance window",
            fields: [Body(name: "id", schema: text), Body(name: "scope", schema: text)] + common,
            conflicts: ["window_over"]),
    ]
}
