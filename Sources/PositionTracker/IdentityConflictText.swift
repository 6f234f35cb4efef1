import Domain
import Trading
import Wire

// A doubt as node-registry takes it, and as Redis keeps it.
extension IdentityConflict {
    /// The request `conflict` of the registry port.
    func registryFields(user: String, node: String) -> JSONObject {
        [
            "type": .string("conflict"), "node_id": .string(node), "user_uuid": .string(user),
            "conflict": .string(kind.rawValue), "identity": .string(identity),
            "addresses": .array(addresses.map(JSON.string)), "user_uuids": .array(users.map(JSON.string)),
            "since": .integer(since.milliseconds), "text": .string(text),
            "action": .string(kind.action(user: user)), "held_back": .bool(isFencing),
            "ends": .string(until == nil ? "operator" : "time"),
        ]
    }

    var json: JSONObject {
        [
            "kind": .string(kind.rawValue), "since": .integer(since.milliseconds), "text": .string(text),
            "identity": .string(identity), "addresses": .array(addresses.map(JSON.string)),
            "users": .array(users.map(JSON.string)), "fencing": .bool(isFencing),
        ]
    }

    /// What ``json`` wrote: a doubt that only an operator ends.
    init?(_ object: JSONObject) {
        guard let kind = object["kind"]?.text.flatMap(ConflictKind.init(rawValue:)),
            let since = Timestamp(row: object["since"]?.text), let text = object["text"]?.text
        else { return nil }
        self.init(
            kind: kind, since: since, until: nil, text: text, identity: object["identity"]?.text ?? "",
            addresses: object["addresses"]?.array?.compactMap(\.text) ?? [],
            users: object["users"]?.array?.compactMap(\.text) ?? [], isFencing: object["fencing"]?.bool ?? true)
    }
}
