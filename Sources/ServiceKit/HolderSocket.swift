import CLinux
import Glibc

/// One message between a service and the process that holds its connections; it may carry a descriptor.
struct HolderPacket: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
        /// The service's first one: `key` is the protocol's version, `flag` asks for what is held.
        case hello = 1
        /// The holder's: a connection it holds, and that these were all.
        case give, given
        /// The service's (`given`: all that it has, and the holder's `drop`: there was no room for it): to be held, to be let go, and that nothing is to be held any more.
        case hold, drop, end
        /// A sign of life, and the answer to it.
        case echo
    }

    static let version: UInt64 = 2
    static let bytes = 80
    /// The longest address, with a scope, fits.
    private static let addressBytes = 64

    var kind: Kind
    var flag = false
    var key: UInt64 = 0
    /// The peer's address, which the kernel forgets when the peer resets the connection.
    var address = ""

    init(_ kind: Kind, flag: Bool = false, key: UInt64 = 0, address: String = "") {
        self.kind = kind
        self.flag = flag
        self.key = key
        self.address = address
    }

    /// Nil where it is none of this version.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == HolderPacket.bytes, let kind = Kind(rawValue: bytes[0]) else { return nil }
        self.kind = kind
        flag = bytes[1] != 0
        key = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[8 + $1]) << (8 * UInt64($1)) }
        address = String(decoding: bytes[16...].prefix { $0 != 0 }, as: UTF8.self)
    }

    var body: [UInt8] {
        var body = [UInt8](repeating: 0, count: HolderPacket.bytes)
        body[0] = kind.rawValue
        body[1] = flag ? 1 : 0
        for index in 0..<8 { body[8 + index] = UInt8(truncatingIfNeeded: key >> (8 * UInt64(index))) }
        for (index, byte) in address.utf8.prefix(HolderPacket.addressBytes).enumerated() { body[16 + index] = byte }
        return body
    }
}

/// A Unix socket of whole messages on which descriptors travel. Source: unix(7), SOCK_SEQPACKET, SCM_RIGHTS; cmsg(3).
enum HolderSocket {
    enum Received {
        case packet(HolderPacket, descriptor: Int32?)
        case nothing, ended
    }

    enum Sent { case whole, later, never }

    /// The longest path that fits into an address.
    static let longestPath = 107

    static func make() -> Int32 {
        socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    static func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { place in
            place.copyBytes(from: Array(path.utf8.prefix(longestPath)) + [0])
        }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }

    /// Whether the other end is a process of our own user. Source: socket(7), SO_PEERCRED.
    static func isOurs(_ descriptor: Int32) -> Bool { credentials(descriptor)?.user == geteuid() }

    /// The process at the other end, where it is one of our own user; for a client, the one that listened.
    static func peer(_ descriptor: Int32) -> Int32? {
        guard let found = credentials(descriptor), found.user == geteuid(), found.process > 1 else { return nil }
        return found.process
    }

    private static func credentials(_ descriptor: Int32) -> (process: Int32, user: UInt32)? {
        var credentials: [UInt32] = [0, .max, 0]
        var size = socklen_t(12)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
        return (Int32(clamping: credentials[0]), credentials[1])
    }

    static func send(_ packet: HolderPacket, _ descriptor: Int32?, on socket: Int32, waits: Bool) -> Sent {
        var body = packet.body
        // A control message is its length (8 bytes), its level and type (4 each), and the descriptor, filled up to 24.
        var control = [Int32](repeating: 0, count: 6)
        control[0] = 20
        (control[2], control[3], control[4]) = (SOL_SOCKET, 1, descriptor ?? -1)
        return body.withUnsafeMutableBytes { body in
            control.withUnsafeMutableBytes { control in
                var place = iovec(iov_base: body.baseAddress, iov_len: body.count)
                return withUnsafeMutablePointer(to: &place) { place in
                    var message = msghdr()
                    message.msg_iov = place
                    message.msg_iovlen = 1
                    if descriptor != nil {
                        message.msg_control = control.baseAddress
                        message.msg_controllen = control.count
                    }
                    let flags = Int32(MSG_NOSIGNAL) | (waits ? 0 : Int32(MSG_DONTWAIT))
                    if sendmsg(socket, &message, flags) == HolderPacket.bytes { return .whole }
                    return errno == EAGAIN || errno == EINTR || errno == ETOOMANYREFS ? .later : .never
                }
            }
        }
    }

    static func receive(on socket: Int32) -> Received {
        var body = [UInt8](repeating: 0, count: HolderPacket.bytes)
        var control = [Int32](repeating: 0, count: 6)
        var controlLength = 0
        let count = body.withUnsafeMutableBytes { body in
            control.withUnsafeMutableBytes { control in
                var place = iovec(iov_base: body.baseAddress, iov_len: body.count)
                return withUnsafeMutablePointer(to: &place) { place in
                    var message = msghdr()
                    message.msg_iov = place
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let count = recvmsg(socket, &message, Int32(MSG_DONTWAIT) | Int32(MSG_CMSG_CLOEXEC))
                    controlLength = Int(message.msg_controllen)
                    return count
                }
            }
        }
        guard count != 0 else { return .ended }
        guard count > 0 else { return errno == EAGAIN || errno == EINTR ? .nothing : .ended }
        let isRights = controlLength >= 20 && control[2] == SOL_SOCKET && control[3] == 1
        let descriptor = isRights ? control[4] : nil
        guard let packet = HolderPacket(Array(body.prefix(count))) else {
            if let descriptor { close(descriptor) }
            return .ended
        }
        return .packet(packet, descriptor: descriptor)
    }
}
