import Wire
import ZeroMQ

/// Confirmations over the acknowledged port: numbered, one at a time, repeated until answered. One thread owns it.
///
/// After each connection it asks with `resume` from which number to go on, and sends what the server lacks: what was
/// never answered, and what was answered and is missing all the same. No EA in the field does this yet; it is how one
/// that can will behave. Source: contract 3.
struct ReceiptChannel: ~Copyable {
    enum Answer: Sendable, Equatable {
        case stored(sequence: Int64, isDuplicate: Bool)
        /// The server can't read it: repeating it would not help.
        case refused(sequence: Int64, reason: String)
        /// The server can't store it now: it comes again.
        case delayed(reason: String)
        /// Where the server wants to go on.
        case resumed(next: Int64)
    }

    private typealias Numbered = (sequence: Int64, bytes: [UInt8])
    private static let repeatAfter: Int64 = 2000
    /// How many answered confirmations are kept, should the server have lost them.
    private static let kept = 256

    private let context: ZMQContext
    private let endpoint: String
    private let kind: ReceiptSocket
    private let resume: [UInt8]
    private var socket: ZMQSocket
    private let scratch: ZMQMessage
    private var waiting: [Numbered] = []
    private var answered: [Numbered] = []
    private var nextSequence: Int64 = 1
    private var isResumed = false
    private var sentAt: Int64?
    /// Whether something really left: a REQ socket that sent must receive before it may send again.
    private var isOwed = false

    init(_ context: ZMQContext, endpoint: String, nodeID: TerminalText, kind: ReceiptSocket = .dealer)
        throws(ZMQError)
    {
        var resume = MessageText(type: "resume")
        resume.text("node_id", nodeID)
        let socket = try ReceiptChannel.open(context, endpoint, kind)
        self.context = context
        self.endpoint = endpoint
        self.kind = kind
        self.resume = resume.finished()
        self.socket = socket
        scratch = ZMQMessage()
    }

    private static func open(
        _ context: ZMQContext, _ endpoint: String, _ kind: ReceiptSocket
    ) throws(ZMQError) -> ZMQSocket {
        let options = SocketOptions().with { $0.linger = 500 }
        let socket = try ZMQSocket(context, kind == .req ? .request : .dealer, options)
        try socket.connect(endpoint)
        return consume socket
    }

    var isIdle: Bool { waiting.isEmpty }

    /// What the server has not acknowledged, without its numbers.
    private(set) var unanswered: [[UInt8]] = []

    /// The network was away: a new connection, which begins with `resume`.
    mutating func reconnect() throws(ZMQError) {
        socket = try ReceiptChannel.open(context, endpoint, kind)
        isResumed = false
        isOwed = false
        sentAt = nil
    }

    /// Takes a confirmation over; its last byte is the closing brace.
    mutating func add(_ confirmation: [UInt8]) {
        var numbered = MessageText(prefix: confirmation.dropLast())
        numbered.integer("seq", nextSequence)
        waiting.append((nextSequence, numbered.finished()))
        unanswered.append(confirmation)
        nextSequence += 1
    }

    /// Whether something is to be sent now.
    func isDue(now: Int64) -> Bool {
        guard !isResumed || !waiting.isEmpty else { return false }
        return sentAt.map { now - $0 >= ReceiptChannel.repeatAfter } ?? true
    }

    /// Sends what is due. `isLost` makes a confirmation vanish on the way.
    mutating func send(now: Int64, isLost: Bool) throws(ZMQError) {
        if isOwed && kind == .req {
            // No answer came: a REQ socket can only be thrown away.
            socket = try ReceiptChannel.open(context, endpoint, kind)
            isOwed = false
        }
        sentAt = now
        if !isResumed {
            isOwed = try socket.send(resume) == .sent
        } else if let first = waiting.first, !isLost {
            isOwed = try socket.send(first.bytes) == .sent
        }
    }

    /// Takes one answer in, if one has come.
    mutating func receive() throws(ZMQError) -> Answer? {
        guard kind == .dealer || isOwed else { return nil }
        guard let frames = try socket.receiveFrames(scratch), let last = frames.last else { return nil }
        isOwed = false
        guard let reply = (try? JSON(last))?.object else { return nil }
        let reason = reply["error"]?.object?["code"]?.text ?? "unknown"
        // `sentAt` stays: it is repeated when its time has come.
        if reason == "state_unavailable" { return .delayed(reason: reason) }
        if let next = reply["next_seq"]?.text.flatMap({ Int64($0) }) { return resume(at: next) }
        guard isResumed, let first = waiting.first else { return nil }
        let sequence = reply["seq"]?.text.flatMap { Int64($0) } ?? first.sequence
        guard sequence == first.sequence else { return nil }
        take(first)
        sentAt = nil
        guard reply["ok"]?.bool == true else { return .refused(sequence: sequence, reason: reason) }
        return .stored(sequence: sequence, isDuplicate: reply["duplicate"]?.bool ?? false)
    }

    private mutating func resume(at next: Int64) -> Answer? {
        guard !isResumed else { return nil }
        isResumed = true
        sentAt = nil
        nextSequence = max(nextSequence, next)
        while let first = waiting.first, first.sequence < next { take(first) }
        let missing = answered.filter { $0.sequence >= next }
        answered.removeAll { $0.sequence >= next }
        waiting = missing + waiting
        // Only whole bodies are handed on to a new node; their numbers belong to this one.
        unanswered = waiting.map { ReceiptChannel.unnumbered($0) }
        return .resumed(next: next)
    }

    private mutating func take(_ first: Numbered) {
        waiting.removeFirst()
        unanswered.removeFirst()
        answered.append(first)
        if answered.count > ReceiptChannel.kept { answered.removeFirst() }
    }

    private static func unnumbered(_ message: Numbered) -> [UInt8] {
        let tail = ",\"seq\":\(message.sequence)}".utf8.count
        return message.bytes.dropLast(tail) + [UInt8(ascii: "}")]
    }
}
