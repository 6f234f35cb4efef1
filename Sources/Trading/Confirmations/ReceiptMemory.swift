/// Which messages were taken before, and which of its own numbers each node was heard with: for receipts.
///
/// It knows only what this process took and was told; what counts is decided where events are booked.
public struct ReceiptMemory: Sendable {
    private var spoken: BoundedMemory<String, Bool>
    private var nodes: BoundedMemory<String, Node>

    private struct Node: Sendable {
        var numbers = HeardNumbers()
        /// Whether what earlier processes heard is in it.
        var isComplete = false
    }

    public init(messages: Int = 100_000, nodes: Int = 50_000) {
        spoken = BoundedMemory(limit: messages)
        self.nodes = BoundedMemory(limit: nodes)
    }

    /// Takes a durable confirmation in; true where its effect was told before.
    public mutating func isRepeated(_ confirmation: Confirmation) -> Bool {
        let name = EventIdentity.spoken(confirmation)
        if spoken[name] != nil { return true }
        spoken[name] = true
        return false
    }

    /// Notes a node's own number, once it is durable; whether what was heard earlier has to be asked for.
    public mutating func heard(node: String, sequence: Int64) -> Bool {
        var known = nodes[node] ?? Node()
        known.numbers.hear(sequence)
        nodes[node] = known
        return !known.isComplete
    }

    /// Adds what earlier processes heard, as it is stored; nothing where they heard nothing.
    public mutating func complete(node: String, with stored: HeardNumbers) {
        var known = nodes[node] ?? Node()
        known.numbers.merge(stored)
        known.isComplete = true
        nodes[node] = known
    }

    /// The numbers of a node; nil until they are complete: before, a number might be asked for too late.
    public mutating func numbers(node: String) -> HeardNumbers? {
        nodes[node].flatMap { $0.isComplete ? $0.numbers : nil }
    }
}

/// The numbers heard of one sender, which counts from 1. Gaps are allowed, but a recent one may be a message that a
/// crash swallowed while later ones waited in the sender's queue: it is asked for again, which costs no more than
/// duplicates.
public struct HeardNumbers: Sendable, Equatable {
    /// A gap is taken for meant when so many later numbers were heard.
    static let window = 512

    /// Everything below was heard.
    public private(set) var next: Int64 = 1
    private var above: Set<Int64> = []

    public init() {}

    /// As it is stored: the last number of the first unbroken row, and those behind gaps.
    public init(last: Int64, above text: String) {
        next = last < .max ? max(1, last + 1) : .max
        for part in text.split(separator: ",") {
            if let number = Int64(part) { hear(number) }
        }
    }

    /// The numbers behind gaps, as they are stored.
    public var aboveText: String { above.sorted().map { String($0) }.joined(separator: ",") }

    mutating func hear(_ number: Int64) {
        guard number >= next, number < .max else { return }
        above.insert(number)
        if above.count > HeardNumbers.window, let lowest = above.min() { next = lowest }
        advance()
    }

    mutating func merge(_ other: HeardNumbers) {
        next = max(next, other.next)
        above = above.union(other.above).filter { $0 >= next }
        advance()
    }

    private mutating func advance() {
        while above.remove(next) != nil { next += 1 }
    }
}
