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
/// A message is looked at in the kernel's buffer and taken from there only after it was handed over and the loop came
/// back: a process that is killed leaves every connection at the beginning of a message. Half a message is never held.
///
/// Nobody can hold up anybody: one read of each ready peer in turn, frames above 64 KiB, messages above 256 KiB,
/// handshakes of 10 s and halves of messages of 30 s cost their sender the connection. Owned by the loop's thread.
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

    /// One read; some fifty ticks.
    static let readBytes = 16 * 1024
    static let longestMessage = 4 * ZMTPPeer.maximumFrame
    static let handshakeMilliseconds: Int64 = 10_000
    static let incompleteMilliseconds: Int64 = 30_000
    private static let eventsAtOnce = 64
    private static let acceptsAtOnce = 128
    private static let roundsAtOnce = 16
    /// What a connection is watched for: bytes, and that no more will come.
    static let interest = EPOLLIN.rawValue | EPOLLRDHUP.rawValue
    private static let over = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue

    /// A connection was made, by its descriptor and its address without port; told before anything of it is.
    public var onAccepted: (Int32, String?) -> Void = { _, _ in }
    /// Its handshake is done: whoever holds a duplicate of it can go on with it, see
    /// ``adopt(_:skipping:)``.
    public var onReady: (PullPeer) -> Void = { _ in }
    /// It is over, and nothing of it comes any more.
    public var onEnded: (PullPeer, End) -> Void = { _, _ in }
    /// Connections that the kernel could not give us: too many open files.
    public private(set) var refusedByKernel: Int64 = 0

    let epoll: Int32
    let listening: Int32
    let heartbeat: Int64
    var connections: [PullConnection?] = []
    public internal(set) var count = 0
    let wake = EventDescriptor()
    private var events = [epoll_event](repeating: epoll_event(), count: PullListener.eventsAtOnce)
    private var eventCount = 0
    private var nextEvent = 0
    /// What was looked at and not handed out yet: bytes of `current` from `start` to `end`; from `taken` on the kernel
    /// has them still.
    let buffer: UnsafeMutablePointer<UInt8>
    var current: PullConnection?
    var taken = 0
    var start = 0
    var end = 0
    /// Whether the peer of `current` has ended its side.
    private var isLast = false
    var now = SystemClock.monotonicMilliseconds()
    private var isAccepting = true
    var isLeaving = false
    var lastEvent: Int64 = 0

    /// Binds and listens.
    ///
    /// - Parameters:
    ///   - endpoint: `tcp://address:port`, as for libzmq.
    ///   - heartbeat: milliseconds of silence after which a peer is asked for a sign of life; 0 is never.
    public init(_ endpoint: String, heartbeat: Int, backlog: Int32 = 4096) throws(ZMQError) {
        listening = try ListeningSocket.open(endpoint, backlog: backlog)
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        self.heartbeat = Int64(heartbeat)
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
            if let connection = current, take(of: connection, isLast: isLast, into: frame) { return true }
            guard readNext(frame) else { return false }
        }
    }

    /// Looks once at the next peer that has something; false where nobody has.
    private func readNext(_ frame: PullFrame) -> Bool {
        var rounds = 0
        while true {
            if nextEvent >= eventCount {
                (nextEvent, eventCount) = (0, 0)
                rounds += 1
                // Handshakes of a whole fleet are many rounds without a message; the loop has others to serve.
                guard rounds <= PullListener.roundsAtOnce else { return false }
                eventCount = max(0, Int(epoll_wait(epoll, &events, Int32(PullListener.eventsAtOnce), 0)))
                now = SystemClock.monotonicMilliseconds()
                guard eventCount > 0 else { return false }
            }
            let event = events[nextEvent]
            nextEvent += 1
            let descriptor = event.data.fd
            if descriptor == listening {
                acceptSome()
            } else if descriptor == wake.descriptor {
                wake.drain()
            } else if let connection = self[descriptor],
                look(at: connection, isLast: event.events & PullListener.over != 0, frame)
            {
                return true
            }
        }
    }

    /// Whether something of the connection is in the buffer now.
    private func look(at connection: PullConnection, isLast: Bool, _ frame: PullFrame) -> Bool {
        let wanted = max(PullListener.readBytes, connection.needed)
        let flags = Int32(MSG_DONTWAIT | MSG_PEEK)
        let count = recv(connection.descriptor, buffer, wanted, flags)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return false }
            finish(connection, connection.isReady ? .byPeer : .handshake("ended"), frame)
            return false
        }
        if count < connection.needed, !isLast, connection.isReady {
            pause(connection)
            return false
        }
        connection.heardAt = now
        connection.hasAnswered = false
        (taken, start, end) = (0, 0, count)
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
        for answer in answers {
            switch answer {
            case .send(let bytes):
                guard send(bytes, to: connection) else {
                    finish(connection, .handshake("unread"), frame)
                    return false
                }
            case .ready:
                start = end - (connection.peer?.takeRest() ?? 0)
                connection.takesCommands = connection.peer?.takesCommands ?? false
                connection.peer = nil
                connection.makeRoom()
                guard settle(connection) else {
                    finish(connection, .handshake("ended"), frame)
                    return false
                }
                onReady(PullPeer(connection))
                return true
            case .unsuited(let type):
                finish(connection, .handshake("socket type \(type)"), frame)
                return false
            case .failed(let reason):
                finish(connection, .handshake(reason), frame)
                return false
            case .message, .pong: break
            }
        }
        start = end
        if !settle(connection) { finish(connection, .handshake("ended"), frame) }
        return false
    }

    // MARK: - Connections

    subscript(_ descriptor: Int32) -> PullConnection? {
        descriptor >= 0 && Int(descriptor) < connections.count ? connections[Int(descriptor)] : nil
    }

    private func acceptSome() {
        for _ in 0..<PullListener.acceptsAtOnce {
            var storage = sockaddr_storage()
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &storage) { storage in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.accept(listening, $0, &size) }
            }
            guard descriptor >= 0 else {
                if errno == ECONNABORTED || errno == EINTR { continue }
                if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM { pause() }
                return
            }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            ListeningSocket.keepAlive(descriptor)
            // From accept(2) itself: a peer that is gone again has no address any more, and what it sent is judged by it.
            let connection = PullConnection(descriptor, PeerAddress.text(storage, size)?.host, at: now)
            enter(connection)
            _ = send(ZMTPPeer.opening, to: connection)
            if isLeaving { _ = shutdown(descriptor, Int32(SHUT_WR)) }
        }
    }

    func enter(_ connection: PullConnection) {
        lastEvent = now
        while connections.count <= Int(connection.descriptor) { connections.append(nil) }
        connections[Int(connection.descriptor)] = connection
        count += 1
        onAccepted(connection.descriptor, connection.address)
        follow(connection.descriptor, PullListener.interest)
    }

    func follow(_ descriptor: Int32, _ interest: UInt32, _ operation: Int32 = EPOLL_CTL_ADD) {
        var event = epoll_event()
        event.events = interest
        event.data.fd = descriptor
        _ = epoll_ctl(epoll, operation, descriptor, &event)
    }

    /// No descriptors are left: the door is looked at again a second later, not ten thousand times in between.
    private func pause() {
        refusedByKernel += 1
        guard isAccepting else { return }
        isAccepting = false
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, listening, nil)
    }

    func acceptAgain() {
        guard !isAccepting else { return }
        isAccepting = true
        follow(listening, EPOLLIN.rawValue)
    }
}
