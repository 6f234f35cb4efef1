/// How signals ended, those of earlier runs too: a bounded memory, of which the oldest is forgotten. One owner.
struct SignalEndings {
    private let capacity: Int
    private var states: [String: String] = [:]
    /// In order of arrival, from `oldest` on once it is full.
    private var order: [String] = []
    private var oldest = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { states.count }

    /// The state a signal ended in; nil where it is not known.
    subscript(_ identifier: String) -> String? { states[identifier] }

    mutating func remember(_ identifier: String, ended state: String) {
        guard states.updateValue(state, forKey: identifier) == nil else { return }
        guard order.count >= capacity else { return order.append(identifier) }
        states[order[oldest]] = nil
        order[oldest] = identifier
        oldest = (oldest + 1) % capacity
    }
}
