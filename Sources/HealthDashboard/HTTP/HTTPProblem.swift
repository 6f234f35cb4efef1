import Wire

/// Why a request is not answered as asked: a status, a stable code, and what to do about it.
struct HTTPProblem: Error, Sendable, Equatable {
    let status: Int
    let code: String
    let message: String
    /// For 405: what the path does take.
    var allowed: [String] = []

    static func badRequest(_ message: String) -> HTTPProblem {
        HTTPProblem(status: 400, code: "bad_request", message: message)
    }

    /// A parameter nobody knows; the message has those that there are.
    static func unknownParameter(_ name: String, known: [String]) -> HTTPProblem {
        HTTPProblem(
            status: 400, code: "unknown_parameter",
            message: "there is no parameter '\(name.prefix(64))' here; there are: \(known.joined(separator: " "))")
    }

    /// A field that has to be there.
    static func missingField(_ name: String, _ why: String) -> HTTPProblem {
        HTTPProblem(status: 400, code: "missing_field", message: "'\(name)' is missing: \(why)")
    }

    /// It exists and can't be changed like that any more.
    static func conflict(_ code: String, _ message: String) -> HTTPProblem {
        HTTPProblem(status: 409, code: code, message: message)
    }

    static func notFound(_ what: String) -> HTTPProblem {
        HTTPProblem(status: 404, code: "not_found", message: what)
    }

    static func methodNotAllowed(_ allowed: [String]) -> HTTPProblem {
        HTTPProblem(
            status: 405, code: "method_not_allowed", message: "this path takes \(allowed.joined(separator: ", "))",
            allowed: allowed)
    }

    static let unauthorized = HTTPProblem(
        status: 401, code: "unauthorized",
        message: "send 'Authorization: Bearer <token>'; `cat $(meshctl token)` shows it")
    static let timeout = HTTPProblem(
        status: 408, code: "request_timeout",
        message: "the request was not complete within 10 s; send it again, all at once")
    static let tooLarge = HTTPProblem(
        status: 413, code: "too_large", message: "a request's body is at most 65536 bytes")
    static func unavailable(_ code: String, _ message: String) -> HTTPProblem {
        HTTPProblem(status: 503, code: code, message: message)
    }

    var json: JSON {
        .object(["error": .object(["code": .string(code), "message": .string(message)])])
    }
}
