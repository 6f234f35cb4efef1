import DequeModule
import Domain
import Journal
import Redis
import ServiceKit
import Trading
import Wire

/// Between the ports and the pipeline: every message goes into the journal first, and only when it is on disk is it
/// read, answered, and handed on. Owned by the loop's thread.
final class Reception {
    private let journal: JournalWriter
    private let pipeline: Pipeline
    private let quarantine: Quarantine
    private let publisher: TradeEventPublisher
    private let report: ServiceReport
    private var memory = ReceiptMemory()
    private var accepted: Deque<(frame: AcceptedFrame, address: ReturnAddress?)> = []
    /// Set once, when the port is bound; it needs this to hand messages to.
    weak var receipts: ReceiptServer?

    init(
        _ environment: ServiceEnvironment, journal: JournalWriter, pipeline: Pipeline, publisher: TradeEventPublisher
    ) {
        self.journal = journal
        self.pipeline = pipeline
        self.publisher = publisher
        quarantine = Quarantine(environment, pipeline.redis)
        report = environment.report
        remember(journal.takeRecentFrames())
    }

    /// Messages taken that are not on disk yet.
    var waiting: Int { accepted.count }

    func accept(_ frames: [[UInt8]], from source: JournalSource, _ address: ReturnAddress? = nil) {
        report.count("received")
        let (bytes, flags) = FrameReading.packed(frames)
        let now = SystemClock.now()
        let sequence = journal.append(source, flags: flags, receivedAt: now, bytes)
        let frame = AcceptedFrame(sequence: sequence, receivedAt: now, source: source, flags: flags, bytes: bytes)
        accepted.append((frame, address))
    }

    /// Goes on with everything that is on disk by now.
    func proceed() {
        let durable = journal.status.durable
        while let first = accepted.first, first.frame.sequence <= durable {
            accepted.removeFirst()
            report.count("journaled")
            understand(first.frame, first.address)
        }
    }

    private func understand(_ frame: AcceptedFrame, _ address: ReturnAddress?) {
        do throws(EAReject) {
            let message = try FrameReading.decode(frame.bytes, frame.flags)
            let item = WindowItem(message, frame)
            pipeline.offer(frame) { item }
            answer(message, item, frame, address)
        } catch {
            pipeline.offer(frame) { WindowItem(sequence: frame.sequence) }
            report.count("unreadable")
            quarantine.keep(error, port: port(frame), frame: frame.bytes)
            if let address { receipts?.fail(address, "bad_request", "\(error); it is kept, but it can't be booked") }
        }
    }

    private func answer(
        _ message: TerminalMessage, _ item: WindowItem, _ frame: AcceptedFrame, _ address: ReturnAddress?
    ) {
        switch message {
        case .trade(let report):
            let isRepeated = item.confirmation.map { memory.isRepeated($0) } ?? false
            if isRepeated { self.report.count("repeated") }
            if let receipt = item.receipt { memory.heard(node: receipt.node, sequence: receipt.sequence) }
            if let address { confirm(address, report.sequence, isRepeated: isRepeated) }
        case .pong(let pong):
            report.count("pongs")
            publisher.publish(pong, at: frame.receivedAt)
            if let address { confirm(address, Reception.number(frame.bytes), isRepeated: false) }
        case .resume(let node):
            report.count("resumes")
            if let address { resume(node, address) }
        case .unknown(let type):
            refuse("unknown_type", "'\(type)' is no message of any version", frame, address)
        case .report, .tick, .bars, .disconnect:
            refuse("wrong_port", "this port takes confirmations; telemetry goes to ea-telemetry", frame, address)
        }
    }

    private func refuse(_ reason: String, _ detail: String, _ frame: AcceptedFrame, _ address: ReturnAddress?) {
        quarantine.keep(reason: reason, detail: detail, port: port(frame), frame: frame.bytes)
        if let address { receipts?.fail(address, reason, detail) }
    }

    private func port(_ frame: AcceptedFrame) -> PortList.Name {
        frame.source == .receipts ? .eaReceipts : .eaConfirmations
    }

    // MARK: - Receipts

    private func confirm(_ address: ReturnAddress, _ sequence: Int64?, isRepeated: Bool) {
        receipts?.reply(
            address, ["seq": sequence.map { .integer($0) } ?? .null, "duplicate": .bool(isRepeated)])
    }

    /// From which of its own numbers a sender has to go on: from memory, else from what was booked.
    private func resume(_ node: String, _ address: ReturnAddress) {
        if let next = memory.next(node: node) { return sendNext(next, address) }
        pipeline.redis.send(["HGET", "receipts:\(node)", "last_seq"]) { [weak self] reply in
            guard let self else { return }
            guard let reply, reply.errorMessage == nil else {
                receipts?.fail(address, "state_unavailable", "Redis is away; ask again, or send everything once more")
                return
            }
            let last = reply.integer ?? 0
            sendNext(last == .max ? last : last + 1, address)
        }
    }

    private func sendNext(_ next: Int64, _ address: ReturnAddress) {
        receipts?.reply(address, ["next_seq": .integer(next)])
    }

    private static func number(_ bytes: [UInt8]) -> Int64? {
        (try? JSON(bytes))?.object?["seq"]?.text.flatMap { Int64($0) }
    }

    /// What the journal's end tells, so that a repeat right after a restart is known as one.
    private func remember(_ records: [JournalRecord]) {
        for record in records {
            let item = WindowItem(record)
            if let confirmation = item.confirmation { _ = memory.isRepeated(confirmation) }
            if let receipt = item.receipt { memory.heard(node: receipt.node, sequence: receipt.sequence) }
        }
    }
}
