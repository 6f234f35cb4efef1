import Hummingbird
import ServiceKit
import Wire

/// Hummingbird exports the fields but not the module their names come from.
private typealias HeaderName = HTTPFields.Element.Name

/// Hummingbird's side of the interface: takes a request apart, finds the answer, dresses it as a response.
///
/// Runs on NIO's threads; what it needs of the loop goes through the desk.
struct Responder: HTTPResponder {
    typealias Context = BasicRequestContext

    let board: SnapshotBoard
    let desk: ErrandDesk
    let hub: EventHub
    let token: AccessToken
    private let cache = AnswerCache()

    init(board: SnapshotBoard, desk: ErrandDesk, hub: EventHub, token: AccessToken) {
        self.board = board
        self.desk = desk
        self.hub = hub
        self.token = token
    }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let response: Response
        do throws(HTTPProblem) {
            response = try await answer(request)
        } catch {
            response = Responder.response(.problem(error))
        }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request) async throws(HTTPProblem) -> Response {
        let endpoint = try Endpoint.resolve(method: request.method.rawValue, path: request.uri.path)
        let parameters = Responder.parameters(request)
        try KnownParameters.check(parameters.keys, path: request.uri.path)
        let form = try AnswerForm(parameters)
        let snapshot = board.snapshot
        switch endpoint {
        case .events: return try events(snapshot.version)
        case .inquiry(let inquiry):
            return Responder.response(form.dressed(try await ask(.inquiry(inquiry))), for: request)
        case .action(let action): return try await act(action, request)
        default: break
        }
        let entry = try await entry(endpoint, parameters, form, snapshot, key: request.uri.description)
        return Responder.response(entry.answer, tag: entry.tag, packed: .some(entry.packed), for: request)
    }

    /// An answer from the snapshot: the kept one while its tag holds, else a new one.
    private func entry(
        _ endpoint: Endpoint, _ parameters: [String: String], _ form: AnswerForm, _ snapshot: Snapshot, key: String
    ) async throws(HTTPProblem) -> AnswerCache.Entry {
        // A snapshot that is not renewed has to be said to be old, whatever was kept of it.
        let isCurrent = snapshot.age(monotonic: SystemClock.monotonicMilliseconds()) < 2000
        let tag = isCurrent ? Freshness.tag(endpoint, snapshot) ?? "" : ""
        return try await cache.entry(key, tag: tag) { () throws(HTTPProblem) in
            let made = try SnapshotAnswers.answer(
                endpoint, parameters, snapshot, now: SystemClock.now(), monotonic: SystemClock.monotonicMilliseconds())
            guard let made else { throw .notFound("there is no such path") }
            let answer = form.dressed(made)
            let packed = answer.status == 302 ? nil : Gzip.compressed(answer.body)
            return AnswerCache.Entry(tag: tag, answer: answer, packed: packed)
        }
    }

    private func ask(_ errand: Errand) async throws(HTTPProblem) -> Answer {
        switch await desk.ask(errand) {
        case .found(let object): return .json(.object(object))
        case .missing(let what): throw .notFound(what)
        case .conflict(let code, let message): throw .conflict(code, message)
        case .unavailable(let code, let message): throw .unavailable(code, message)
        }
    }

    private func act(_ action: Endpoint.Action, _ request: Request) async throws(HTTPProblem) -> Response {
        guard token.matches(authorization: request.headers[.authorization]) else { throw .unauthorized }
        let body: ByteBuffer
        do { body = try await request.body.collect(upTo: ActionRequests.maximumBody) } catch { throw .tooLarge }
        let errand = try ActionRequests.errand(action, body: Array(buffer: body), now: SystemClock.now())
        var answer = try await ask(errand)
        if let reply = (try? JSON(answer.body))?.object { answer = Refusal.answer(reply, else: answer) }
        return Responder.response(answer)
    }

    /// Of a repeated parameter the last counts.
    private static func parameters(_ request: Request) -> [String: String] {
        var parameters: [String: String] = [:]
        for (name, value) in request.uri.queryParameters { parameters[String(name)] = String(value) }
        return parameters
    }

    static func response(_ answer: Answer) -> Response {
        var headers = commonHeaders(type: answer.contentType)
        for (name, value) in answer.headers {
            if let name = HeaderName(name) { headers[name] = value }
        }
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    /// The same with what the request allows: gzip, and 304 where the asker has it already.
    ///
    /// - Parameters:
    ///   - tag: without quotes; empty for an answer nobody may keep.
    ///   - packed: the body as gzip where that was tried before.
    static func response(_ answer: Answer, tag: String = "", packed: [UInt8]?? = nil, for request: Request) -> Response
    {
        var answer = answer
        let isGood = answer.status == 200
        if isGood, !tag.isEmpty {
            answer.headers["etag"] = "W/\"\(tag)\""
            if Freshness.matches(request.headers[.ifNoneMatch], tag) {
                answer.status = 304
                answer.body = []
            }
        }
        if answer.status != 304, !answer.body.isEmpty {
            answer.headers["vary"] = "accept-encoding"
            if Gzip.isAccepted(request.headers[.acceptEncoding]), let bytes = packed ?? Gzip.compressed(answer.body) {
                answer.body = bytes
                answer.headers["content-encoding"] = "gzip"
            }
        }
        var response = response(answer)
        // A browser may keep it and must ask each time whether it still holds.
        if isGood, !tag.isEmpty { response.headers[.cacheControl] = "no-cache" }
        return response
    }

    private static func commonHeaders(type: String) -> HTTPFields {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        for (name, value) in Answer.securityHeaders {
            if let name = HeaderName(name) { headers[name] = value }
        }
        return headers
    }

    private func events(_ version: UInt64) throws(HTTPProblem) -> Response {
        guard !hub.isFull else {
            throw .unavailable("too_many_listeners", "at most \(EventHub.maximumListeners) can listen at once")
        }
        // Joined only once the body is really written: a client that is gone by then, or a HEAD, leaves nothing behind.
        let body = ResponseBody { [hub] writer in
            if let (identifier, listener) = hub.join(version: version) {
                defer { hub.leave(identifier) }
                try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
                for await _ in listener.bell {
                    if let text = listener.take() { try await writer.write(ByteBuffer(string: text)) }
                }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: Responder.commonHeaders(type: "text/event-stream"), body: body)
    }
}
