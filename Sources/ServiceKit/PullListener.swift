internal import CLinux
import Glibc
import Wire
public import ZeroMQ

/// A PULL port for thousands of sparse PUSH peers, on plain TCP sockets.
///
/// libzmq gives each connection two queues of 256 places, two buffers of 8 KiB and what waits in between: 24 kB for a
/// silent peer and 80 kB for one with a backlog (measured, 4.3.4), and each message crosses two threads. Here a
/// connection is some hundred bytes; what is not taken yet stays in the kernel and, behind that, with its sender, as
/// with libzmq's mark.
///
/// What becomes of messages at a death of the process is the port's ``Custody``.
///
/// Nobody can hold up anybody: one read of each ready peer in turn, messages above 64 KiB or 64 frames,
/// handshakes of 10 s, halves of messages of 30 s and urgent data cost their sender the connection; whatever peers send,
/// a turn ends after some looks that brought no message. Owned by the loop's thread.
/// Sources: RFC 23/ZMTP 3.0, epoll(7), tcp(7).
public final class PullListener {
    /// Why a connection ended.
    public enum End: Sendable, Equatable {
        case byPeer
        /// It answered PINGs and does no longer.
        case silent
        /// Not ZMTP, not a PUSH, or no handshake in time.
        case handshake(String)
        case broken(String)
    }

    /// Who keeps what was not handed over yet.
    public enum Custody: Sendable, CaseIterable {
        /// The kernel: a message is looked at in its buffer and taken from there only after it was handed over and the
        /// loop came back. Where a process was killed, the next one that holds the connection finds each message that was
        /// not handed over, and by its ``PullFrame/Origin`` each that was. Costs a second call for each look.
        case kernel
        /// This process: a look takes what is there. The begin of a message is kept here, with room for
        /// the longest one, for as many peers as have it in 16 MiB; the others' stay with the kernel.
        case process
    }

    /// One read; some fifty ticks.
    static let readBytes = 16 * 1024
    static let longestMessage = ZMTPMessageHead.mostBytes
    static let handshakeMilliseconds: Int64 = 10_000
    static let incompleteMilliseconds: Int64 = 30_000
    static let mostBegun = 16 << 20
    private static let eventsAtOnce = 64
    /// Looks in one turn of the loop that bring no message, and commands in one look: whoever floods with either, the
    /// loop has others to serve. Handshakes of a whole fleet are many looks without a message too.
    private static let looksAtOnce = 64
    static let commandsAtOnce = 64
    /// What a connection is watched for: bytes, that no more will come, and urgent data. No peer of ZMTP sends that; a
    /// look ends in front of it, while the kernel calls for what stands behind it. Source: tcp(7).
    static let interest = EPOLLIN.rawValue | quietInterest
    /// The same while the rest of a message has no room in the kernel.
    static let quietInterest = EPOLLRDHUP.rawValue | EPOLLPRI.rawValue
    private static let over = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue

    /// A connection was made, by its descriptor and its address without port; told before anything of it is.
    public var onAccepted: (Int32, String?) -> Void = { _, _ in }
    /// Its handshake is done: whoever holds a duplicate of it can go on with it, see
    /// ``adopt(_:skipping:)``.
    public var onReady: (PullPeer) -> Void = { _ in }
    /// It is over, and nothing of it comes any more.
    public var onEnded: (PullPeer, End) -> Void = { _, _ in }
    /// A connection was turned away at the door.
    public var onRefused: (Refusal) -> Void = { _ in }

    let epoll: Int32
    let listening: Int32
    let heartbeat: Int64
    var connections: [PullConnection?] = []
    public internal(set) var count = 0
    let wake = EventDescriptor()
    private var events = [epoll_event](repeating: epoll_event(), count: PullListener.eventsAtOnce)
    var eventCount = 0
    var nextEvent = 0
    /// What was looked at and not handed out yet: bytes of `current` from `start` to `end`; from `taken` on the kernel
    /// has them still.
    let buffer: UnsafeMutablePointer<UInt8>
    var current: PullConnection?
    var taken = 0
    var start = 0
    var end = 0
    /// Whether what is in the buffer was taken from the kernel with the look.
    var isTaken = false
    /// Bytes that messages of which the begin is kept here may come to have, of all peers.
    public internal(set) var begunBytes = 0
    let custody: Custody
    /// Whether the peer of `current` has ended its side.
    private var isLast = false
    var now = SystemClock.monotonicMilliseconds()
    var isAccepting = true
    let door: Door
    /// Connections of each machine, as ``NetworkAddress/host(_:)`` names it.
    var ofAddress: [String: Int] = [:]
    var lastRefusal: (reason: Refusal, at: Int64)?
    /// Looks that may still bring no message in this turn.
    var looksLeft = PullListener.looksAtOnce
    /// Commands in this look.
    var commands = 0
    /// Whether the look brought nothing yet.
    private var isFresh = false
    /// Whether the last turn ended before everything was looked at.
    public private(set) var isCutShort = false
    /// How long a peer that was asked may be silent at least: what it wrote while its network was away is lost when it is cut.
    let leastPatience: Int64
    var sweptAt = SystemClock.monotonicMilliseconds()
    var isLeaving = false
    var lastEvent: Int64 = 0

    /// Binds and listens.
    ///
    /// - Parameters:
    ///   - endpoint: `tcp://address:port`, as for libzmq.
    ///   - heartbeat: milliseconds of silence after which a peer is asked for a sign of life; 0 is never.
    ///   - leastPatience: milliseconds for which a peer that answered before may leave a question unanswered, if
    ///     twice the heartbeat is less.
    ///   - custody: who keeps what was not handed over yet.
    ///   - door: how many are let in.
    public init(
        _ endpoint: String, heartbeat: Int, leastPatience: Int64 = 0, custody: Custody = .kernel,
        backlog: Int32 = 4096, door: Door = .ofThisProcess
    ) throws(ZMQError) {
        self.leastPatience = leastPatience
        self.custody = custody
        listening = try ListeningSocket.open(endpoint, backlog: backlog)
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        self.heartbeat = Int64(heartbeat)
        self.door = door
        buffer = .allocate(capacity: PullListener.longestMessage + PullListener.readBytes)
        follow(listening, EPOLLIN.rawValue)
        follow(wake.descriptor, EPOLLIN.rawValue)
    }

    deinit {
        for connection in connections { if let connection { close(connection.descriptor) } }
        close(listening)
        close(epoll)
        buffer.deallocate()
    }

    /// Calls the handler while messages wait; it takes some by ``next(into:)`` and then says ``rest()``.
    ///
    /// - Parameter isWanted: asked before each wait; while it says no, everything stays with the kernel and the
    /// senders.
    public func watch(
        on reactor: Reactor, while isWanted: @escaping () -> Bool = { true }, _ handler: @escaping Reactor.Handler
    ) {
        reactor.watch(
            descriptor: { [unowned self] in isWanted() ? epoll : -1 }, hasUnread: { [unowned self] in hasUnread },
            readable: handler)
        reactor.every(milliseconds: 1000) { [unowned self] in sweep() }
    }

    // MARK: - Reading

    /// The next message, or false where none is there.
    public func next(into frame: PullFrame) -> Bool {
        while true {
            if let connection = current, take(of: connection, isLast: isLast, into: frame) {
                if isFresh { looksLeft += 1 }
                isFresh = false
                return true
            }
            guard current == nil else {
                isCutShort = true
                return false
            }
            guard readNext(frame) else { return false }
        }
    }

    /// The loop comes back: it may look as often again.
    func beginTurn() {
        looksLeft = PullListener.looksAtOnce
        commands = 0
        isFresh = false
    }

    /// Looks at peers that have something until one look brought bytes; false where nobody has, or where this turn had
    /// enough: what is left still calls for the loop.
    private func readNext(_ frame: PullFrame) -> Bool {
        isFresh = false
        isCutShort = false
        while true {
            guard looksLeft > 0 else {
                isCutShort = true
                return false
            }
            if nextEvent >= eventCount {
                (nextEvent, eventCount) = (0, 0)
                eventCount = max(0, Int(epoll_wait(epoll, &events, Int32(PullListener.eventsAtOnce), 0)))
                now = SystemClock.monotonicMilliseconds()
                guard eventCount > 0 else { return false }
            }
            let event = events[nextEvent]
            nextEvent += 1
            looksLeft -= 1
            let descriptor = event.data.fd
            if descriptor == listening {
                acceptSome()
            } else if descriptor == wake.descriptor {
                wake.drain()
            } else if let connection = self[descriptor] {
                if event.events & EPOLLPRI.rawValue != 0 {
                    finish(connection, .broken("urgent_data"), frame)
                } else if look(at: connection, isLast: event.events & PullListener.over != 0, frame) {
                    isFresh = true
                    return true
                }
            }
        }
    }

    /// Whether something of the connection is in the buffer now.
    private func look(at connection: PullConnection, isLast: Bool, _ frame: PullFrame) -> Bool {
        let wanted = max(PullListener.readBytes, connection.needed)
        let begin = connection.begun.count
        isTaken = custody == .process && connection.isReady && (begin > 0 || begunBytes < PullListener.mostBegun)
        let flags = Int32(MSG_DONTWAIT) | (isTaken ? 0 : Int32(MSG_PEEK))
        let count = recv(connection.descriptor, buffer + begin, wanted, flags)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return false }
            finish(connection, connection.isReady ? .byPeer : .handshake("ended"), frame)
            return false
        }
        if count < connection.needed, !isLast, connection.isReady, !isTaken {
            pause(connection)
            return false
        }
        connection.heardAt = now
        connection.hasAnswered = false
        if begin > 0 { bringBegun(of: connection) }
        (taken, start, end, commands) = (0, 0, begin + count, 0)
        if connection.peer != nil {
            guard shakeHands(connection, frame) else { return false }
        }
        // A read that was full tells nothing of the end.
        self.isLast = isLast && count < wanted
        current = connection
        return true
    }

    /// Whether the peer may speak now; the handshake is taken from the buffer then.
    private func shakeHands(_ connection: PullConnection, _ frame: PullFrame) -> Bool {
        var answers: [ZMTPPeer.Event] = []
        connection.peer?.take(Array(UnsafeBufferPointer(start: buffer, count: end)), into: &answers)
        // Whoever holds it has it before the peer may speak.
        let isReady = answers.contains { if case .ready = $0 { true } else { false } }
        if isReady {
            start = end - (connection.peer?.takeRest() ?? 0)
            connection.takesCommands = connection.peer?.takesCommands ?? false
            connection.peer = nil
            connection.makeRoom()
            guard settle(connection) else {
                finish(connection, .handshake("ended"), frame)
                return false
            }
            onReady(PullPeer(connection))
        }
        for answer in answers {
            switch answer {
            case .send(let bytes):
                guard send(bytes, to: connection) else {
                    finish(connection, .handshake("unread"), frame)
                    return false
                }
            case .unsuited(let type):
                finish(connection, .handshake("socket type \(type)"), frame)
                return false
            case .failed(let reason):
                finish(connection, .handshake(reason), frame)
                return false
            case .ready, .message, .pong: break
            }
        }
        guard !isReady else { return true }
        start = end
        if !settle(connection) { finish(connection, .handshake("ended"), frame) }
        return false
    }
}
