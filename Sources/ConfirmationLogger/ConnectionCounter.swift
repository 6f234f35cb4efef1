import Glibc
import ServiceKit
import ZeroMQ

/// Counts who comes and goes on a port: what libzmq turns away (another socket type, a raw TCP client, a frame that is
/// too long) shows only here. Owned by the loop's thread.
final class ConnectionCounter {
    private static let budget = 256

    private let events: ZMQSocket
    private let message = ZMQMessage()
    private let report: ServiceReport
    private var descriptors: Set<Int32> = []
    private var listener: Int32?
    private var isLeaving = false
    private var lastEvent: Int64 = 0
    /// Whoever was let in before the door closed shows up within this.
    private static let quietMilliseconds: Int64 = 25

    init(_ socket: borrowing ZMQSocket, name: String, _ environment: ServiceEnvironment) throws {
        events = try socket.monitor(environment.context, name: name)
        report = environment.report
        environment.reactor.watch(events) { [unowned self] in try drain() }
    }

    private func drain() throws {
        for _ in 0..<ConnectionCounter.budget {
            guard let event = try events.receiveConnectionEvent(message) else { return }
            lastEvent = SystemClock.monotonicMilliseconds()
            switch event.kind {
            case .listening: listener = event.descriptor
            case .accepted:
                report.count("connections_accepted")
                descriptors.insert(event.descriptor)
                if isLeaving { sayGoodbye(event.descriptor) }
            case .handshakeFailed: report.count("handshakes_failed")
            case .disconnected:
                report.count("connections_lost")
                descriptors.remove(event.descriptor)
            case .handshakeSucceeded, .closed, .other: break
            }
        }
    }

    /// Whether nobody is connected, nor comes any more.
    var isLeft: Bool {
        descriptors.isEmpty && SystemClock.monotonicMilliseconds() - lastEvent >= ConnectionCounter.quietMilliseconds
    }

    /// Lets nobody new in and ends our half of every connection. A peer that reads the end closes its own half; what it wrote
    /// before still arrives, and what it did not write it keeps for the next connection: nobody loses anything, which
    /// closing at once would not achieve. For a port on which nothing is answered. Source: shutdown(2), tcp(7).
    func leave() {
        isLeaving = true
        lastEvent = SystemClock.monotonicMilliseconds()
        if let listener { ListeningSocket.closeDoor(listener) }
        for descriptor in descriptors { sayGoodbye(descriptor) }
    }

    private func sayGoodbye(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }
}
