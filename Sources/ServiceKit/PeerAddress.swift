import Glibc

/// The other end of a TCP connection that a library owns.
public enum PeerAddress {
    /// The address without its port, or nil where the descriptor is no connection any more. Source: getpeername(2).
    ///
    /// A descriptor from an event may have been closed since, and given to somebody else: good enough to tell an
    /// operator where to look, not to decide by.
    public static func of(_ descriptor: Int32) -> String? { look(descriptor)?.host }

    /// The address with its port: what tells two connections of one machine apart, also where a descriptor's number was
    /// given to somebody else meanwhile.
    public static func endpoint(of descriptor: Int32) -> String? {
        look(descriptor).map { "\($0.host) \($0.port)" }
    }

    private static func look(_ descriptor: Int32) -> (host: String, port: String)? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isThere = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) == 0 }
        }
        return isThere ? text(storage, size) : nil
    }

    /// An address as the kernel gives it: host and port in digits.
    static func text(_ address: sockaddr_storage, _ size: socklen_t) -> (host: String, port: String)? {
        var storage = address
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let isNamed = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getnameinfo(
                    address, size, &host, socklen_t(host.count), &port, socklen_t(port.count),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0
            }
        }
        guard isNamed else { return nil }
        // What came by IPv4 to a socket of both kinds is named as it is everywhere else.
        let name = text(host)
        return (name.hasPrefix("::ffff:") ? String(name.dropFirst(7)) : name, text(port))
    }

    private static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
