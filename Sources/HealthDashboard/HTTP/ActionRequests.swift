import Domain
import Fleet
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
        case .close: return .order(try close(object))
        case .closeAll: return .order(try closeAll(object))
        case .acknowledge(let alert): return .alertAction(try entry("acknowledge", ["alert_id": alert], object, now))
        case .silence: return .alertAction(try silence(object, now))
        case .unsilence:
            guard isGiven(["silence_id", "id"], object) else {
                throw .missingField("silence_id", "GET /silence has those that there are")
            }
            return .alertAction(try entry("unsilence", [:], object, now))
        case .maintenance:
            try checkEnd(object)
            if let scope = object["scope"]?.text, MaintenanceWindow.Scope(scope) == nil {
                throw .badRequest("'scope' is one of: \(MaintenanceWindow.Scope.forms)")
            }
            return .alertAction(try entry("maintenance", [:], object, now))
        case .alertTest: return .alertAction(try entry("test", [:], object, now))
        case .maintenanceEnd: return .alertAction(try entry("maintenance_end", [:], object, now))
        }
    }

    /// What an entry of `events:alert-actions` may carry beside `action`, `at` and `alert_id`.
    private static let entryFields = [
        "alert_id", "id", "silence_id", "maintenance_id", "matchers", "severity", "server", "service", "scope",
        "scope_name", "node_id", "user_uuid", "account", "broker", "subnet",
        "version", "type", "rule", "state", "from", "from_ms", "until", "until_ms", "minutes", "reason", "comment",
        "by",
        "request_id",
    ]

    /// heartbeat-monitor would drop a silence of nothing, or one without an end, and could tell nobody.
    private static func silence(_ object: JSONObject, _ now: Timestamp) throws(HTTPProblem) -> [String] {
        guard isGiven(AlertSilence.matchable.sorted() + ["matchers"], object) else {
            throw .missingField("matchers", "at least one of \(AlertSilence.matchable.sorted().joined(separator: " "))")
        }
        try checkEnd(object)
        return try entry("silence", [:], object, now)
    }

    private static func checkEnd(_ object: JSONObject) throws(HTTPProblem) {
        if ["off", "end", "ended"].contains(object["state"]?.text ?? "") { return }
        guard isGiven(["minutes", "until", "until_ms"], object) else {
            throw .missingField("minutes", "say until when: minutes, until or until_ms")
        }
        guard let minutes = object["minutes"]?.text else { return }
        guard let number = Int(minutes), (1...527_040).contains(number) else {
            throw .badRequest("'minutes' is a whole number from 1 to 527040")
        }
    }

    private static func isGiven(_ names: [String], _ object: JSONObject) -> Bool {
        names.contains { name in
            guard let value = object[name], value != .null else { return false }
            return value.text.map { !$0.isEmpty } ?? true
        }
    }

    private static func close(_ object: JSONObject) throws(HTTPProblem) -> JSONObject {
        guard let user = object["user_uuid"]?.text, !user.isEmpty, let ticket = object["ticket"]?.text,
            Int64(ticket) != nil
        else { throw .badRequest("'user_uuid' and 'ticket', a whole number, name the position to close") }
        return try signed(["type": .string("close"), "user_uuid": .string(user), "ticket": .number(ticket)], object)
    }

    /// Who asks for a close, and whether he insists: both belong in the audit trail.
    private static func signed(_ request: JSONObject, _ object: JSONObject) throws(HTTPProblem) -> JSONObject {
        var request = request
        if let name = object["by"], name != .null {
            guard case .string(let text) = name, text.utf8.count <= maximumText else {
                throw .badRequest("'by' is a text of at most \(maximumText) bytes: who closes")
            }
            if !text.isEmpty { request.append("by", name) }
        }
        if let insists = object["force"], insists != .null {
            guard let flag = insists.bool else { throw .badRequest("'force' is true or false") }
            request.append("force", .bool(flag))
        }
        return request
    }

    private static func closeAll(_ object: JSONObject) throws(HTTPProblem) -> JSONObject {
        var request: JSONObject = ["type": .string("close_all")]
        for name in ["user_uuid", "symbol"] {
            if let text = object[name]?.text, !text.isEmpty { request.append(name, .string(text)) }
        }
        if object["all"]?.bool == true { request.append("all", .bool(true)) }
        guard request.fields.count == 2 else {
            throw .badRequest("exactly one of 'user_uuid', 'symbol' and 'all': true says what to close")
        }
        return try signed(request, object)
    }

    /// The request of the orders port; position-tracker judges the scope.
    private static func brake(_ object: JSONObject) throws(HTTPProblem) -> JSONObject {
        let states = ["ACTIVE", "REDUCING", "HALTED"]
        guard let state = object["state"]?.text?.uppercased(), states.contains(state) else {
            throw .badRequest("'state' is one of \(states.joined(separator: ", "))")
        }
        guard let reason = object["reason"]?.text, !reason.trimmingSpaces().isEmpty else {
            throw .missingField("reason", "say why; it stays in the audit trail")
        }
        var request: JSONObject = ["type": .string("brake"), "state": .string(state)]
        for field in object.fields where !["type", "state", "request_id"].contains(field.name) {
            request.append(field.name, field.value)
        }
        return request
    }

    /// Fields of an entry of `events:alert-actions`: `action`, `at` (epoch milliseconds), and what was given.
    private static func entry(
        _ action: String, _ fixed: [String: String], _ object: JSONObject, _ now: Timestamp
    ) throws(HTTPProblem) -> [String] {
        var fields = ["action", action, "at", String(now.milliseconds)]
        for (name, value) in fixed { fields += [name, value] }
        for name in entryFields where fixed[name] == nil {
            guard let value = object[name], value != .null else { continue }
            // Matchers are an object or a list of them; they go on as the JSON they are.
            let isStructured = value.object != nil || value.array != nil
            guard let text = isStructured && name == "matchers" ? value.compactText : value.text,
                text.utf8.count <= maximumText
            else { throw .badRequest("'\(name)' is a text of at most \(maximumText) bytes, or a number") }
            fields += [name, text]
        }
        return fields
    }
}
