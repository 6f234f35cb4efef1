/// Which messages were taken before, and which of its own numbers each node was heard with: for receipts.
///
/// It knows only what this process took and was told at its start; what counts is decided where events are booked.
public struct ReceiptMemory: Sendable {
    private var spoken: BoundedMemory<String, Bool>
    private var nodes: BoundedMemory<String, HeardNumbers>

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

    /// Notes a node's own number.
    public mutating func heard(node: String, sequence: Int64) {
        var numbers = nodes[node] ?? HeardNumbers(before: sequence)
        numbers.hear(sequence)
        nodes[node] = numbers
    }

    /// From which number a node has to send again: the first that may be missing. Nil where nothing was heard of it.
    public mutating func next(node: String) -> Int64? { nodes[node]?.next }
}

/// The numbers heard of one sender. Gaps are allowed, but a recent one may be a message that a crash swallowed while
/// later ones waited in the sender's queue: it is asked for again, which costs no more than duplicates.
struct HeardNumbers: Sendable, Equatable {
    /// A gap is taken for meant when so many later numbers were heard.
    static let window = 512

    private(set) var next: Int64
    private var above: Set<Int64> = []

    init(before first: Int64) { next = first }

    mutating func hear(_ number: Int64) {
        guard number >= next, number < .max else { return }
        above.insert(number)
        if above.count > HeardNumbers.window, let lowest = above.min() { next = lowest }
        while above.remove(next) != nil { next += 1 }
    }
}
