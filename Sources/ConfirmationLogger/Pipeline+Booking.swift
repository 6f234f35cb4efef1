import DequeModule
import Domain
import Journal
import Logging
import Redis
import ServiceKit
import Trading

// Booking, and the mark that says up to where everything is booked.

extension Pipeline {
    private struct Batch {
        var range: Range<Int>
        var entries: [BookScript.Entry] = []
        var senders: Set<String> = []
        var last: UInt64 = 0
    }

    func sendBookings() {
        let durable = journal.status.durable
        while bookingsInFlight < Pipeline.callsInFlight, let expected = mark, let batch = nextBatch(durable) {
            let values = BookScript.values(
                expected: expected, applied: batch.last, journal: journal.recovery.identifier, now: SystemClock.now(),
                entries: batch.entries, receipts: receipts.numbers(of: batch.senders))
            sent = batch.range.upperBound
            mark = String(batch.last)
            bookingsInFlight += 1
            redis.run(book, keys: ["journal:state"], values) { [unowned self, epoch] reply in
                guard epoch == self.epoch, let reply else { return }
                bookingsInFlight -= 1
                finish(batch, BookScript.outcome(reply, count: batch.entries.count))
            }
        }
    }

    /// What can be booked next: decided, and the decision on disk.
    private func nextBatch(_ durable: UInt64) -> Batch? {
        var batch = Batch(range: sent..<sent)
        var end = sent
        while end < decided, end - sent < Pipeline.framesPerCall, batch.entries.count < Pipeline.eventsPerCall {
            let place = end - head
            guard window[place].decision <= durable else { break }
            if let entries = window[place].entries { batch.entries += entries }
            if let receipt = window[place].receipt { batch.senders.insert(receipt.node) }
            batch.last = window[place].sequence
            end += 1
        }
        batch.range = sent..<end
        return batch.range.isEmpty ? nil : batch
    }

    private func finish(_ batch: Batch, _ outcome: BookScript.Outcome) {
        switch outcome {
        case .booked(let flags, let complaints):
            report.problem("booking", complaints.first.map { "keys of a wrong type: \($0)" })
            for (entry, isNew) in zip(batch.entries, flags) {
                awaiting.tell(entry.event.sequence, isNew)
                guard isNew else {
                    report.count("duplicates")
                    continue
                }
                report.count("booked")
                report.count("booked_\(entry.event.kind.rawValue)")
                if entry.event.isOrphan { report.count("orphans") }
                publish(entry.event)
            }
            drop(through: batch.range.upperBound)
            applied = batch.last
            published.move(to: batch.last)
            // Room was made and a call is free.
            advance()
        case .gap(let current):
            log.warning(
                "Redis is at another mark of the journal",
                metadata: ["mark": "\(current)", "expected": "\(batch.last)"])
            forgetCalls()
            askMark()
        case .failed(let message): stumble("book", message)
        }
    }

    /// Tells it, unless it was told before: then it is booked again because Redis lost it.
    private func publish(_ event: TradeEvent) {
        guard event.sequence > published.sequence else { return report.count("published_before") }
        publisher.publish(event, journal: journal.recovery.identifier)
    }

    private func drop(through end: Int) {
        window.removeFirst(end - head)
        head = end
    }

    // MARK: - The mark

    /// Asks Redis up to where this journal is booked: after every connection, and whenever the two disagree.
    func askMark() {
        guard !isAskingMark else { return }
        isAskingMark = true
        let field = "applied_seq.\(journal.recovery.identifier)"
        redis.send(["HGET", "journal:state", field]) { [unowned self, epoch] reply in
            guard epoch == self.epoch else { return }
            isAskingMark = false
            guard let reply else { return }
            if let message = reply.errorMessage { return stumble("journal:state", message) }
            goOn(from: reply.text ?? "")
        }
    }

    /// Whether Redis still is where it was left, while nothing is booked: an emptied one says nothing by itself.
    func checkMark() {
        guard let known = mark, !isAskingMark, bookingsInFlight == 0, window.isEmpty, applied != nil else { return }
        let field = "applied_seq.\(journal.recovery.identifier)"
        redis.send(["HGET", "journal:state", field]) { [unowned self, epoch] reply in
            guard epoch == self.epoch, mark == known, let reply, reply.errorMessage == nil else { return }
            guard reply.text ?? "" != known else { return }
            forgetCalls()
            askMark()
        }
    }

    private func goOn(from text: String) {
        let stored = UInt64(text) ?? 0
        defer {
            mark = text
            advance()
        }
        guard let applied else {
            // A Redis that knows more than the journal has: the journal was cut or replaced by an older one.
            let last = journal.recovery.lastSequence
            if stored > last {
                report.problem("journal", "records \(last + 1) to \(stored) that were booked are not in the journal")
            }
            // An earlier process told what it booked.
            published.move(to: min(stored, last))
            return start(from: min(stored, last))
        }
        if stored < applied {
            log.warning(
                "Redis lost what was booked: it is booked again from the journal",
                metadata: ["from": "\(stored + 1)", "to": "\(applied)"])
            report.count("rebuilds")
            engine = Pipeline.makeEngine(catalogue)
            return start(from: stored)
        }
        // What was under way when the connection broke and was done all the same.
        var end = head
        while end < decided, window[end - head].sequence <= stored {
            for entry in window[end - head].entries ?? [] {
                awaiting.tell(entry.event.sequence, true)
                publish(entry.event)
            }
            report.count("booked_unheard", Int64(window[end - head].entries?.count ?? 0))
            end += 1
        }
        drop(through: end)
        published.move(to: stored)
        asked = max(asked, head)
        decided = max(decided, head)
        sent = head
        self.applied = max(applied, stored)
    }

    private func start(from stored: UInt64) {
        window.removeAll()
        (head, asked, decided, sent) = (0, 0, 0, 0)
        applied = stored
        isBehind = true
        nextToQueue = stored + 1
        readEpoch += 1
        barrier = journal.status.appended
    }

    // MARK: - Reading the journal again

    func refill() {
        guard isBehind, !follower.isBusy, window.count < Pipeline.windowLimit / 2 else { return }
        let durable = journal.status.durable
        guard durable >= barrier else { return }
        guard durable >= nextToQueue else {
            isBehind = false
            return
        }
        requestedEpoch = readEpoch
        follower.request(from: nextToQueue, upTo: durable, limit: Pipeline.framesPerRead)
    }

    /// Takes what the follower read, if it has.
    func takeChunk() {
        guard let chunk = follower.take(), requestedEpoch == readEpoch, isBehind else { return }
        for damage in chunk.damages {
            damages += 1
            log.error("the journal is damaged", metadata: ["what": "\(damage)"])
            report.problem("journal", "\(damages) damaged: \(damage)")
        }
        if let failure = chunk.failure {
            log.error("the journal can't be read", metadata: ["why": "\(failure)"])
            report.problem("journal_read", "\(failure)")
            retryAt = SystemClock.monotonicMilliseconds() + Pipeline.retryMilliseconds
        } else {
            report.problem("journal_read", nil)
        }
        report.count("read_again", Int64(chunk.items.count))
        for item in chunk.items {
            if let receipt = item.receipt { receipts.heard(receipt) }
        }
        window.append(contentsOf: chunk.items)
        nextToQueue = max(nextToQueue, chunk.readTo + 1)
        if lastSeen < nextToQueue { isBehind = false }
    }
}
