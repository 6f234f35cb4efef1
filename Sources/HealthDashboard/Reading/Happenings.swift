import Domain
import Redis
import ServiceKit
import Wire

/// What is kept as streams and small hashes: sweeps, the audit trail, silences, maintenance. Owned by the loop's thread.
final class Happenings {
    static let kept = 200

    private var sweeps = Stream("events:sweeps")
    private var manipulation = Stream("events:manipulation")
    private var audit = Stream("events:audit")
    private var actions = Stream("events:alert-actions")
    private var silences: [String: String] = [:]
    private var maintenance: [String: String] = [:]
    private var drift: [String: String] = [:]
    private var changes: Set<Part> = []

    /// The newest entries of one stream.
    private struct Stream {
        let key: String
        var newest = ""
        var entries: [JSONObject] = []

        init(_ key: String) { self.key = key }

        /// Whether there is anything new.
        mutating func take(_ reply: RedisValue) -> Bool {
            let entries = reply.array ?? []
            let identifier = entries.first?.array?.first?.text ?? ""
            guard identifier != newest else { return false }
            newest = identifier
            self.entries = entries.compactMap { Happenings.entry($0, stream: key) }
            return true
        }
    }

    func questions() -> [RedisQuestion] {
        func newest(_ key: String) -> [String] { ["XREVRANGE", key, "+", "-", "COUNT", String(Happenings.kept)] }
        return [
            RedisQuestion(newest(sweeps.key)) { [self] in if sweeps.take($0) { changes.insert(.levels) } },
            RedisQuestion(newest(manipulation.key)) { [self] in
                if manipulation.take($0) { changes.insert(.levels) }
            },
            RedisQuestion(newest(audit.key)) { [self] in if audit.take($0) { changes.insert(.audit) } },
            RedisQuestion(newest(actions.key)) { [self] in if actions.take($0) { changes.insert(.audit) } },
            RedisQuestion(["HGETALL", "silences"]) { [self] in replace(&silences, $0.dictionary) },
            RedisQuestion(["HGETALL", "maintenance"]) { [self] in replace(&maintenance, $0.dictionary) },
            RedisQuestion(["HGETALL", "fleet_drift"]) { [self] in replace(&drift, $0.dictionary) },
        ]
    }

    private func replace(_ kept: inout [String: String], _ fresh: [String: String]?) {
        guard let fresh, fresh != kept else { return }
        kept = fresh
        changes.insert(.alerts)
    }

    /// `[id, [field, value, …]]` as one object: `id`, `stream`, the fields. An entry that holds JSON comes as that.
    static func entry(_ value: RedisValue, stream: String) -> JSONObject? {
        guard let parts = value.array, parts.count == 2, let identifier = parts[0].text,
            let texts = parts[1].array?.map(\.text)
        else { return nil }
        var object: JSONObject = ["id": .string(identifier), "stream": .string(stream)]
        for index in stride(from: 0, to: texts.count - 1, by: 2) {
            guard let name = texts[index], let text = texts[index + 1] else { continue }
            if ["json", "data", "event"].contains(name), let whole = (try? JSON(text))?.object {
                for field in whole.fields where object[field.name] == nil { object.append(field.name, field.value) }
            } else if object[name] == nil {
                object.append(name, .string(text))
            }
        }
        // Every stream writes its moment in its own words; the id of the entry has it too.
        if object["at"] == nil {
            object.append("at", .string(String(identifier.prefix { $0 != "-" })))
        }
        object["at"] = Schema.json(object["at"]?.text, .time)
        return object
    }

    private static func newestFirst(_ entries: [JSONObject]) -> [JSONObject] {
        entries.map { (key: $0["at"]?.text ?? "", entry: $0) }.sorted { $0.key > $1.key }.prefix(kept).map(\.entry)
    }

    func takeChanges() -> Set<Part> {
        defer { changes = [] }
        return changes
    }

    func fill(_ snapshot: inout Snapshot) {
        snapshot.sweeps = Happenings.newestFirst(sweeps.entries + manipulation.entries)
        snapshot.audit = Happenings.newestFirst(audit.entries + actions.entries)
        snapshot.drift = .object(
            drift.sortedObject { (try? JSON($0)) ?? .string($0) })
        snapshot.silences = silences.compactMapValues { try? JSON($0) }
        snapshot.maintenance = maintenance.compactMapValues { try? JSON($0) }
    }
}
