import Dispatch
import Foundation
import Synchronization

/// One look at something, with a time limit of its own: whatever hangs there does not hang the doctor.
struct Checkup: Sendable {
    let subject: String
    /// Past these the answer is "not known".
    let seconds: Double
    /// Runs on a thread of its own.
    let look: @Sendable () -> [Finding]

    init(_ subject: String, seconds: Double = 5, _ look: @escaping @Sendable () -> [Finding]) {
        self.subject = subject
        self.seconds = seconds
        self.look = look
    }

    /// Begins all of them at once and tells what each found in their order, as soon as it is known.
    static func run(_ checkups: [Checkup], _ tell: ([Finding]) -> Void) {
        for pending in checkups.map(Pending.init) { tell(pending.findings()) }
    }

    /// A checkup under way. Its thread ends by itself or with the process.
    private final class Pending: Sendable {
        private let checkup: Checkup
        private let found = Mutex<[Finding]?>(nil)
        private let isDone = DispatchSemaphore(value: 0)
        private let deadline: DispatchTime

        init(_ checkup: Checkup) {
            self.checkup = checkup
            deadline = .now() + checkup.seconds
            Thread.detachNewThread { [self] in
                let findings = checkup.look()
                found.withLock { $0 = findings }
                isDone.signal()
            }
        }

        func findings() -> [Finding] {
            _ = isDone.wait(timeout: deadline)
            return found.withLock { $0 }
                ?? [
                    .unknown(
                        checkup.subject, "no answer within \(Int(checkup.seconds)) s",
                        "it hangs or the machine is very busy: try again, then look at the logs")
                ]
        }
    }
}
