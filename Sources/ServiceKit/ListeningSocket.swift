internal import CLinux

/// A listening TCP socket that belongs to a library.
public enum ListeningSocket {
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
