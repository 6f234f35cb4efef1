import Domain
import Journal
import Logging
import Redis
import ServiceKit
import Trading
import Wire
import ZeroMQ

/// The wiring of confirmation-logger: two ports in, the journal, the pipeline into Redis, one port out.
final class ConfirmationLoggerService: MeshService {
    private let environment: ServiceEnvironment
    private let progress = EventDescriptor()
    private let journal: JournalWriter
    private let pipeline: Pipeline
    private let reception: Reception
    private let intake: ConfirmationIntake
    private let receipts: ReceiptServer
    private let pruner: ScopePruner
    private let trimmer: StreamTrimmer
    private let renewal: AppendOnlyRenewal
    private let archived: ArchivedRows
    private let foreign: ForeignRows
    private let secret: SharedSecret
    private var wasFailing = false

    /// How long the start waits for Redis to say from where terminals speak.
    private static let fenceMilliseconds: Int64 = 2_000

    /// How long the end waits for senders to let go of ea-confirmations.
    private static let leaveMilliseconds: Int64 = 3000
    /// How long it waits for what was taken to be booked; what is not stays in the journal for the next start.
    private static let drainMilliseconds: Int64 = 1000

    init(_ environment: ServiceEnvironment) throws {
        self.environment = environment
        let directory = environment.configuration.varDirectory + "/journal"
        // Ports first: a second logger ends here, before it touches the journal.
        let publisher = try TradeEventPublisher(environment)
        let held = HeldConnections(
            path: environment.configuration.runDirectory + "/confirmation-logger.hold",
            program: "/proc/self/exe", words: [CommandLine.arguments[0], "--hold-connections"], log: environment.log)
        // Who holds an earlier process's connections waits for us from now on, however long the journal takes to open.
        held.meet()
        var options = JournalWriter.Options()
        options.waitingBytes = 16 << 20
        let keeping = environment.configuration.journalKeeping
        if keeping.segmentMegabytes > 0 { options.segmentBytes = keeping.segmentMegabytes << 20 }
        options.tiers = JournalTiers(
            hotHours: keeping.hotHours, warmDays: keeping.warmDays, coldDays: keeping.coldDays,
            coldDirectory: keeping.coldDirectory.map { $0 + "/journal" })
        journal = try JournalWriter(directory: directory, options: options, now: SystemClock.now()) {
            [progress] in progress.signal()
        }
        secret = SharedSecret(path: environment.configuration.witnessKeyFile)
        environment.report.problem("witness_key", secret.refresh())
        let follower = JournalFollower(directory: directory, secret: secret) { [progress] in progress.signal() }
        let pipeline = Pipeline(environment, journal: journal, follower: follower, publisher: publisher)
        let reception = Reception(
            environment, journal: journal, pipeline: pipeline, publisher: publisher, secret: secret)
        self.pipeline = pipeline
        self.reception = reception
        // A frame that is taken before it is known from where terminals speak would be believed from anywhere.
        _ = try environment.reactor.run(
            until: { reception.isFenced }, milliseconds: ConfirmationLoggerService.fenceMilliseconds)
        let hasRoom = { [journal, unowned reception] in !journal.isFull && reception.hasRoom }
        intake = try ConfirmationIntake(
            environment, held, while: hasRoom, known: reception.takenUpTo, deadly: reception.deadlyConnection
        ) {
            [unowned reception] frames, peer, origin in
            reception.accept(frames, from: .confirmations, peer: peer, origin: origin)
        }
        receipts = try ReceiptServer(environment, while: hasRoom) { [unowned reception] frames, address in
            reception.accept(frames, from: .receipts, peer: address.peer, address)
        }
        reception.receipts = receipts
        pruner = ScopePruner(pipeline.redis, environment.reactor)
        trimmer = StreamTrimmer(pipeline.redis, environment)
        renewal = AppendOnlyRenewal(pipeline.redis, environment)
        archived = ArchivedRows(
            environment, journal, pipeline.redis, directory: directory, wake: { [progress] in progress.signal() },
            booked: { [unowned pipeline] in pipeline.applied })
        foreign = ForeignRows(pipeline.redis, environment, journal)
        environment.reactor.watch(
            descriptor: { [progress] in progress.descriptor }, readable: { [unowned self] in proceed() })
        environment.reactor.beforeWait { [unowned pipeline] in pipeline.advance() }
        sayWhatOpeningFound()
    }

    private func proceed() {
        progress.drain()
        pipeline.takeChunk()
        reception.proceed()
        archived.proceed()
        noteFailure()
    }

    private func sayWhatOpeningFound() {
        let found = journal.recovery
        environment.log.info(
            "the journal is open",
            metadata: ["last": "\(found.lastSequence)", "segments": "\(found.segments)", "bytes": "\(found.bytes)"])
        if let cut = found.cut {
            environment.report.count("torn_tails")
            environment.log.warning(
                "a record that was not written to its end was cut off",
                metadata: ["segment": "\(cut.segment)", "at": "\(cut.offset)", "bytes": "\(cut.bytes)"])
        }
        for damage in found.damages {
            environment.report.problem("journal", "damaged: \(damage)")
            environment.log.error("the journal is damaged", metadata: ["what": "\(damage)"])
        }
    }

    /// Said when it begins and when it is over, not with every attempt.
    private func noteFailure() {
        let failure = journal.status.failure
        environment.report.problem("journal_disk", failure.map { "nothing is acknowledged: \($0)" })
        if let failure, !wasFailing {
            environment.log.critical(
                "the journal can't be written; nothing is acknowledged", metadata: ["why": "\(failure)"])
        } else if failure == nil, wasFailing {
            environment.log.notice("the journal is written again")
        }
        wasFailing = failure != nil
    }

    var isReady: Bool { journal.status.failure == nil && pipeline.redis.isReady }

    func refreshReport() {
        let report = environment.report
        let status = journal.status
        noteFailure()
        pipeline.checkMark()
        report.problem("witness_key", secret.refresh())
        report.problem(
            "redis",
            pipeline.redis.isReady ? nil : "Redis is away: confirmations are journaled and booked when it is back")
        report.gauges["journal_bytes"] = Int64(status.bytes)
        for (name, value) in journal.tierGauges { report.gauges[name] = value }
        report.problem("journal_upkeep", status.upkeepFailure.map { "segments are not compressed or moved: \($0)" })
        report.gauges["journal_last_seq"] = Int64(clamping: status.durable)
        report.gauges["journal_waiting"] = Int64(status.waiting)
        report.gauges["journal_groups"] = status.groups
        report.gauges["last_fsync_us"] = status.lastSyncMicroseconds
        report.gauges["slowest_fsync_us"] = status.slowestSyncMicroseconds
        report.gauges["applied_seq"] = Int64(clamping: pipeline.applied ?? 0)
        report.gauges["waiting"] = pipeline.backlog
        report.gauges["queue_depth"] = pipeline.backlog + Int64(status.waiting)
        report.gauges["connections_held"] = Int64(intake.heldConnections)
        report.problem("connection_holder", intake.holdingProblem)
        report.problem("connections", intake.refusalProblem ?? receipts.refusalProblem)
    }

    func drain() {
        intake.leave()
        _ = try? environment.reactor.run(
            until: { [intake] in intake.isLeft }, milliseconds: ConfirmationLoggerService.leaveMilliseconds)
        // What came with the last goodbyes is still to be taken.
        let deadline = SystemClock.monotonicMilliseconds() + ConfirmationLoggerService.drainMilliseconds
        while (try? intake.take()) == true, SystemClock.monotonicMilliseconds() < deadline {}
        intake.end()
        _ = try? environment.reactor.run(
            until: { [pipeline, reception] in reception.waiting == 0 && (pipeline.isIdle || !pipeline.redis.isReady) },
            milliseconds: ConfirmationLoggerService.drainMilliseconds)
        journal.close()
        progress.drain()
        reception.proceed()
        pipeline.redis.drain(milliseconds: 300)
        pipeline.awaiting.giveUp(before: .max)
    }
}
