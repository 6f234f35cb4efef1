import Synchronization

/// Answers that were worked out before and still hold: a probe each second, or ten pages that ask the same, cost one.
///
/// Called from any thread. An entry holds as long as its tag is the present one; bounded by count and by bytes.
final class AnswerCache: Sendable {
    static let maximumEntries = 256
    static let maximumBytes = 32 << 20

    struct Entry: Sendable {
        let tag: String
        let answer: Answer
        /// The body as gzip; nil where it is too short to gain anything.
        let packed: [UInt8]?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var bytes = 0
    }
    private let state = Mutex(State())

    func entry(_ key: String, tag: String) -> Entry? {
        state.withLock { $0.entries[key] }.flatMap { $0.tag == tag ? $0 : nil }
    }

    func keep(_ entry: Entry, for key: String) {
        let size = entry.answer.body.count + (entry.packed?.count ?? 0)
        guard size < AnswerCache.maximumBytes / 4 else { return }
        state.withLock { state in
            if state.entries.count >= AnswerCache.maximumEntries || state.bytes + size > AnswerCache.maximumBytes {
                state = State()
            }
            if let old = state.entries[key] { state.bytes -= old.answer.body.count + (old.packed?.count ?? 0) }
            state.entries[key] = entry
            state.bytes += size
        }
    }
}
