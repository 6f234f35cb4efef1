/// A hash as Redis has it.
struct Row: Equatable {
    let fields: [String: String]
}

/// Everything of the ledger that a start reads from Redis: what the engine is filled with, and the journal's snapshot.
struct LoadedState {
    var lastNodeEvent = "0"
    var state: [String: String] = [:]
    var counts: [String: String] = [:]
    var brakes: [String: String] = [:]
    var earlyCloses: [String: String] = [:]
    /// From where each user was believed; nil where that can't be read.
    var addresses: [String: String]?
    var users: [String: Row] = [:]
    var days: [String: Row] = [:]
    var nodes: [String: Row] = [:]
    var identities: [String: Row] = [:]
    var openPositions: [String: Row] = [:]
    var openFires: [String: Row] = [:]
    /// Fires that are over and may still be revised, by when they ended.
    var settledFires: [String: Row] = [:]
    /// Only where the journal does not have them: rows of what is over.
    var fires: [String: Row] = [:]
    var closedPositions: [String: Row] = [:]
    var slots: [String: [String: String]] = [:]
    /// When rows of what is over end, in milliseconds since 1970.
    var expiries: [String: Int64] = [:]

    /// Whoever may have a slot.
    var slotHolders: Set<String> {
        let rows = Array(openFires.values) + Array(openPositions.values)
        return Set(users.keys).union(rows.compactMap { $0.fields["user_uuid"] })
    }

    /// Rows that have an end.
    var endedKeys: [String] {
        fires.keys.map { "fire:\($0)" } + closedPositions.keys.map { "position:\($0)" }
            + days.keys.map { "user_day:\($0)" }
    }

    /// Rows of what is over that have no end yet, and when they are to end: the record that said so may be lost.
    var unarchived: [[String]] {
        func keep(_ key: String, _ row: Row, _ names: [String]) -> [String]? {
            guard (expiries[key] ?? -1) <= 0 else { return nil }
            let ended = names.lazy.compactMap { row.fields[$0] }.compactMap { Int64($0) }.first ?? 0
            return [TrackerScripts.keepCommand, key, String(ended / 1000 + TrackerStore.keepSeconds)]
        }
        let over = fires.filter { openFires[$0.key] == nil }.sorted { $0.key < $1.key }
        let closed = closedPositions.filter { openPositions[$0.key] == nil }.sorted { $0.key < $1.key }
        return over.compactMap { keep("fire:\($0.key)", $0.value, ["resolved_at", "created_at"]) }
            + closed.compactMap { keep("position:\($0.key)", $0.value, ["closed_at"]) }
    }

    var snapshot: LedgerSnapshot {
        var snapshot = LedgerSnapshot()
        snapshot.add(row: counts, key: "ledger")
        snapshot.add(row: brakes, key: "brake")
        snapshot.add(row: earlyCloses, key: PositionTrackerService.earlyClosesKey)
        snapshot.add(set: Array(users.keys), key: "users")
        for (user, row) in users { snapshot.add(row: row.fields, key: "user:\(user)") }
        snapshot.add(set: Array(days.keys), key: "user_days")
        for (user, row) in days { addEnding(row, "user_day:\(user)", to: &snapshot) }
        for (user, row) in slots { snapshot.add(row: row, key: "slots:\(user)") }
        for (fireID, row) in fires where openFires[fireID] == nil { addEnding(row, "fire:\(fireID)", to: &snapshot) }
        for (name, row) in closedPositions where openPositions[name] == nil {
            addEnding(row, "position:\(name)", to: &snapshot)
        }
        snapshot.add(
            index: closedPositions.map { (member: $0.key, score: $0.value.fields["closed_at"] ?? "0") }.sorted(
                by: byName),
            key: "closed_positions")
        snapshot.add(
            index: settledFires.filter { fires[$0.key] != nil }
                .map { (member: $0.key, score: $0.value.fields["resolved_at"] ?? "0") }.sorted(by: byName),
            key: TrackerStore.settledKey)
        addOpen(to: &snapshot)
        let marks = EventMark(state)
        if marks.sequence > 0 { snapshot.add(["HSET", TrackerScripts.stateKey] + marks.fields) }
        return snapshot
    }

    private func addOpen(to snapshot: inout LedgerSnapshot) {
        snapshot.add(set: Array(openFires.keys), key: "open_fires")
        for (fireID, row) in openFires { snapshot.add(row: row.fields, key: "fire:\(fireID)") }
        snapshot.add(
            index: fires.merging(openFires) { _, open in open }
                .map { (member: $0.key, score: $0.value.fields["created_at"] ?? "0") }.sorted(by: byName),
            key: "fires")
        snapshot.add(set: Array(openPositions.keys), key: "all_open_positions")
        for (name, row) in openPositions { snapshot.add(row: row.fields, key: "position:\(name)") }
        let byUser = Dictionary(grouping: openPositions) { $0.value.fields["user_uuid"] ?? "" }
        for (user, rows) in byUser { snapshot.add(set: rows.map(\.key), key: "user_positions:\(user)") }
        // A position's name is its account's name and the ticket.
        let byAccount = Dictionary(grouping: openPositions) { name, _ in
            String(name[..<(name.lastIndex(of: "|") ?? name.endIndex)])
        }
        for (account, rows) in byAccount { snapshot.add(set: rows.map(\.key), key: "account_positions:\(account)") }
    }

    private func addEnding(_ row: Row, _ key: String, to snapshot: inout LedgerSnapshot) {
        snapshot.add(row: row.fields, key: key, expiresAt: expiries[key].flatMap { $0 > 0 ? $0 : nil })
    }

    private func byName(_ left: (member: String, score: String), _ right: (member: String, score: String)) -> Bool {
        left.member < right.member
    }
}
