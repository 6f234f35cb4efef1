import Domain
import Wire

/// Items of lists with what isn't in the hash but follows from it.
enum Items {
    static func json(_ record: Record, _ list: Endpoint.List, _ snapshot: Snapshot, now: Timestamp) -> JSONObject {
        switch list {
        case .positions: return position(record, now: now)
        case .alerts:
            var item = Schema.alerts.json(record)
            item.append("active", .bool(snapshot.activeAlerts.contains(record.identifier)))
            return item
        case .nodes: return node(record, snapshot)
        case .fires: return fire(record, now: now)
        case .questions: return question(record, now: now)
        case .signals: return Schema.signals.json(record)
        case .users: return user(record, snapshot)
        }
    }

    /// A node's record may be some seconds old; its last sign of life is read for all nodes each second.
    static func node(_ record: Record, _ snapshot: Snapshot) -> JSONObject {
        var item = Schema.nodes.json(record)
        if let position = Schema.nodes.position("last_seen"), let seen = snapshot.lastSeen[record.identifier],
            seen > record.values[position].flatMap({ Int64($0) }) ?? 0
        {
            item["last_seen"] = Schema.json(String(seen), .time)
        }
        return item
    }

    /// A user's record has no id of its own: it is in the key.
    static func user(_ record: Record, _ snapshot: Snapshot) -> JSONObject {
        var item = Schema.users.json(record)
        item["user_uuid"] = .string(record.identifier)
        return item
    }

    static func fire(_ record: Record, now: Timestamp) -> JSONObject {
        var item = Schema.fires.json(record)
        if item["fire_id"] == .null { item["fire_id"] = .string(record.identifier) }
        FireStanding(record, now: now).extend(&item)
        return item
    }

    /// An open position lasts until now.
    static func position(_ record: Record, now: Timestamp) -> JSONObject {
        var item = Schema.positions.json(record)
        if item["state"]?.text == "open", item["duration_s"] == .null,
            let position = Schema.positions.position("opened_at"),
            let opened = record.values[position].flatMap({ Int64($0) }), opened > 0
        {
            item["duration_s"] = .integer(max(0, now.milliseconds - opened) / 1000)
        }
        return item
    }
}
