import Domain
import Fleet
import Redis
import Wire

/// What has to be there before an action on alerts is handed on: an acknowledgement of an alert that does not exist would
/// otherwise be answered like any other, and nobody would hear that it came to nothing.
struct ActionCheck {
    /// How many of the newest actions are looked through for what is asked for and not carried out yet.
    private static let recent = "500"
    private static let actions = ["XREVRANGE", "events:alert-actions", "+", "-", "COUNT", recent]

    let commands: [[String]]
    /// Why it can't be done, of the commands' replies; nil where it can.
    let objection: ([RedisValue]) -> ErrandOutcome?

    /// - Parameter entry: the fields and values of an entry of `events:alert-actions`.
    /// - Returns: nil where nothing has to be there.
    static func of(_ entry: [String], _ snapshot: Snapshot, now: Timestamp) -> ActionCheck? {
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: entry.count - 1, by: 2) { fields[entry[index]] = entry[index + 1] }
        switch fields["action"] ?? "" {
        case "acknowledge": return acknowledge(fields["alert_id"] ?? "")
        case "unsilence": return unsilence(fields["silence_id"] ?? fields["id"] ?? "", now)
        case "maintenance_end":
            return end(fields["maintenance_id"] ?? fields["id"] ?? fields["scope"] ?? "all", now)
        case "silence":
            var matchers = fields
            for field in fields["matchers"].flatMap({ (try? JSON($0))?.object })?.fields ?? [] {
                matchers[field.name] = field.value.text
            }
            return existence(matchers, snapshot)
        case "maintenance":
            guard case .field(let name, let value)? = fields["scope"].flatMap({ MaintenanceWindow.Scope($0) }) else {
                return nil
            }
            return existence([name: value], snapshot)
        default: return nil
        }
    }

    private static func acknowledge(_ identifier: String) -> ActionCheck {
        ActionCheck(commands: [["EXISTS", "alert:\(identifier)"], ["SISMEMBER", "alerts_active", identifier]]) {
            guard $0[0].integer == 1 else { return .missing("no alert '\(identifier)' is known") }
            guard $0[1].integer == 1 else {
                return .conflict(
                    code: "alert_over", message: "alert '\(identifier)' is over: there is nothing to acknowledge")
            }
            return nil
        }
    }

    private static func unsilence(_ identifier: String, _ now: Timestamp) -> ActionCheck {
        ActionCheck(commands: [["HEXISTS", "silences", identifier], actions]) { replies in
            switch AskedBefore.silence.standing(of: identifier, replies[1], now) {
            case .underWay: return nil
            case .over: return .conflict(code: "silence_over", message: "silence '\(identifier)' is over already")
            case .unheard: break
            }
            if replies[0].integer == 1 { return nil }
            return .missing("there is no silence '\(identifier)'; GET /silence has those that there are")
        }
    }

    private static func end(_ name: String, _ now: Timestamp) -> ActionCheck {
        ActionCheck(commands: [["HGETALL", "maintenance"], actions]) { replies in
            switch AskedBefore.maintenance.standing(of: name, replies[1], now) {
            case .underWay: return nil
            case .over:
                return .conflict(code: "window_over", message: "maintenance window '\(name)' is over already")
            case .unheard: break
            }
            let isThere = (replies[0].dictionary ?? [:]).contains { identifier, text in
                identifier == name || (try? JSON(text))?.object?["scope"]?.text == name
            }
            if isThere { return nil }
            return .missing("there is no maintenance window '\(name)'; GET /maintenance has those that there are")
        }
    }

    /// What a silence or a window names has to be known; `*` at the end stands for any rest and is not looked for.
    private static func existence(_ named: [String: String], _ snapshot: Snapshot) -> ActionCheck? {
        let exact = named.filter { !$0.value.hasSuffix("*") && !$0.value.isEmpty }
        if let service = exact["service"], !ServiceName.allCases.contains(where: { $0.rawValue == service }) {
            return ActionCheck(commands: []) { _ in .missing("there is no service '\(service)'") }
        }
        for name in ["server", "broker"] {
            guard let value = exact[name] else { continue }
            let isKnown = snapshot.nodes.contains { node in
                Schema.nodes.value("server", of: node) == value || Schema.nodes.value("broker", of: node) == value
            }
            if !isKnown {
                return ActionCheck(commands: []) { _ in .missing("no terminal is at the \(name) '\(value)'") }
            }
        }
        let keys: [(String, [String])] = [
            ("node_id", ["node:"]), ("user_uuid", ["user:", "user_node:"]), ("alert_id", ["alert:"]),
        ]
        let looked = keys.compactMap { name, prefixes in
            exact[name].map { value in (name, value, ["EXISTS"] + prefixes.map { $0 + value }) }
        }
        guard !looked.isEmpty else { return nil }
        return ActionCheck(commands: looked.map(\.2)) { replies in
            for (index, (name, value, _)) in looked.enumerated() where replies[index].integer == 0 {
                return .missing("no \(name) '\(value)' is known")
            }
            return nil
        }
    }
}
