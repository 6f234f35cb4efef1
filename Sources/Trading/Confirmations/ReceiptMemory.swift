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

    /// Whoever told its numbers was not the one to tell them.
    public mutating func forget(node: String) { nodes[node] = Node() }

    /// The numbers of a node; nil until they are complete: before, a number might be asked for too late.
    public mutating func numbers(node: String) -> HeardNumbers? {
        nodes[node].flatMap { $0.isComplete ? $0.numbers : nil }
    }
}

/// The numbers heard of one sender, which counts from 1. Gaps are allowed, but one may be messages that a crash
/// swallowed while later ones waited in the sender's queue: they are asked for again, which costs no more than duplicates.
public struct HeardNumbers: Sendable, Equatable {
    /// More gaps than this at once are not kept apart: the lowest is given up.
    static let maximumGaps = 256

    /// Everything below was heard.
    public private(set) var next: Int64 = 1
    /// Unbroken rows behind gaps, in order, none touching another.
    private var above: [ClosedRange<Int64>] = []

    public init() {}

    /// As it is stored: the last number of the first unbroken row, and the rows behind gaps (`7,9-12`).
    public init(last: Int64, above text: String) {
        next = last < .max ? max(1, last + 1) : .max
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").map { Int64($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else { continue }
            hear(first...last)
        }
    }

    /// The rows behind gaps, as they are stored.
    public var aboveText: String {
        above.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    mutating func hear(_ number: Int64) { hear(number...number) }

    mutating func merge(_ other: HeardNumbers) {
        next = max(next, other.next)
        let rows = above + other.above
        above = []
        for row in rows { hear(row) }
        advance()
    }

    private mutating func hear(_ row: ClosedRange<Int64>) {
        guard row.upperBound >= next, row.upperBound < .max else { return }
        var (first, last) = (max(row.lowerBound, next), row.upperBound)
        // Almost always it is the next number, or the one behind the last.
        var index = above.endIndex
        while index > 0, above[index - 1].lowerBound > last + 1 { index -= 1 }
        var start = index
        while start > 0, above[start - 1].upperBound >= first - 1 {
            start -= 1
            first = min(first, above[start].lowerBound)
            last = max(last, above[start].upperBound)
        }
        above.replaceSubrange(start..<index, with: [first...last])
        if above.count > HeardNumbers.maximumGaps { next = above[0].lowerBound }
        advance()
    }

    private mutating func advance() {
        while let row = above.first, row.lowerBound <= next {
            next = max(next, row.upperBound + 1)
            above.removeFirst()
        }
    }
}
