import ServiceKit
import ZeroMQ

/// Counts who comes and goes on a port: what libzmq turns away (another socket type, a raw TCP client, a frame that is
/// too long) shows only here. Owned by the loop's thread.
final class ConnectionCounter {
    private static let budget = 256

    private let events: ZMQSocket
    private let message = ZMQMessage()
    private let report: ServiceReport

    init(_ socket: borrowing ZMQSocket, name: String, _ environment: ServiceEnvironment) throws {
        events = try socket.monitor(environment.context, name: name)
        report = environment.report
        environment.reactor.watch(events) { [unowned self] in try drain() }
    }

    private func drain() throws {
        for _ in 0..<ConnectionCounter.budget {
            guard let event = try events.receiveConnectionEvent(message) else { return }
            switch event.kind {
            case .accepted: report.count("connections_accepted")
            case .handshakeFailed: report.count("handshakes_failed")
            case .disconnected: report.count("connections_lost")
            case .handshakeSucceeded, .closed, .other: break
            }
        }
    }
}
