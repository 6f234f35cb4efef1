import DequeModule
import Domain
import Journal
import Logging
import Redis
import ServiceKit

/// The tracker's writes: each goes into the tracker's own journal, then to Redis as one script that checks and writes.
///
/// Redis is the working copy, the journal what rebuilds it. Calls form a chain: each names the mark the one before
/// leaves, so that an emptied, restored or replaced Redis answers `GAP` to all of them and takes nothing. Then, and at
/// every connection, the marks are compared: what Redis lost is replayed from the journal, what it did not confirm is
/// sent again, and nothing takes effect twice. Owned by the loop's thread.
final class TrackerStore {
    static let streamName = "events:trades"
    static let groupName = "position-tracker"
    /// Fires that are over and of which something may still be told: see ``Fire/isRevisable``.
    static let settledKey = "settled_fires"
    /// The counter of fires that traded after they had been settled as ones that did not.
    static let contradictedField = "contradicted"
    /// Rows whose story is over are kept this long, in seconds: 90 days.
    static let keepSeconds: Int64 = 7_776_000
    /// A day's sums are of use on that day.
    static let dayKeepSeconds: Int64 = 172_800

    typealias Condition = LedgerStep.Condition

    enum Phase: Equatable {
        /// There is no connection, or Redis takes no writes at present.
        case away
        /// It was asked for its mark.
        case comparing
        /// It lost what it was told and gets it from the journal.
        case replaying
        case open
        /// It is not ours: nothing is written.
        case refused
    }

    enum MissedRows: Equatable {
        case none
        /// What was written last did not reach the disk.
        case newest
        /// The journal begins with this process.
        case all

        /// The highest rank of the indexes to be read, as ZREVRANGE takes it; nil where none is.
        var lastRank: String? {
            switch self {
            case .none: nil
            case .newest: "19999"
            case .all: "-1"
            }
        }
    }

    /// What became of a write.
    enum Outcome {
        case done(TrackerScripts.Answer)
        /// Nothing of it took effect.
        case refused(reason: String)
        /// Nobody knows yet; only for what may be revoked.
        case unknown
    }

    /// A write that Redis has not confirmed.
    struct Item {
        let sequence: UInt64
        /// What the script gets; the journal may have more.
        let text: String
        let isRevocable: Bool
        /// Whether the one behind it is a part of the same write: the two are sent in one call.
        let hasMore: Bool
        var completion: ((Outcome) -> Void)?
    }

    struct Held {
        let record: LedgerRecord
        let completion: (Outcome) -> Void
    }

    let link: RedisLink
    let report: ServiceReport
    let log: Logger
    let journal: LedgerJournal
    let script: RedisScript
    let archiveScript = ArchiveScript.make()
    let replay: LedgerJournalReplay
    let wake: EventDescriptor

    /// Called each time Redis has everything up to what is under way now: at connections and after rebuilds.
    var onOpen: (() -> Void)?

    var phase = Phase.away
    /// Answers to calls of an earlier epoch no longer mean anything.
    var epoch = 0
    /// What Redis has not confirmed, the oldest first: always the newest records of the journal.
    var line: Deque<Item> = []
    /// How many at the end of the line have not been sent yet: they go together before the loop waits.
    var unsent = 0
    /// The mark behind the last call that was sent; empty for none.
    var chain = ""
    /// The highest record Redis is known to have.
    var confirmed: UInt64 = 0
    /// Whether this process has compared marks with a Redis before.
    var isSettled = false
    /// Rows of what is over that the next snapshot is to hold, because the journal does not have them.
    var missedRows = MissedRows.none
    /// Replay under way: calls not answered, and where it is.
    var replaying = Replaying()

    /// Writes of the time before everything was loaded: their records come behind the snapshot.
    var held: [Held] = []
    var isHolding = true
    /// The newest event taken, and the effects on their way by their entries.
    var events = EventMark()
    /// Entries that need no effect, acknowledged once the effects before them are in Redis.
    var acknowledgements: [String] = []
    var archiving = Archiving()
    /// Until when it is said that a write was too long, on the monotonic clock.
    var tooLongUntil: Int64 = 0
    /// Where the upkeep of `user_days` is.
    var daysCursor = "0"
    var auditID: (milliseconds: Int64, number: Int) = (0, 0)

    /// - Throws: ``JournalError``: another process holds the journal, or its folder can't be used.
    convenience init(_ environment: ServiceEnvironment) throws {
        try self.init(
            directory: environment.configuration.varDirectory + "/ledger", report: environment.report,
            keeping: environment.configuration.journalKeeping, log: environment.log, reactor: environment.reactor
        ) { environment.makeRedisLink(scripts: $0) }
    }

    init(
        directory: String, report: ServiceReport,
        keeping: MeshConfiguration.JournalKeeping = MeshConfiguration.JournalKeeping(), log: Logger,
        reactor: Reactor, options: JournalWriter.Options = JournalWriter.Options(),
        makeLink: ([RedisScript]) -> RedisLink
    ) throws {
        self.report = report
        self.log = log
        journal = try LedgerJournal(directory: directory, keeping: keeping, options: options)
        script = TrackerScripts.makeWrite()
        let wake = EventDescriptor()
        self.wake = wake
        replay = LedgerJournalReplay(directory: directory) { wake.signal() }
        link = makeLink([script, archiveScript])
        if let cut = journal.recovery.cut {
            log.warning("the ledger's journal had a torn tail", metadata: ["bytes": "\(cut.bytes)"])
        }
        link.gathered = { [unowned self] in sendLine() }
        link.onReady.append { [unowned self] in compareMarks() }
        link.onLost.append { [unowned self] in connectionLost() }
        reactor.watch(
            descriptor: { [wake] in wake.descriptor },
            readable: { [unowned self] in
                wake.drain()
                replayRead()
            })
        reactor.every(milliseconds: 1000) { [unowned self] in
            lookAtMark()
            lookAtArchive()
        }
        reactor.every(milliseconds: 50) { [unowned self] in tryAgain() }
        reactor.every(milliseconds: 60_000) { [unowned self] in forgetOldDays() }
    }

    /// Denials and audit lines kept for a Redis that is away, or for a full disk; moves and events are never dropped.
    static let maximumWaiting = 20_000
    var isCrowded: Bool { waiting >= TrackerStore.maximumWaiting || journal.isFull }

    /// With so many writes unconfirmed no more events are read: enough for Redis to be busy until the next look.
    static let mostUnconfirmed = 4096

    /// Writes waiting for Redis to confirm them.
    var waiting: Int { line.count + held.count }

    /// Whether something new may begin: Redis is there and has everything, and the journal takes more.
    var isAvailable: Bool { phase == .open && link.isReady && journal.takesNew }

    // MARK: - Report and end

    func refreshReport() {
        let status = journal.status
        report.gauges["ledger_journal_bytes"] = Int64(status.bytes)
        for (name, value) in journal.tierGauges { report.gauges[name] = value }
        report.problem("ledger_upkeep", status.upkeepFailure.map { "segments are not compressed or moved: \($0)" })
        report.gauges["ledger_journal_waiting"] = Int64(status.waiting)
        report.gauges["writes_waiting"] = Int64(waiting)
        report.count("rebuilds", 0)
        if SystemClock.monotonicMilliseconds() >= tooLongUntil { report.problem("ledger_record", nil) }
        let failure = status.failure.map {
            "the ledger's journal can't be written, nothing is fired: \($0)"
        }
        report.problem("ledger_journal_disk", failure)
        report.problem(
            "rebuilding", phase == .replaying ? "Redis lost the ledger; it is rebuilt from the journal" : nil)
    }

    /// What was decided is written, as far as Redis and the disk let it.
    func drain(milliseconds: Int) {
        let deadline = SystemClock.monotonicMilliseconds() + Int64(milliseconds)
        var left = milliseconds
        repeat {
            link.drain(milliseconds: left)
            left = Int(deadline - SystemClock.monotonicMilliseconds())
            // What answers brought about goes too.
        } while unsent > 0 && phase == .open && left > 0
        journal.close()
    }
}
