import Glibc
import ServiceKit

/// Waiting for another process, with an end and an ear for Ctrl-C. One for each command that starts or stops.
final class Patience {
    private let signals = TerminationSignals()

    /// Asks every 2 ms until the condition holds.
    /// - Returns: false when the time is over.
    /// - Throws: ``ToolError`` with code `interrupted` after SIGINT or SIGTERM.
    func wait(milliseconds: Int64, until condition: () throws -> Bool) throws -> Bool {
        let deadline = SystemClock.monotonicMilliseconds() + milliseconds
        while true {
            try checkInterrupt()
            if try condition() { return true }
            let left = deadline - SystemClock.monotonicMilliseconds()
            guard left > 0 else { return false }
            var item = pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&item, 1, Int32(min(2, left)))
        }
    }

    func checkInterrupt() throws(ToolError) {
        if signals.take() != nil { throw ToolError(ExitStatus.interrupted, "interrupted") }
    }
}
