import Domain

// A record as the texts of its hash `node:<node_id>` and back. Times are epoch milliseconds.

extension NodeRecord {
    /// Fields that are absent from the hash while they have no value.
    public static let optionalFields: [String] =
        NodeField.allCases.map(\.name) + [
            "last_heartbeat", "lost_at", "disconnected_at", "disconnect_reason", "heartbeat_latency_ms",
            "heartbeat_jitter_ms", "heartbeat_interval_ms", "replaced_by", "identity_conflict_since",
            "identity_conflict_action", "identity_conflict_text", "identity_conflict_held_back",
        ]

    /// Every field that has a value.
    public var fields: [(name: String, value: String)] {
        var list: [(name: String, value: String)] = [
            ("node_id", nodeID), ("node_uuid", nodeUUID), ("session_id", sessionID), ("status", status.rawValue),
            ("connection_telemetry", telemetry.rawValue), ("connection_commands", commands.rawValue),
            ("connection", connection.rawValue), ("first_seen", NodeRecord.text(firstSeen)),
            ("connected_at", NodeRecord.text(connectedAt)), ("connections", String(connections)),
            ("uptime_finished_ms", String(finishedUptime)), ("ignored_heartbeats", String(ignoredHeartbeats)),
        ]
        list += details.fields(NodeField.allCases.filter { !$0.isFigure })
        list += pulse
        func add(_ name: String, _ value: String?) { if let value { list.append((name, value)) } }
        add("lost_at", lostAt.map(NodeRecord.text))
        add("disconnected_at", disconnectedAt.map(NodeRecord.text))
        add("disconnect_reason", disconnectReason)
        add("replaced_by", replacedBy)
        // Empty where there is none: a reader should not have to know that the field may be missing.
        list.append(("identity_conflict", identityConflict?.kind ?? ""))
        if let identityConflict {
            add("identity_conflict_since", NodeRecord.text(identityConflict.since))
            add("identity_conflict_action", identityConflict.action)
            add("identity_conflict_text", identityConflict.text)
            add("identity_conflict_held_back", identityConflict.isHeldBack ? "1" : "0")
        }
        return list
    }

    /// What a heartbeat changes.
    public var pulse: [(name: String, value: String)] {
        var list = details.fields(NodeField.figures)
        list.append(("liveness", liveness.rawValue))
        list.append(("last_seen", NodeRecord.text(lastSeen)))
        list.append(("uptime_s", String(uptime / 1000)))
        list.append(("heartbeats", String(heartbeats)))
        if let lastHeartbeat { list.append(("last_heartbeat", NodeRecord.text(lastHeartbeat))) }
        if let heartbeatLatency { list.append(("heartbeat_latency_ms", String(heartbeatLatency))) }
        if let heartbeatJitter { list.append(("heartbeat_jitter_ms", String(heartbeatJitter))) }
        if let heartbeatInterval { list.append(("heartbeat_interval_ms", String(heartbeatInterval))) }
        return list
    }

    /// A record from its hash; nil where the fields every node has are missing.
    public init?(fields: [String: String]) {
        func time(_ name: String) -> Timestamp? {
            fields[name].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
        }
        func number(_ name: String) -> Int64? { fields[name].flatMap { Int64($0) } }
        guard let nodeID = fields["node_id"], let nodeUUID = fields["node_uuid"], let sessionID = fields["session_id"],
            let status = fields["status"].flatMap(NodeStatus.init(rawValue:)), let first = time("first_seen")
        else { return nil }
        self.init(nodeID: nodeID, nodeUUID: nodeUUID, sessionID: sessionID, at: first)
        self.status = status
        liveness = fields["liveness"].flatMap(Liveness.init(rawValue:)) ?? .live
        telemetry = fields["connection_telemetry"].flatMap(ConnectionState.init(rawValue:)) ?? .unknown
        commands = fields["connection_commands"].flatMap(ConnectionState.init(rawValue:)) ?? .unknown
        connectedAt = time("connected_at") ?? first
        lastSeen = time("last_seen") ?? connectedAt
        lastHeartbeat = time("last_heartbeat")
        lostAt = time("lost_at")
        disconnectedAt = time("disconnected_at")
        disconnectReason = fields["disconnect_reason"]
        finishedUptime = max(0, number("uptime_finished_ms") ?? 0)
        connections = max(1, number("connections") ?? 1)
        heartbeats = max(0, number("heartbeats") ?? 0)
        ignoredHeartbeats = max(0, number("ignored_heartbeats") ?? 0)
        heartbeatLatency = number("heartbeat_latency_ms")
        heartbeatJitter = number("heartbeat_jitter_ms")
        heartbeatInterval = number("heartbeat_interval_ms")
        replacedBy = fields["replaced_by"]
        if let kind = fields["identity_conflict"], !kind.isEmpty {
            identityConflict = NodeConflict(
                kind: kind, since: time("identity_conflict_since") ?? lastSeen,
                text: fields["identity_conflict_text"] ?? "", action: fields["identity_conflict_action"] ?? "")
            identityConflict?.isHeldBack = fields["identity_conflict_held_back"] != "0"
        }
        if status != .active { finishedAt = max(lastSeen, disconnectedAt ?? lastSeen) }
        for field in NodeField.allCases { details[field] = fields[field.name] }
    }

    private static func text(_ time: Timestamp) -> String { String(time.milliseconds) }
}

extension NodeDetails {
    /// Those of the given fields that have a value.
    public func fields(_ wanted: [NodeField]) -> [(name: String, value: String)] {
        wanted.compactMap { field in self[field].map { (field.name, $0) } }
    }
}

extension NodeEvent {
    /// Fields of its entry in `events:nodes`.
    public var fields: [(name: String, value: String)] {
        var list: [(name: String, value: String)] = [
            ("event", kind.rawValue), ("node_id", node.nodeID), ("time", String(time.milliseconds)),
        ]
        list += node.details.fields([
            .userUUID, .account, .server, .broker, .currency, .leverage, .balance, .equity, .version, .chartSymbol,
            .symbols, .socketType, .peerAddress,
        ])
        list.append(("status", node.status.rawValue))
        list.append(("session_id", node.sessionID))
        if let reason { list.append(("reason", reason)) }
        if let successor = node.replacedBy { list.append(("replaced_by", successor)) }
        if let conflict {
            list += [
                ("conflict", conflict.kind), ("identity", conflict.identity),
                ("addresses", conflict.addresses.joined(separator: ",")),
                ("user_uuids", conflict.users.joined(separator: ",")), ("text", conflict.text),
                ("action", conflict.action), ("held_back", conflict.isHeldBack ? "1" : "0"),
            ]
            if let actor = conflict.clearedBy { list.append(("by", actor)) }
        }
        return list
    }
}
