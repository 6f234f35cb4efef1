import CZeroMQ
import Glibc

/// A libzmq context: the I/O threads and all sockets of a process.
///
/// Thread-safe by libzmq's own promise (zmq_ctx_new(3)); sockets made from it are not, see ``ZMQSocket``.
/// The context ends when the last socket and the last reference are gone.
public final class ZMQContext: @unchecked Sendable {
    // `zmq_ctx_*` may be called from any thread (zmq_ctx_new(3)), which is what makes the unchecked conformance true.
    let handle: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - ioThreads: ZMQ_IO_THREADS; one carries about a gigabyte a second.
    ///   - maximumSockets: ZMQ_MAX_SOCKETS; monitors and simulated fleets count too.
    public init(ioThreads: Int32 = 1, maximumSockets: Int32 = 1023) throws(ZMQError) {
        // libzmq draws automatic routing ids from rand(): unseeded, a stranger can predict and claim them.
        ZMQContext.seedRandomRoutingIdentifiers()
        guard let handle = zmq_ctx_new() else { throw .last("zmq_ctx_new") }
        self.handle = handle
        guard zmq_ctx_set(handle, ZMQ_IO_THREADS, ioThreads) == 0 else { throw .last("zmq_ctx_set", "ZMQ_IO_THREADS") }
        guard zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, maximumSockets) == 0 else {
            throw .last("zmq_ctx_set", "ZMQ_MAX_SOCKETS")
        }
    }

    deinit {
        while zmq_ctx_term(handle) == -1 && zmq_errno() == EINTR {}
    }

    private static func seedRandomRoutingIdentifiers() {
        var seed: UInt32 = 0
        var generator = SystemRandomNumberGenerator()
        seed = UInt32(truncatingIfNeeded: generator.next())
        srand(seed)
    }

    /// libzmq's version as `major.minor.patch`. Source: zmq_version(3).
    public static var libraryVersion: String {
        var major: Int32 = 0
        var minor: Int32 = 0
        var patch: Int32 = 0
        zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }
}
