import Domain
import Journal
import Trading
import Wire

/// One frame of the journal on its way into Redis.
struct WindowItem: Sendable {
    let sequence: UInt64
    /// Nil where there is nothing to book: a pong, or what could not be read.
    var confirmation: Confirmation?
    /// What it means, where that stands in the journal already.
    var earlier: [TradeEvent]?
    /// What is to be booked, once decided.
    var entries: [BookScript.Entry]?
    /// The record that keeps the decision; 0 where it is on disk already or there is none.
    var decision: UInt64 = 0
    /// The sender's own number, to be kept as heard.
    var receipt: ReceiptBook.Receipt?
    /// It claims to be a witness' finding and is not signed as one: nothing of it is believed.
    private(set) var isForged = false
    /// It came from another machine.
    private(set) var isOutside = false
    /// It came before it was known from where terminals speak.
    private(set) var isUnjudged = false
    /// The message itself where it may have to be held because of that; nil where it is too long for that.
    private(set) var unjudged: AcceptedFrame?

    init(sequence: UInt64) { self.sequence = sequence }

    /// What has to be looked up for it: nothing where there is nothing to book.
    var questions: [ConfirmationQuestion] {
        if let earlier { return earlier.compactMap { ConfirmationQuestion($0) } }
        return confirmation.map { [ConfirmationQuestion($0.report)] } ?? []
    }

    /// From what a frame says. Only frames of the port for receipts carry numbers that count.
    init(_ message: TerminalMessage?, _ frame: AcceptedFrame, _ secret: SharedSecret) {
        sequence = frame.sequence
        isOutside = frame.flags.contains(.outside)
        isUnjudged = frame.flags.contains(.unjudged)
        // Judged when it was received, and the verdict stands in its record: a replay knows no addresses.
        guard !frame.flags.contains(.foreign) else { return }
        var (sender, number, user): (String?, Int64?, String?) = (nil, nil, nil)
        switch message {
        case .trade(var report)?:
            let isSigned = report.isInferred && FrameReading.isSigned(frame.bytes, frame.flags, secret)
            guard !report.isInferred || isSigned else {
                isForged = true
                return
            }
            if !isSigned { report.witness = nil }
            confirmation = FrameReading.confirmation(
                report, sequence: sequence, receivedAt: frame.receivedAt, source: frame.source, bytes: frame.bytes)
            confirmation?.durableAt = frame.durableAt
            (sender, number, user) = (report.nodeID, report.sequence, report.userUUID)
        case .pong(let pong)? where frame.source == .receipts:
            (sender, number, user) = (pong.nodeID, FrameReading.number(frame.bytes), pong.userUUID)
        default: break
        }
        if isUnjudged, confirmation?.report.userUUID != nil, frame.bytes.count <= HeldMessage.longest {
            unjudged = frame
        }
        // From another machine nobody is anybody: not the node's user, where it has one.
        if isOutside { user = user ?? "" }
        // Nor is it known whose numbers those are that came before anybody could judge: they are asked for again.
        if frame.source == .receipts, !isUnjudged, let sender, let number { receipt = (sender, number, user) }
    }

    /// What was decided before stands as it was decided; only what was not is held against the secret again.
    init(_ record: JournalRecord, _ secret: SharedSecret) {
        let frame = AcceptedFrame(
            sequence: record.sequence, receivedAt: record.receivedAt, source: record.source, flags: record.flags,
            bytes: record.bytes)
        self.init(try? FrameReading.decode(record.bytes, record.flags), frame, secret)
    }
}

/// A frame between its receipt and its place on disk.
struct AcceptedFrame: Sendable {
    let sequence: UInt64
    let receivedAt: Timestamp
    let source: JournalSource
    let flags: JournalFlags
    let bytes: [UInt8]
    /// The sender's address without port, where the connection told.
    var peer: String?
    /// Nil until it is on disk, or where it was there before this process.
    var durableAt: Timestamp?
}
