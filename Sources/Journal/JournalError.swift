import Glibc

/// A journal that can't be read or written: which call, on which file, and the system's errno.
public struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// ENOSPC, EDQUOT, EFBIG: room has to be made; nothing accepted is lost meanwhile.
        case full
        /// Another process holds the journal.
        case locked
        /// The segment was removed under our hands.
        case removed
        case other
    }

    public let code: Code
    public let errno: Int32
    public let operation: String
    public let path: String

    public init(errno: Int32, operation: String, path: String, code: Code? = nil) {
        self.errno = errno
        self.operation = operation
        self.path = path
        let isFull = errno == ENOSPC || errno == EDQUOT || errno == EFBIG
        self.code = code ?? (isFull ? .full : .other)
    }

    public var description: String {
        switch code {
        case .locked: "the journal in \(path) is in use by another process"
        case .removed: "\(path) was removed while it was written"
        default: "\(operation) \(path): \(String(cString: strerror(errno)))"
        }
    }
}
