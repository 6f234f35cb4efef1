/// Sequences by key: the smallest key first, of equal ones the earlier sequence; any of them can be taken out. Each step
/// costs the logarithm of what is in it (a binary heap that knows where everything stands).
struct RemovableQueue<Key: Comparable & Sendable>: Sendable {
    struct Element: Sendable {
        var key: Key
        var sequence: Int

        static func precedes(_ one: Element, _ other: Element) -> Bool {
            (one.key, one.sequence) < (other.key, other.sequence)
        }
    }

    private var heap: [Element] = []
    private var places: [Int: Int] = [:]

    var count: Int { heap.count }
    var first: Element? { heap.first }

    /// A sequence that is in the queue already moves to its new key.
    mutating func insert(_ sequence: Int, at key: Key) {
        remove(sequence)
        heap.append(Element(key: key, sequence: sequence))
        rise(from: heap.count - 1)
    }

    mutating func remove(_ sequence: Int) {
        guard let place = places.removeValue(forKey: sequence), let last = heap.popLast() else { return }
        guard place < heap.count else { return }
        heap[place] = last
        rise(from: place)
        if let settled = places[last.sequence] { sink(from: settled) }
    }

    private mutating func rise(from start: Int) {
        var place = start
        let element = heap[place]
        while place > 0 {
            let parent = (place - 1) / 2
            guard Element.precedes(element, heap[parent]) else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(element, at: place)
    }

    private mutating func sink(from start: Int) {
        var place = start
        let element = heap[place]
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, Element.precedes(heap[child + 1], heap[child]) { child += 1 }
            guard Element.precedes(heap[child], element) else { break }
            put(heap[child], at: place)
            place = child
        }
        put(element, at: place)
    }

    private mutating func put(_ element: Element, at place: Int) {
        heap[place] = element
        places[element.sequence] = place
    }
}
