import Domain
import Wire

/// Single items: what their list shows, and what only the hash itself has.
enum Details {
    static func record(_ identifier: String, _ fields: [String: String], _ schema: Schema) -> Record {
        Record(identifier: identifier, values: schema.keys.map { fields[$0] })
    }

    static func node(
        _ identifier: String, _ fields: [String: String], stability: [String: String], connections: [String: String],
        _ snapshot: Snapshot, now: Timestamp
    ) -> JSONObject {
        var item = Schema.nodes.json(record(identifier, fields, .nodes))
        if item["node_id"] == .null { item["node_id"] = .string(identifier) }
        item.append("stability", plain(stability))
        item.append("connection_counts", plain(connections))
        item.append("positions", .array(positions(snapshot, "node_id", identifier, now)))
        return item
    }

    /// - Returns: nil for a user of whom nothing is known.
    static func user(
        _ identifier: String, _ fields: [String: String], slots: [String: String], node: String?, _ snapshot: Snapshot,
        now: Timestamp
    ) -> JSONObject? {
        let positions = positions(snapshot, "user_uuid", identifier, now)
        guard !fields.isEmpty || node != nil || !positions.isEmpty || !slots.isEmpty else { return nil }
        var held = JSONObject()
        for (key, value) in slots.sorted(by: { $0.key < $1.key }) { held.append(key, .string(value)) }
        let current = node.flatMap { name in snapshot.nodes.first { $0.identifier == name } }
        // What no cap can weigh: nobody knows a stop of it.
        let unweighed = positions.compactMap(\.object).count {
            $0["state"]?.text == "open" && $0["risk_amount"] ?? .null == .null
        }
        return [
            "user_uuid": .string(identifier), "tier": .text(fields["tier"]),
            "risk_pct": Schema.json(fields["risk_pct"], .decimal), "state": .text(fields["state"]),
            "registered": .bool(fields["registered"] == "1"), "created_at": Schema.json(fields["created_at"], .time),
            "node_id": .text(node), "node": current.map { .object(Items.node($0, snapshot)) } ?? .null,
            "slots_used": .integer(slots.count), "slots": .object(held), "positions": .array(positions),
            "without_figure": .integer(unweighed),
        ]
    }

    /// A row of the ledger with everything in it; what the schema does not name comes as it is.
    static func fire(_ identifier: String, _ fields: [String: String], now: Timestamp) -> JSONObject {
        var item = Items.fire(record(identifier, fields, .fires), now: now)
        item.append("factors", Schema.json(fields["factors"], .json))
        addOthers(&item, fields, .fires, leavingOut: ["timeline", "factors"])
        item.append("timeline", .array(timeline(fields["timeline"])))
        return item
    }

    /// What the schema does not name comes as it is: numbers as numbers, moments as moments.
    static func addOthers(
        _ item: inout JSONObject, _ fields: [String: String], _ schema: Schema, leavingOut others: Set<String>
    ) {
        let known = Set(schema.keys).union(others)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            item.append(name, Schema.json(value, name.hasSuffix("_at") ? .time : .text))
        }
    }

    /// Entries `{state, at, by, after_ms}`: when it was reached, what moved it, and how long after the step before.
    static func timeline(_ text: String?) -> [JSON] {
        var before: Int64?
        return (text.flatMap { try? JSON($0) }?.array ?? []).map { entry in
            guard var object = entry.object, let at = (object["at"] ?? object["time"])?.text else { return entry }
            let moment = Int64(at)
            object["time"] = nil
            object["at"] = Schema.json(at, .time)
            object["after_ms"] = before.flatMap { before in moment.map { .integer($0 - before) } } ?? .null
            before = moment ?? before
            return .object(object)
        }
    }

    private static func positions(_ snapshot: Snapshot, _ field: String, _ value: String, _ now: Timestamp) -> [JSON] {
        guard let index = Schema.positions.position(field), let state = Schema.positions.position("state") else {
            return []
        }
        return snapshot.positions
            .filter { $0.values[index] == value && $0.values[state] == "open" }
            .sorted { $0.identifier < $1.identifier }
            .map { .object(Items.position($0, now: now)) }
    }

    /// A hash as it is: numbers as numbers, the rest as text.
    private static func plain(_ fields: [String: String]) -> JSON {
        var object = JSONObject()
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            object.append(key, JSON.isNumber(value) ? .number(value) : .string(value))
        }
        return .object(object)
    }
}
