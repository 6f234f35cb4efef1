import CLinux
import Glibc
import Wire

// Signs of life, what was left half done, and the end of a port.
extension PullListener {
    private static let quietMilliseconds: Int64 = 25
    private static let standstillMilliseconds: Int64 = 5_000

    /// A command of the peer; false where it ends the connection.
    func command(_ body: UnsafeBufferPointer<UInt8>, of connection: PullConnection) -> Bool {
        guard let length = body.first, length > 0, body.count > Int(length) else { return false }
        let name = body[1...Int(length)]
        if name.elementsEqual("PING".utf8) {
            // Its time-out in two bytes, then a context that goes back as it came.
            guard body.count >= Int(length) + 3 else { return false }
            guard !connection.hasAnswered else { return true }
            connection.hasAnswered = true
            return send(ZMTPPeer.pong(to: Array(body.dropFirst(Int(length) + 3).prefix(16))), to: connection)
        }
        if name.elementsEqual("PONG".utf8) {
            connection.answersPings = true
            connection.askedAt = nil
        }
        return !name.elementsEqual("ERROR".utf8)
    }

    /// A few bytes to a peer. False where half of them went, which makes the rest unreadable. That none went says
    /// nothing of what the peer sent before: reading finds out.
    func send(_ bytes: [UInt8], to connection: PullConnection) -> Bool {
        guard !isLeaving else { return true }
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let count = bytes.withUnsafeBytes { Glibc.send(connection.descriptor, $0.baseAddress, $0.count, flags) }
        return count < 0 || count == bytes.count
    }

    /// The kernel calls for us though the message is not whole: it has no room for more. It is not asked again and again.
    func pause(_ connection: PullConnection) {
        connection.makeRoom()
        guard !connection.isPaused else { return }
        connection.isPaused = true
        follow(connection.descriptor, PullListener.quietInterest, EPOLL_CTL_MOD)
    }

    /// Once a second. Who waits for us is not judged: what came and was not looked at yet is a sign of life.
    func sweep() {
        now = SystemClock.monotonicMilliseconds()
        // After a standstill of ours, or of our network, their answers may still be on their way.
        let wasAway = now - sweptAt > PullListener.standstillMilliseconds
        sweptAt = now
        acceptAgain()
        // What was called for and not looked at yet is called for again; its descriptor may be somebody else's by then.
        (nextEvent, eventCount) = (0, 0)
        for connection in connections {
            guard let connection, current !== connection else { continue }
            if connection.isPaused {
                connection.isPaused = false
                follow(connection.descriptor, PullListener.interest, EPOLL_CTL_MOD)
            }
            if !connection.isReady {
                guard now - connection.openedAt > PullListener.handshakeMilliseconds,
                    KernelSocket.unread(connection.descriptor) == 0
                else { continue }
                finish(connection, .handshake("late"), nil)
            } else if let since = connection.incompleteSince, now - since > PullListener.incompleteMilliseconds {
                guard KernelSocket.unread(connection.descriptor) < connection.needed else { continue }
                finish(connection, .broken("frame_incomplete"), nil)
            } else if heartbeat > 0, now - connection.heardAt >= patience(connection) {
                if wasAway, connection.askedAt != nil { connection.askedAt = now } else { ask(connection) }
            }
        }
    }

    /// A fleet that came at once, and is silent over a weekend, is not asked at once.
    private func patience(_ connection: PullConnection) -> Int64 {
        heartbeat + Int64(connection.descriptor % 16) * heartbeat / 32
    }

    private func ask(_ connection: PullConnection) {
        guard let asked = connection.askedAt else {
            // Who reads nothing of what he is asked is not judged by it: the kernel's own probes find the dead.
            guard connection.takesCommands, !isLeaving else { return }
            connection.askedAt = now
            _ = send(ZMTPPeer.ping, to: connection)
            return
        }
        guard now - asked >= max(2 * heartbeat, leastPatience) else { return }
        guard connection.answersPings, KernelSocket.unread(connection.descriptor) == 0 else {
            connection.askedAt = nil
            return
        }
        finish(connection, .silent, nil)
    }

    /// Lets nobody new in and ends our half of every connection. A peer that reads the end closes its own half; what it
    /// wrote before still arrives, and what it did not write it keeps for the next connection. Source: shutdown(2),
    /// tcp(7).
    public func leave() {
        isLeaving = true
        lastEvent = SystemClock.monotonicMilliseconds()
        ListeningSocket.closeDoor(listening)
        for connection in connections {
            if let connection { _ = shutdown(connection.descriptor, Int32(SHUT_WR)) }
        }
    }

    /// Whether nobody is connected, nor comes any more.
    public var isLeft: Bool {
        count == 0 && SystemClock.monotonicMilliseconds() - lastEvent >= PullListener.quietMilliseconds
    }
}
