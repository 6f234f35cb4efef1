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
        /// Who waits for what somebody else is working out right now.
        var making: [Work: [CheckedContinuation<Entry?, Never>]] = [:]
    }
    private struct Work: Hashable {
        let key: String
        let tag: String
    }
    private enum Turn {
        case kept(Entry)
        case wait
        case make
    }
    private let state = Mutex(State())

    /// The kept answer, or a new one. Those who ask the same while it is worked out wait for that one: when the state is
    /// renewed, a hundred who ask the same cost one.
    ///
    /// - Parameter tag: empty for what may not be kept.
    func entry(
        _ key: String, tag: String, make: () throws(HTTPProblem) -> Entry
    ) async throws(HTTPProblem) -> Entry {
        guard !tag.isEmpty else { return try make() }
        let work = Work(key: key, tag: tag)
        switch turn(work) {
        case .kept(let entry): return entry
        case .wait: if let entry = await result(of: work) { return entry }
        case .make: break
        }
        do {
            let entry = try make()
            keep(entry, for: key)
            finish(work, entry)
            return entry
        } catch {
            // Whoever waits asks for himself, and is told why it can't be.
            finish(work, nil)
            throw error
        }
    }

    /// How many wait at this moment for what another one works out.
    var waitingCount: Int { state.withLock { $0.making.values.reduce(0) { $0 + $1.count } } }

    private func turn(_ work: Work) -> Turn {
        state.withLock { state in
            if let kept = state.entries[work.key], kept.tag == work.tag { return .kept(kept) }
            if state.making[work] != nil { return .wait }
            state.making[work] = []
            return .make
        }
    }

    /// What another one makes of it; nil where it was done in the meantime, or could not be made.
    private func result(of work: Work) async -> Entry? {
        await withCheckedContinuation { continuation in
            let isUnderWay = state.withLock { state in
                guard state.making[work] != nil else { return false }
                state.making[work]?.append(continuation)
                return true
            }
            if !isUnderWay { continuation.resume(returning: entry(work.key, tag: work.tag)) }
        }
    }

    private func finish(_ work: Work, _ entry: Entry?) {
        let waiting = state.withLock { $0.making.removeValue(forKey: work) ?? [] }
        for continuation in waiting { continuation.resume(returning: entry) }
    }

    func entry(_ key: String, tag: String) -> Entry? {
        state.withLock { $0.entries[key] }.flatMap { $0.tag == tag ? $0 : nil }
    }

    func keep(_ entry: Entry, for key: String) {
        let size = entry.answer.body.count + (entry.packed?.count ?? 0)
        guard size < AnswerCache.maximumBytes / 4 else { return }
        state.withLock { state in
            if state.entries.count >= AnswerCache.maximumEntries || state.bytes + size > AnswerCache.maximumBytes {
                state.entries = [:]
                state.bytes = 0
            }
            if let old = state.entries[key] { state.bytes -= old.answer.body.count + (old.packed?.count ?? 0) }
            state.entries[key] = entry
            state.bytes += size
        }
    }
}
