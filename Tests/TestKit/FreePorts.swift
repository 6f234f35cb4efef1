import Glibc
import Synchronization

/// Ports of this machine that nobody holds: tried by binding, never given out twice by this process.
///
/// All lie below 32768, where outgoing connections don't take theirs from.
public enum FreePorts {
    private static let range = 10_000..<32_000
    private static let given = Mutex<Set<Int>>([])

    public struct NoneLeft: Error {}

    /// - Throws: ``NoneLeft`` when a thousand tries found none.
    public static func next() throws(NoneLeft) -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: range)
            let isNew = given.withLock { $0.insert(port).inserted }
            if isNew, isFree(port) { return port }
        }
        throw NoneLeft()
    }

    public static func next(_ count: Int) throws(NoneLeft) -> [Int] {
        var ports: [Int] = []
        for _ in 0..<count { ports.append(try next()) }
        return ports
    }

    /// Whether the port can be bound on every address of this machine now.
    public static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = INADDR_ANY
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
