import Domain
import ServiceKit

/// A clock that never steps, in the guise of a wall clock: the wall's reading at the start and what has passed since.
struct SteadyClock: Sendable {
    private let base: Int64

    init() { base = SystemClock.now().milliseconds - SystemClock.monotonicMilliseconds() }

    func now() -> Timestamp { Timestamp(milliseconds: base + SystemClock.monotonicMilliseconds()) }

    /// What the wall clock shows for a moment of this clock, by its reading of now.
    func wall(_ moment: Timestamp) -> Timestamp { SystemClock.now().adding(milliseconds: moment - now()) }

    /// The moment of this clock for a time that was kept; a time in the future is now.
    func moment(_ wall: Timestamp) -> Timestamp { now().adding(milliseconds: -max(0, SystemClock.now() - wall)) }
}
