public import Domain
public import Wire
public import ZeroMQ

/// One request of a REQ or DEALER peer, to be answered exactly once.
public struct Request {
    /// Identity and, where the peer used one, the empty delimiter: sent back as they came.
    let envelope: [[UInt8]]
    public let object: JSONObject
    public let receivedAt: Timestamp
    /// The payload as it arrived.
    public let payload: [UInt8]

    /// The request's `type` in lower case.
    public var type: String? { object["type"]?.text?.lowercased() }
    public var requestID: JSON? { object["request_id"] }
}

/// A ROUTER that serves REQ and DEALER peers: one JSON object each way, every request answered.
///
/// What can't be read is answered `bad_request`. A reply to a peer that is gone is counted, never waited for.
/// Owned by the loop's thread. Source: zmq_socket(3), ZMQ_ROUTER; the contract, section 2.
public final class RequestServer {
    private let socket: ZMQSocket
    private let message = ZMQMessage()
    private let report: ServiceReport
    private let handler: (Request) throws -> Void
    private let errorExtra: JSONObject
    /// Requests taken in one turn of the loop, so that one port can't starve another.
    private static let budget = 256

    /// - Parameter errorExtra: fields that stand beside every error of this port, for old clients.
    public init(
        context: ZMQContext, endpoint: String, options: SocketOptions = SocketProfile.requestServer,
        reactor: Reactor, report: ServiceReport, errorExtra: JSONObject = JSONObject(),
        handler: @escaping (Request) throws -> Void
    ) throws {
        socket = try ZMQSocket(context, .router, options)
        try socket.bind(endpoint)
        self.report = report
        self.handler = handler
        self.errorExtra = errorExtra
        reactor.watch(socket) { [unowned self] in try drain() }
    }

    private func drain() throws {
        for _ in 0..<RequestServer.budget {
            guard let frames = try socket.receiveFrames(message) else { return }
            report.count("requests")
            receive(frames)
        }
    }

    private func receive(_ frames: [[UInt8]]) {
        // All up to an empty frame is the envelope: a REQ that numbers its requests (ZMQ_REQ_CORRELATE) puts its number
        // ahead of it. A DEALER may leave the empty frame out, its envelope is the identity alone.
        let delimiter = frames.count > 2 ? frames.dropFirst().firstIndex(where: \.isEmpty) : nil
        let envelope = Array(frames.prefix(delimiter.map { $0 + 1 } ?? 1))
        guard frames.count == envelope.count + 1, let payload = frames.last else {
            // A REQ peer has to hear something, or it waits for ever.
            let count = frames.count - envelope.count
            return refuse(envelope, "frame_count", "send the request as one frame of JSON, not \(count)")
        }
        guard !payload.isEmpty else {
            return refuse(envelope, "empty_frame", "the request was empty; send one JSON object")
        }
        do throws(JSONError) {
            guard let object = try JSON(payload).object else {
                return refuse(envelope, "not_an_object", "send one JSON object with a 'type'")
            }
            deliver(Request(envelope: envelope, object: object, receivedAt: SystemClock.now(), payload: payload))
        } catch {
            refuse(envelope, error.code == .tooDeep ? "too_deep" : "not_json", "\(error); send one JSON object")
        }
    }

    private func deliver(_ request: Request) {
        do {
            try handler(request)
        } catch {
            report.reject("internal_error")
            fail(request, "internal_error", "\(error)")
        }
    }

    private func refuse(_ envelope: [[UInt8]], _ reason: String, _ message: String) {
        report.reject(reason)
        write(envelope, Reply.failure("bad_request", message, requestID: nil, extra: errorExtra))
    }

    /// Answers with `"ok": true` and the given fields.
    public func reply(_ request: Request, _ fields: JSONObject) {
        write(request.envelope, Reply.success(fields, requestID: request.requestID))
    }

    /// The same for a port whose answers are long and many: `fields` are the text of the fields as they stand in an
    /// object (`"a":1,"b":[2]`), already encoded.
    public func reply(_ request: Request, encoded fields: [UInt8]) {
        var bytes = Array("{\"ok\":true,".utf8)
        bytes.reserveCapacity(fields.count + 64)
        if let identifier = request.requestID {
            bytes.append(contentsOf: "\"request_id\":".utf8)
            bytes.append(contentsOf: identifier.bytes)
            bytes.append(UInt8(ascii: ","))
        }
        bytes.append(contentsOf: fields)
        bytes.append(UInt8(ascii: "}"))
        write(request.envelope, bytes)
    }

    /// Answers with `"ok": false` and what to do about it; `extra` fields stand beside the error for old clients.
    public func fail(_ request: Request, _ code: String, _ message: String, extra: JSONObject = JSONObject()) {
        var beside = errorExtra
        for field in extra.fields { beside[field.name] = field.value }
        write(request.envelope, Reply.failure(code, message, requestID: request.requestID, extra: beside))
    }

    private func write(_ envelope: [[UInt8]], _ object: JSONObject) { write(envelope, object.bytes) }

    private func write(_ envelope: [[UInt8]], _ bytes: [UInt8]) {
        do throws(ZMQError) {
            for frame in envelope {
                guard try socket.send(frame, more: true) == .sent else { return report.count("replies_undeliverable") }
            }
            if try socket.send(bytes) != .sent { report.count("replies_undeliverable") }
        } catch {
            report.count("replies_undeliverable")
        }
    }
}

/// The form of every reply. Source: the contract, section 2.
public enum Reply {
    public static func success(_ fields: JSONObject, requestID: JSON?) -> JSONObject {
        var object: JSONObject = ["ok": .bool(true)]
        if let requestID { object.append("request_id", requestID) }
        for field in fields.fields { object.append(field.name, field.value) }
        return object
    }

    public static func failure(
        _ code: String, _ message: String, requestID: JSON?, extra: JSONObject = JSONObject()
    ) -> JSONObject {
        var object: JSONObject = [
            "ok": .bool(false), "error": .object(["code": .string(code), "message": .string(message)]),
        ]
        if let requestID { object.append("request_id", requestID) }
        for field in extra.fields { object.append(field.name, field.value) }
        return object
    }
}
