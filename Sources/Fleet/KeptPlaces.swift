/// Places for what strangers sent and may turn out to be true, so few that one machine could fill them with made-up names. A
/// value.
///
/// A machine may have many terminals, all of which introduce themselves once: it gets up to ``perHost`` places while there
/// are any. Where they are scarce those go first that name somebody nobody knows, then the oldest of the machine that has
/// the most; nobody is left with fewer than ``assured`` by others.
public struct KeptPlaces<Element> {
    /// One that is kept.
    public struct Place {
        public let element: Element
        public let host: String
        /// Whether it names somebody who is known.
        public let isKnown: Bool
        fileprivate let number: UInt64
    }

    /// What became of one: kept, in place of an earlier one, or not kept.
    public enum Outcome: Sendable, Equatable {
        case kept, evicting, refused
    }

    public let limit: Int
    public let perHost: Int
    public let assured: Int
    public private(set) var places: [String: Place] = [:]
    private var counts: [String: Int] = [:]
    private var number: UInt64 = 0

    public init(limit: Int = 1_000, perHost: Int = 256, assured: Int = 16) {
        self.limit = limit
        self.perHost = perHost
        self.assured = assured
    }

    /// - Parameters:
    ///   - name: what it is known by; a later one of the same name takes its place.
    ///   - isKnown: whether it names somebody who is known.
    public mutating func keep(_ element: Element, name: String, host: String, isKnown: Bool) -> Outcome {
        number += 1
        var outcome = Outcome.kept
        if places[name] == nil {
            let own = counts[host, default: 0]
            if own >= perHost {
                guard makeRoom(in: host, isKnown) else { return .refused }
                outcome = .evicting
            } else if places.count >= limit {
                let largest = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
                // Its own are the first to go once it has what everybody is assured of.
                guard let largest, makeRoom(in: own >= assured ? host : largest.key, isKnown || own < assured) else {
                    return .refused
                }
                outcome = .evicting
            }
        } else {
            remove(name)
        }
        places[name] = Place(element: element, host: host, isKnown: isKnown, number: number)
        counts[host, default: 0] += 1
        return outcome
    }

    public mutating func remove(_ name: String) {
        guard let place = places.removeValue(forKey: name) else { return }
        counts[place.host, default: 1] -= 1
        if counts[place.host] == 0 { counts[place.host] = nil }
    }

    /// Takes one of a machine's out: the oldest that names nobody known, else, where that is worth it, the oldest.
    private mutating func makeRoom(in host: String, _ isWorthAKnown: Bool) -> Bool {
        let own = places.filter { $0.value.host == host && (isWorthAKnown || !$0.value.isKnown) }
        let first = own.min {
            $0.value.isKnown != $1.value.isKnown ? $1.value.isKnown : $0.value.number < $1.value.number
        }
        guard let first else { return false }
        remove(first.key)
        return true
    }
}
