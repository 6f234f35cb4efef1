import Domain
import Wire

/// A response before it is Hummingbird's: pure, so that tests ask the interface without a socket.
struct Answer: Sendable, Equatable {
    var status = 200
    var contentType = "application/json; charset=utf-8"
    var body: [UInt8] = []
    /// Beside those that every response carries.
    var headers: [String: String] = [:]

    static func json(_ value: JSON, status: Int = 200) -> Answer { Answer(status: status, body: value.bytes) }

    static func problem(_ problem: HTTPProblem) -> Answer {
        var answer = Answer.json(problem.json, status: problem.status)
        if !problem.allowed.isEmpty { answer.headers["allow"] = problem.allowed.joined(separator: ", ") }
        if problem.status == 401 { answer.headers["www-authenticate"] = "Bearer" }
        if problem.status == 503 { answer.headers["retry-after"] = "1" }
        return answer
    }

    static func text(_ text: String, type: String) -> Answer { Answer(contentType: type, body: Array(text.utf8)) }

    /// What every response carries: nothing is cached, framed, sniffed, or loaded from elsewhere.
    static let securityHeaders: [(String, String)] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
        ),
        ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"), ("cross-origin-opener-policy", "same-origin"),
    ]
}
