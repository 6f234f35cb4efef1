import Wire

/// What position-tracker would not do: its answer as it is, with a status and a stable code that say so.
enum Refusal {
    static func answer(_ reply: JSONObject, else answer: Answer) -> Answer {
        guard reply["ok"]?.bool == false else { return denial(reply) ?? answer }
        var answer = answer
        answer.status = 400
        return answer
    }

    /// A close that was denied left nothing behind: whoever asked must not read it as done.
    private static func denial(_ reply: JSONObject) -> Answer? {
        guard reply["state"]?.text == "denied" else { return nil }
        let code = reply["reason"]?.text ?? "denied"
        let message = reply["message"]?.text ?? reply["hint"]?.text ?? "it was denied: \(code)"
        var body = reply
        body.append("error", .object(["code": .string(code), "message": .string(message)]))
        return .json(.object(body), status: code == "unknown_position" ? 404 : 409)
    }
}
