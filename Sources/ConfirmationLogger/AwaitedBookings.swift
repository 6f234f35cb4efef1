/// Who waits to hear whether a frame's effect is new: what a witness told is answered with that, not with what memory
/// knows. Owned by the loop's thread.
struct AwaitedBookings {
    /// A Redis that takes longer leaves the answer to memory.
    static let patienceMilliseconds: Int64 = 500

    private var waiting: [UInt64: (since: Int64, done: (Bool?) -> Void)] = [:]

    var isEmpty: Bool { waiting.isEmpty }

    mutating func wait(for sequence: UInt64, now: Int64, _ done: @escaping (Bool?) -> Void) {
        waiting[sequence] = (now, done)
    }

    mutating func tell(_ sequence: UInt64, _ isNew: Bool) {
        guard !waiting.isEmpty, let one = waiting.removeValue(forKey: sequence) else { return }
        one.done(isNew)
    }

    /// Tells those that have waited too long that nobody knows.
    mutating func giveUp(before now: Int64) {
        guard !waiting.isEmpty else { return }
        for (sequence, one) in waiting where now - one.since >= AwaitedBookings.patienceMilliseconds {
            waiting[sequence] = nil
            one.done(nil)
        }
    }
}
