import Domain
import Wire

/// The way of a fire in stages, each from one noted moment of its row to the next. Times are whole milliseconds.
enum Stage: String, Sendable, CaseIterable {
    case signal, score, slot, route, terminal, durable, confirm, total

    var from: String {
        switch self {
        case .signal: "signal_at"
        case .score, .total: "created_at"
        case .slot: "score_at"
        case .route: "reserved_at"
        case .terminal: "sent_at"
        case .durable: "answered_at"
        case .confirm: "durable_at"
        }
    }

    var to: String {
        switch self {
        case .signal: "created_at"
        case .score: "score_at"
        case .slot: "reserved_at"
        case .route: "sent_at"
        case .terminal: "answered_at"
        case .durable: "durable_at"
        case .confirm, .total: "applied_at"
        }
    }

    var meaning: String {
        switch self {
        case .signal: "from the signal to the request"
        case .score: "from the request to its score"
        case .slot: "from the score to a reserved slot"
        case .route: "from the slot to the terminal's socket"
        case .terminal: "from there to the terminal's answer"
        case .durable: "from the answer to the journal on disk"
        case .confirm: "from the journal to the books"
        case .total: "from the request to the books"
        }
    }

    /// nil where one of the two moments was not noted, or where clocks stepped in between.
    func milliseconds(_ fire: Record) -> Int64? {
        guard let start = Schema.fires.value(from, of: fire).flatMap({ Int64($0) }),
            let end = Schema.fires.value(to, of: fire).flatMap({ Int64($0) }), end >= start
        else { return nil }
        return end - start
    }
}

/// Percentiles of each stage over the fires that are kept: the newest 500 and the open ones.
struct StageLatencies {
    private let durations: [Stage: [Int64]]

    init(_ fires: [Record]) {
        var durations: [Stage: [Int64]] = [:]
        for stage in Stage.allCases { durations[stage] = fires.compactMap { stage.milliseconds($0) }.sorted() }
        self.durations = durations
    }

    /// By the nearest rank: a value that was measured, never one between two.
    static func percentile(_ sorted: [Int64], _ share: Double) -> Int64? {
        guard !sorted.isEmpty else { return nil }
        let rank = Int((share * Double(sorted.count)).rounded(.up))
        return sorted[min(sorted.count, max(1, rank)) - 1]
    }

    var items: [JSON] {
        Stage.allCases.map { stage in
            let sorted = durations[stage] ?? []
            func at(_ share: Double) -> JSON {
                StageLatencies.percentile(sorted, share).map { .integer($0) } ?? .null
            }
            return .object([
                "stage": .string(stage.rawValue), "meaning": .string(stage.meaning), "count": .integer(sorted.count),
                "p50_ms": at(0.5), "p90_ms": at(0.9), "p95_ms": at(0.95), "p99_ms": at(0.99),
                "max_ms": sorted.last.map { .integer($0) } ?? .null,
            ])
        }
    }
}

/// Prometheus histograms of the stages: each fire counts once, when it is over. They begin anew with the process.
struct StageHistograms: Sendable {
    /// Upper bounds in milliseconds.
    static let bounds: [Int64] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000]

    struct Histogram: Sendable {
        /// Of each bound, and above all of them last; not cumulative.
        var counts = [Int64](repeating: 0, count: StageHistograms.bounds.count + 1)
        var sum: Int64 = 0
    }

    private(set) var byStage: [Stage: Histogram] = [:]
    private var counted: Set<String> = []

    mutating func take(_ fires: [Record]) {
        for fire in fires where Schema.fires.value("applied_at", of: fire) != nil && !counted.contains(fire.identifier)
        {
            for stage in Stage.allCases { if let value = stage.milliseconds(fire) { add(value, to: stage) } }
        }
        // A fire that is no longer read does not come back.
        counted = Set(fires.lazy.filter { Schema.fires.value("applied_at", of: $0) != nil }.map(\.identifier))
    }

    private mutating func add(_ milliseconds: Int64, to stage: Stage) {
        let bounds = StageHistograms.bounds
        byStage[stage, default: Histogram()].counts[bounds.firstIndex { milliseconds <= $0 } ?? bounds.count] += 1
        byStage[stage]?.sum += milliseconds
    }
}
