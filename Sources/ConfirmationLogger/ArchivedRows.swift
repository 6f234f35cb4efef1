import Journal
import Logging
import Redis
import ServiceKit

/// Lets rows of trades end 90 days after their booking, but not before their records are in an archived segment.
///
/// Until then they have no end at all: nothing has to work for them to stay. Follows the journal's archive at its
/// leisure, a chunk at a time. Owned by the loop's thread.
final class ArchivedRows {
    private static let intervalMilliseconds: Int64 = 1000
    /// Between two chunks, so that what arrives goes first.
    private static let pauseMilliseconds: Int64 = 20

    private let journal: JournalWriter
    private let redis: RedisLink
    private let reactor: Reactor
    private let report: ServiceReport
    private let log: Logger
    private let decisions: ArchivedDecisions
    private let script = ExpiryScript.make()
    private let booked: () -> UInt64?
    /// Answers of an earlier epoch no longer mean anything.
    private var epoch = 0
    private var mark: String?
    private var isBusy = false

    /// - Parameters:
    ///   - wake: called on the reader's thread when ``proceed()`` has something to do.
    ///   - booked: up to which frame Redis has everything; nil while that is not known.
    init(
        _ environment: ServiceEnvironment, _ journal: JournalWriter, _ redis: RedisLink, directory: String,
        wake: @escaping @Sendable () -> Void, booked: @escaping () -> UInt64?
    ) {
        self.journal = journal
        self.redis = redis
        self.booked = booked
        reactor = environment.reactor
        report = environment.report
        log = environment.log
        decisions = ArchivedDecisions(directory: directory, onDone: wake)
        redis.onLost.append { [unowned self] in forget() }
        environment.reactor.every(milliseconds: ArchivedRows.intervalMilliseconds) { [unowned self] in compare() }
    }

    private func forget() {
        epoch += 1
        mark = nil
        isBusy = false
    }

    /// Where Redis is: also an emptied one, which says nothing by itself.
    private func compare() {
        guard !isBusy, redis.isReady else { return }
        isBusy = true
        let field = ExpiryScript.markPrefix + journal.recovery.identifier
        redis.send(["HGET", "journal:state", field]) { [weak self, epoch] reply in
            guard let self, epoch == self.epoch else { return }
            isBusy = false
            guard let reply, reply.errorMessage == nil else { return }
            mark = reply.text ?? ""
            goOn()
        }
    }

    private func goOn() {
        guard !isBusy, redis.isReady, let mark, let booked = booked() else { return }
        let from = (UInt64(mark) ?? 0) + 1
        let through = journal.status.archive.through
        report.gauges["archived_seq"] = Int64(clamping: through)
        guard from <= through else { return }
        isBusy = true
        decisions.request(from: from, through: through, booked: booked)
    }

    /// Takes what the reader has, if it has.
    func proceed() {
        // One that begins elsewhere was asked for before the connection was lost.
        guard let chunk = decisions.take(), isBusy, let mark, chunk.from == (UInt64(mark) ?? 0) + 1 else { return }
        report.problem("archived_rows", chunk.failure.map { "rows of trades get no end: \($0)" })
        guard chunk.failure == nil, chunk.readTo >= chunk.from else {
            isBusy = false
            return
        }
        let values = ExpiryScript.values(
            journal: journal.recovery.identifier, expected: mark, through: chunk.readTo, booked: chunk.booked,
            chunk.rows)
        redis.run(script, keys: ["journal:state"], values) { [weak self, epoch] reply in
            guard let self, epoch == self.epoch, let reply else { return }
            isBusy = false
            if let message = reply.errorMessage {
                self.mark = nil
                if !message.hasPrefix("GAP") { log.warning("no end was set", metadata: ["why": "\(message)"]) }
                return
            }
            report.count("rows_archived", reply.integer ?? 0)
            self.mark = String(chunk.readTo)
            reactor.after(milliseconds: ArchivedRows.pauseMilliseconds) { [weak self] in self?.goOn() }
        }
    }
}
