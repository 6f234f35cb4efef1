import DequeModule
import Domain
import Journal
import Logging
import Redis
import ServiceKit
import Trading
import Wire

/// Between the ports and the pipeline: every message goes into the journal first, and only when it is on disk is it
/// read, answered, and handed on. Owned by the loop's thread.
final class Reception {
    private let journal: JournalWriter
    let pipeline: Pipeline
    let quarantine: Quarantine
    let publisher: TradeEventPublisher
    let report: ServiceReport
    let book: ReceiptBook
    private let spool: ReceptionSpool
    let secret: SharedSecret
    private(set) var addresses: TerminalAddresses?
    private var unjudged = UnjudgedFrames()
    private var accepted: Deque<(frame: AcceptedFrame, address: ReturnAddress?)> = []
    /// Set once, when the port is bound; it needs this to hand messages to.
    weak var receipts: ReceiptServer?

    init(
        _ environment: ServiceEnvironment, journal: JournalWriter, pipeline: Pipeline, publisher: TradeEventPublisher,
        secret: SharedSecret
    ) {
        self.secret = secret
        self.journal = journal
        self.pipeline = pipeline
        self.publisher = publisher
        book = pipeline.receipts
        quarantine = Quarantine(environment, pipeline.redis)
        report = environment.report
        spool = ReceptionSpool(
            path: environment.configuration.varDirectory + "/reception.spool",
            journal: journal.recovery.identifier, log: environment.log)
        durable = journal.status.durable
        remember(journal.takeRecentFrames())
        recover(environment)
        addresses = TerminalAddresses(
            pipeline.redis, takeOut: pipeline.takeOut, environment, durable: { journal.status.durable }
        ) { [unowned self] held in
            take(held.bytes, held.flags, held.source, held.receivedAt, held.peer, nil).sequence
        }
        pipeline.lateObjection = { [unowned self] in lateObjection($0, $1) }
        pipeline.onForeignClaim = { [unowned self] claim, confirmation in
            if claim.isKnown, !claim.isHeld { addresses?.note(foreign: claim.owner) }
            let port: PortList.Name =
                confirmation.sourcePort == PortList.Name.eaReceipts.rawValue ? .eaReceipts : .eaConfirmations
            quarantine.keep(
                reason: "foreign_claim", detail: "\(claim.text); record \(confirmation.sequence) of the journal",
                port: port,
                frame: [])
        }
    }

    /// Takes in again what a process that was killed had taken and not brought to disk.
    private func recover(_ environment: ServiceEnvironment) {
        let left = spool.left(behind: journal.recovery.lastSequence)
        guard !left.isEmpty else { return }
        for (place, frame) in left.enumerated() {
            // Under its new number before it can be on disk: killed anywhere, the next start finds it once.
            spool.renumber(place, to: journal.status.appended + 1)
            take(frame.bytes, frame.flags, frame.source, frame.receivedAt, nil, nil)
        }
        report.count("recovered", Int64(left.count))
        environment.log.notice("frames of a killed process are taken in", metadata: ["frames": "\(left.count)"])
    }

    /// Whether it is known from where terminals speak, so that frames can be judged.
    var isFenced: Bool { addresses?.isLoaded ?? false }
    /// Up to which byte of which connection's stream an earlier process had taken messages.
    func takenUpTo() -> [UInt64: UInt64] { spool.ends() }
    /// The connection of a message at which earlier processes died, each of them.
    var deadlyConnection: UInt64? { spool.deadly }
    /// Messages taken that are not on disk yet.
    var waiting: Int { accepted.count }
    /// Whether another one can be kept over a kill of this process while it waits for the disk.
    var hasRoom: Bool { spool.hasRoom(durable: durable) }
    /// As it was when the disk last told.
    private var durable: UInt64 = 0

    func accept(
        _ frames: [[UInt8]], from source: JournalSource, peer: String?, _ address: ReturnAddress? = nil,
        origin: PullFrame.Origin? = nil
    ) {
        if let origin { spool.begin(origin) }
        defer { if origin != nil { spool.finish() } }
        report.count("received")
        var (bytes, flags) = FrameReading.packed(frames)
        if let peer, !NetworkAddress.isOwnMachine(peer) { flags.insert(.outside) }
        let objection = objection(bytes, flags, peer)
        if objection != nil { flags.insert(.foreign) }
        let isUnjudged = !isFenced && flags.contains(.outside)
        if isUnjudged { flags.insert(.unjudged) }
        let now = SystemClock.now()
        // In the spool first, under the number it will have, since only this thread appends: a frame that is on disk
        // and not in the spool would be taken from the kernel once more.
        spool.keep(
            AcceptedFrame(
                sequence: journal.status.appended + 1, receivedAt: now, source: source, flags: flags, bytes: bytes),
            origin)
        let frame = take(bytes, flags, source, now, peer, address)
        if isUnjudged, let peer, speaker(try? FrameReading.decode(bytes, flags)) != nil {
            unjudged.keep(frame.sequence, from: peer)
        }
        guard let objection else { return }
        report.count("foreign_address")
        addresses?.hold(frame, user: objection.user, address: objection.address)
    }

    @discardableResult
    private func take(
        _ bytes: [UInt8], _ flags: JournalFlags, _ source: JournalSource, _ receivedAt: Timestamp,
        _ peer: String?, _ address: ReturnAddress?
    ) -> AcceptedFrame {
        let sequence = journal.append(source, flags: flags, receivedAt: receivedAt, bytes)
        let frame = AcceptedFrame(
            sequence: sequence, receivedAt: receivedAt, source: source, flags: flags, bytes: bytes, peer: peer)
        accepted.append((frame, address))
        return frame
    }

    /// Goes on with everything that is on disk by now.
    func proceed() {
        durable = journal.status.durable
        let now = SystemClock.now()
        if !unjudged.isEmpty, isFenced, let applied = pipeline.applied { unjudged.forget(booked: applied) }
        while var first = accepted.first, first.frame.sequence <= durable {
            accepted.removeFirst()
            first.frame.durableAt = now
            report.count("journaled")
            understand(first.frame, first.address)
        }
    }

    private func understand(_ frame: AcceptedFrame, _ address: ReturnAddress?) {
        do throws(EAReject) {
            let message = try FrameReading.decode(frame.bytes, frame.flags)
            let item = WindowItem(message, frame, secret)
            if let receipt = item.receipt { book.heard(receipt) }
            pipeline.offer(frame) { item }
            answer(message, item, frame, address)
        } catch {
            pipeline.offer(frame) { WindowItem(sequence: frame.sequence) }
            report.count("unreadable")
            quarantine.keep(error, port: port(frame), frame: frame.bytes)
            if let address { receipts?.fail(address, "bad_request", "\(error); it is kept, but it can't be booked") }
        }
    }

    /// Who would be believed about which user if he spoke from there, or nil where nothing is held against it. A signed
    /// finding needs no address, and most frames of a quiet mesh come from this machine: then nothing is read twice.
    private func objection(
        _ bytes: [UInt8], _ flags: JournalFlags, _ peer: String?
    ) -> (user: String, address: String)? {
        guard let peer, let addresses, addresses.mayObject(to: peer),
            let user = speaker(try? FrameReading.decode(bytes, flags)),
            addresses.objection(to: user, from: peer) != nil
        else { return nil }
        return (user, peer)
    }

    /// What came while nobody could say from where terminals speak, judged now that it is to be booked. Where it came from
    /// is lost with the process that took it: then it is held as from nowhere, and an operator says what it is.
    private func lateObjection(_ confirmation: Confirmation, _ frame: AcceptedFrame?) -> ForeignClaim? {
        guard let addresses, addresses.isLoaded, !confirmation.report.isInferred,
            let user = confirmation.report.userUUID
        else { return nil }
        let peer = unjudged.take(confirmation.sequence) ?? HeldSender.unknownAddress
        guard let words = addresses.objection(to: user, from: peer) else { return nil }
        report.count("foreign_address")
        if let frame { addresses.hold(frame, user: user, address: peer) } else { report.count("held_not_kept") }
        return ForeignClaim(owner: user, text: words, isHeld: true)
    }

    func speaker(_ message: TerminalMessage?) -> String? {
        switch message {
        case .trade(let trade)? where !trade.isInferred: trade.userUUID
        case .pong(let pong)?: pong.userUUID
        default: nil
        }
    }

    // MARK: - Receipts

    func confirm(_ address: ReturnAddress, _ sequence: Int64?, isRepeated: Bool) {
        receipts?.reply(
            address, ["seq": sequence.map { .integer($0) } ?? .null, "duplicate": .bool(isRepeated)])
    }

    /// From which of its own numbers a sender has to go on: the first that is not known to be durable.
    func resume(_ node: String, _ address: ReturnAddress) {
        book.next(node: node) { [weak self] next in
            guard let self else { return }
            guard let next else {
                receipts?.fail(address, "state_unavailable", "Redis is away; ask again, or send everything once more")
                return
            }
            sendNext(next, address)
        }
    }

    private func sendNext(_ next: Int64, _ address: ReturnAddress) {
        receipts?.reply(address, ["next_seq": .integer(next)])
    }

    /// What the journal's end tells, so that a repeat right after a restart is known as one.
    private func remember(_ records: [JournalRecord]) {
        for record in records {
            let item = WindowItem(record, secret)
            if let confirmation = item.confirmation { _ = book.isRepeated(confirmation) }
            if let receipt = item.receipt { book.heard(receipt) }
        }
    }
}
