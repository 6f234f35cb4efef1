import DequeModule
import Journal
import Logging
import ServiceKit

// Bringing a Redis that lost what it was told back to where the journal is.

extension TrackerStore {
    /// A replay under way.
    struct Replaying {
        var lower: UInt64 = 0
        var upper: UInt64 = 0
        /// Whether Redis has an earlier state of ours, not nothing.
        var isGap = false
        var entries: [LedgerJournalReplay.Entry] = []
        var isRead = false
        var isReading = false
        var calls = 0
        var count: Int64 = 0
        /// When to begin, once the disk has the records; when to ask again after a pause.
        var isWaitingForDisk = false
        var retryAt: Int64 = 0
    }

    private static let callsInFlight = 4
    private static let recordsPerCall = 64
    private static let bytesPerCall = 128 << 10

    func beginReplay(above mark: UInt64, isGap: Bool) {
        phase = .replaying
        replaying.isGap = isGap
        replaying.lower = mark + 1
        // What is in line is sent behind it, with its answers wanted.
        replaying.upper = line.first.map { $0.sequence - 1 } ?? (isSettled ? confirmed : journal.recovery.lastSequence)
        if !isGap || isSettled {
            log.warning(
                isGap ? "Redis lost the newest part of the ledger" : "Redis lost the ledger",
                metadata: ["from": "\(replaying.lower)", "to": "\(replaying.upper)"])
            report.count("rebuilds")
        }
        guard replaying.lower <= replaying.upper else { return settle(mark, []) }
        replaying.isWaitingForDisk = true
        beginReading()
    }

    /// The reader sees what is on disk: what was taken so far has to be there first.
    func beginReading() {
        let status = journal.status
        guard status.durable >= min(status.appended, replaying.upper) else { return }
        replaying.isWaitingForDisk = false
        replaying.isReading = true
        replay.begin(replaying.lower...replaying.upper, refusalsThrough: max(replaying.upper, status.durable))
        guard !replaying.isGap else { return }
        // Counters add up and the audit trail is appended to: these two begin from nothing, whatever is left of them.
        let begin = LedgerRecord(.write, [LedgerStep(.always, [["DEL", "ledger", "events:audit"]])])
        replaying.calls += 1
        perform(.replay, [("0", "", begin.text)]) { [unowned self] outcome in replayAnswered(outcome, upTo: 0) }
    }

    /// The reader has something.
    func replayRead() {
        guard phase == .replaying, let chunk = replay.take() else { return }
        replaying.isReading = false
        if let failure = chunk.failure {
            log.error("the ledger's journal can't be read", metadata: ["why": "\(failure)"])
            report.problem("ledger_journal", "\(failure)")
            return pause("the ledger's journal can't be read: \(failure)")
        }
        for damage in chunk.damages {
            log.error("the ledger's journal is damaged", metadata: ["what": "\(damage)"])
            report.problem("ledger_journal", "damaged: \(damage)")
        }
        replaying.isRead = chunk.isEnd
        replaying.entries += chunk.entries.filter(isWanted)
        sendReplay()
    }

    /// Redis still has all but the newest: what could be revoked and is not in it was never done, and nobody waits for
    /// it any more.
    private func isWanted(_ entry: LedgerJournalReplay.Entry) -> Bool {
        guard replaying.isGap, !isSettled, LedgerRecord.kind(of: entry.text) == .revocable else { return true }
        _ = journal.append(LedgerRecord(refused: entry.sequence, steps: [0]))
        return false
    }

    private func sendReplay() {
        while replaying.calls < TrackerStore.callsInFlight, let batch = nextBatch() {
            replaying.calls += 1
            let last = batch.last?.sequence ?? 0
            perform(.replay, batch.map { (String($0.sequence), $0.skip, $0.text) }) { [unowned self] outcome in
                replayAnswered(outcome, upTo: last)
            }
        }
        if replaying.entries.isEmpty, !replaying.isRead, !replaying.isReading {
            replaying.isReading = true
            replay.goOn()
        }
        guard replaying.isRead, replaying.entries.isEmpty, replaying.calls == 0 else { return }
        if replaying.count > 0 {
            log.notice("the ledger is back in Redis", metadata: ["records": "\(replaying.count)"])
            report.count("records_replayed", replaying.count)
        }
        settle(UInt64(chain) ?? 0, [])
    }

    private func nextBatch() -> [LedgerJournalReplay.Entry]? {
        var bytes = 0
        var count = 0
        while count < replaying.entries.count, count < TrackerStore.recordsPerCall, bytes < TrackerStore.bytesPerCall {
            bytes += replaying.entries[count].text.utf8.count
            count += 1
        }
        guard count > 0 else { return nil }
        let batch = Array(replaying.entries.prefix(count))
        replaying.entries.removeFirst(count)
        return batch
    }

    private func replayAnswered(_ outcome: TrackerScripts.Outcome, upTo sequence: UInt64) {
        guard phase == .replaying else { return }
        switch outcome {
        case .done(let answers, let complaints):
            complain(complaints)
            replaying.calls -= 1
            if sequence > 0 { replaying.count += Int64(answers.count) }
            sendReplay()
        case .gap: compareMarks()
        case .failed(let message): pause(message)
        }
    }
}
