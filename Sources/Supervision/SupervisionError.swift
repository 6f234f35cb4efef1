import Glibc

/// Why the supervision of the services could not do what was asked. The message is one line for an operator.
public struct SupervisionError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Stable words for a program to branch on.
    public enum Code: String, Sendable {
        /// runit's or util-linux's program isn't installed.
        case programMissing = "program_missing"
        /// The service's name, a path or an environment variable can't be used.
        case invalidService = "invalid_service"
        /// The operating system refused a file or a signal.
        case permissionDenied = "permission_denied"
        /// Any other failure of a file operation.
        case fileFailed = "file_failed"
        /// `runsvdir` couldn't be started or ended at once.
        case daemonFailed = "daemon_failed"
        /// No `runsv` listens for this service: the daemon isn't running or doesn't know the service.
        case notSupervised = "not_supervised"
        /// The awaited state didn't come before the deadline.
        case timedOut = "timed_out"
        /// Another start or stop of the same mesh is under way.
        case busy = "busy"
        /// Processes are left that could not be ended.
        case leftovers = "leftovers"
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// A refused file operation: `permissionDenied` for EACCES and EPERM, else `fileFailed`.
    static func file(_ doing: String, _ path: String, errno number: Int32) -> SupervisionError {
        let code: Code = number == EACCES || number == EPERM || number == EROFS ? .permissionDenied : .fileFailed
        return SupervisionError(code, "cannot \(doing) \(path): \(String(cString: strerror(number)))")
    }
}
