/// Decides which hashes of a family are read next, so that thousands of them never cost thousands of reads a second.
///
/// *Hot* members change by themselves (active nodes, open positions) and are read in turn, a few each second; *cold*
/// ones (what is over) are read once, and again when somebody says that they changed or when they cool down.
struct RefreshQueue {
    private(set) var hot: Set<String> = []
    private(set) var cold: Set<String> = []
    private var urgent: [String] = []
    private var isUrgent: Set<String> = []
    private var round: [String] = []

    var count: Int { hot.count + cold.count }
    var hasUrgent: Bool { !urgent.isEmpty }

    func contains(_ member: String) -> Bool { hot.contains(member) || cold.contains(member) }

    /// Takes the families' members as they are now; returns those that are no longer in it.
    mutating func update(hot newHot: Set<String>, cold given: Set<String>) -> [String] {
        let newCold = given.subtracting(newHot)
        guard newHot != hot || newCold != cold else { return [] }
        let before = hot.union(cold)
        let after = newHot.union(newCold)
        for member in newHot where !hot.contains(member) { mark(member, checked: true) }
        // What has just cooled down changed with it.
        for member in newCold where !cold.contains(member) { mark(member, checked: true) }
        hot = newHot
        cold = newCold
        let gone = before.subtracting(after)
        if !gone.isEmpty {
            urgent.removeAll { gone.contains($0) }
            isUrgent.subtract(gone)
        }
        return Array(gone)
    }

    /// Somebody said that this one changed: it goes ahead of the others.
    mutating func mark(_ member: String) { mark(member, checked: contains(member)) }

    private mutating func mark(_ member: String, checked isKnown: Bool) {
        guard isKnown, isUrgent.insert(member).inserted else { return }
        urgent.append(member)
    }

    /// Takes everything to be read anew, after Redis came back for example.
    mutating func markAll() {
        for member in hot { mark(member, checked: true) }
        for member in cold { mark(member, checked: true) }
    }

    /// The next members to read: urgent ones, at most `urgentLimit`, then hot ones in turn, at most `budget` in all.
    mutating func take(budget: Int, urgentLimit: Int) -> [String] {
        var taken = Array(urgent.prefix(urgentLimit))
        urgent.removeFirst(taken.count)
        isUrgent.subtract(taken)
        var chosen = Set(taken)
        var turns = hot.count
        while taken.count < budget, turns > 0 {
            if round.isEmpty { round = Array(hot) }
            guard let next = round.popLast() else { break }
            turns -= 1
            if hot.contains(next), chosen.insert(next).inserted { taken.append(next) }
        }
        return taken
    }
}
