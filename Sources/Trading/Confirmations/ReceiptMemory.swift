/// Which messages were taken before, and up to which of its own numbers each node was heard: for answers on 5559.
///
/// It knows only what this process took and was told at its start; what counts is decided where events are booked.
public struct ReceiptMemory: Sendable {
    private var spoken: BoundedMemory<String, Bool>
    private var last: BoundedMemory<String, Int64>

    public init(messages: Int = 100_000, nodes: Int = 50_000) {
        spoken = BoundedMemory(limit: messages)
        last = BoundedMemory(limit: nodes)
    }

    /// Takes a durable confirmation in; true where its effect was told before.
    public mutating func isRepeated(_ confirmation: Confirmation) -> Bool {
        let name = EventIdentity.spoken(confirmation)
        if spoken[name] != nil { return true }
        spoken[name] = true
        return false
    }

    /// Notes a node's own number; gaps are allowed, and an older one changes nothing.
    public mutating func heard(node: String, sequence: Int64) {
        if sequence > last[node] ?? .min { last[node] = sequence }
    }

    /// The highest number heard of a node, nil where none was.
    public mutating func lastSequence(node: String) -> Int64? { last[node] }
}
