import Trading

/// The fields of statistics that one call touches, numbered: the script adds up numbers in cells, and reads and writes
/// each scope once a call, however many events are in it.
struct BookCells {
    /// What a cell is for.
    enum Kind: Int { case count, money, largest }

    /// A scope with the fields touched in it. Cells count from 1 over all scopes.
    struct Scope {
        let name: String
        var sums: [(name: String, cell: Int)] = []
        var largest: [(name: String, cell: Int)] = []
    }

    /// What one event adds to each of its scopes: amounts, and for each scope the cells they go to.
    struct Part {
        var scopes: [Int] = []
        var amounts: [Int64] = []
        var cells: [[Int]] = []
    }

    struct Change {
        var parts: [Part] = []
        /// A magnitude, the cells it may raise, and, where it may be taken back, the position's name.
        var largest: [(amount: Int64, cells: [Int], identifier: String)] = []
        /// Cells out of which the position's magnitude is taken back.
        var revoked: [Int] = []
        /// The position's name.
        var name = ""
    }

    /// Fields of one scope with one suffix, found by few comparisons.
    private struct Group {
        let scope: Int
        let suffix: String
        var cells: [(kind: Kind, field: String, cell: Int)] = []
    }

    private(set) var scopes: [Scope] = []
    private var places: [String: Int] = [:]
    private var groups: [Group] = []
    private var groupPlaces: [StatisticsChange.Scope: Int] = [:]
    private(set) var count = 0

    mutating func change(_ event: TradeEvent) -> Change {
        var change = Change()
        let (added, revoked) = StatisticsChange.changes(event)
        change.name = added.name
        change.parts.append(part(added, sign: 1))
        let own = added.scopes.map { group($0) }
        for step in added.largest {
            change.largest.append((step.amount, own.map { cell(.largest, step.field, $0) }, added.revocable))
        }
        if let revoked {
            change.parts.append(part(revoked, sign: -1))
            let groups = revoked.scopes.map { group($0) }
            for step in revoked.largest { change.revoked += groups.map { cell(.largest, step.field, $0) } }
        }
        return change
    }

    private mutating func part(_ change: StatisticsChange, sign: Int64) -> Part {
        var part = Part()
        for step in change.counts { part.amounts.append(sign * step.amount) }
        for step in change.money { part.amounts.append(sign < 0 ? 0 &- step.amount : step.amount) }
        for scope in change.scopes {
            let group = group(scope)
            var cells = change.counts.map { cell(.count, $0.field, group) }
            for step in change.money { cells.append(cell(.money, step.field, group)) }
            part.scopes.append(groups[group].scope + 1)
            part.cells.append(cells)
        }
        return part
    }

    private mutating func group(_ scope: StatisticsChange.Scope) -> Int {
        if let known = groupPlaces[scope] { return known }
        let place = places[scope.name] ?? scopes.count
        if place == scopes.count {
            places[scope.name] = place
            scopes.append(Scope(name: scope.name))
        }
        groups.append(Group(scope: place, suffix: scope.suffix))
        groupPlaces[scope] = groups.count - 1
        return groups.count - 1
    }

    private mutating func cell(_ kind: Kind, _ field: String, _ group: Int) -> Int {
        let known = groups[group].cells.first { $0.kind == kind && $0.field == field }
        if let known { return known.cell }
        let scope = groups[group].scope
        // Counts stand in the scope once, whatever the currency.
        let name = kind == .count ? field : "\(field).\(groups[group].suffix)"
        let shared = kind == .count ? scopes[scope].sums.first { $0.name == name } : nil
        let cell = shared?.cell ?? count + 1
        groups[group].cells.append((kind, field, cell))
        guard shared == nil else { return cell }
        count = cell
        if kind == .largest {
            scopes[scope].largest.append((name, cell))
        } else {
            scopes[scope].sums.append((name, cell))
        }
        return cell
    }
}
