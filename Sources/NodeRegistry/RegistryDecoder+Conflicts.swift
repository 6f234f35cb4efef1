import Domain
import Fleet
import Wire

extension RegistryDecoder {
    /// The fence's word on a terminal. Source: docs/fleet.md.
    static func conflict(
        _ type: String, _ object: JSONObject, _ received: Timestamp
    ) throws(RegistryRefusal) -> RegistryRequest {
        let node = try optionalIdentifier("node_id", object)
        let user = try optionalIdentifier("user_uuid", object)
        guard node != nil || user != nil else { throw .missingField("node_id or user_uuid") }
        guard let kind = try text("conflict", object), NodeConflict.kinds.contains(kind) else {
            let words = NodeConflict.kinds.sorted().joined(separator: ", ")
            throw .badValue("conflict", "must be one of \(words)")
        }
        var conflict = NodeConflict(
            kind: kind, since: try time("since", object) ?? received, text: try words("text", object),
            action: try words("action", object))
        conflict.identity = try words("identity", object)
        conflict.addresses = try list("addresses", object)
        conflict.users = try list("user_uuids", object)
        conflict.isHeldBack = object["held_back"]?.bool ?? true
        var notice = ConflictNotice(nodeID: node, userUUID: user, conflict: conflict, receivedAt: received)
        guard type == "conflict_cleared" else { return .conflict(notice) }
        notice.conflict.clearedBy = try optionalIdentifier("by", object) ?? "unknown"
        notice.reason = try reason(object)
        return .conflictCleared(notice)
    }

    /// What handshake-processor's fence refused.
    static func foreign(_ object: JSONObject, _ received: Timestamp) throws(RegistryRefusal) -> RegistryRequest {
        let node = try optionalIdentifier("node_id", object)
        let user = try optionalIdentifier("user_uuid", object)
        guard node != nil || user != nil else { throw .missingField("node_id or user_uuid") }
        var conflict = NodeConflict(
            kind: NodeConflict.twoAddresses, since: received, text: try words("text", object), action: "")
        conflict.addresses = [try optionalIdentifier("peer_address", object)].compactMap { $0 }
        return .foreign(ConflictNotice(nodeID: node, userUUID: user, conflict: conflict, receivedAt: received))
    }

    private static func words(_ name: String, _ object: JSONObject) throws(RegistryRefusal) -> String {
        let text = try text(name, object) ?? ""
        guard text.unicodeScalars.count <= 512 else { throw .badValue(name, "is longer than 512 characters") }
        return text
    }

    private static func list(_ name: String, _ object: JSONObject) throws(RegistryRefusal) -> [String] {
        guard let value = object[name], value != .null else { return [] }
        guard let items = value.array, items.count <= 64 else { throw .badValue(name, "must be a list of texts") }
        let texts = items.compactMap(\.text)
        guard texts.count == items.count else { throw .badValue(name, "must be a list of texts") }
        return texts
    }
}
