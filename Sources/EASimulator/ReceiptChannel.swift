import Wire
import ZeroMQ

/// Confirmations over the acknowledged port: numbered, one at a time, repeated until answered. One thread owns it.
///
/// No EA in the field does this yet; it is how one that can will behave. Source: contract 3.
struct ReceiptChannel: ~Copyable {
    enum Answer: Sendable, Equatable {
        case stored(sequence: Int64, isDuplicate: Bool)
        /// The server can't read it: repeating it would not help.
        case refused(sequence: Int64, reason: String)
        /// The server knows more than we do, or asks for what comes next.
        case resumed(next: Int64)
    }

    private static let repeatAfter: Int64 = 2000
    private let socket: ZMQSocket
    private let scratch: ZMQMessage
    private var waiting: [(sequence: Int64, bytes: [UInt8])] = []
    private var nextSequence: Int64 = 1
    private var sentAt: Int64?

    init(_ context: ZMQContext, endpoint: String, nodeID: TerminalText) throws(ZMQError) {
        let socket = try ZMQSocket(context, .dealer, SocketOptions().with { $0.linger = 500 })
        try socket.connect(endpoint)
        var resume = MessageText(type: "resume")
        resume.text("node_id", nodeID)
        _ = try socket.send(resume.finished())
        self.socket = socket
        scratch = ZMQMessage()
    }

    var isIdle: Bool { waiting.isEmpty }

    /// Takes a confirmation over; its last byte is the closing brace.
    mutating func add(_ confirmation: [UInt8]) {
        var numbered = MessageText(prefix: confirmation.dropLast())
        numbered.integer("seq", nextSequence)
        waiting.append((nextSequence, numbered.finished()))
        nextSequence += 1
    }

    /// Sends the oldest unanswered confirmation if it is its turn. `isLost` makes it vanish on the way.
    mutating func send(now: Int64, isLost: Bool) throws(ZMQError) {
        guard let first = waiting.first else { return }
        if let sentAt, now - sentAt < ReceiptChannel.repeatAfter { return }
        if !isLost { _ = try socket.send(first.bytes) }
        sentAt = now
    }

    /// Takes one answer in, if one has come.
    mutating func receive() throws(ZMQError) -> Answer? {
        guard let frames = try socket.receiveFrames(scratch), let last = frames.last else { return nil }
        guard let reply = (try? JSON(last))?.object else { return nil }
        if let next = reply["next_seq"]?.text.flatMap({ Int64($0) }) {
            nextSequence = max(nextSequence, next)
            return .resumed(next: next)
        }
        guard let first = waiting.first else { return nil }
        let sequence = reply["seq"]?.text.flatMap { Int64($0) } ?? first.sequence
        guard sequence == first.sequence else { return nil }
        waiting.removeFirst()
        sentAt = nil
        if reply["ok"]?.bool == true {
            return .stored(sequence: sequence, isDuplicate: reply["duplicate"]?.bool ?? false)
        }
        return .refused(sequence: sequence, reason: reply["error"]?.object?["code"]?.text ?? "unknown")
    }
}
