/// The families of signals, alerts and users, as the contract's sections 4 and 5 name their fields.
extension Schema {
    /// `signal:<id>`, written by citadel-monitor.
    static let signals = Schema(
        identifier: "signal_id",
        fields: [
            Field("symbol"), Field("direction"), Field("state"), Field("protection_score", .decimal, key: "score"),
            Field("entry_price", .decimal), Field("stop_loss", .decimal), Field("take_profit", .decimal),
            Field("created_at", .time), Field("expires_at", .time), Field("curve", .json),
            Field("ended_at", .time), Field("update_reason"), Field("signal", .json, key: "json"),
        ],
        filters: [("symbol", ["symbol"]), ("state", ["state"]), ("direction", ["direction"])],
        words: ["state": ["live", "expired", "invalidated"], "direction": directions],
        searched: ["symbol", "direction"], order: "created_at", descending: true)

    /// `alert:<id>`, written by heartbeat-monitor.
    static let alerts = Schema(
        identifier: "alert_id",
        fields: [
            Field("type"), Field("rule"), Field("key"), Field("severity"), Field("message"), Field("cause"),
            Field("action"), Field("scope"), Field("scope_name"), Field("count", .integer),
            Field("held_back", .integer), Field("time", .time), Field("starts_at", .time), Field("updated_at", .time),
            Field("ends_at", .time), Field("node_id"), Field("user_uuid"), Field("account"), Field("server"),
            Field("broker"), Field("service"), Field("last_seen", .time), Field("state"),
            Field("acknowledged_at", .time), Field("acknowledged_by"), Field("silenced_until", .time),
            Field("silence_id"), Field("maintenance_id"), Field("subnet"), Field("version"),
            Field("notified_at", .time), Field("notifications", .integer), Field("resolved_at", .time),
            Field("resolution"),
        ],
        filters: [
            ("type", ["type"]), ("severity", ["severity"]), ("state", ["state"]), ("user", ["user_uuid"]),
            ("account", ["account"]), ("broker", ["broker", "server"]), ("node", ["node_id"]),
            ("service", ["service"]), ("subnet", ["subnet"]), ("version", ["version"]), ("scope", ["scope"]),
            ("rule", ["rule"]),
        ],
        words: ["severity": ["info", "warning", "critical"], "state": ["active", "firing", "resolved"]],
        searched: [
            "type", "message", "cause", "scope_name", "node_id", "user_uuid", "account", "server", "broker", "service",
        ],
        order: "time", descending: true)

    /// `user:<uuid>`, written by position-tracker.
    static let users = Schema(
        identifier: "user_uuid",
        fields: [
            Field("user_uuid"), Field("tier"), Field("state"), Field("risk_pct", .decimal),
            Field("daily_loss_pct", .decimal), Field("open_risk_pct", .decimal), Field("registered", .flag),
            Field("created_at", .time),
        ],
        filters: [("user", ["user_uuid"]), ("tier", ["tier"]), ("state", ["state"])],
        words: ["state": ["active", "suspended"]],
        searched: ["user_uuid", "tier"], order: "user_uuid")
}
