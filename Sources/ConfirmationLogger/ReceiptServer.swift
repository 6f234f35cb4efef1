import Domain
import ServiceKit
import Wire
import ZeroMQ

/// Where an answer of the port `ea-receipts` goes: the frames in front of the message, sent back as they came.
struct ReturnAddress {
    fileprivate let envelope: [[UInt8]]
    /// The sender's address without port.
    let peer: String?
    /// The request's own `request_id`, which comes back.
    let requestID: JSON?
}

/// The port `ea-receipts`: takes messages of REQ and DEALER peers; they are answered when they are on disk.
///
/// Every message is handed on, readable or not, since every one is journaled. Owned by the loop's thread.
final class ReceiptServer {
    private static let budget = 1024

    private let socket: ZMQSocket
    private let connections: ConnectionCounter
    private let message = ZMQMessage()
    private let report: ServiceReport
    private let handler: ([[UInt8]], ReturnAddress) -> Void
    private let isWanted: () -> Bool

    init(
        _ environment: ServiceEnvironment, while isWanted: @escaping () -> Bool,
        _ handler: @escaping ([[UInt8]], ReturnAddress) -> Void
    ) throws {
        let configuration = environment.configuration
        let heartbeat = configuration.chosenHeartbeat
        let options = SocketProfile.requestServer.with {
            $0.heartbeatInterval = heartbeat > 0 ? Int32(clamping: heartbeat) : nil
            // A terminal that comes back under its own identity must not wait for its half-open past to die.
            $0.routerHandover = true
        }
        socket = try ZMQSocket(environment.context, .router, options)
        connections = try ConnectionCounter(
            socket, name: PortList.Name.eaReceipts.rawValue, environment, door: SocketDoor(.ofThisProcess))
        try socket.bind(configuration.bindEndpoint(.eaReceipts))
        report = environment.report
        self.isWanted = isWanted
        self.handler = handler
        environment.reactor.watch(socket, while: isWanted) { [unowned self] in _ = try take() }
    }

    /// Who was turned away within the last minute.
    var refusalProblem: String? { connections.refusalText }

    func take() throws -> Bool {
        for _ in 0..<ReceiptServer.budget {
            guard isWanted(), let frames = try socket.receiveFrames(message) else { return false }
            receive(frames, message.peerAddress())
        }
        return true
    }

    private func receive(_ frames: [[UInt8]], _ peer: String?) {
        // A REQ puts an empty frame between identity and message; a DEALER may or may not.
        let hasDelimiter = frames.count > 2 && frames[1].isEmpty
        let content = Array(frames.dropFirst(hasDelimiter ? 2 : 1))
        let envelope = Array(frames.prefix(hasDelimiter ? 2 : 1))
        let identifier = content.count == 1 ? ReceiptServer.requestID(content[0]) : nil
        handler(content.isEmpty ? [[]] : content, ReturnAddress(envelope: envelope, peer: peer, requestID: identifier))
    }

    private static let requestIDName = Array("\"request_id\"".utf8)

    /// The request's id. Most messages have none, so the text is parsed only where the name stands in it.
    private static func requestID(_ bytes: [UInt8]) -> JSON? {
        guard bytes.count < EADecoder.maximumBytes, contains(bytes, requestIDName) else { return nil }
        return (try? JSON(bytes))?.object?["request_id"]
    }

    private static func contains(_ bytes: [UInt8], _ name: [UInt8]) -> Bool {
        guard bytes.count >= name.count else { return false }
        return (0...(bytes.count - name.count)).contains { start in
            bytes[start] == name[0] && bytes[start..<(start + name.count)].elementsEqual(name)
        }
    }

    func reply(_ address: ReturnAddress, _ fields: JSONObject) {
        write(address.envelope, Reply.success(fields, requestID: address.requestID))
    }

    func fail(_ address: ReturnAddress, _ code: String, _ message: String) {
        write(address.envelope, Reply.failure(code, message, requestID: address.requestID))
    }

    private func write(_ envelope: [[UInt8]], _ object: JSONObject) {
        do throws(ZMQError) {
            for frame in envelope {
                guard try socket.send(frame, more: true) == .sent else { return report.count("replies_undeliverable") }
            }
            if try socket.send(object.bytes) != .sent { report.count("replies_undeliverable") }
        } catch {
            report.count("replies_undeliverable")
        }
    }
}
