import Domain
import Wire

/// Turns the body of a POST into an errand, or says what is wrong with it.
enum ActionRequests {
    static let maximumBody = 65_536
    private static let maximumText = 500

    static func errand(_ action: Endpoint.Action, body: [UInt8], now: Timestamp) throws(HTTPProblem) -> Errand {
        var object = JSONObject()
        if !body.isEmpty {
            guard let parsed = (try? JSON(body))?.object else { throw .badRequest("the body must be one JSON object") }
            object = parsed
        }
        switch action {
        case .brake: return .order(try brake(object))
        case .acknowledge(let alert):
            return .alertAction(try entry("acknowledge", ["alert_id": alert], object, ["reason", "by"], now))
        case .silence:
            let names = ["node_id", "user_uuid", "account", "broker", "type", "until", "minutes", "reason", "by"]
            return .alertAction(try entry("silence", [:], object, names, now))
        case .maintenance:
            return .alertAction(
                try entry("maintenance", [:], object, ["state", "until", "minutes", "reason", "by"], now))
        }
    }

    /// The request of the orders port; position-tracker judges scope and reason.
    private static func brake(_ object: JSONObject) throws(HTTPProblem) -> JSONObject {
        let states = ["ACTIVE", "REDUCING", "HALTED"]
        guard let state = object["state"]?.text?.uppercased(), states.contains(state) else {
            throw .badRequest("'state' is one of \(states.joined(separator: ", "))")
        }
        var request: JSONObject = ["type": .string("brake"), "state": .string(state)]
        for field in object.fields where !["type", "state", "request_id"].contains(field.name) {
            request.append(field.name, field.value)
        }
        return request
    }

    /// Fields of an entry of `events:alert-actions`: `action`, `at` (epoch milliseconds), and what was given.
    private static func entry(
        _ action: String, _ fixed: [String: String], _ object: JSONObject, _ names: [String], _ now: Timestamp
    ) throws(HTTPProblem) -> [String] {
        var fields = ["action", action, "at", String(now.milliseconds)]
        for (name, value) in fixed { fields += [name, value] }
        for name in names {
            guard let value = object[name], value != .null else { continue }
            guard let text = value.text, text.utf8.count <= maximumText else {
                throw .badRequest("'\(name)' is a text of at most \(maximumText) bytes, or a number")
            }
            fields += [name, text]
        }
        return fields
    }
}
