import DequeModule
import Domain
import Journal
import Logging
import ServiceKit

// One write: into the journal, to Redis, and its answer.

extension TrackerStore {
    /// Writes the commands if the condition holds, now or as soon as Redis is there, in the order of the calls.
    ///
    /// - Parameter completion: whether they were done; it may come long after.
    func write(_ condition: Condition, _ commands: [[String]], _ completion: @escaping (Bool) -> Void = { _ in }) {
        put(LedgerRecord(.write, [LedgerStep(condition, commands)])) { outcome in
            if case .done = outcome { completion(true) } else { completion(false) }
        }
    }

    /// Writes what is worth nothing later and need not be rebuilt: only while Redis is there, and not in the journal.
    func writeUnjournaled(_ steps: [LedgerStep]) {
        guard phase == .open, !isHolding else { return }
        perform(.free, [("", "", LedgerRecord(.write, steps).text)]) { [unowned self] outcome in
            switch outcome {
            case .done(_, let complaints): complain(complaints)
            case .gap: compareMarks()
            case .failed(let message): pause(message)
            }
        }
    }

    func put(_ record: LedgerRecord, _ completion: @escaping (Outcome) -> Void = { _ in }) {
        let isRevocable = record.kind == .revocable
        if isRevocable, phase != .open || isHolding || !journal.takesNew { return completion(.unknown) }
        guard !isHolding else { return held.append(Held(record: record, completion: completion)) }
        guard record.text.utf8.count <= LedgerJournal.maximumRecord else { return putInParts(record, completion) }
        let item = Item(
            sequence: journal.append(record), text: record.kind == .snapshot ? LedgerRecord.nothing : record.text,
            isRevocable: isRevocable, hasMore: record.part == .more, completion: completion)
        line.append(item)
        if phase == .open { unsent += 1 }
    }

    /// For how long it is said that a write was left out.
    private static let tooLongMilliseconds: Int64 = 600_000

    /// One that is too long for the journal is written as several, or not at all: never without its record.
    private func putInParts(_ record: LedgerRecord, _ completion: @escaping (Outcome) -> Void) {
        guard let parts = record.split(maximum: LedgerJournal.maximumRecord) else {
            report.reject("ledger_record_too_long")
            tooLongUntil = SystemClock.monotonicMilliseconds() + TrackerStore.tooLongMilliseconds
            report.problem(
                "ledger_record", "a write of \(record.text.utf8.count) bytes is too long for the ledger's journal")
            log.error("a write is too long for the ledger's journal", metadata: ["bytes": "\(record.text.utf8.count)"])
            return completion(.refused(reason: "too_long"))
        }
        report.count("ledger_records_split")
        var refusal: Outcome?
        for (index, part) in parts.enumerated() {
            put(part) { outcome in
                // What decides is the first step, as in one that is whole.
                if index == 0, case .refused = outcome { refusal = outcome }
                if index == parts.count - 1 { completion(refusal ?? outcome) }
            }
        }
    }

    /// What was loaded goes into the journal, and what waited for that follows it.
    func release(snapshot: [LedgerRecord]) {
        guard isHolding else { return }
        isHolding = false
        missedRows = .none
        for record in snapshot { put(record) }
        let waiting = held
        held = []
        for item in waiting { put(item.record, item.completion) }
    }

    /// More in a call would hold others up: a full one takes Redis some milliseconds.
    private static let recordsPerCall = 64
    private static let bytesPerCall = 128 << 10

    /// Sends what has gathered at the end of the line, several records a call, in their order.
    func sendLine() {
        guard phase == .open, unsent > 0 else { return }
        while phase == .open, unsent > 0 {
            var (records, bytes): ([(sequence: String, skip: String, text: String)], Int) = ([], 0)
            var hasMore = false
            for item in line[(line.count - unsent)...] {
                let isFull = records.count >= TrackerStore.recordsPerCall || bytes >= TrackerStore.bytesPerCall
                guard hasMore || !isFull else { break }
                records.append((String(item.sequence), "", item.text))
                bytes += item.text.utf8.count
                hasMore = item.hasMore
            }
            unsent -= records.count
            perform(.live, records) { [unowned self] outcome in
                switch outcome {
                case .done(let answers, let complaints):
                    complain(complaints)
                    for answer in answers { finish(answer) }
                case .gap: compareMarks()
                case .failed(let message): pause(message)
                }
            }
        }
    }

    /// One call of the script in the chain; what a lost connection or an older epoch leaves unanswered is not called
    /// back.
    func perform(
        _ mode: TrackerScripts.Mode, _ records: [(sequence: String, skip: String, text: String)],
        _ done: @escaping (TrackerScripts.Outcome) -> Void
    ) {
        let field = TrackerScripts.markPrefix + journal.identifier
        let values = TrackerScripts.values(field: field, expected: chain, mode, records)
        if mode != .free, let last = records.last { chain = last.sequence }
        link.run(script, keys: [], values) { [unowned self, epoch] reply in
            guard epoch == self.epoch, let reply else { return }
            done(TrackerScripts.outcome(reply, count: records.count))
        }
    }

    /// The oldest in line is in Redis.
    func finish(_ answer: TrackerScripts.Answer) {
        guard let item = line.popFirst() else { return }
        confirmed = item.sequence
        report.problem("state", nil)
        if !answer.refused.isEmpty {
            _ = journal.append(LedgerRecord(refused: item.sequence, steps: answer.refused.map(\.step)))
        }
        // What decides is the first step; later ones stand beside it.
        if let refused = answer.refused.first(where: { $0.step <= 1 }) {
            item.completion?(.refused(reason: refused.reason))
        } else {
            item.completion?(.done(answer))
        }
        if line.isEmpty { sendAcknowledgements() }
    }

    func complain(_ complaints: [String]) {
        guard let first = complaints.first else { return }
        report.reject("state_write_refused", Int64(complaints.count))
        report.problem("state_keys", "keys of a wrong type: \(first)")
        log.error("Redis refused a command of the ledger", metadata: ["why": "\(first)"])
    }

    /// An id for a line of the audit trail, the same when it is written again from the journal.
    func nextAuditID(_ now: Timestamp) -> String {
        auditID =
            now.milliseconds > auditID.milliseconds
            ? (now.milliseconds, 0) : (auditID.milliseconds, auditID.number + 1)
        return "\(auditID.milliseconds)-\(auditID.number)"
    }
}
