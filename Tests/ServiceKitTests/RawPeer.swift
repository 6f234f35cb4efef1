import Glibc

/// A PUSH by hand.
final class RawPeer {
    static let greeting: [UInt8] =
        [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)
    static let ready: [UInt8] =
        [4, 26, 5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8) + [0, 0, 0, 4] + Array("PUSH".utf8)

    private let descriptor: Int32

    struct Failure: Error {}

    /// - Parameter source: the address it speaks from.
    init(_ endpoint: String, from source: UInt32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        if let source {
            address.sin_addr.s_addr = source.bigEndian
            let bound = withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard bound == 0 else { throw Failure() }
        }
        address.sin_port = (UInt16(endpoint.split(separator: ":").last ?? "") ?? 0).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure() }
    }

    func send(_ bytes: [UInt8]) { _ = write(descriptor, bytes, bytes.count) }

    func sendUrgent(_ byte: UInt8) {
        var byte = byte
        _ = Glibc.send(descriptor, &byte, 1, Int32(MSG_OOB))
    }

    /// Ends its side, and reads on.
    func endSide() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    func end(isReset: Bool = false) {
        if isReset {
            var now = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        }
        close(descriptor)
    }
}
