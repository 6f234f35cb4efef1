import Domain
import Wire

/// Terminals by life cycle and by liveness.
struct NodeCounts: Sendable, Equatable {
    static let statuses = ["active", "timeout", "disconnected", "replaced"]
    static let livenesses = ["live", "quiet", "late", "stale", "dead"]

    private(set) var total = 0
    private(set) var byStatus: [String: Int] = [:]
    /// Of those that are or should be there: active ones and those that timed out.
    private(set) var byLiveness: [String: Int] = [:]

    var active: Int { byStatus["active"] ?? 0 }
    var timeout: Int { byStatus["timeout"] ?? 0 }

    init(_ nodes: [Record]) {
        let schema = Schema.nodes
        guard let status = schema.position("status"), let liveness = schema.position("liveness") else { return }
        total = nodes.count
        for node in nodes {
            let state = node.values[status] ?? "unknown"
            byStatus[state, default: 0] += 1
            guard state == "active" || state == "timeout" else { continue }
            byLiveness[node.values[liveness] ?? "unknown", default: 0] += 1
        }
    }

    var json: JSON {
        var object: JSONObject = ["total": .integer(total)]
        for name in NodeCounts.statuses { object.append(name, .integer(byStatus[name] ?? 0)) }
        var liveness = JSONObject()
        for name in NodeCounts.livenesses { liveness.append(name, .integer(byLiveness[name] ?? 0)) }
        object.append("by_liveness", .object(liveness))
        return .object(object)
    }
}

/// Whether every commanded trade is accounted for.
struct FireLedger: Sendable, Equatable {
    /// Fires that left for a terminal.
    private(set) var sent: Int64 = 0
    /// Those of them whose outcome is known.
    private(set) var accounted: Int64 = 0
    /// Those whose outcome is not known yet.
    private(set) var unaccounted: Int64 = 0
    /// Unaccounted ones that should have been answered by now.
    private(set) var overdue: Int64 = 0
    /// The counters of position-tracker by state.
    private(set) var byState: [(name: String, count: Int64)] = []

    /// Longer than any terminal of ours takes to answer; position-tracker's own deadline is shorter.
    static let answerMilliseconds: Int64 = 60_000
    private static let underWay: Set<String> = ["sending", "sent", "acknowledged", "unknown"]

    init(_ snapshot: Snapshot, now: Timestamp) {
        let schema = Schema.fires
        guard let state = schema.position("state"), let sentAt = schema.position("sent_at") else { return }
        for fire in snapshot.fires {
            guard let name = fire.values[state], FireLedger.underWay.contains(name) else { continue }
            unaccounted += 1
            let left = fire.values[sentAt].flatMap { Int64($0) } ?? now.milliseconds
            if name == "unknown" || now.milliseconds - left > FireLedger.answerMilliseconds { overdue += 1 }
        }
        func counter(_ name: String) -> Int64 { snapshot.ledger[name].flatMap { Int64($0) } ?? 0 }
        let ended = counter("filled") + counter("rejected") + counter("never_executed")
        sent = max(counter("sent"), ended + unaccounted)
        accounted = sent - unaccounted
        byState = snapshot.ledger.sorted { $0.key < $1.key }.compactMap { name, value in
            Int64(value).map { (name, $0) }
        }
    }

    static func == (left: FireLedger, right: FireLedger) -> Bool {
        left.sent == right.sent && left.unaccounted == right.unaccounted && left.overdue == right.overdue
            && left.byState.map(\.name) == right.byState.map(\.name)
            && left.byState.map(\.count) == right.byState.map(\.count)
    }

    var json: JSON {
        var states = JSONObject()
        for (name, count) in byState { states.append(name, .integer(count)) }
        return .object([
            "sent": .integer(sent), "accounted": .integer(accounted), "unaccounted": .integer(unaccounted),
            "overdue": .integer(overdue), "by_state": .object(states),
        ])
    }
}

/// One field of the hash `brake`: `STATE|<epoch milliseconds>|<reason>`, written by position-tracker.
struct BrakeSetting {
    let state: String
    let since: String?
    let reason: String

    init(_ text: String) {
        let parts = text.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        state = parts[0]
        since = parts.count > 1 ? parts[1] : nil
        reason = parts.count > 2 ? parts[2] : ""
    }
}

/// Open positions and what they stand at, per currency: amounts of different currencies are never added.
struct PositionCounts: Sendable {
    private(set) var open = 0
    private(set) var profit: [String: Amount] = [:]

    init(_ positions: [Record]) {
        let schema = Schema.positions
        guard let state = schema.position("state"), let currency = schema.position("currency"),
            let current = schema.position("current_pnl")
        else { return }
        for position in positions where position.values[state] == "open" {
            open += 1
            guard let amount = position.values[current].flatMap({ Amount($0) }) else { continue }
            profit[position.values[currency] ?? "", default: .zero] += amount
        }
    }

    func json(closed: Int64) -> JSON {
        var sums = JSONObject()
        for (currency, amount) in profit.sorted(by: { $0.key < $1.key }) {
            sums.append(currency.isEmpty ? "unknown" : currency, .number(amount.money))
        }
        return .object(["open": .integer(open), "closed": .integer(closed), "current_pnl": .object(sums)])
    }
}
