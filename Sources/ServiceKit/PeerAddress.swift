import Glibc

/// The other end of a TCP connection that a library owns.
public enum PeerAddress {
    /// The address without its port, or nil where the descriptor is no connection any more. Source: getpeername(2).
    ///
    /// A descriptor from an event may have been closed since, and given to somebody else: good enough to tell an
    /// operator where to look, not to decide by.
    public static func of(_ descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isThere = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) == 0 }
        }
        return isThere ? text(storage, size) : nil
    }

    /// An address as the kernel gives it, without its port.
    static func text(_ address: sockaddr_storage, _ size: socklen_t) -> String? {
        var storage = address
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let isNamed = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getnameinfo(address, size, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
            }
        }
        guard isNamed else { return nil }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // What came by IPv4 to a socket of both kinds is named as it is everywhere else.
        return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
    }
}
