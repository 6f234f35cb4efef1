import Glibc

/// SIGTERM and SIGINT as something the loop waits for; no handler, no flag.
struct StopSignals {
    private var set = sigset_t()

    /// Call it before any thread is made: threads inherit what is held back.
    init() {
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // Whoever reads the events may go away; that is an error of write(2), not our end.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits so long at most; true once a signal has come. Source: sigtimedwait(2).
    mutating func arrive(withinMilliseconds milliseconds: Int64) -> Bool {
        var limit = timespec(
            tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        return sigtimedwait(&set, nil, &limit) > 0
    }
}

enum OpenFileLimit {
    /// Raises the soft limit as far as needed and allowed.
    static func raise(to needed: Int) throws(SimulatorError) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        guard limit.rlim_cur < UInt(needed) else { return }
        guard limit.rlim_max >= UInt(needed) else {
            throw SimulatorError(
                "\(needed) open files are needed and \(limit.rlim_max) allowed (ulimit -Hn): "
                    + "start fewer terminals, or several processes with different --first-account and --user-prefix")
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
