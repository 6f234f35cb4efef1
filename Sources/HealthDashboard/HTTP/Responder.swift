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
        let snapshot = board.snapshot
        let answered = try SnapshotAnswers.answer(
            endpoint, Responder.parameters(request), snapshot, now: SystemClock.now(),
            monotonic: SystemClock.monotonicMilliseconds())
        if let answered { return Responder.response(answered) }
        switch endpoint {
        case .events: return try events(snapshot.version)
        case .inquiry(let inquiry): return try Responder.response(await ask(.inquiry(inquiry)))
        case .action(let action): return try await act(action, request)
        default: throw .notFound("there is no such path")
        }
    }

    private func ask(_ errand: Errand) async throws(HTTPProblem) -> Answer {
        switch await desk.ask(errand) {
        case .found(let object): return .json(.object(object))
        case .missing(let what): throw .notFound(what)
        case .unavailable(let code, let message): throw .unavailable(code, message)
        }
    }

    private func act(_ action: Endpoint.Action, _ request: Request) async throws(HTTPProblem) -> Response {
        guard token.matches(authorization: request.headers[.authorization]) else { throw .unauthorized }
        let body: ByteBuffer
        do { body = try await request.body.collect(upTo: ActionRequests.maximumBody) } catch { throw .tooLarge }
        let errand = try ActionRequests.errand(action, body: Array(buffer: body), now: SystemClock.now())
        var answer = try await ask(errand)
        // A refusal of position-tracker is its answer, passed on as it is; only the status says that it is one.
        if let reply = (try? JSON(answer.body))?.object, reply["ok"]?.bool == false { answer.status = 400 }
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
