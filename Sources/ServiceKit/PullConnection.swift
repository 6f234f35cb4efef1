import CLinux
import Glibc
import Wire

/// One peer of a ``PullListener``: some hundred bytes, and what of a message was read before all of it was there, where
/// the port keeps that.
final class PullConnection {
    let descriptor: Int32
    /// Without port.
    let address: String?
    /// The kernel's own number of the connection, the same in every process that holds it. Source: socket(7),
    /// SO_COOKIE.
    let key: UInt64
    /// How many bytes of the peer's were taken from the kernel, the handshake's counted.
    private(set) var position: UInt64
    /// Until its handshake is done.
    var peer: ZMTPPeer? = ZMTPPeer(as: .pull)
    /// How many bytes have to be there before more can be said; the kernel stays silent until then.
    private(set) var needed = 1
    /// Monotonic milliseconds: since when a message is incomplete, and when anything came last.
    private(set) var incompleteSince: Int64?
    var heardAt: Int64
    let openedAt: Int64
    /// Whether it ever answered a PING: only such a peer may be judged by its silence.
    var answersPings = false
    var askedAt: Int64?
    var takesCommands = false
    /// A PING was answered since the last read: a peer that asks without end is answered once for each read.
    var hasAnswered = false

    /// - Parameter position: where in the peer's stream it stands; 0 for one that was accepted just now.
    init(_ descriptor: Int32, _ address: String?, position: UInt64 = 0, at now: Int64) {
        self.descriptor = descriptor
        self.address = address
        self.position = position
        key = KernelSocket.cookie(descriptor)
        openedAt = now
        heardAt = now
    }

    var isReady: Bool { peer == nil }

    /// The begin of a message that was read already; empty where it stays with the kernel.
    private(set) var begun: [UInt8] = []
    /// How much room is kept for that message.
    private(set) var promised = 0

    /// Keeps the begin of a message, or forgets it.
    func keep(_ begin: some Sequence<UInt8>, promised: Int) {
        begun = Array(begin)
        self.promised = promised
    }

    /// Is looked at again in a second, since the kernel has no room for the rest of a message.
    var isPaused = false

    /// Room for the longest message beside what the kernel can't let go of while a part of it is unread: it keeps whole
    /// segments, of up to 64 KiB that take twice as much, and would close the window on the rest. A low-water mark makes the
    /// kernel raise its buffer, up to half of `tcp_rmem`'s last value, which SO_RCVBUF can't do. Source: tcp(7), socket(7).
    func makeRoom() {
        KernelSocket.set(descriptor, SOL_SOCKET, SO_RCVLOWAT, 512 * 1024)
        KernelSocket.set(descriptor, SOL_SOCKET, SO_RCVLOWAT, Int32(clamping: needed))
    }

    /// Notes that bytes which were read from the kernel before were handed over.
    func advance(_ count: Int) { position += UInt64(count) }

    /// Takes bytes from the kernel that were looked at before; whether they were there.
    func consume(_ count: Int) -> Bool {
        var left = count
        while left > 0 {
            // Without a place to go the bytes are let go unseen. Source: tcp(7), MSG_TRUNC.
            let taken = recv(descriptor, nil, left, Int32(MSG_TRUNC | MSG_DONTWAIT))
            if taken < 0, errno == EINTR { continue }
            guard taken > 0 else { return false }
            left -= taken
            position += UInt64(taken)
        }
        return true
    }

    /// Notes what is missing.
    ///
    /// - Parameters:
    ///   - needed: bytes that make a message, or more of it.
    ///   - held: how many of them are there.
    ///   - isProgress: whether a message of it was whole meanwhile.
    func wait(needed: Int, held: Int, isProgress: Bool, at now: Int64) {
        let mark = held == 0 ? 1 : needed
        if mark != self.needed {
            self.needed = mark
            KernelSocket.set(descriptor, SOL_SOCKET, SO_RCVLOWAT, Int32(clamping: mark))
        }
        if held == 0 || isProgress { incompleteSince = nil }
        if held > 0 { incompleteSince = incompleteSince ?? now }
    }
}

/// What the kernel knows of a TCP connection.
enum KernelSocket {
    static func cookie(_ descriptor: Int32) -> UInt64 {
        var value: UInt64 = 0
        var size = socklen_t(MemoryLayout<UInt64>.size)
        _ = getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &value, &size)
        return value
    }

    /// Bytes that wait to be read. Source: tcp(7), SIOCINQ.
    static func unread(_ descriptor: Int32) -> Int {
        var count: Int32 = 0
        return ioctl(descriptor, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    /// How many bytes of the peer's stream were taken by whoever held it. Source: tcp(7), TCP_INFO; linux/tcp.h,
    /// `tcpi_bytes_received`, which the C library's own structure ends before.
    static func position(_ descriptor: Int32) -> UInt64? {
        var information = [UInt64](repeating: 0, count: 32)
        var size = socklen_t(information.count * 8)
        guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &information, &size) == 0, size >= 136 else {
            return nil
        }
        // The end of the peer's side counts as a byte, once it has come: CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT.
        let end: UInt64 = [6, 8, 9, 11].contains(information[0] & 0xFF) ? 1 : 0
        let unread = UInt64(unread(descriptor)) + end
        return information[16] >= unread ? information[16] - unread : nil
    }

    /// Whether both sides have ended, or one has broken off: then nobody says whether the end of the peer's side was
    /// counted as a byte. Source: tcp(7), TCP_CLOSE.
    static func isOver(_ descriptor: Int32) -> Bool {
        var information = [UInt64](repeating: 0, count: 32)
        var size = socklen_t(information.count * 8)
        guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &information, &size) == 0 else { return false }
        return information[0] & 0xFF == 7
    }

    /// Whether messages begin one byte later than behind so many bytes that wait.
    static func isMidMessage(_ descriptor: Int32, behind count: Int) -> Bool {
        let unread = unread(descriptor)
        guard count >= 0, count < unread, count < 8 << 20 else { return false }
        var bytes = [UInt8](repeating: 0, count: min(unread, count + (128 << 10)))
        guard recv(descriptor, &bytes, bytes.count, Int32(MSG_PEEK | MSG_DONTWAIT)) == bytes.count else { return false }
        return bytes.withUnsafeBufferPointer { sense($0, from: count) < sense($0, from: count + 1) }
    }

    /// What bytes are, read as messages: 0 none, 1 some and a part of one, 2 some to the last byte.
    private static func sense(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var place = start
        while place < bytes.count {
            switch ZMTPMessageHead.read(UnsafeBufferPointer(rebasing: bytes[place...])) {
            case .needs: return 1
            case .refused: return 0
            case .command(_, let size), .message(_, let size, _): place += size
            }
        }
        return 2
    }

    static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
