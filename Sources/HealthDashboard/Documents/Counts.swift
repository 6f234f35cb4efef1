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
