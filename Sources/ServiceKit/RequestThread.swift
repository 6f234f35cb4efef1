import Dispatch
import Foundation
import Synchronization

/// A thread that answers one request at a time, for work that would block a loop: reading a journal.
///
/// A newer request makes the answer to an older one worthless: it is dropped. `onDone` is called on the thread and should
/// only wake the loop, which then takes the answer. The thread lives as long as the process.
public final class RequestThread<Request: Sendable, Answer: Sendable>: Sendable {
    private struct State {
        var request: Request?
        var answer: Answer?
        var isWorking = false
    }

    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let onDone: @Sendable () -> Void

    /// - Parameter prepare: called once, on the thread; what it returns answers each request and may keep what it likes
    ///   between them.
    public init(onDone: @escaping @Sendable () -> Void, _ prepare: @escaping @Sendable () -> (Request) -> Answer) {
        self.onDone = onDone
        Thread.detachNewThread { [self] in serve(prepare()) }
    }

    /// Whether a request is unanswered, or its answer was not taken.
    public var isBusy: Bool { state.withLock { $0.request != nil || $0.isWorking || $0.answer != nil } }

    /// Asks. What was asked before and not taken is forgotten.
    public func ask(_ request: Request) {
        state.withLock {
            $0.request = request
            $0.answer = nil
        }
        work.signal()
    }

    /// The answer to the last request, once.
    public func take() -> Answer? { state.withLock { $0.answer.take() } }

    private func next() -> Request? {
        state.withLock {
            $0.isWorking = $0.request != nil
            return $0.request.take()
        }
    }

    private func serve(_ answer: (Request) -> Answer) {
        while true {
            work.wait()
            guard let request = next() else { continue }
            let fresh = answer(request)
            let isWanted = state.withLock { state in
                state.isWorking = false
                guard state.request == nil else { return false }
                state.answer = fresh
                return true
            }
            if isWanted { onDone() }
        }
    }
}
