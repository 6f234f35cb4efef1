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
        // A libzmq that does not know the option keeps its own way: more memory, nothing else.
        _ = zmq_ctx_set(handle, ZMQContext.zeroCopyReceive, 0)
    }

    /// ZMQ_ZERO_COPY_RECV, which libzmq 4.3 takes and its stable header does not name. As libzmq has it, a message is a
    /// place in the buffer of the read it came with, 8 KiB and as much again for counters, and holds all of that until it
    /// is let go of. From thousands of sparse peers each read brings one message: one that waited cost 8,500 bytes, with
    /// a copy it costs 480 (measured, 4.3.4). Source: libzmq src/zmq_draft.h, src/decoder_allocators.cpp.
    private static let zeroCopyReceive: Int32 = 10

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
