import Domain
import ServiceKit
import ZeroMQ

/// The port `ea-confirmations` and its further listeners: takes every message and hands it on as it is. Owned by the
/// loop's thread.
final class ConfirmationIntake {
    /// Messages taken in one turn, so that acknowledgements and Redis get theirs.
    private static let budget = 1024

    private final class Listener {
        let socket: ZMQSocket
        let connections: ConnectionCounter

        init(_ environment: ServiceEnvironment, _ entry: PortList.Entry) throws {
            let configuration = environment.configuration
            // What libzmq and the kernel hold at a kill is lost: the receive mark of SocketProfile and what it reads
            // ahead, at most 8 KiB a sender. ``ReceptionSpool`` keeps the rest. Source: zmq_setsockopt(3), ZMQ_RCVHWM.
            // The kernel's buffer is left alone: where it is small, a sender is told to leave with half a batch still in
            // its own hands.
            let options = SocketProfile.eaConfirmations(heartbeat: configuration.zmtpHeartbeatMilliseconds)
            // EAs that PUB are heard by a SUB; ports.yaml says which there are.
            let isSubscriber = entry.socket == .sub
            socket = try ZMQSocket(environment.context, isSubscriber ? .subscribe : .pull, options)
            if isSubscriber { try socket.subscribe() }
            connections = try ConnectionCounter(socket, name: entry.label, environment)
            try socket.bind(configuration.bindEndpoint(entry))
        }
    }

    private let listeners: [Listener]
    private let message = ZMQMessage()
    private let handler: ([[UInt8]], String?) -> Void
    private let isWanted: () -> Bool

    /// - Parameters:
    ///   - isWanted: whether more can be taken; while it can't, libzmq holds the senders back.
    ///   - handler: gets the frames of one message and its sender's address.
    init(
        _ environment: ServiceEnvironment, while isWanted: @escaping () -> Bool,
        _ handler: @escaping ([[UInt8]], String?) -> Void
    ) throws {
        self.isWanted = isWanted
        self.handler = handler
        listeners = try environment.configuration.ports.listeners(serving: .eaConfirmations).map {
            try Listener(environment, $0)
        }
        for listener in listeners {
            environment.reactor.watch(listener.socket, while: isWanted) { [unowned self] in _ = try take(listener) }
        }
    }

    /// Asks every sender to keep what it has not sent yet; what is under way still comes.
    func leave() { for listener in listeners { listener.connections.leave() } }

    /// Whether all senders have let go, so that nothing more can come.
    var isLeft: Bool { listeners.allSatisfy(\.connections.isLeft) }

    /// Takes what is there, at most a budget; whether there may be more.
    func take() throws -> Bool {
        var hasMore = false
        for listener in listeners where try take(listener) { hasMore = true }
        return hasMore
    }

    private func take(_ listener: Listener) throws -> Bool {
        for _ in 0..<ConfirmationIntake.budget {
            guard isWanted(), let frames = try listener.socket.receiveFrames(message) else { return false }
            handler(frames, message.peerAddress())
        }
        return true
    }
}
