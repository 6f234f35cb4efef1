import Domain
import Fleet
import Wire

// The registry's answers as JSON. Times are RFC 3339, money is the number that arrived.

extension NodeRecord {
    var json: JSONObject {
        var object: JSONObject = [
            "node_id": .string(nodeID), "node_uuid": .string(nodeUUID), "session_id": .string(sessionID),
            "status": .string(status.rawValue), "liveness": .string(liveness.rawValue),
            "connection": .string(connection.rawValue),
        ]
        for field in NodeField.allCases {
            guard let value = details[field] else { continue }
            object.append(field.name, NodeRecord.json(field, value))
        }
        object.append("first_seen", .string("\(firstSeen)"))
        object.append("connected_at", .string("\(connectedAt)"))
        object.append("last_seen", .string("\(lastSeen)"))
        object.append("last_heartbeat", .text(lastHeartbeat.map { "\($0)" }))
        object.append("disconnected_at", .text(disconnectedAt.map { "\($0)" }))
        object.append("disconnect_reason", .text(disconnectReason))
        object.append("replaced_by", .text(replacedBy))
        object.append("identity_conflict", .text(identityConflict?.kind))
        if let identityConflict {
            object.append("identity_conflict_since", .string("\(identityConflict.since)"))
            object.append("identity_conflict_text", .string(identityConflict.text))
            object.append("identity_conflict_action", .string(identityConflict.action))
            object.append("identity_conflict_held_back", .bool(identityConflict.isHeldBack))
        }
        object.append("uptime_s", .integer(uptime / 1000))
        object.append("connections", .integer(connections))
        object.append("heartbeats", .integer(heartbeats))
        object.append("heartbeat_latency_ms", heartbeatLatency.map { .integer($0) } ?? .null)
        object.append("heartbeat_jitter_ms", heartbeatJitter.map { .integer($0) } ?? .null)
        return object
    }

    private static func json(_ field: NodeField, _ value: String) -> JSON {
        switch field {
        case .balance, .equity, .margin, .freeMargin, .marginLevel, .leverage, .monitoredSymbols, .ticksProcessed:
            JSON.isNumber(value) ? .number(value) : .string(value)
        case .symbols: .array(value.split(separator: ",").map { .string(String($0)) })
        default: .string(value)
        }
    }
}

extension RegistryStatistics {
    var json: JSONObject {
        func counts<Key: RawRepresentable<String>>(_ values: [Key: Int]) -> JSON {
            .object(Self.sorted(values.map { ($0.key.rawValue, $0.value) }))
        }
        return [
            "total": .integer(total), "users": .integer(users),
            "active": .integer(byStatus[.active] ?? 0),
            "by_status": counts(byStatus), "by_liveness": counts(byLiveness),
            "by_broker": .object(Self.sorted(byBroker.map { ($0.key, $0.value) })),
            "by_version": .object(Self.sorted(byVersion.map { ($0.key, $0.value) })),
            "average_latency_ms": averageLatency.map { .integer($0) } ?? .null,
            "average_jitter_ms": averageJitter.map { .integer($0) } ?? .null,
        ]
    }

    private static func sorted(_ values: [(String, Int)]) -> JSONObject {
        var object = JSONObject()
        for (name, count) in values.sorted(by: { $0.0 < $1.0 }) { object.append(name, .integer(count)) }
        return object
    }
}

/// One line of history: the fields of its stream entry, the time readable.
enum HistoryLine {
    static func json(_ fields: [(name: String, value: String)]) -> JSON {
        var object = JSONObject()
        for (name, value) in fields {
            if name == "time", let milliseconds = Int64(value) {
                object.append(name, .string("\(Timestamp(milliseconds: milliseconds))"))
            } else {
                object.append(name, .string(value))
            }
        }
        return .object(object)
    }
}
