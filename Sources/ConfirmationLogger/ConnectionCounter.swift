import Glibc
import ServiceKit
import ZeroMQ

/// Counts who comes and goes on a port: what libzmq turns away (another socket type, a raw TCP client, a frame that is
/// too long) shows only here. With a ``SocketDoor`` it turns away whom that does not let in. Owned by the loop's thread.
final class ConnectionCounter {
    private static let budget = 256

    private let events: ZMQSocket
    private let message = ZMQMessage()
    private let report: ServiceReport
    private var descriptors: Set<Int32> = []
    private var listener: Int32?
    private var door: SocketDoor?
    private var port: UInt16?
    private var lastRefusal: (reason: PullListener.Refusal, at: Int64)?
    private static let refusalMilliseconds: Int64 = 60_000
    private var isLeaving = false
    private var lastEvent: Int64 = 0
    /// Whoever was let in before the door closed shows up within this.
    private static let quietMilliseconds: Int64 = 25

    init(
        _ socket: borrowing ZMQSocket, name: String, _ environment: ServiceEnvironment, door: SocketDoor? = nil
    ) throws {
        self.door = door
        events = try socket.monitor(environment.context, name: name)
        report = environment.report
        environment.reactor.watch(events) { [unowned self] in try drain() }
    }

    private func drain() throws {
        for _ in 0..<ConnectionCounter.budget {
            guard let event = try events.receiveConnectionEvent(message) else { return }
            lastEvent = SystemClock.monotonicMilliseconds()
            switch event.kind {
            case .listening:
                listener = event.descriptor
                port = PullListener.localPort(of: event.descriptor)
            case .accepted:
                report.count("connections_accepted")
                descriptors.insert(event.descriptor)
                judge(event.descriptor)
                if isLeaving { sayGoodbye(event.descriptor) }
            case .handshakeFailed: report.count("handshakes_failed")
            case .disconnected:
                report.count("connections_lost")
                descriptors.remove(event.descriptor)
                door?.ended(event.descriptor)
            case .handshakeSucceeded, .closed, .other: break
            }
        }
    }

    /// libzmq lets everybody in; whom the door does not is hung up on. A number that is another port's or no connection's by
    /// now is left alone, one that is another connection's of this port is judged with it.
    private func judge(_ descriptor: Int32) {
        guard door != nil, PullListener.localPort(of: descriptor) == port,
            let reason = door?.accepted(descriptor, from: PeerAddress.of(descriptor))
        else { return }
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
        lastRefusal = (reason, SystemClock.monotonicMilliseconds())
        report.count(reason.rawValue)
    }

    /// What was turned away within the last minute, for the operator; nil where nothing was.
    var refusalText: String? {
        guard let door, let lastRefusal,
            SystemClock.monotonicMilliseconds() - lastRefusal.at < ConnectionCounter.refusalMilliseconds
        else { return nil }
        return lastRefusal.reason == .address
            ? "connections of an address are refused: it has \(door.mostOfOneAddress) already; find out what opens them"
            : "connections are refused: the process may not open more files; raise LimitNOFILE, or find out who opens so many"
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
