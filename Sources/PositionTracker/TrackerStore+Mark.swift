import DequeModule
import Journal
import Logging
import Redis
import ServiceKit

// Comparing what Redis has with what the journal has, and making them equal.

extension TrackerStore {
    private static let pauseMilliseconds: Int64 = 250

    // MARK: - Losing and asking

    func connectionLost() {
        epoch += 1
        phase = .away
        acknowledgements = []
        replaying = Replaying()
        revoke()
    }

    /// Whoever asked for something that may be revoked hears now that its fate is unknown.
    private func revoke() {
        for index in line.indices where line[index].isRevocable {
            let completion = line[index].completion
            line[index].completion = nil
            completion?(.unknown)
        }
    }

    /// Redis answers, but takes no writes: what is in line stays, and it is asked again a little later.
    func pause(_ message: String) {
        if report.problems["state"] != message {
            log.error("Redis takes no writes of the ledger", metadata: ["why": "\(message)"])
        }
        report.reject("state_write_refused")
        report.problem("state", message)
        connectionLost()
        replaying.retryAt = SystemClock.monotonicMilliseconds() + TrackerStore.pauseMilliseconds
    }

    func tryAgain() {
        if replaying.isWaitingForDisk { return beginReading() }
        guard replaying.retryAt > 0, SystemClock.monotonicMilliseconds() >= replaying.retryAt else { return }
        replaying.retryAt = 0
        if phase == .away, link.state == .ready { compareMarks() }
    }

    /// Asks for the mark. Behind this question nothing of ours is under way.
    func compareMarks() {
        epoch += 1
        phase = .comparing
        replaying = Replaying()
        revoke()
        var fields: [String: String]?
        link.send(["HGETALL", TrackerScripts.stateKey]) { reply in
            if reply?.errorMessage == nil { fields = reply?.dictionary }
        }
        link.send(["LRANGE", TrackerScripts.refusedKey, "0", "-1"]) { [unowned self, epoch] reply in
            guard epoch == self.epoch, let reply else { return }
            guard let fields else {
                return pause(reply.errorMessage ?? "\(TrackerScripts.stateKey) is of a wrong type")
            }
            compare(fields, reply.texts)
        }
    }

    /// While nothing is written, an emptied Redis says nothing by itself: it is looked at.
    func lookAtMark() {
        guard phase == .refused || phase == .open && line.isEmpty, link.isReady else { return }
        let known = chain
        link.send(["HGET", TrackerScripts.stateKey, TrackerScripts.markPrefix + journal.identifier]) {
            [unowned self, epoch] reply in
            guard epoch == self.epoch, chain == known, let reply, reply.errorMessage == nil else { return }
            if phase == .refused || reply.text ?? "" != known { compareMarks() }
        }
    }

    // MARK: - Deciding

    private func compare(_ fields: [String: String], _ refused: [String]) {
        let mine = fields[TrackerScripts.markPrefix + journal.identifier]
        let others = fields.keys.filter { $0.hasPrefix(TrackerScripts.markPrefix) }
        let last = isSettled ? confirmed : journal.recovery.lastSequence
        if mine == nil, let other = others.first {
            guard !isSettled, last == 0 else { return refuse(other) }
            report.problem(
                "ledger_journal",
                "Redis keeps the ledger of another journal (\(other.dropFirst(TrackerScripts.markPrefix.count))): "
                    + "it is taken as it is and written into this one")
        }
        report.problem("ledger_foreign", nil)
        chain = mine ?? ""
        let mark = mine.flatMap { UInt64($0) } ?? 0
        if !isSettled { missedRows = last == 0 ? .all : mark > last ? .newest : .none }
        if mark < last { return beginReplay(above: mark, isGap: mine != nil) }
        if !isSettled, mark > last { return stepBack(to: last, from: mark) }
        settle(mark, refused)
    }

    /// This Redis belongs to another mesh, or to a journal that was put away. Overwriting it would be the end of it.
    private func refuse(_ other: String) {
        phase = .refused
        let text =
            "Redis has the ledger of another journal (\(other.dropFirst(TrackerScripts.markPrefix.count))), not of "
            + "\(journal.directory) (\(journal.identifier)): nothing is written. Give it its own Redis, or move the "
            + "folder away to take over what this Redis has"
        if report.problems["ledger_foreign"] == nil { log.critical("\(text)") }
        report.problem("ledger_foreign", text)
    }

    /// A crash of the machine kept the last records from the disk; Redis has what they did, and the snapshot will.
    private func stepBack(to last: UInt64, from mark: UInt64) {
        log.warning(
            "Redis has more than the ledger's journal: its last records did not reach the disk",
            metadata: ["redis": "\(mark)", "journal": "\(last)"])
        report.count("ledger_records_lost", Int64(clamping: mark - last))
        // Numbers of lost records are given again: what was said of the old ones must not be read as of the new.
        let forget = LedgerRecord(.write, [LedgerStep(.always, [["DEL", TrackerScripts.refusedKey]])])
        perform(.live, [(String(last), "", forget.text)]) { [unowned self] outcome in
            switch outcome {
            case .done: settle(last, [])
            case .gap: compareMarks()
            case .failed(let message): pause(message)
            }
        }
    }

    /// Redis has everything up to the mark. What is behind it in line did not happen and is sent now.
    func settle(_ mark: UInt64, _ refused: [String]) {
        var known: [UInt64: TrackerScripts.Answer] = [:]
        for entry in refused {
            let parts = entry.split(separator: "\n", maxSplits: 1).map(String.init)
            guard parts.count == 2, let sequence = UInt64(parts[0]) else { continue }
            // The newest stands first.
            if known[sequence] == nil { known[sequence] = TrackerScripts.Answer(parts[1]) }
        }
        isSettled = true
        replaying = Replaying()
        while let first = line.first, first.sequence <= mark {
            finish(known[first.sequence] ?? TrackerScripts.Answer(""))
        }
        confirmed = mark
        for item in line where item.isRevocable {
            _ = journal.append(LedgerRecord(refused: item.sequence, steps: [0]))
        }
        line.removeAll { $0.isRevocable }
        phase = .open
        report.problem("state", nil)
        unsent = line.count
        sendLine()
        if line.isEmpty { sendAcknowledgements() }
        onOpen?()
    }
}
