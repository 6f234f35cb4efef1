import Domain
import ServiceKit
import Trading
import Wire
import ZeroMQ

/// Port `ea-commands`: frames of terminals in, commands out, in the form that `ports.yaml` says its family speaks.
///
/// Owned by the loop's thread. Source: the contract, section 1; zmq_socket(3), ZMQ_ROUTER.
final class TerminalPort {
    private let socket: ZMQSocket
    private let monitor: ZMQSocket
    private let message = ZMQMessage()
    private let kind: PortList.SocketKind
    private let report: ServiceReport
    /// identity, payload, descriptor of its connection
    private let receive: ([UInt8], [UInt8], Int32) -> Void
    private let refuse: ([UInt8]) -> Void
    private let lost: (Int32) -> Void
    /// Whether more than one terminal is known, which a PUSH can't serve.
    var servesMany: () -> Bool = { false }
    private static let budget = 512

    /// - Parameter refuse: gets the first frame of a message that has several.
    init(
        _ environment: ServiceEnvironment, receive: @escaping ([UInt8], [UInt8], Int32) -> Void,
        refuse: @escaping ([UInt8]) -> Void, lost: @escaping (Int32) -> Void
    ) throws {
        let configuration = environment.configuration
        let options = SocketProfile.eaCommands(heartbeat: configuration.zmtpHeartbeatMilliseconds)
        kind = configuration.ports[.eaCommands].socket
        report = environment.report
        self.receive = receive
        self.refuse = refuse
        self.lost = lost
        let type: SocketType =
            switch kind {
            case .pub: .publish
            case .push: .push
            default: .router
            }
        socket = try ZMQSocket(environment.context, type, options)
        monitor = try socket.monitor(environment.context, name: "ea-commands")
        try socket.bind(configuration.bindEndpoint(.eaCommands))
        environment.reactor.watch(monitor) { [unowned self] in try drainMonitor() }
        if type == .router { environment.reactor.watch(socket) { [unowned self] in try drain() } }
    }

    /// Whether a terminal is addressed by its UUID and can't speak here (SUB and PULL families).
    var addressesByUUID: Bool { kind != .router }

    private func drain() throws {
        for _ in 0..<TerminalPort.budget {
            guard try socket.receive(message) else { return }
            let identity = message.copyBytes()
            var frames: [[UInt8]] = []
            var descriptor: Int32 = -1
            while message.hasMore, try socket.receive(message) {
                descriptor = message.sourceDescriptor
                if frames.count < ZMQSocket.maximumFrames { frames.append(message.copyBytes()) }
            }
            if frames.count == 2, frames[0].isEmpty { frames.removeFirst() }
            guard frames.count == 1 else {
                refuse(frames.first ?? [])
                continue
            }
            report.count("frames_received")
            receive(identity, frames[0], descriptor)
        }
    }

    private func drainMonitor() throws {
        for _ in 0..<TerminalPort.budget {
            guard let event = try monitor.receiveConnectionEvent(message) else { return }
            switch event.kind {
            case .accepted: report.count("connections_accepted")
            case .handshakeSucceeded: report.count("handshakes_succeeded")
            case .handshakeFailed: report.reject("zmtp_handshake_failed")
            case .disconnected:
                report.count("connections_closed")
                lost(event.descriptor)
            case .listening, .closed, .other: break
            }
        }
    }

    /// Hands one command to libzmq; only `.sent` may have reached anybody.
    func send(identity: [UInt8], userUUID: String, _ bytes: [UInt8]) -> HandOver {
        do throws(ZMQError) {
            switch kind {
            case .push:
                // PUSH deals round robin: with two terminals a command would reach whichever is next.
                guard !servesMany() else { return .unreachable }
                return HandOver(try socket.send(bytes))
            case .pub:
                guard try socket.send(Array(userUUID.utf8), more: true) == .sent else { return .unreachable }
                return HandOver(try socket.send(bytes))
            default:
                let result = try socket.send(identity, more: true)
                guard result == .sent else { return HandOver(result) }
                return HandOver(try socket.send(bytes))
            }
        } catch {
            report.count("commands_failed")
            return .unreachable
        }
    }
}

extension HandOver {
    init(_ result: ZMQSocket.SendResult) {
        self =
            switch result {
            case .sent: .sent
            case .wouldBlock: .full
            case .unreachable: .unreachable
            }
    }
}
