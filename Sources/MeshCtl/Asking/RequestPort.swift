import Domain
import Foundation
import ServiceKit
import Wire
import ZeroMQ

/// Asks one of the mesh's request ports and waits for its answer. Each request has a socket of its own.
struct RequestPort {
    let mesh: Mesh
    let name: PortList.Name
    var timeoutMilliseconds: Int64 = 3000

    init(_ mesh: Mesh, _ name: PortList.Name) {
        self.mesh = mesh
        self.name = name
    }

    /// - Returns: the reply as it came, `ok` or not.
    /// - Throws: ``ToolError`` with code `unavailable` where nobody answers in time.
    func ask(_ request: JSONObject) throws -> JSONObject {
        let context = try ZMQContext()
        let socket = try ZMQSocket(context, .dealer, SocketProfile.requestClient)
        try socket.connect(mesh.configuration.connectEndpoint(name))
        var request = request
        let identifier = "meshctl-\(UInt64.random(in: .min ... .max))"
        request["request_id"] = .string(identifier)
        // Who asks stands in the audit trail.
        if name == .orders, request["by"] == nil { request["by"] = .string("meshctl \(NSUserName())") }
        guard try socket.send(request.bytes) == .sent else { throw silence("it takes no requests") }
        let deadline = SystemClock.monotonicMilliseconds() + timeoutMilliseconds
        let message = ZMQMessage()
        while true {
            while let frames = try socket.receiveFrames(message) {
                guard let reply = frames.last.flatMap({ try? JSON($0) })?.object else {
                    throw ToolError(ExitStatus.software, "\(owner) answered something that is no JSON object")
                }
                // Refusals of unreadable requests carry no id.
                guard let answered = reply["request_id"]?.text, answered != identifier else { return reply }
            }
            let left = deadline - SystemClock.monotonicMilliseconds()
            guard left > 0 else { throw silence("no answer within \(timeoutMilliseconds / 1000) s") }
            var items = [PollItem(socket: socket)]
            _ = try poll(&items, timeout: Int(left))
        }
    }

    /// The reply of a request that succeeded.
    /// - Throws: the reply's own error as ``ToolError``: `usage` for a request that is wrong in itself, else 1.
    func demand(_ request: JSONObject) throws -> JSONObject {
        let reply = try ask(request)
        guard reply["ok"]?.bool == true else { throw RequestPort.failure(reply) }
        return reply
    }

    static func failure(_ reply: JSONObject) -> ToolError {
        let error = reply["error"]?.object
        let code = error?["code"]?.text ?? "unknown_error"
        let message = error?["message"]?.text ?? "the request was refused without a reason"
        let exit: Int32 =
            switch code {
            case "bad_request", "unknown_type", "missing_field", "bad_value": ExitStatus.usage
            case "state_unavailable": ExitStatus.unavailable
            default: ExitStatus.denied
            }
        return ToolError(exit, TerminalText.sanitised("\(message) (\(code))"))
    }

    private var entry: PortList.Entry { mesh.configuration.ports[name] }
    private var owner: String { entry.service.rawValue }

    private func silence(_ why: String) -> ToolError {
        ToolError(
            ExitStatus.unavailable,
            "\(owner) does not answer on port \(entry.port), \(name.rawValue) (\(why)): is the mesh running? "
                + "meshctl status")
    }
}
