import Domain
import Wire

/// What follows from thousands of rows, worked out once for a snapshot instead of once for each who asks.
struct MeshSummary: Sendable {
    /// Terminals that have one thing in common.
    struct Group: Sendable, Equatable {
        var total = 0
        var byLiveness: [String: Int] = [:]
    }

    private(set) var nodes = NodeCounts([])
    private(set) var positions = PositionCounts([])
    private(set) var exposure: [Exposure] = []
    /// Of connected terminals, per account currency.
    private(set) var equity: [String: Amount] = [:]
    /// `broker`, `version`, `tier` or `family` to its groups by name.
    private(set) var groups: [String: [String: Group]] = [:]
    /// Terminals whose identity is disputed.
    private(set) var conflicts: [Record] = []

    static let groupings = ["broker", "version", "tier", "family"]
    /// A list of brokers longer than this is for `/nodes`, not for a page.
    static let groupsShown = 40

    init() {}

    mutating func take(positions records: [Record]) {
        positions = PositionCounts(records)
        exposure = Exposure.bySymbol(records)
    }

    mutating func take(nodes records: [Record], tiers: [String: String]) {
        nodes = NodeCounts(records)
        equity = [:]
        groups = [:]
        conflicts = []
        let schema = Schema.nodes
        guard let status = schema.position("status"), let liveness = schema.position("liveness"),
            let currency = schema.position("currency"), let worth = schema.position("equity"),
            let broker = schema.position("broker"), let version = schema.position("version"),
            let family = schema.position("family"), let user = schema.position("user_uuid"),
            let conflict = schema.position("identity_conflict")
        else { return }
        for node in records {
            let values = node.values
            let state = values[status] ?? ""
            guard state == "active" || state == "timeout" else { continue }
            if state == "active", let amount = values[worth].flatMap({ Amount($0) }) {
                equity[values[currency] ?? "unknown", default: .zero] += amount
            }
            if let kind = values[conflict], !kind.isEmpty { conflicts.append(node) }
            let live = values[liveness] ?? "unknown"
            count("broker", values[broker], live)
            count("version", values[version], live)
            count("family", values[family], live)
            count("tier", values[user].flatMap { tiers[$0] }, live)
        }
        conflicts.sort { $0.identifier < $1.identifier }
    }

    private mutating func count(_ grouping: String, _ name: String?, _ liveness: String) {
        guard let name, !name.isEmpty else { return }
        groups[grouping, default: [:]][name, default: Group()].total += 1
        groups[grouping]?[name]?.byLiveness[liveness, default: 0] += 1
    }

    /// The part `nodes` of the overview.
    func fleet(_ snapshot: Snapshot) -> JSON {
        var object: JSONObject = ["counts": nodes.json, "equity": .object(equity.moneyObject)]
        for grouping in MeshSummary.groupings {
            let named = groups[grouping] ?? [:]
            let sorted = named.sorted { ($1.value.total, $0.key) < ($0.value.total, $1.key) }
            object.append(
                "by_\(grouping)",
                .array(sorted.prefix(MeshSummary.groupsShown).map { MeshSummary.group($0.key, $0.value) }))
        }
        object.append("drift", snapshot.drift)
        object.append("conflicts", .integer(conflicts.count))
        object.append(
            "conflict_items", .array(conflicts.prefix(20).map { .object(Items.node($0, snapshot)) }))
        return .object(object)
    }

    private static func group(_ name: String, _ group: Group) -> JSON {
        var object: JSONObject = ["name": .string(name), "total": .integer(group.total)]
        for liveness in NodeCounts.livenesses { object.append(liveness, .integer(group.byLiveness[liveness] ?? 0)) }
        return .object(object)
    }
}

extension Snapshot {
    /// Works the sums out anew from the rows.
    mutating func summarise(_ parts: Set<Part> = [.nodes, .positions]) {
        if parts.contains(.positions) { summary.take(positions: positions) }
        guard parts.contains(.nodes) else { return }
        let tiers = users.map { ($0.identifier, Schema.users.value("tier", of: $0) ?? "unknown") }
        summary.take(nodes: nodes, tiers: Dictionary(tiers) { first, _ in first })
    }
}

/// What is open in one instrument, in lots; money per account currency, since currencies are never added.
struct Exposure: Sendable, Equatable {
    let symbol: String
    private(set) var positions = 0
    private(set) var longLots = Amount.zero
    private(set) var shortLots = Amount.zero
    private(set) var unrealised: [String: Amount] = [:]
    /// What the stops would cost, of those positions that say so.
    private(set) var atRisk: [String: Amount] = [:]

    private init(symbol: String) { self.symbol = symbol }

    /// The largest first, by lots.
    static func bySymbol(_ records: [Record]) -> [Exposure] {
        let schema = Schema.positions
        var found: [String: Exposure] = [:]
        for record in records where schema.value("state", of: record) == "open" {
            let symbol = schema.value("canonical_symbol", of: record) ?? schema.value("symbol", of: record) ?? "unknown"
            found[symbol, default: Exposure(symbol: symbol)].take(record, schema)
        }
        return found.values.sorted {
            let (left, right) = ($0.longLots + $0.shortLots, $1.longLots + $1.shortLots)
            return left == right ? $0.symbol < $1.symbol : left > right
        }
    }

    private mutating func take(_ record: Record, _ schema: Schema) {
        func amount(_ name: String) -> Amount? { schema.value(name, of: record).flatMap { Amount($0) } }
        positions += 1
        let lots = amount("lot") ?? .zero
        if schema.value("direction", of: record) == "SELL" { shortLots += lots } else { longLots += lots }
        let currency = schema.value("currency", of: record) ?? "unknown"
        if let profit = amount("current_pnl") { unrealised[currency, default: .zero] += profit }
        if let risk = amount("risk_amount") { atRisk[currency, default: .zero] += risk }
    }

    var json: JSON {
        .object([
            "symbol": .string(symbol), "positions": .integer(positions),
            "long_lots": .number(longLots.text(minimumDecimals: 2)),
            "short_lots": .number(shortLots.text(minimumDecimals: 2)),
            "net_lots": .number((longLots - shortLots).text(minimumDecimals: 2)),
            "unrealised": .object(unrealised.moneyObject), "at_risk": .object(atRisk.moneyObject),
        ])
    }
}
