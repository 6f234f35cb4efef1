import Glibc
import ServiceKit

/// TCP on this machine, as socket(7) and tcp(7) have it.
enum LoopbackSocket {
    /// Not blocking; -1 with errno set where the system has none left.
    static func make() -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return socket(AF_INET, kind, 0)
    }

    /// - Returns: why it failed, or nil.
    static func connect(_ descriptor: Int32, port: Int, deadline: Int64) -> String? {
        guard var address = address("127.0.0.1", port: port) else { return "no address" }
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, size) }
        }
        if result == 0 { return nil }
        guard errno == EINPROGRESS else { return String(cString: strerror(errno)) }
        guard wait(descriptor, for: POLLOUT, deadline) else { return "no answer in time" }
        var problem: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &length)
        return problem == 0 ? nil : String(cString: strerror(problem))
    }

    /// Why a listener of ours could not bind there: an errno, or nil where it could.
    static func bindProblem(host: String, port: Int) -> Int32? {
        guard var address = address(host, port: port) else { return EADDRNOTAVAIL }
        let descriptor = make()
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // As libzmq and Redis do: the remains of closed connections are not in the way, a listener is.
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard result == 0, listen(descriptor, 1) == 0 else { return errno }
        return nil
    }

    /// An IPv4 address in dotted form, or `localhost`; nil for anything else.
    static func address(_ host: String, port: Int) -> sockaddr_in? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        guard inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr) == 1 else { return nil }
        return address
    }

    static func wait(_ descriptor: Int32, for events: Int32, _ deadline: Int64) -> Bool {
        while true {
            let left = deadline - SystemClock.monotonicMilliseconds()
            guard left > 0 else { return false }
            var item = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&item, 1, Int32(clamping: left))
            if count > 0 { return true }
            if count < 0 && errno != EINTR { return false }
        }
    }
}
