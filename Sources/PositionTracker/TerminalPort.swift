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
    /// A PUB with its monitor: each terminal takes what bears its UUID.
    final class Listener {
        let entry: PortList.Entry
        let socket: ZMQSocket
        let monitor: ZMQSocket
        var refused = RefusedPeers()

        init(_ environment: ServiceEnvironment, _ entry: PortList.Entry, _ options: SocketOptions) throws {
            self.entry = entry
            socket = try ZMQSocket(environment.context, .publish, options)
            monitor = try socket.monitor(environment.context, name: entry.label)
            try socket.bind(environment.configuration.bindEndpoint(entry))
        }
    }

    private let listeners: [Listener]
    /// What terminals PULL from: commands go to one connection.
    private var pushes: [PushListener] = []
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
    /// The same for a terminal that PULLs.
    var pullOfUser: (String) -> Int32? = { _ in nil }
    /// A PULL is there, with the user its listener is for; and one is gone.
    var pullOpened: (TerminalLink, String?) -> Void = { _, _ in }
    var pullLost: (TerminalLink) -> Void = { _ in }
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
        listeners = try entries.filter { $0.socket == .pub }.map { try Listener(environment, $0, options) }
        gates = try entries.filter { $0.socket == .router }.map { entry in
            try TerminalGate(environment, entry, number: { [unowned self] in makeNumber() }, while: isWanted) {
                [unowned self] event in take(event, entry)
            }
        }
        pushes = try entries.filter { $0.socket == .push }.map { entry in
            let push = try PushListener(
                environment, entry, number: { [unowned self] in makeNumber() }, while: isWanted)
            push.opened = { [unowned self] link in pullOpened(link, entry.user) }
            push.lost = { [unowned self] link in pullLost(link) }
            push.turnedAway = { [unowned self] link in turnAway(link, entry) }
            return push
        }
        for listener in listeners {
            environment.reactor.watch(listener.monitor) { [unowned self] in try drainMonitor(listener) }
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
        case .turnedAway(let link, _): turnAway(link, entry)
        }
    }

    private func turnAway(_ link: TerminalLink, _ entry: PortList.Entry) {
        refusedAtGates.accepted(link.number, address: link.address)
        refusedAtGates.handshakeFailed()
        let address = refusedAtGates.ended(link.number, at: SystemClock.now())
        if let address, let record = refusedAtGates.addresses[address] { tell(address, record, entry) }
    }

    // MARK: - Connections

    private func drainMonitor(_ listener: Listener) throws {
        for _ in 0..<TerminalPort.budget {
            guard let event = try listener.monitor.receiveConnectionEvent(message) else { return }
            switch event.kind {
            case .accepted:
                report.count("connections_accepted")
                let address = PeerAddress.of(event.descriptor)
                listener.refused.accepted(event.descriptor, address: address)
            case .handshakeSucceeded: report.count("handshakes_succeeded")
            case .handshakeFailed:
                report.reject("zmtp_handshake_failed")
                listener.refused.handshakeFailed()
            case .disconnected:
                report.count("connections_closed")
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
        if socket == .pull {
            // Never to whoever is there: the engine says which connection is his, if any is.
            guard let number = pullOfUser(userUUID) else { return .unreachable }
            return pushes.first { $0.has(number) }?.send(number, bytes) ?? .unreachable
        }
        guard let listener = listeners.first else { return .unreachable }
        do throws(ZMQError) {
            guard try listener.socket.send(Array(userUUID.utf8), more: true) == .sent else { return .unreachable }
            return HandOver(try listener.socket.send(bytes))
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
