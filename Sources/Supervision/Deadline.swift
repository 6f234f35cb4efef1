import Glibc

/// Waiting for a condition of another process, which offers nothing to block on.
enum Deadline {
    /// Asks every 5 ms until the condition holds or the time is over.
    /// - Returns: whether it held.
    static func wait(seconds: Double, until condition: () throws -> Bool) rethrows -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            if try condition() { return true }
            if ContinuousClock.now >= end { return false }
            var pause = timespec(tv_sec: 0, tv_nsec: 5_000_000)
            nanosleep(&pause, nil)
        }
    }
}
