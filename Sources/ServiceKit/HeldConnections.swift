import CLinux
import DequeModule
import Foundation
import Glibc
public import Logging

/// A service's side of its ``ConnectionHolder``: gives it every connection, takes them back after a kill, and starts
/// another one where there is none. Owned by the loop's thread.
public final class HeldConnections {
    private static let takeOverMilliseconds: Int64 = 5_000
    private static let tryMilliseconds: Int64 = 250
    private static let startMilliseconds: Int64 = 2_000

    private let path: String
    private let program: String
    private let words: [String]
    private let log: Logger
    private var socket: Int32 = -1
    /// The holder's process, where this one started it.
    public private(set) var process: Int32 = 0
    private var startedAt = Int64.min / 2
    private var held: [UInt64: PullPeer] = [:]
    private var outgoing: Deque<HolderPacket> = []
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
    public var count: Int { held.count }

    /// Why connections would not outlive this process now; nil where they would.
    public var problem: String? {
        if path.utf8.count > HolderSocket.longestPath {
            return "\(path) is too long for a socket: a kill of this process ends its connections"
        }
        return socket >= 0 || isOver ? nil : "no process holds the connections: a kill of this one ends them"
    }

    // MARK: - The start

    /// What an earlier process left, within some seconds; starts a holder where there is none. To be called before the
    /// loop runs.
    public func takeOver() -> [PullPeer] {
        guard path.utf8.count <= HolderSocket.longestPath else { return [] }
        guard connect(asking: true) else {
            start()
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
        guard held[peer.key]?.descriptor != peer.descriptor else { return }
        held[peer.key] = peer
        guard socket >= 0 else { return }
        outgoing.append(HolderPacket(.hold, key: peer.key))
        // At once: what is sent on a connection that is not held yet would end with this process.
        flush()
    }

    /// The connection is over; its descriptor may be anybody's from now on.
    public func drop(_ key: UInt64) {
        guard held.removeValue(forKey: key) != nil, socket >= 0 else { return }
        outgoing.append(HolderPacket(.drop, key: key))
    }

    /// Nothing is to be held any more: the process ends in an orderly way.
    public func end() {
        isOver = true
        guard socket >= 0 else { return }
        outgoing = [HolderPacket(.end)]
        flush()
        close(socket)
        socket = -1
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
            switch HolderSocket.send(packet, descriptor, on: socket, waits: isOver) {
            case .whole: outgoing.removeFirst()
            case .later: return
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
            case .packet(_, let descriptor): if let descriptor { close(descriptor) }
            }
        }
    }

    private func lose(_ why: String) {
        guard socket >= 0 else { return }
        log.warning("the process that holds the connections is lost", metadata: ["why": "\(why)"])
        close(socket)
        socket = -1
        outgoing = []
    }

    private func look() {
        if process > 0, waitpid(process, nil, WNOHANG) == process { process = 0 }
        guard socket < 0, !isOver, path.utf8.count <= HolderSocket.longestPath else { return }
        guard connect(asking: false) else { return start() }
        outgoing = Deque(held.keys.map { HolderPacket(.hold, key: $0) })
        flush()
    }

    private func connect(asking: Bool) -> Bool {
        let descriptor = HolderSocket.make()
        guard descriptor >= 0 else { return false }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        let hello = HolderPacket(.hello, flag: asking, key: HolderPacket.version)
        guard HolderSocket.withAddress(path, { Glibc.connect(descriptor, $0, $1) }) == 0,
            HolderSocket.isOurs(descriptor), HolderSocket.send(hello, nil, on: descriptor, waits: false) == .whole
        else {
            close(descriptor)
            return false
        }
        socket = descriptor
        return true
    }

    /// Source: posix_spawn(3); a session of its own, so that what ends this process's group does not end it.
    private func start() {
        let now = SystemClock.monotonicMilliseconds()
        guard now - startedAt >= HeldConnections.startMilliseconds else { return }
        startedAt = now
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // POSIX_SPAWN_SETSID, an extension that Swift doesn't import. Source: spawn.h.
        let ownSession: Int16 = 0x80
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) | ownSession)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        let result = posix_spawn(&process, program, &actions, &attributes, &arguments, &variables)
        if result != 0 {
            process = 0
            log.warning(
                "no process can be started to hold the connections",
                metadata: ["why": "\(String(cString: strerror(result)))"])
        }
    }
}
