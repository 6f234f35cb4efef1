import ServiceKit
import Synchronization

/// Where HTTP handlers, on threads of their own, hand errands to the loop and wait for the outcome.
///
/// `ask` may be called from any thread; ``take()`` belongs to the loop, woken by ``wakeUp``. Every errand is answered
/// once: by the loop, or by its deadline, or because the process ends.
final class ErrandDesk: Sendable {
    struct Waiting: Sendable {
        let errand: Errand
        let reply: @Sendable (ErrandOutcome) -> Void
    }

    /// More than these waiting means that the loop does not keep up: the next ones are refused.
    static let capacity = 256

    let wakeUp = EventDescriptor()
    private struct State {
        var waiting: [Waiting] = []
        var isClosed = false
    }
    private let state = Mutex(State())

    func ask(_ errand: Errand) async -> ErrandOutcome {
        await withCheckedContinuation { continuation in
            let isTaken = state.withLock { state in
                guard !state.isClosed, state.waiting.count < ErrandDesk.capacity else { return false }
                state.waiting.append(Waiting(errand: errand) { continuation.resume(returning: $0) })
                return true
            }
            if isTaken { return wakeUp.signal() }
            continuation.resume(returning: .unavailable(code: "busy", message: "too many requests wait; try again"))
        }
    }

    /// What was handed in since the last call.
    func take() -> [Waiting] {
        wakeUp.drain()
        return state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// Nothing more is taken.
    func close() {
        state.withLock { $0.isClosed = true }
        for waiting in take() { waiting.reply(.unavailable(code: "stopping", message: "the dashboard is stopping")) }
    }
}
