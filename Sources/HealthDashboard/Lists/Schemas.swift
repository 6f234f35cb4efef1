/// The families that are listed, as the contract's sections 4 and 5 name their fields.
extension Schema {
    /// `node:<node_id>`, written by node-registry.
    static let nodes: Schema = Schema(
        identifier: "node_id",
        fields: [
            Field("node_id"), Field("user_uuid"), Field("account"), Field("server"), Field("broker"),
            Field("terminal"), Field("currency"), Field("leverage", .integer), Field("balance", .decimal),
            Field("equity", .decimal), Field("margin", .decimal), Field("free_margin", .decimal),
            Field("margin_level", .decimal), Field("version"), Field("chart_symbol"), Field("symbols", .words),
            Field("monitored_symbols", .integer), Field("socket_type"), Field("deployment_mode"), Field("dialect"),
            Field("status"), Field("liveness"), Field("connection"), Field("first_seen", .time),
            Field("connected_at", .time), Field("last_heartbeat", .time), Field("last_seen", .time),
            Field("disconnected_at", .time), Field("disconnect_reason"), Field("uptime_s", .integer),
            Field("connections", .integer), Field("heartbeats", .integer), Field("heartbeat_latency_ms", .decimal),
            Field("heartbeat_jitter_ms", .decimal), Field("replaced_by"), Field("session_id"), Field("node_uuid"),
            Field("family"), Field("hears_commands"),
            Field("hears_commands_reason"), Field("peer_address"), Field("subnet"), Field("identity_conflict"),
            Field("identity_conflict_since", .time), Field("identity_conflict_action"),
        ],
        filters: [
            ("status", ["status"]), ("state", ["liveness", "status"]), ("liveness", ["liveness"]),
            ("broker", ["broker", "server"]), ("server", ["server"]), ("user", ["user_uuid"]), ("account", ["account"]),
            ("symbol", ["chart_symbol", "symbols", "monitored_symbols"]), ("version", ["version"]),
            ("family", ["family"]), ("subnet", ["subnet"]),
        ],
        words: [
            "status": NodeCounts.statuses, "liveness": NodeCounts.livenesses,
            "state": NodeCounts.livenesses + NodeCounts.statuses,
        ],
        flags: [
            Flag(parameter: "conflict") { record, _ in
                Schema.nodes.value("identity_conflict", of: record)?.isEmpty == false
            }
        ],
        searched: [
            "node_id", "user_uuid", "account", "server", "broker", "chart_symbol", "version", "session_id",
            "peer_address",
        ],
        order: "node_id")

    /// `position:<server>|<account>|<ticket>`, written by position-tracker.
    static let positions = Schema(
        identifier: "position",
        fields: [
            Field("user_uuid"), Field("account"), Field("server"), Field("ticket", .integer), Field("fire_id"),
            Field("node_id"), Field("symbol"), Field("canonical_symbol"), Field("direction"), Field("lot", .decimal),
            Field("open_price", .decimal), Field("current_price", .decimal), Field("close_price", .decimal),
            Field("sl", .decimal), Field("tp", .decimal), Field("state"), Field("currency"),
            Field("current_pnl", .decimal), Field("max_profit", .decimal), Field("max_loss", .decimal),
            Field("profit", .decimal), Field("profit_source"), Field("close_reason"), Field("orphan", .flag),
            Field("risk_amount", .decimal), Field("source"), Field("opened_at", .time), Field("closed_at", .time),
            Field("duration_s", .integer),
        ],
        filters: [
            ("user", ["user_uuid"]), ("symbol", ["symbol", "canonical_symbol"]), ("state", ["state"]),
            ("account", ["account"]), ("server", ["server"]), ("broker", ["server"]), ("node", ["node_id"]),
            ("direction", ["direction"]), ("fire", ["fire_id"]),
        ],
        words: ["state": ["open", "closed"], "direction": directions],
        searched: ["user_uuid", "account", "server", "ticket", "fire_id", "symbol", "canonical_symbol"],
        order: "opened_at", descending: true)

    static let directions = ["BUY", "SELL"]
    /// The states of the ledger, in the order in which a fire passes them. Source: docs/contract.md, section 4.
    static let fireStates = [
        "reserved", "sending", "sent", "acknowledged", "unknown", "filled", "rejected", "never_executed", "expired",
        "denied",
    ]

    /// `fire:<fire_id>`, written by position-tracker.
    static let fires: Schema = Schema(
        identifier: "fire_id",
        fields: [
            Field("fire_id"), Field("state"), Field("late", .flag), Field("reason"), Field("user_uuid"),
            Field("node_id"), Field("account"), Field("server"), Field("symbol"), Field("canonical_symbol"),
            Field("direction"), Field("lot", .decimal), Field("sl", .decimal), Field("tp", .decimal),
            Field("entry", .decimal), Field("quote_bid", .decimal), Field("quote_ask", .decimal),
            Field("risk", .json), Field("hybrid", .json), Field("protection_score", .decimal), Field("signal_id"),
            Field("ticket", .integer),
            Field("created_at", .time), Field("signal_at", .time), Field("score_at", .time),
            Field("reserved_at", .time), Field("sending_at", .time), Field("sent_at", .time),
            Field("answered_at", .time), Field("durable_at", .time), Field("applied_at", .time),
            Field("unknown_at", .time),
            Field("resolved_at", .time), Field("expires_at", .time),
        ],
        filters: [
            ("state", ["state"]), ("user", ["user_uuid"]), ("symbol", ["symbol", "canonical_symbol"]),
            ("account", ["account"]), ("server", ["server"]), ("broker", ["server"]), ("node", ["node_id"]),
            ("signal", ["signal_id"]), ("reason", ["reason"]), ("direction", ["direction"]),
        ],
        words: ["state": fireStates, "direction": directions],
        flags: [
            Flag(parameter: "late") { FireStanding($0, now: $1).isLate },
            Flag(parameter: "overdue") { FireStanding($0, now: $1).isOverdue },
            Flag(parameter: "unaccounted") { FireStanding($0, now: $1).isUnaccounted },
        ],
        searched: ["fire_id", "user_uuid", "account", "server", "symbol", "ticket", "signal_id", "reason"],
        order: "created_at", descending: true)

    /// `question:<id>`, written by position-tracker: what only an operator can decide.
    static let questions = Schema(
        identifier: "question_id",
        fields: [
            Field("question_id"), Field("kind"), Field("state"), Field("text"), Field("user_uuid"), Field("account"),
            Field("server"), Field("node_id"), Field("ticket", .integer), Field("fire_id"), Field("symbol"),
            Field("money", .decimal), Field("currency"), Field("evidence", .json), Field("asked_at", .time),
            Field("answer"), Field("answered_at", .time), Field("reason"),
        ],
        filters: [
            ("state", ["state"]), ("kind", ["kind"]), ("user", ["user_uuid"]), ("account", ["account"]),
            ("server", ["server"]), ("broker", ["server"]), ("symbol", ["symbol"]), ("node", ["node_id"]),
            ("fire", ["fire_id"]), ("ticket", ["ticket"]),
        ],
        words: [
            "state": ["open", "answered", "withdrawn"],
            "kind": ["silent_close", "unexplained_step", "unknown_fire", "ghost"],
        ],
        searched: ["question_id", "text", "user_uuid", "account", "server", "symbol", "ticket", "fire_id"],
        order: "asked_at", descending: true)
}
