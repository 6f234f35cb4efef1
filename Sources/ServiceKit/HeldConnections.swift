import CLinux
import DequeModule
import Glibc
public import Logging

/// A service's side of its ``ConnectionHolder``: gives it every connection, takes them back after a kill, and starts
/// another one where there is none. Owned by the loop's thread.
public final class HeldConnections {
    private static let takeOverMilliseconds: Int64 = 5_000
    private static let tryMilliseconds: Int64 = 250
    static let startMilliseconds: Int64 = 2_000
    /// How long the start waits for a new holder, before anybody is let in.
    private static let firstMilliseconds: Int64 = 500
    /// A holder that takes nothing for so long hangs.
    private static let stuckMilliseconds: Int64 = 2_000
    private static let endMilliseconds: Int64 = 300

    private let path: String
    let program: String
    let words: [String]
    let log: Logger
    private var socket: Int32 = -1
    /// The holder's process, where this one started it.
    public internal(set) var process: Int32 = 0
    var startedAt = Int64.min / 2
    private var held: [UInt64: PullPeer] = [:]
    private var outgoing: Deque<HolderPacket> = []
    /// Of those, what is to be held and was not sent yet.
    private var pending: Set<UInt64> = []
    /// Since when the first of them waits.
    private var stuckSince: Int64?
    /// Connections the holder had no room for.
    private var notTaken: Set<UInt64> = []
    private var isOver = false

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

    /// What an earlier process left, within some seconds; starts a holder where there is none. To be called before the
    /// loop runs.
    public func takeOver() -> [PullPeer] {
        guard path.utf8.count <= HolderSocket.longestPath else { return [] }
        guard socket >= 0 || connect(), greet(asking: true) else {
            start()
            let deadline = SystemClock.monotonicMilliseconds() + HeldConnections.firstMilliseconds
            while process > 0, SystemClock.monotonicMilliseconds() < deadline {
                if connect(), greet(asking: false) { break }
                _ = poll(nil, 0, 5)
            }
            return []
        }
        var left: [PullPeer] = []
        let deadline = SystemClock.monotonicMilliseconds() + HeldConnections.takeOverMilliseconds
        while true {
            switch HolderSocket.receive(on: socket) {
            case .packet(let packet, .some(let descriptor)) where packet.kind == .give:
                let peer = PullPeer(
                    descriptor: descriptor, key: packet.key, takesCommands: packet.flag, address: packet.address)
                left.append(peer)
                held[packet.key] = peer
            case .packet(let packet, _) where packet.kind == .given: return left
            case .packet(_, let descriptor):
                if let descriptor { close(descriptor) }
            case .ended:
                lose("it ended while it gave connections back")
                return left
            case .nothing:
                let rest = deadline - SystemClock.monotonicMilliseconds()
                guard rest > 0 else {
                    lose("it does not give connections back")
                    return left
                }
                var item = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                _ = poll(&item, 1, Int32(clamping: rest))
            }
        }
    }

    /// Looks after the holder from now on.
    public func watch(on reactor: Reactor) {
        reactor.watch(
            descriptor: { [unowned self] in socket }, wantsWrite: { [unowned self] in !outgoing.isEmpty },
            readable: { [unowned self] in listen() }, writable: { [unowned self] in flush() })
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
        guard held.removeValue(forKey: key) != nil, socket >= 0 else { return }
        if pending.remove(key) != nil { outgoing.removeAll { $0.kind == .hold && $0.key == key } }
        outgoing.append(HolderPacket(.drop, key: key))
    }

    /// Nothing is to be held any more: the process ends in an orderly way.
    public func end() {
        isOver = true
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

    private func flush() {
        while socket >= 0, var packet = outgoing.first {
            var descriptor: Int32?
            if packet.kind == .hold {
                guard let one = held[packet.key] else {
                    outgoing.removeFirst()
                    continue
                }
                descriptor = one.descriptor
                (packet.flag, packet.address) = (one.takesCommands, one.address ?? "")
            }
            switch HolderSocket.send(packet, descriptor, on: socket, waits: false) {
            case .whole:
                outgoing.removeFirst()
                if packet.kind == .hold { pending.remove(packet.key) }
                stuckSince = nil
            case .later:
                stuckSince = stuckSince ?? SystemClock.monotonicMilliseconds()
                return
            case .never: lose("it does not listen")
            }
        }
    }

    // MARK: - The other process

    private func listen() {
        while socket >= 0 {
            switch HolderSocket.receive(on: socket) {
            case .nothing: return
            case .ended: lose("it ended")
            case .packet(let packet, let descriptor):
                if let descriptor { close(descriptor) }
                if packet.kind == .drop, held[packet.key] != nil { notTaken.insert(packet.key) }
            }
        }
    }

    private func lose(_ why: String) {
        guard socket >= 0 else { return }
        log.warning("the process that holds the connections is lost", metadata: ["why": "\(why)"])
        close(socket)
        socket = -1
        outgoing = []
        pending = []
        notTaken = []
        stuckSince = nil
    }

    private func look() {
        if process > 0, waitpid(process, nil, WNOHANG) == process { process = 0 }
        if let stuckSince, SystemClock.monotonicMilliseconds() - stuckSince >= HeldConnections.stuckMilliseconds {
            let peer = HolderSocket.peer(socket)
            lose("it hangs")
            if let peer { kill(peer, SIGKILL) }
        }
        guard socket < 0, !isOver, path.utf8.count <= HolderSocket.longestPath else { return }
        guard connect(), greet(asking: false) else { return start() }
        outgoing = Deque(held.keys.map { HolderPacket(.hold, key: $0) }) + [HolderPacket(.given)]
        pending = Set(held.keys)
        flush()
    }

    private func connect() -> Bool {
        let descriptor = HolderSocket.make()
        guard descriptor >= 0 else { return false }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        guard HolderSocket.withAddress(path, { Glibc.connect(descriptor, $0, $1) }) == 0,
            HolderSocket.isOurs(descriptor)
        else {
            close(descriptor)
            return false
        }
        socket = descriptor
        return true
    }

    /// The first word to a holder.
    private func greet(asking: Bool) -> Bool {
        let hello = HolderPacket(.hello, flag: asking, key: HolderPacket.version)
        if HolderSocket.send(hello, nil, on: socket, waits: false) == .whole { return true }
        lose("it does not listen")
        return false
    }
}
