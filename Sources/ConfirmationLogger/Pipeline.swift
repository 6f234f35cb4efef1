import DequeModule
import Domain
import Journal
import Logging
import Redis
import ServiceKit
import Trading

/// From the journal into Redis: look up, decide, keep the decision, book; in the journal's order, each once.
///
/// Durable frames wait in a bounded window; what does not fit, and what was there before the start, is read from the
/// journal again. Many are under way at once: several look-ups, then decisions on their way to disk, then several
/// bookings, each batch one call. The mark `journal:state` says up to where everything is booked and moves in the
/// same step as what is booked. Owned by the loop's thread.
final class Pipeline {
    static let windowLimit = 20_000
    static let callsInFlight = 8
    /// More would be cheaper for each, but hold others up: a full call takes Redis some milliseconds.
    static let eventsPerCall = 128
    /// Frames without anything to book cost nothing in a call.
    static let framesPerCall = 1024
    static let framesPerRead = 4096
    static let retryMilliseconds: Int64 = 250

    let journal: JournalWriter
    let redis: RedisLink
    let report: ServiceReport
    let log: Logger
    let lookUp: RedisScript
    let book: RedisScript
    let takeOut: RedisScript
    let follower: JournalFollower
    let publisher: TradeEventPublisher
    let published: PublishedMark
    let catalogue: InstrumentCatalogue
    let receipts: ReceiptBook
    var engine: ConfirmationEngine

    /// Frames not yet booked, the oldest first. Places in it are counted from the start of the process.
    var window: Deque<WindowItem> = []
    var head = 0
    /// Up to where look-ups were sent, decisions were made, bookings were sent.
    var asked = 0
    var decided = 0
    var sent = 0
    var lookUpsInFlight = 0
    var bookingsInFlight = 0
    /// Answers to calls of an earlier epoch no longer mean anything.
    var epoch = 0
    var retryAt: Int64 = 0

    /// The mark as Redis has it, behind the last booking sent; nil while it is not known.
    var mark: String?
    var isAskingMark = false
    /// The highest sequence that is booked; nil until Redis said it for the first time.
    var applied: UInt64?

    /// Whether frames are read from the journal because memory did not hold them all.
    var isBehind = true
    var nextToQueue: UInt64 = 0
    var lastSeen: UInt64
    var readEpoch = 0
    var requestedEpoch = 0
    /// What was taken before has to be on disk before reading begins, or a decision on its way there would be missed.
    var barrier: UInt64 = 0
    /// Who waits to hear whether a frame's effect is new, by its sequence.
    var awaiting = AwaitedBookings()
    /// Told of what somebody said of another's fire, position or terminal.
    var onForeignClaim: (ForeignClaim, Confirmation) -> Void = { _, _ in }
    /// Judges what came before it was known from where terminals speak; the frame is nil where it is too long to be held.
    var lateObjection: (Confirmation, AcceptedFrame?) -> ForeignClaim? = { _, _ in nil }
    /// Pieces of damage met while reading, in this run.
    var damages = 0

    init(
        _ environment: ServiceEnvironment, journal: JournalWriter, follower: JournalFollower,
        publisher: TradeEventPublisher
    ) {
        self.journal = journal
        self.follower = follower
        self.publisher = publisher
        published = PublishedMark(
            path: environment.configuration.varDirectory + "/trade-events.mark",
            journal: journal.recovery.identifier, last: journal.recovery.lastSequence, log: environment.log)
        report = environment.report
        log = environment.log
        catalogue = environment.instruments
        engine = Pipeline.makeEngine(environment.instruments)
        lookUp = LookUpScript.make()
        book = BookScript.make()
        takeOut = TakeOutScript.make()
        redis = environment.makeRedisLink(scripts: [lookUp, book, takeOut])
        receipts = ReceiptBook(redis)
        lastSeen = journal.recovery.lastSequence
        barrier = lastSeen
        redis.onReady.append { [unowned self] in askMark() }
        redis.onLost.append { [unowned self] in forgetCalls() }
        environment.reactor.every(milliseconds: 50) { [unowned self] in
            awaiting.giveUp(before: SystemClock.monotonicMilliseconds())
            // What waits for a pause to be over has nothing else that would wake the loop.
            if retryAt > 0, SystemClock.monotonicMilliseconds() >= retryAt { advance() }
        }
    }

    /// Its memory keeps at least half of what it may hold, which is more than the window does.
    static func makeEngine(_ catalogue: InstrumentCatalogue) -> ConfirmationEngine {
        ConfirmationEngine(catalogue: catalogue, memory: 3 * windowLimit)
    }

    /// Takes a durable frame, in the order of the journal.
    func offer(_ frame: AcceptedFrame, _ make: () -> WindowItem) {
        lastSeen = frame.sequence
        guard !isBehind, frame.sequence >= nextToQueue else { return }
        guard window.count < Pipeline.windowLimit else {
            isBehind = true
            nextToQueue = frame.sequence
            return
        }
        window.append(make())
        nextToQueue = frame.sequence + 1
    }

    /// Tells whether a frame that was offered had a new effect, once that is known; nil where it takes too long.
    func whenBooked(_ sequence: UInt64, _ done: @escaping (Bool?) -> Void) {
        guard redis.isReady else { return done(nil) }
        awaiting.wait(for: sequence, now: SystemClock.monotonicMilliseconds(), done)
    }

    /// Does whatever can be done now. Called before the loop waits.
    func advance() {
        guard SystemClock.monotonicMilliseconds() >= retryAt else { return }
        retryAt = 0
        guard redis.isReady else { return }
        guard mark != nil else { return askMark() }
        refill()
        ask()
        sendBookings()
    }

    /// Whether everything taken is booked.
    var isIdle: Bool { window.isEmpty && !isBehind }
    var waiting: Int { window.count }

    /// Frames that are durable and not booked, those outside memory included (then decisions count too).
    var backlog: Int64 {
        guard isBehind else { return Int64(window.count) }
        return Int64(window.count) + Int64(clamping: lastSeen >= nextToQueue ? lastSeen - nextToQueue + 1 : 0)
    }

    // MARK: - Look up and decide

    private func ask() {
        while lookUpsInFlight < Pipeline.callsInFlight, asked < head + window.count {
            var questions: [ConfirmationQuestion] = []
            var end = asked
            while end < head + window.count, end - asked < Pipeline.framesPerCall,
                questions.count < Pipeline.eventsPerCall
            {
                questions += window[end - head].questions
                end += 1
            }
            let range = asked..<end
            if questions.isEmpty {
                // Nothing to ask; but those before it come first.
                guard lookUpsInFlight == 0 else { return }
                asked = end
                decide(range, [])
                continue
            }
            asked = end
            lookUpsInFlight += 1
            redis.run(lookUp, keys: [], LookUpScript.values(questions)) {
                [unowned self, epoch, count = questions.count] reply in
                guard epoch == self.epoch, let reply else { return }
                lookUpsInFlight -= 1
                guard let contexts = LookUpScript.contexts(reply, count: count) else {
                    return stumble("look_up", reply.errorMessage ?? "the look-up answered in another form")
                }
                decide(range, contexts)
            }
        }
    }

    private func decide(_ range: Range<Int>, _ contexts: [ConfirmationContext]) {
        var rest = contexts[...]
        for place in range {
            let index = place - head
            let own = Array(rest.prefix(window[index].questions.count))
            rest = rest.dropFirst(own.count)
            if let earlier = window[index].earlier {
                engine.absorb(earlier, own)
                window[index].entries = entries(earlier)
            } else if var confirmation = window[index].confirmation, let context = own.first {
                // What was read back is on disk since some time before now.
                confirmation.durableAt = confirmation.durableAt ?? SystemClock.now()
                let late = window[index].isUnjudged ? lateObjection(confirmation, window[index].unjudged) : nil
                let foreign =
                    late
                    ?? ConfirmationEngine.foreignClaim(confirmation, context, isOutside: window[index].isOutside)
                if let foreign { refuse(foreign, confirmation) }
                let events = foreign == nil ? engine.decide(confirmation, context) : []
                // Decided is decided: it is not looked at again.
                window[index].confirmation = nil
                window[index].entries = entries(events)
                window[index].decision = journal.append(
                    .decision, receivedAt: SystemClock.now(),
                    DecisionRecord(frame: confirmation.sequence, events: events).bytes)
            }
        }
        decided = range.upperBound
    }

    /// Kept as decided, so that a replay leaves it out as well; nothing of it is booked.
    private func refuse(_ claim: ForeignClaim, _ confirmation: Confirmation) {
        onForeignClaim(claim, confirmation)
        awaiting.tell(confirmation.sequence, false)
    }

    /// With the position's life as it is now: later events of it are decided later and must not show in this one.
    private func entries(_ events: [TradeEvent]) -> [BookScript.Entry] {
        events.map { BookScript.Entry(event: $0, lifecycle: engine.lifecycle(after: $0)) }
    }

    /// Something Redis would not do: all calls under way are forgotten, and it is tried again a little later.
    func stumble(_ name: String, _ message: String) {
        log.error("Redis refused", metadata: ["what": "\(name)", "why": "\(message)"])
        report.problem("booking", "\(name): \(message)")
        report.count("refused_by_redis")
        forgetCalls()
        retryAt = SystemClock.monotonicMilliseconds() + Pipeline.retryMilliseconds
    }

    /// What was under way may or may not have been done: the mark will tell.
    func forgetCalls() {
        epoch += 1
        lookUpsInFlight = 0
        bookingsInFlight = 0
        asked = decided
        sent = head
        mark = nil
        isAskingMark = false
    }
}
