internal import CLinux
import Glibc
import ZeroMQ

/// A listening TCP socket, ours or a library's.
public enum ListeningSocket {
    /// Binds and listens, without blocking; the caller closes it.
    ///
    /// - Parameter endpoint: `tcp://address:port`, where the address is one of ours, `0.0.0.0` or `*`.
    static func open(_ endpoint: String, backlog: Int32) throws(ZMQError) -> Int32 {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else {
            throw ZMQError(errno: EINVAL, operation: "bind", subject: endpoint)
        }
        var host = String(endpoint[..<colon].dropFirst(6))
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let node = host == "*" ? "0.0.0.0" : host
        guard getaddrinfo(node, String(endpoint[colon...].dropFirst()), &hints, &found) == 0, let found else {
            throw ZMQError(errno: ENODEV, operation: "bind", subject: endpoint)
        }
        defer { freeaddrinfo(found) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(found.pointee.ai_family, kind, 0)
        guard descriptor >= 0 else { throw ZMQError(errno: errno, operation: "socket", subject: endpoint) }
        KernelSocket.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0,
            listen(descriptor, backlog) == 0
        else {
            let failure = errno
            close(descriptor)
            throw ZMQError(errno: failure, operation: "bind", subject: endpoint)
        }
        return descriptor
    }

    /// What is said goes at once, and a peer whose machine vanished is noticed within two minutes.
    static func keepAlive(_ descriptor: Int32) {
        KernelSocket.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        KernelSocket.set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        KernelSocket.set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30)
        KernelSocket.set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
        KernelSocket.set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
        // While something of ours is unacknowledged, a PING, the kernel does not probe, and would send it anew for a quarter
        // of an hour. Source: tcp(7).
        KernelSocket.set(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 90_000)
    }

    /// Lets nobody new in: the kernel drops what reaches the listener itself, as if it were lost on the way, so that who
    /// asks for a connection asks again a second later. Connections that are there stay. libzmq's own way to stop
    /// listening, zmq_unbind, also ends every connection it accepted, with what they still bring.
    ///
    /// On a connection it makes this end deaf: what comes is never acknowledged, as when the cable is pulled.
    ///
    /// - Returns: whether the kernel took the filter.
    /// - Source: socket(7), SO_ATTACH_FILTER; the classic filter is the one instruction "take 0 bytes".
    @discardableResult
    public static func closeDoor(_ descriptor: Int32) -> Bool {
        var instruction = sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: 0)
        return withUnsafeMutablePointer(to: &instruction) { instruction in
            var program = sock_fprog(len: 1, filter: instruction)
            let size = socklen_t(MemoryLayout<sock_fprog>.size)
            return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, size) == 0
        }
    }
}
