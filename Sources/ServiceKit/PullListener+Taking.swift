internal import CLinux
import Domain
import Glibc
import Wire

/// A connection of a ``PullListener``, as its owner sees it.
public struct PullPeer: Sendable {
    public let descriptor: Int32
    /// The kernel's own number of it, the same in every process that holds it.
    public let key: UInt64
    /// Whether it may be asked for a sign of life: ZMTP 3.
    public let takesCommands: Bool
    /// Without port.
    public let address: String?

    init(descriptor: Int32, key: UInt64, takesCommands: Bool, address: String?) {
        self.descriptor = descriptor
        self.key = key
        self.takesCommands = takesCommands
        self.address = address
    }

    init(_ connection: PullConnection) {
        descriptor = connection.descriptor
        key = connection.key
        address = connection.address
        takesCommands = connection.takesCommands
    }
}

// From the bytes that were looked at to messages, and the end of what was handed over.
extension PullListener {
    /// The next message of the connection, or false where the buffer has no whole one, and is empty then, or where
    /// this turn had enough of it.
    func take(of connection: PullConnection, isLast: Bool, into frame: PullFrame) -> Bool {
        while true {
            switch ZMTPMessageHead.read(UnsafeBufferPointer(start: buffer + start, count: end - start)) {
            case .needs(let needed):
                leave(connection, needed: needed, isLast: isLast, frame)
                return false
            case .refused(let reason):
                finish(connection, .broken(reason), frame)
                return false
            case .command(let body, let size):
                let place = start + size - body
                start += size
                guard command(UnsafeBufferPointer(start: buffer + place, count: body), of: connection) else {
                    finish(connection, .broken("zmtp_peer_error"), frame)
                    return false
                }
                commands += 1
                guard commands < PullListener.commandsAtOnce else {
                    guard isTaken else {
                        leaveOff(connection, frame)
                        return false
                    }
                    // What was taken has no place but this buffer: more of it counts as another look.
                    commands = 0
                    looksLeft -= 1
                    guard looksLeft > 0 else { return false }
                    continue
                }
            case .message(let head, let size, let frames):
                let first = buffer + start
                start += size
                let origin = PullFrame.Origin(
                    connection: connection.key, end: connection.position + UInt64(start - taken))
                if frames == 1 {
                    let body = UnsafeBufferPointer(start: first + head, count: size - head)
                    frame.lend(body, of: connection, origin)
                } else {
                    let parts = ZMTPMessageHead.parts(UnsafeBufferPointer(start: first, count: size))
                    frame.take(parts, of: connection, origin)
                }
                return true
            }
        }
    }

    /// Nothing more is taken in this turn, though something may be left: the loop comes back at once.
    public func rest() {
        beginTurn()
        guard let connection = current else { return }
        if settle(connection) { wake.signal() } else { finish(connection, .byPeer, nil) }
    }

    /// Whether something waits.
    public var hasUnread: Bool {
        guard current == nil else { return true }
        var item = pollfd(fd: epoll, events: Int16(POLLIN), revents: 0)
        return poll(&item, 1, 0) > 0
    }

    /// Takes from the kernel what was handed over.
    func settle(_ connection: PullConnection) -> Bool {
        guard start > taken else { return true }
        defer { taken = start }
        guard isTaken else { return connection.consume(start - taken) }
        connection.advance(start - taken)
        return true
    }

    /// Puts the begin of a message before what was read behind it.
    func bringBegun(of connection: PullConnection) {
        connection.begun.withUnsafeBufferPointer { begin in
            if let base = begin.baseAddress { buffer.update(from: base, count: begin.count) }
        }
        forgetBegun(of: connection)
    }

    private func forgetBegun(of connection: PullConnection) {
        begunBytes -= connection.promised
        connection.keep([], promised: 0)
    }

    /// Keeps the begin of a message whose rest is still to come. It has room for the longest from then on, since a begin
    /// may not tell yet how long its message will be: nobody who was let begin is cut off, and none takes more.
    private func keepBegun(of connection: PullConnection) {
        begunBytes += PullListener.longestMessage
        connection.keep(
            UnsafeBufferPointer(start: buffer + start, count: end - start), promised: PullListener.longestMessage)
    }

    private func leave(_ connection: PullConnection, needed: Int, isLast: Bool, _ frame: PullFrame) {
        let isProgress = start > 0
        guard settle(connection) else { return finish(connection, .byPeer, frame) }
        current = nil
        let held = end - start
        connection.wait(needed: isTaken ? needed - held : needed, held: held, isProgress: isProgress, at: now)
        guard held > 0 else { return }
        // The rest of a message will not come.
        if isLast { return finish(connection, .byPeer, frame) }
        if isTaken { keepBegun(of: connection) }
    }

    /// Leaves the rest of a look with the kernel, which calls for us again in the connection's turn.
    private func leaveOff(_ connection: PullConnection, _ frame: PullFrame) {
        guard settle(connection) else { return finish(connection, .byPeer, frame) }
        current = nil
        connection.wait(needed: 1, held: 0, isProgress: true, at: now)
    }

    /// Ends it, for a duplicate's holder too.
    func finish(_ connection: PullConnection, _ reason: End, _ frame: PullFrame?) {
        if current === connection {
            _ = settle(connection)
            current = nil
        }
        guard self[connection.descriptor] === connection else { return }
        frame?.forget(connection)
        forgetBegun(of: connection)
        connections[Int(connection.descriptor)] = nil
        count -= 1
        lastEvent = now
        if let host = connection.address.map(NetworkAddress.host), let others = ofAddress[host] {
            ofAddress[host] = others > 1 ? others - 1 : nil
        }
        // Told before the kernel may give the number to somebody else.
        onEnded(PullPeer(connection), reason)
        // A duplicate's holder keeps it open: closing alone would leave it in the epoll, under a number of somebody
        // else's.
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, connection.descriptor, nil)
        PullListener.end(connection.descriptor)
    }

    /// Goes on with a connection that another process began; closes what is none any more.
    ///
    /// - Parameter known: up to which byte of the peer's stream its messages are known to be taken already, though the
    ///   kernel still has them.
    /// - Returns: whether it is one of ours now.
    public func adopt(_ peer: PullPeer, skipping known: UInt64?) -> Bool {
        now = SystemClock.monotonicMilliseconds()
        let descriptor = peer.descriptor
        guard self[descriptor] == nil, let position = KernelSocket.position(descriptor) else {
            close(descriptor)
            return false
        }
        var begin = position
        if let end = known, end > position, KernelSocket.isOver(descriptor),
            KernelSocket.isMidMessage(descriptor, behind: Int(clamping: end - position))
        {
            begin -= 1
        }
        let connection = PullConnection(descriptor, peer.address, position: begin, at: now)
        connection.peer = nil
        connection.takesCommands = peer.takesCommands
        // An earlier process may have waited for more.
        connection.makeRoom()
        if let end = known, end > begin,
            !connection.consume(min(Int(clamping: end - begin), KernelSocket.unread(descriptor)))
        {
            close(descriptor)
            return false
        }
        enter(connection)
        // It came while this port ends: its peer is asked to go, as all others were.
        if isLeaving { _ = shutdown(descriptor, Int32(SHUT_WR)) }
        onReady(PullPeer(connection))
        return true
    }

    /// Ends a connection that is none of ours, whoever else holds it.
    public static func end(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// The port it listens on.
    public var port: UInt16? { PullListener.localPort(of: listening) }

    /// The local port of a connection.
    public static func localPort(of descriptor: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> UInt16? in
                guard getsockname(descriptor, address, &size) == 0,
                    address.pointee.sa_family == AF_INET || address.pointee.sa_family == AF_INET6
                else { return nil }
                // In both families the port stands behind the family, in network order.
                return UnsafeRawPointer(address).load(fromByteOffset: 2, as: UInt16.self).bigEndian
            }
        }
    }
}
