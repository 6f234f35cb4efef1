public import Domain

/// What a terminal says of how it is set up, where that tells of drift.
public struct DriftFacts: Sendable, Equatable {
    public var version: String?
    public var chartSymbol: String?
    /// Whether the chart's symbol is one the mesh knows; nil where the terminal named none.
    public var knowsChartSymbol: Bool?
    /// Counts the ticks of the chart's symbol alone.
    public var ticksProcessed: Int64?
    public var heartbeats: Int64 = 0
    public var isLive = true
    public var detail = LivenessEngine.Detail()

    public init() {}
}

/// How a fleet drifts from what it should be: versions, charts that stand still, refused trading, unknown symbols.
///
/// 2.05 reads commands only when its chart's symbol ticks: a terminal that beats and quotes while its chart stands still
/// is alive and deaf. Source: ea-wire 1.3 and 1.5. A value; the caller brings a time that never steps.
public struct FleetDrift: Sendable {
    public struct Case: Sendable, Equatable {
        public let nodeID: String
        public let why: String
        public let since: Timestamp
        public let detail: LivenessEngine.Detail
    }

    /// So long a chart may stand still while its terminal beats: thinly traded symbols pause for minutes.
    public static let chartPatience: Int64 = 600_000
    private static let limit = 20_000

    private struct Node: Sendable {
        var facts = DriftFacts()
        var chartMovedAt: Timestamp
        var heartbeatsAtMove: Int64 = 0
        var unknownSymbolSince: Timestamp?
        var refusal: (why: String, since: Timestamp)?
        var seenAt: Timestamp
    }

    private var nodes: [String: Node] = [:]

    public init() {}

    /// What was read of a terminal, every half minute or so.
    public mutating func note(_ nodeID: String, _ facts: DriftFacts, at now: Timestamp) {
        guard nodes[nodeID] != nil || nodes.count < FleetDrift.limit else { return }
        var node = nodes[nodeID] ?? Node(chartMovedAt: now, seenAt: now)
        // Neither a closed market nor a terminal that is silent says anything of the chart.
        if facts.ticksProcessed == nil || facts.ticksProcessed != node.facts.ticksProcessed || !facts.isLive {
            node.chartMovedAt = now
            node.heartbeatsAtMove = facts.heartbeats
        }
        if facts.knowsChartSymbol == false {
            node.unknownSymbolSince = node.unknownSymbolSince ?? now
        } else {
            node.unknownSymbolSince = nil
        }
        node.facts = facts
        node.seenAt = now
        nodes[nodeID] = node
    }

    /// A command failed with these words, or was carried out.
    public mutating func note(trade nodeID: String, failedWith message: String?, at now: Timestamp) {
        guard var node = nodes[nodeID] else { return }
        if let message {
            guard let why = FleetDrift.refusal(message) else { return }
            node.refusal = node.refusal ?? (why, now)
        } else {
            node.refusal = nil
        }
        nodes[nodeID] = node
    }

    /// Goes on from a refusal that an earlier process saw.
    public mutating func restore(refusal why: String, of nodeID: String, at now: Timestamp) {
        guard nodes[nodeID]?.refusal == nil else { return }
        nodes[nodeID]?.refusal = (why, now)
    }

    /// Why trading is off, from a terminal's failure text; nil where it failed for another reason.
    ///
    /// Source: MQL5 reference, trade server return codes 10017, 10026, 10027 and runtime error 4752.
    public static func refusal(_ message: String) -> String? {
        let numbers = message.split { !$0.isNumber }.map(String.init)
        if numbers.contains("10027") { return "algo trading is switched off in the terminal" }
        if numbers.contains("10026") { return "the broker's server forbids algo trading" }
        if numbers.contains("10017") { return "trading is disabled for the account" }
        return numbers.contains("4752") ? "trading by programs is not allowed in the terminal" : nil
    }

    /// Forgets terminals that were not read for ten minutes.
    public mutating func forgetOld(at now: Timestamp) {
        nodes = nodes.filter { now - $0.value.seenAt < 600_000 }
    }

    /// What is known of a terminal that was read lately.
    public func detail(of nodeID: String) -> LivenessEngine.Detail? { nodes[nodeID]?.facts.detail }

    // MARK: - The view

    public var versions: [String: Int] {
        nodes.values.reduce(into: [:]) { $0[$1.facts.version ?? "unknown", default: 0] += 1 }
    }

    public func frozenCharts(at now: Timestamp) -> [Case] {
        cases { node in
            guard node.facts.isLive, node.facts.ticksProcessed != nil,
                node.facts.heartbeats - node.heartbeatsAtMove >= 10,
                now - node.chartMovedAt >= FleetDrift.chartPatience
            else { return nil }
            let chart = node.facts.chartSymbol ?? "its chart"
            return ("\(chart) has not ticked for \((now - node.chartMovedAt) / 60_000) min", node.chartMovedAt)
        }
    }

    public func tradingDisabled() -> [Case] { cases { $0.refusal.map { ($0.why, $0.since) } } }

    public func wrongSymbols() -> [Case] {
        cases { node in
            node.unknownSymbolSince.map { ("the chart's symbol \(node.facts.chartSymbol ?? "") is unknown here", $0) }
        }
    }

    private func cases(_ judge: (Node) -> (why: String, since: Timestamp)?) -> [Case] {
        var result: [Case] = []
        for (nodeID, node) in nodes {
            guard let found = judge(node) else { continue }
            result.append(Case(nodeID: nodeID, why: found.why, since: found.since, detail: node.facts.detail))
        }
        return result.sorted { $0.nodeID < $1.nodeID }
    }
}
