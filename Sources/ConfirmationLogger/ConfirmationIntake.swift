import Domain
import Logging
import ServiceKit
import ZeroMQ

/// The port `ea-confirmations` and its further listeners: takes every message and hands it on as it is. Owned by the
/// loop's thread.
final class ConfirmationIntake {
    /// Messages taken in one turn, so that acknowledgements and Redis get theirs.
    private static let budget = 1024

    /// EAs that PUB are heard by libzmq's SUB; ports.yaml says which there are.
    private final class Subscriber {
        let socket: ZMQSocket
        let connections: ConnectionCounter
        private let message = ZMQMessage()

        init(_ environment: ServiceEnvironment, _ entry: PortList.Entry) throws {
            let configuration = environment.configuration
            // What libzmq and the kernel hold at a kill is lost: the receive mark of SocketProfile and what it reads
            // ahead, at most 8 KiB a sender.
            let options = SocketProfile.eaConfirmations(heartbeat: configuration.chosenHeartbeat)
            socket = try ZMQSocket(environment.context, .subscribe, options)
            try socket.subscribe()
            connections = try ConnectionCounter(socket, name: entry.label, environment)
            try socket.bind(configuration.bindEndpoint(entry))
        }

        func receive(into frame: PullFrame) throws(ZMQError) -> Bool { try frame.receive(from: socket, message) }
    }

    private enum Listener {
        /// A kill loses nothing: a message is taken from the kernel once ``ReceptionSpool`` has it, and the connections
        /// outlive the process in ``HeldConnections``. The kernel's buffer is left alone: where it is small, a sender
        /// is told to leave with half a batch still in its own hands.
        case pull(PullListener)
        case subscriber(Subscriber)

        var pull: PullListener? { if case .pull(let pull) = self { pull } else { nil } }
    }

    private let listeners: [Listener]
    private let frame = PullFrame()
    private let report: ServiceReport
    private let log: Logger
    private let held: HeldConnections
    private let handler: ([[UInt8]], String?, PullFrame.Origin?) -> Void
    private let isWanted: () -> Bool

    /// - Parameters:
    ///   - isWanted: whether more can be taken; while it can't, the senders are held back.
    ///   - known: up to where in which connection's stream messages are known to be taken, though the kernel still has
    ///     them.
    ///   - deadly: the connection of a message at which earlier processes died; it is not gone on with.
    ///   - handler: gets the frames of one message, its sender's address, and where in his stream it ended.
    init(
        _ environment: ServiceEnvironment, _ held: HeldConnections, while isWanted: @escaping () -> Bool,
        known: () -> [UInt64: UInt64], deadly: UInt64?,
        _ handler: @escaping ([[UInt8]], String?, PullFrame.Origin?) -> Void
    ) throws {
        self.isWanted = isWanted
        self.handler = handler
        report = environment.report
        let configuration = environment.configuration
        self.held = held
        log = environment.log
        listeners = try configuration.ports.listeners(serving: .eaConfirmations).map { entry in
            guard entry.socket != .sub else { return .subscriber(try Subscriber(environment, entry)) }
            return .pull(
                try PullListener(configuration.bindEndpoint(entry), heartbeat: configuration.chosenHeartbeat))
        }
        for listener in listeners {
            switch listener {
            case .pull(let pull):
                pull.onAccepted = { [unowned self] _, _ in report.count("connections_accepted") }
                pull.onReady = { [held] in held.hold($0) }
                pull.onRefused = { [report] in report.count($0.rawValue) }
                pull.onEnded = { [unowned self] in ended($0, $1) }
                pull.watch(on: environment.reactor, while: isWanted) { [unowned self] in _ = try take(listener) }
            case .subscriber(let subscriber):
                environment.reactor.watch(subscriber.socket, while: isWanted) { [unowned self] in
                    _ = try take(listener)
                }
            }
        }
        goOn(known, deadly)
        if listeners.contains(where: { $0.pull != nil }) { held.watch(on: environment.reactor) }
    }

    /// Goes on with the connections of a process that was killed.
    private func goOn(_ known: () -> [UInt64: UInt64], _ deadly: UInt64?) {
        guard listeners.contains(where: { $0.pull != nil }) else { return held.end(evenIfOwed: true) }
        held.onNotGiven = { [report] in report.count("connections_not_taken_over") }
        let left = held.takeOver()
        let ends = left.isEmpty && !held.isOwed ? [:] : known()
        // Nobody reads on what is still to come, so that it stands where it stood.
        held.onGiven = { [unowned self] in goOn($0, ends, deadly) }
        for left in left { goOn(left, ends, deadly) }
    }

    private func goOn(_ left: PullPeer, _ ends: [UInt64: UInt64], _ deadly: UInt64?) {
        let port = PullListener.localPort(of: left.descriptor)
        if left.key == deadly {
            giveUp(left, "its next message ended this service three times in a row")
            PullListener.end(left.descriptor)
        } else if let pull = listeners.lazy.compactMap(\.pull).first(where: { $0.port == port }) {
            guard pull.adopt(left, skipping: ends[left.key]) else {
                return giveUp(left, "the kernel does not say where it stands")
            }
            report.count("connections_taken_over")
        } else {
            giveUp(left, "ports.yaml has no such port any more")
            PullListener.end(left.descriptor)
        }
    }

    private func giveUp(_ left: PullPeer, _ why: String) {
        held.drop(left.key)
        report.count("connections_not_taken_over")
        log.error(
            "a connection is not gone on with", metadata: ["why": "\(why)", "peer": "\(left.address ?? "unknown")"])
    }

    private func ended(_ peer: PullPeer, _ end: PullListener.End) {
        held.drop(peer.key)
        report.count("connections_lost")
        switch end {
        case .byPeer: break
        case .silent: report.count("heartbeat_disconnects")
        case .handshake: report.count("handshakes_failed")
        case .broken(let reason): report.reject(reason)
        }
    }

    /// Connections that a kill of this process does not end, and why that is so for none.
    var heldConnections: Int { held.count }
    var holdingProblem: String? { listeners.contains { $0.pull != nil } ? held.problem : nil }
    /// Who was turned away within the last minute.
    var refusalProblem: String? { listeners.lazy.compactMap { $0.pull?.refusalText }.first }

    /// No connection is to outlive this process: it ends in an orderly way.
    func end() { held.end() }

    /// Asks every sender to keep what it has not sent yet; what is under way still comes.
    func leave() {
        for listener in listeners {
            switch listener {
            case .pull(let pull): pull.leave()
            case .subscriber(let subscriber): subscriber.connections.leave()
            }
        }
    }

    /// Whether all senders have let go, so that nothing more can come; also of those that are still to be taken over.
    var isLeft: Bool {
        guard !held.isAwaited else { return false }
        return listeners.allSatisfy {
            switch $0 {
            case .pull(let pull): pull.isLeft
            case .subscriber(let subscriber): subscriber.connections.isLeft
            }
        }
    }

    /// Takes what is there, at most a budget; whether there may be more.
    func take() throws -> Bool {
        var hasMore = false
        for listener in listeners where try take(listener) { hasMore = true }
        return hasMore
    }

    private func take(_ listener: Listener) throws -> Bool {
        defer { if case .pull(let pull) = listener { pull.rest() } }
        for _ in 0..<ConfirmationIntake.budget {
            guard isWanted(), try next(listener) else { return isWanted() && listener.pull?.isCutShort == true }
            handler(frame.copyFrames(), frame.peerAddress(), frame.origin)
        }
        return true
    }

    private func next(_ listener: Listener) throws(ZMQError) -> Bool {
        switch listener {
        case .pull(let pull): pull.next(into: frame)
        case .subscriber(let subscriber): try subscriber.receive(into: frame)
        }
    }
}
