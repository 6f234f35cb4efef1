import CZeroMQ

/// A failed libzmq call: which operation, on what, and the raw `zmq_errno()`.
///
/// An errno this type has no name for is still a value (`code == .other`), never a trap.
/// Source: zmq_errno(3), zmq_strerror(3).
public struct ZMQError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        case addressInUse, addressNotAvailable, accessDenied, noSuchDevice
        case terminated, wrongState, hostUnreachable, notSupported, invalidArgument, tooManySockets, other
    }

    public let errno: Int32
    public let operation: String
    public let subject: String

    public init(errno: Int32, operation: String, subject: String = "") {
        self.errno = errno
        self.operation = operation
        self.subject = subject
    }

    /// Reads `zmq_errno()`; to be called on the line after the failed call.
    static func last(_ operation: String, _ subject: String = "") -> ZMQError {
        ZMQError(errno: zmq_errno(), operation: operation, subject: subject)
    }

    public var code: Code {
        switch errno {
        case EADDRINUSE: .addressInUse
        case EADDRNOTAVAIL: .addressNotAvailable
        case EACCES: .accessDenied
        case ENODEV: .noSuchDevice
        case ETERM: .terminated
        case EFSM: .wrongState
        case EHOSTUNREACH: .hostUnreachable
        case ENOTSUP, EPROTONOSUPPORT: .notSupported
        case EINVAL: .invalidArgument
        case EMFILE: .tooManySockets
        default: .other
        }
    }

    public var description: String {
        let reason = String(cString: zmq_strerror(errno))
        return subject.isEmpty ? "\(operation): \(reason)" : "\(operation) \(subject): \(reason)"
    }
}
