import ServiceKit
import Trading
import Wire
import ZeroMQ

/// The command port as DEALER terminals know it, with commands that go to one connection and never to a name.
///
/// libzmq's ROUTER sends to a routing identity. With ROUTER_HANDOVER a stranger who connects under a terminal's identity gets
/// its next command without having said a word, and the descriptor of the old connection stays; without it a terminal that
/// restarted behind a half-open connection is never heard again (both tried on libzmq 4.3.4, docs/fleet.md). So the socket
/// is a STREAM, and ``ZMTPPeer`` speaks the ROUTER's part on each connection.
///
/// Owned by the loop's thread. Source: zmq_socket(3), ZMQ_STREAM.
final class TerminalGate {
    enum Event {
        /// The handshake is done; nobody has said anything yet.
        case opened(TerminalLink, identity: [UInt8])
        case message(TerminalLink, identity: [UInt8], frames: [[UInt8]])
        /// The peer answered a probe.
        case alive(TerminalLink)
        case lost(TerminalLink)
        /// A peer whose socket no ROUTER serves.
        case turnedAway(TerminalLink, socketType: String)
    }

    struct Connection {
        let route: [UInt8]
        let link: TerminalLink
        var peer: ZMTPPeer
        var identity: [UInt8] = []
        var isReady = false
        /// Monotonic milliseconds. Until when the handshake may last, or a peer that is turned away is held.
        var patience: Int64
        var heardAt: Int64
        /// Whether it ever answered a PING: only such a peer may be judged by its silence.
        var answersPings = false
        var askedAt: Int64?
        /// Since when the rest of a message is missing.
        var midSince: Int64?
        /// The kernel's end of it, to be closed where libzmq's queue is full.
        var descriptor: Int32 = -1
        /// What came before anybody was heard; nil once it is.
        var early: [UInt8]?
    }

    static let budget = 1024
    static let handshakeMilliseconds: Int64 = 10_000
    /// A peer that is turned away at once comes again ten times a second; held, it comes when its own patience ends.
    private static let holdMilliseconds: Int64 = 25_000
    /// A message whose rest does not come: a terminal's is a few hundred bytes and comes at once.
    private static let messageMilliseconds: Int64 = 30_000
    private static let standstillMilliseconds: Int64 = 3_000
    /// Chunks of 8 kB that wait for us, for each peer: the rest waits at the peer.
    private static let receiveMark: Int32 = 16

    private let socket: ZMQSocket
    private let message = ZMQMessage()
    let report: ServiceReport
    private let heartbeat: Int64
    private let handle: (Event) -> Void
    let isWanted: () -> Bool
    /// Whether anybody is heard yet, and whose turn is still to come, the last first.
    var isHearing = false
    var line: [Int32] = []
    var connections: [Int32: Connection] = [:]
    private var numbers: [[UInt8]: Int32] = [:]
    private var dying = DyingConnections()
    private let makeNumber: () -> Int32
    private let role: ZMTPPeer.Role
    private var events: [ZMTPPeer.Event] = []
    private var sweptAt = SystemClock.monotonicMilliseconds()

    /// - Parameters:
    ///   - role: a ROUTER to DEALERs, a PUSH to PULLs.
    ///   - number: names connections, uniquely over all gates of a process.
    ///   - isWanted: until it says yes nobody is heard, and no handshake answered.
    init(
        _ environment: ServiceEnvironment, _ entry: PortList.Entry, as role: ZMTPPeer.Role = .router,
        number: @escaping () -> Int32, while isWanted: @escaping () -> Bool, handle: @escaping (Event) -> Void
    ) throws {
        let configuration = environment.configuration
        report = environment.report
        heartbeat = Int64(configuration.usualHeartbeat)
        makeNumber = number
        self.isWanted = isWanted
        self.role = role
        self.handle = handle
        let options = SocketProfile.eaCommands(heartbeat: 0).with {
            $0.receiveHighWaterMark = TerminalGate.receiveMark
            // What asks whether a peer lives must not keep the kernel from finding out.
            $0.unacknowledgedPatience = 90_000
        }
        socket = try ZMQSocket(environment.context, .stream, options)
        try socket.bind(configuration.bindEndpoint(entry))
        environment.reactor.watch(socket) { [unowned self] in try drain() }
        environment.reactor.beforeWait { [unowned self] in beginHearing() }
        environment.reactor.every(milliseconds: 1000) { [unowned self] in
            sweep(SystemClock.monotonicMilliseconds())
        }
    }

    /// Terminals whose handshake is done.
    var count: Int { connections.values.count { $0.isReady } }

    func address(of number: Int32) -> String? { connections[number]?.link.address }

    // MARK: - In

    private func drain() throws {
        for _ in 0..<TerminalGate.budget {
            guard try socket.receive(message) else { return }
            let route = message.copyBytes()
            guard message.hasMore, try socket.receive(message) else { continue }
            guard let number = numbers[route] else {
                // Only the notice of a connection, or of its end, is empty; anything else is the rest of one that was cut.
                if message.count == 0, !dying.ended(route) { open(route) }
                continue
            }
            // An empty frame tells of the connection's end.
            if message.count == 0 { close(number) } else { take(number, message.copyBytes()) }
        }
    }

    private func open(_ route: [UInt8]) {
        report.count("connections_accepted")
        let number = makeNumber()
        let now = SystemClock.monotonicMilliseconds()
        let link = TerminalLink(number: number, address: message.peerAddress() ?? "unknown")
        numbers[route] = number
        connections[number] = Connection(
            route: route, link: link, peer: ZMTPPeer(as: role), patience: now + TerminalGate.handshakeMilliseconds,
            heardAt: now, descriptor: message.sourceDescriptor, early: isHearing ? nil : [])
        if isHearing { greet(number) }
    }

    func greet(_ number: Int32) {
        if write(number, ZMTPPeer.opening) == .unreachable { close(number) }
    }

    private func close(_ number: Int32) {
        guard let connection = connections.removeValue(forKey: number) else { return }
        numbers[connection.route] = nil
        report.count("connections_closed")
        if connection.isReady { handle(.lost(connection.link)) }
    }

    func take(_ number: Int32, _ bytes: [UInt8]) {
        guard connections[number]?.early == nil else { return keep(early: bytes, of: number) }
        let now = SystemClock.monotonicMilliseconds()
        var mine: [ZMTPPeer.Event] = []
        swap(&mine, &events)
        connections[number]?.heardAt = now
        connections[number]?.peer.take(bytes, into: &mine)
        let isMid = connections[number]?.peer.isMidMessage ?? false
        let isNext = mine.contains { if case .message = $0 { true } else { false } }
        if !isMid {
            connections[number]?.midSince = nil
        } else if isNext || connections[number]?.midSince == nil {
            connections[number]?.midSince = now
        }
        for event in mine {
            // What is handled may have ended the connection.
            guard let connection = connections[number] else { break }
            handle(event, connection)
        }
        mine.removeAll(keepingCapacity: true)
        swap(&mine, &events)
    }

    private func handle(_ event: ZMTPPeer.Event, _ connection: Connection) {
        let number = connection.link.number
        switch event {
        case .send(let bytes):
            // A peer that asks and never reads has its answers dropped, not kept.
            _ = write(number, bytes)
        case .ready(let identity, _):
            report.count("handshakes_succeeded")
            // As libzmq does for a peer without a name: one that begins with a zero.
            let name = identity.isEmpty ? [0] + withUnsafeBytes(of: number.bigEndian) { Array($0) } : identity
            connections[number]?.identity = name
            connections[number]?.isReady = true
            handle(.opened(connection.link, identity: name))
        case .message(let frames):
            handle(.message(connection.link, identity: connection.identity, frames: frames))
        case .pong:
            connections[number]?.answersPings = true
            connections[number]?.askedAt = nil
            handle(.alive(connection.link))
        case .unsuited(let socketType):
            report.reject("zmtp_handshake_failed")
            connections[number]?.patience = SystemClock.monotonicMilliseconds() + TerminalGate.holdMilliseconds
            handle(.turnedAway(connection.link, socketType: socketType))
        case .failed(let reason):
            report.reject(connection.isReady ? reason : "zmtp_handshake_failed")
            cut(number)
        }
    }

    // MARK: - Out

    /// Hands one message to its connection; only `.sent` may have reached anybody, and nobody but that peer.
    func send(_ number: Int32, _ payload: [UInt8]) -> HandOver {
        guard connections[number]?.isReady == true else { return .unreachable }
        return write(number, ZMTPPeer.frame(payload))
    }

    /// Asks a peer for a sign of life, which its libzmq gives by itself. False where it can't be asked.
    @discardableResult
    func probe(_ number: Int32) -> Bool {
        guard let connection = connections[number], connection.isReady, connection.peer.takesCommands else {
            return false
        }
        _ = write(number, ZMTPPeer.ping)
        return true
    }

    /// Ends a connection. Its peer, if it lives, comes back by itself.
    func cut(_ number: Int32) {
        guard let connection = connections[number] else { return }
        if write(number, []) != .sent {
            dying.add(
                connection.route, connection.descriptor, connection.link.address,
                now: SystemClock.monotonicMilliseconds())
        }
        close(connection.link.number)
    }

    private func write(_ number: Int32, _ bytes: [UInt8]) -> HandOver {
        guard let route = connections[number]?.route else { return .unreachable }
        do throws(ZMQError) {
            let result = try socket.send(route, more: true)
            guard result == .sent else { return HandOver(result) }
            return HandOver(try socket.send(bytes))
        } catch {
            report.count("writes_failed")
            return .unreachable
        }
    }

    // MARK: - Time

    private func endByLibrary(_ route: [UInt8]) -> Bool {
        do throws(ZMQError) {
            switch try socket.send(route, more: true) {
            case .wouldBlock: return false
            case .unreachable: return true
            case .sent: return try socket.send([]) == .sent
            }
        } catch {
            // It is gone.
            return true
        }
    }

    private func sweep(_ now: Int64) {
        let shut = dying.bury(now, end: endByLibrary) { one in connections.values.contains { $0.descriptor == one } }
        if shut > 0 { report.count("connections_shut_down", shut) }
        // After a standstill of ours their answers may be there and not read yet.
        let wasAway = now - sweptAt > TerminalGate.standstillMilliseconds
        sweptAt = now
        for (number, connection) in connections {
            guard connection.isReady else {
                if now > connection.patience, connection.early == nil { cut(number) }
                continue
            }
            if let since = connection.midSince, now - since >= TerminalGate.messageMilliseconds {
                report.reject("message_unfinished")
                cut(number)
                continue
            }
            // A fleet that came at once is not asked at once.
            let patience = heartbeat + Int64(number % 16) * heartbeat / 32
            guard heartbeat > 0, now - connection.heardAt >= patience else { continue }
            if wasAway, connection.askedAt != nil {
                connections[number]?.askedAt = now
            } else if let asked = connection.askedAt, connection.answersPings, now - asked >= 2 * heartbeat {
                report.count("heartbeat_disconnects")
                cut(number)
            } else if connection.askedAt == nil {
                connections[number]?.askedAt = now
                probe(number)
            }
        }
    }
}
