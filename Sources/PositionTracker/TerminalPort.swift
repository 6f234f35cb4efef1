import Domain
import Logging
import ServiceKit
import Trading
import Wire
import ZeroMQ

/// Port `ea-commands` and its further listeners: frames of terminals in, commands out, in the form that `ports.yaml`
/// says each family speaks.
///
/// Owned by the loop's thread. Source: the contract, section 1; zmq_socket(3), ZMQ_ROUTER.
final class TerminalPort {
    /// One bound socket with its monitor, and how many terminals are connected to it.
    final class Listener {
        let entry: PortList.Entry
        let socket: ZMQSocket
        let monitor: ZMQSocket
        var peers: Set<Int32> = []
        var refused = RefusedPeers()

        init(_ environment: ServiceEnvironment, _ entry: PortList.Entry, _ options: SocketOptions) throws {
            self.entry = entry
            let type: SocketType = entry.socket == .pub ? .publish : .push
            // A PUSH without its terminal keeps nothing for it: an order is sent now or not at all.
            socket = try ZMQSocket(environment.context, type, options.with { $0.immediate = type == .push })
            monitor = try socket.monitor(environment.context, name: entry.label)
            try socket.bind(environment.configuration.bindEndpoint(entry))
        }
    }

    /// PUB and PUSH.
    private let listeners: [Listener]
    /// What DEALER terminals connect to: commands go to one connection.
    private var gates: [TerminalGate] = []
    private let message = ZMQMessage()
    private let environment: ServiceEnvironment
    private var report: ServiceReport { environment.report }
    /// identity, payload, number of its connection
    private let receive: ([UInt8], [UInt8], Int32) -> Void
    private let refuse: ([UInt8]) -> Void
    private let lost: (Int32) -> Void
    /// A connection's handshake is done, and what identity it claims.
    var opened: (TerminalLink, [UInt8]) -> Void = { _, _ in }
    /// A connection that was asked answered.
    var alive: (TerminalLink) -> Void = { _ in }
    /// The connection a user's commands go to.
    var linkOfUser: (String) -> Int32? = { _ in nil }
    private var refusedAtGates = RefusedPeers()
    private var lastNumber: Int32 = 0
    /// By which socket a user's terminal takes its commands.
    var commandSocket: (String) -> EAFamily.CommandSocket = { _ in .dealer }
    /// Gets the address of a peer that was turned away, and how often and when it was.
    var turnedAway: (String, RefusedPeers.Record) -> Void = { _, _ in }
    private static let budget = 512
    private static let warningMilliseconds: Int64 = 10_000
    private var lastWarning: Int64 = -10_000

    /// - Parameters:
    ///   - isWanted: until it says yes no terminal is heard.
    ///   - refuse: gets the first frame of a message that has several.
    init(
        _ environment: ServiceEnvironment, while isWanted: @escaping () -> Bool,
        receive: @escaping ([UInt8], [UInt8], Int32) -> Void,
        refuse: @escaping ([UInt8]) -> Void, lost: @escaping (Int32) -> Void
    ) throws {
        self.environment = environment
        self.receive = receive
        self.refuse = refuse
        self.lost = lost
        let configuration = environment.configuration
        let options = SocketProfile.eaCommands(heartbeat: configuration.chosenHeartbeat)
        let entries = configuration.ports.listeners(serving: .eaCommands)
        listeners = try entries.filter { $0.socket != .router }.map { try Listener(environment, $0, options) }
        gates = try entries.filter { $0.socket == .router }.map { entry in
            try TerminalGate(environment, entry, number: { [unowned self] in makeNumber() }, while: isWanted) {
                [unowned self] event in take(event, entry)
            }
        }
        for listener in listeners {
            environment.reactor.watch(listener.monitor) { [unowned self] in try drainMonitor(listener) }
            if listener.entry.keepAliveSeconds > 0 {
                environment.reactor.every(milliseconds: Int64(listener.entry.keepAliveSeconds) * 1000) {
                    [unowned self] in keepAlive(listener)
                }
            }
        }
    }

    /// The address without port from which a connection came, as long as it is there.
    func peerAddress(of number: Int32) -> String? { gates.lazy.compactMap { $0.address(of: number) }.first }

    private func makeNumber() -> Int32 {
        lastNumber = lastNumber == .max ? 1 : lastNumber + 1
        return lastNumber
    }

    /// Asks a peer for a sign of life.
    func probe(_ number: Int32) { for gate in gates { gate.probe(number) } }

    func cut(_ number: Int32) { for gate in gates { gate.cut(number) } }

    // MARK: - Frames

    private func take(_ event: TerminalGate.Event, _ entry: PortList.Entry) {
        switch event {
        case .opened(let link, let identity): opened(link, identity)
        case .alive(let link): alive(link)
        case .lost(let link): lost(link.number)
        case .message(let link, let identity, let frames):
            var frames = frames
            if frames.count == 2, frames[0].isEmpty { frames.removeFirst() }
            guard frames.count == 1 else { return refuse(frames.first ?? []) }
            report.count("frames_received")
            receive(identity, frames[0], link.number)
        case .turnedAway(let link, _):
            refusedAtGates.accepted(link.number, address: link.address)
            refusedAtGates.handshakeFailed()
            let address = refusedAtGates.ended(link.number, at: SystemClock.now())
            if let address, let record = refusedAtGates.addresses[address] { tell(address, record, entry) }
        }
    }

    // MARK: - Connections

    private func drainMonitor(_ listener: Listener) throws {
        for _ in 0..<TerminalPort.budget {
            guard let event = try listener.monitor.receiveConnectionEvent(message) else { return }
            switch event.kind {
            case .accepted:
                report.count("connections_accepted")
                let address = PeerAddress.of(event.descriptor)
                listener.peers.insert(event.descriptor)
                listener.refused.accepted(event.descriptor, address: address)
            case .handshakeSucceeded: report.count("handshakes_succeeded")
            case .handshakeFailed:
                report.reject("zmtp_handshake_failed")
                listener.refused.handshakeFailed()
            case .disconnected:
                report.count("connections_closed")
                listener.peers.remove(event.descriptor)
                ended(event.descriptor, listener)
            case .listening, .closed, .other: break
            }
        }
    }

    private func ended(_ descriptor: Int32, _ listener: Listener) {
        guard let address = listener.refused.ended(descriptor, at: SystemClock.now()),
            let record = listener.refused.addresses[address]
        else { return }
        tell(address, record, listener.entry)
    }

    private func tell(_ address: String, _ record: RefusedPeers.Record, _ entry: PortList.Entry) {
        report.count("peers_turned_away")
        turnedAway(address, record)
        // Port scanners come by the thousand: one line in ten seconds says enough, the counter says the rest.
        let now = SystemClock.monotonicMilliseconds()
        guard now - lastWarning >= TerminalPort.warningMilliseconds else { return }
        lastWarning = now
        environment.log.warning(
            "a peer of another socket type was turned away",
            metadata: [
                "listener": "\(entry.label)", "socket": "\(entry.socket.rawValue)",
                "address": "\(address)", "times": "\(record.count)",
                "action":
                    "serve EAs that PULL (2.01, 2.02, 7.01) a PUSH; restart one that does not come back by itself",
            ])
    }

    // MARK: - Commands

    /// Hands one command to libzmq; only `.sent` may have reached anybody.
    func send(identity: [UInt8], userUUID: String, _ bytes: [UInt8]) -> HandOver {
        let socket = commandSocket(userUUID)
        if socket == .dealer || socket == .unknown {
            // Never by the identity: whoever calls himself so would get it.
            guard let number = linkOfUser(userUUID) else { return .unreachable }
            return gates.first { $0.address(of: number) != nil }?.send(number, bytes) ?? .unreachable
        }
        guard let listener = listener(for: userUUID, socket) else { return .unreachable }
        do throws(ZMQError) {
            switch listener.entry.socket {
            case .push:
                // PUSH deals round robin: with two terminals a command would reach whichever is next.
                guard listener.peers.count <= 1 else { return .unreachable }
                return HandOver(try listener.socket.send(bytes))
            case .pub:
                guard try listener.socket.send(Array(userUUID.utf8), more: true) == .sent else { return .unreachable }
                return HandOver(try listener.socket.send(bytes))
            default: return .unreachable
            }
        } catch {
            report.count("commands_failed")
            return .unreachable
        }
    }

    private func listener(for user: String, _ socket: EAFamily.CommandSocket) -> Listener? {
        if socket == .subscribe { return listeners.first { $0.entry.socket == .pub } }
        return listeners.first { $0.entry.user == user }
            ?? listeners.first { $0.entry.socket == .push && $0.entry.user == nil }
    }

    /// 7.01 starts over when it hears nothing for 120 s; other families leave a frame without addressee alone.
    private func keepAlive(_ listener: Listener) {
        let seconds = SystemClock.now().seconds
        let frame: JSONObject = [
            "type": .string("heartbeat"), "msg": .string("still alive"), "timestamp": .integer(seconds),
        ]
        // Round robin: as many as there are terminals, so that each gets one.
        for _ in listener.peers where (try? listener.socket.send(frame.bytes)) == .sent { report.count("keep_alives") }
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
