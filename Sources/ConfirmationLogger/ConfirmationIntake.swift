import Domain
import ServiceKit
import ZeroMQ

/// The port `ea-confirmations`: takes every message and hands it on as it is. Owned by the loop's thread.
final class ConfirmationIntake {
    /// Messages taken in one turn, so that acknowledgements and Redis get theirs.
    private static let budget = 1024

    private let socket: ZMQSocket
    private let connections: ConnectionCounter
    private let message = ZMQMessage()
    private let handler: ([[UInt8]]) -> Void
    private let isWanted: () -> Bool

    /// - Parameters:
    ///   - isWanted: whether more can be taken; while it can't, libzmq holds the senders back.
    ///   - handler: gets the frames of one message.
    init(
        _ environment: ServiceEnvironment, while isWanted: @escaping () -> Bool,
        _ handler: @escaping ([[UInt8]]) -> Void
    ) throws {
        let configuration = environment.configuration
        // What libzmq and the kernel hold at a kill is lost: the receive mark of SocketProfile and what it reads ahead,
        // at most 8 KiB a sender. ``ReceptionSpool`` keeps the rest. Source: zmq_setsockopt(3), ZMQ_RCVHWM. The kernel's
        // buffer is left alone: where it is small, a sender is told to leave with half a batch still in its own hands.
        let options = SocketProfile.eaConfirmations(heartbeat: configuration.zmtpHeartbeatMilliseconds)
        // EAs that PUB are heard by a SUB; ports.yaml says which there are.
        let isSubscriber = configuration.ports[.eaConfirmations].socket == .sub
        socket = try ZMQSocket(environment.context, isSubscriber ? .subscribe : .pull, options)
        if isSubscriber { try socket.subscribe() }
        connections = try ConnectionCounter(socket, name: PortList.Name.eaConfirmations.rawValue, environment)
        try socket.bind(configuration.bindEndpoint(.eaConfirmations))
        self.isWanted = isWanted
        self.handler = handler
        environment.reactor.watch(socket, while: isWanted) { [unowned self] in _ = try take() }
    }

    /// Asks every sender to keep what it has not sent yet; what is under way still comes.
    func leave() { connections.leave() }

    /// Whether all senders have let go, so that nothing more can come.
    var isLeft: Bool { connections.isLeft }

    /// Takes what is there, at most a budget; whether there may be more.
    func take() throws -> Bool {
        for _ in 0..<ConfirmationIntake.budget {
            guard isWanted(), let frames = try socket.receiveFrames(message) else { return false }
            handler(frames)
        }
        return true
    }
}
