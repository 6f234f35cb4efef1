import CLinux
import DequeModule
import Glibc
public import Logging

/// A service's side of its ``ConnectionHolder``: gives it every connection, takes them back after a kill, and starts
/// another one where there is none. Owned by the loop's thread.
public final class HeldConnections {
    private static let takeOverMilliseconds: Int64 = 5_000
    static let tryMilliseconds: Int64 = 250
    static let startMilliseconds: Int64 = 2_000
    /// How long the start waits for a new holder, before anybody is let in.
    private static let firstMilliseconds: Int64 = 500
    private static let endMilliseconds: Int64 = 300

    let path: String
    let program: String
    let words: [String]
    let log: Logger
    var socket: Int32 = -1
    /// The holder's process, where this one started it.
    public internal(set) var process: Int32 = 0
    var startedAt = Int64.min / 2
    var held: [UInt64: PullPeer] = [:]
    var outgoing: Deque<HolderPacket> = []
    /// Of those, what is to be held and was not sent yet.
    var pending: Set<UInt64> = []
    /// Looks of ours, one after the other, at which it took nothing, and at which it said nothing.
    var stuckLooks = 0
    var silentLooks = 0
    /// Connections the holder had no room for.
    var notTaken: Set<UInt64> = []
    var isOver = false
    /// Whether an earlier process's connections may still be with the holder: it has not said yet that these were all.
    public internal(set) var isOwed = true
    /// What is over meanwhile, so that it is not gone on with when it is given (again).
    var gone: Set<UInt64> = []
    private static let mostGone = 65_536
    /// A connection of an earlier process's that comes later than ``takeOver()`` could wait.
    public var onGiven: (PullPeer) -> Void = { _ in }
    /// A connection of an earlier process's for which there was no descriptor; it is over.
    public var onNotGiven: () -> Void = {}

    /// - Parameters:
    ///   - path: of the socket, in a folder of the mesh's.
    ///   - program: what is run, where that is not the first word.
    ///   - words: its name and its arguments, to which the path is added.
    public init(path: String, program: String? = nil, words: [String], log: Logger) {
        self.path = path
        self.program = program ?? words.first ?? ""
        self.words = words + [path]
        self.log = log
    }

    deinit {
        if socket >= 0 { close(socket) }
    }

    /// Connections that are held, so that a kill of this process does not end them.
    public var count: Int { socket >= 0 ? held.count - pending.count - notTaken.count : 0 }

    /// Why connections would not outlive this process now; nil where they would.
    public var problem: String? {
        if path.utf8.count > HolderSocket.longestPath {
            return "\(path) is too long for a socket: a kill of this process ends its connections"
        }
        guard socket >= 0 || isOver else { return "no process holds the connections: a kill of this one ends them" }
        return notTaken.isEmpty
            ? nil : "\(notTaken.count) connections are not held: the process that holds them may not open more files"
    }

    // MARK: - The start

    /// Comes to an earlier process's holder, which is not alone from then on and keeps what it has however long the start
    /// takes.
    public func meet() {
        guard path.utf8.count <= HolderSocket.longestPath, socket < 0 else { return }
        _ = connect()
    }

    /// What an earlier process left, within some seconds; what takes longer comes by ``onGiven``. Starts a holder where
    /// there is none. To be called before the loop runs.
    public func takeOver() -> [PullPeer] {
        guard path.utf8.count <= HolderSocket.longestPath else { return [] }
        if !((socket >= 0 || connect()) && greet()) {
            start()
            let deadline = SystemClock.monotonicMilliseconds() + HeldConnections.firstMilliseconds
            while process > 0, SystemClock.monotonicMilliseconds() < deadline {
                if connect(), greet() { break }
                _ = poll(nil, 0, 5)
            }
        }
        var left: [PullPeer] = []
        let deadline = SystemClock.monotonicMilliseconds() + HeldConnections.takeOverMilliseconds
        while isOwed, socket >= 0 {
            listen { left.append($0) }
            let rest = deadline - SystemClock.monotonicMilliseconds()
            guard isOwed, socket >= 0, rest > 0 else { break }
            var item = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            _ = poll(&item, 1, Int32(clamping: rest))
        }
        if isOwed, socket >= 0 { log.warning("connections of an earlier process are still to come") }
        return left
    }

    /// Looks after the holder from now on.
    public func watch(on reactor: Reactor) {
        reactor.watch(
            descriptor: { [unowned self] in socket }, wantsWrite: { [unowned self] in !outgoing.isEmpty },
            readable: { [unowned self] in listen(onGiven) }, writable: { [unowned self] in flush() })
        reactor.beforeWait { [unowned self] in flush() }
        reactor.every(milliseconds: HeldConnections.tryMilliseconds) { [unowned self] in look() }
    }

    // MARK: - Connections

    /// Gives it a connection.
    public func hold(_ peer: PullPeer) {
        // Without a number of its own it would be taken for another one.
        guard peer.key != 0, held[peer.key]?.descriptor != peer.descriptor else { return }
        held[peer.key] = peer
        guard socket >= 0 else { return }
        outgoing.append(HolderPacket(.hold, key: peer.key))
        pending.insert(peer.key)
        notTaken.remove(peer.key)
        // At once: what is sent on a connection that is not held yet would end with this process.
        flush()
    }

    /// The connection is over; its descriptor may be anybody's from now on.
    public func drop(_ key: UInt64) {
        notTaken.remove(key)
        if isOwed, gone.count < HeldConnections.mostGone { gone.insert(key) }
        guard held.removeValue(forKey: key) != nil, socket >= 0 else { return }
        if pending.remove(key) != nil { outgoing.removeAll { $0.kind == .hold && $0.key == key } }
        outgoing.append(HolderPacket(.drop, key: key))
    }

    /// Whether the holder is still to give an earlier process's connections, with what was sent on them.
    public var isAwaited: Bool { isOwed && socket >= 0 }

    /// Nothing is to be held any more: the process ends in an orderly way. A holder that has not given all yet keeps what
    /// it has for the next process, as after a kill.
    ///
    /// - Parameter evenIfOwed: nobody will ask for them: they end now.
    public func end(evenIfOwed: Bool = false) {
        isOver = true
        if isOwed, !evenIfOwed {
            flush()
            if socket >= 0 { close(socket) }
            socket = -1
            return
        }
        // One that was lost a moment ago may live.
        if socket < 0, path.utf8.count <= HolderSocket.longestPath, !connect() { unlink(path) }
        guard socket >= 0 else { return }
        // It would hold on to connections that this end has asked to leave.
        let peer = HolderSocket.peer(socket)
        _ = fcntl(socket, F_SETFL, 0)
        var patience = timeval(tv_sec: 0, tv_usec: Int(HeldConnections.endMilliseconds) * 1000)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if HolderSocket.send(HolderPacket(.end), nil, on: socket, waits: true) != .whole {
            // Without its path a holder ends too, as soon as it moves.
            unlink(path)
            if let peer { kill(peer, SIGKILL) }
        }
        close(socket)
        socket = -1
        outgoing = []
        pending = []
    }
}
