import Trading
import Wire

/// What position-tracker would not do: its answer as it is, with a status and a stable code that say so.
enum Refusal {
    /// The codes of a close that was denied and is no 404: position-tracker's reasons, and `denied` for a new one.
    static let codes = DenialReason.allCases.map(\.rawValue) + ["denied"]

    static func answer(_ reply: JSONObject, else answer: Answer) -> Answer {
        guard reply["ok"]?.bool == false else { return denial(reply) ?? answer }
        var answer = answer
        answer.status = 400
        return answer
    }

    /// A close that was denied left nothing behind: whoever asked must not read it as done.
    private static func denial(_ reply: JSONObject) -> Answer? {
        guard reply["state"]?.text == "denied" else { return nil }
        let reason = reply["reason"]?.text
        let isMissing = reason == "unknown_position"
        // Programs go by the code: one that is in no list would be none. The reason stays beside it.
        let code = reason.flatMap { isMissing || codes.contains($0) ? $0 : nil } ?? "denied"
        let message =
            reply["message"]?.text ?? reply["hint"]?.text ?? reason.map { "it was denied: \($0)" } ?? "it was denied"
        var body = reply
        body.append("error", .object(["code": .string(code), "message": .string(message)]))
        return .json(.object(body), status: isMissing ? 404 : 409)
    }
}
