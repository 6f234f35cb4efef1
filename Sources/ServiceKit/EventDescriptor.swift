import CLinux
import Glibc

/// An eventfd: how another thread wakes the loop. `signal()` may be called from any thread.
///
/// Source: eventfd(2).
public final class EventDescriptor: Sendable {
    public let descriptor: Int32

    public init() { descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC)) }

    deinit { close(descriptor) }

    public func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Takes the wake-up; to be called by the loop before it looks for what it was woken for.
    public func drain() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}

/// SIGTERM and SIGINT as a readable descriptor, so that the loop ends between two turns. Source: signalfd(2).
public final class TerminationSignals {
    public let descriptor: Int32

    /// Blocks both signals for this thread and those it starts afterwards: call it before any other thread exists.
    public init() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A client that vanishes must not end the process.
        signal(SIGPIPE, SIG_IGN)
        descriptor = signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    }

    deinit { close(descriptor) }

    /// The signal that arrived, or nil.
    public func take() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(descriptor, &info, size) == size ? Int32(bitPattern: info.ssi_signo) : nil
    }
}

/// Raises the soft limit of open files to the hard one; returns what is in force then. Source: setrlimit(2).
@discardableResult
public func raiseOpenFileLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
}
