public import Domain

/// How steadily one terminal is heard: a score from 100 that trouble takes points from and time gives back.
///
/// A timeout costs 25 points, a missed heartbeat and a reconnection 5 each; half of what was taken is back after six
/// hours. Jitter above five seconds costs up to 10 more while it lasts.
public struct NodeStability: Sendable, Equatable {
    static let halfLife: Double = 6 * 3_600_000
    static let timeoutCost = 25.0
    static let missedCost = 5.0
    static let reconnectCost = 5.0

    public internal(set) var heartbeats: Int64 = 0
    public private(set) var missed: Int64 = 0
    public private(set) var timeouts: Int64 = 0
    public private(set) var reconnects: Int64 = 0
    /// Smoothed, between successive signs of life; nil until there were two.
    public private(set) var averageInterval: Double?
    public private(set) var jitter: Double = 0
    private var trouble: Double = 0
    private var troubleAt = Timestamp(milliseconds: 0)
    private var knownConnections: Int64?
    /// How long it was watched while it should have spoken, and how long of that it was heard, in milliseconds.
    public private(set) var watched: Int64 = 0
    public private(set) var heard: Int64 = 0

    public init() {}

    /// Time that passed; a closed market is nobody's fault.
    mutating func note(heard liveness: Liveness, elapsed milliseconds: Int64) {
        guard liveness != .quiet, milliseconds > 0, milliseconds <= 120_000 else { return }
        watched += milliseconds
        if liveness == .live { heard += milliseconds }
    }

    /// Percent of the time it should have spoken in which it was heard, two decimals; nil before there was any.
    public var availability: String? {
        guard watched > 0 else { return nil }
        let hundredths = heard / 10 * 100_000 / max(1, watched)
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    mutating func note(interval milliseconds: Int64) {
        let interval = Double(max(0, milliseconds))
        guard let average = averageInterval else {
            averageInterval = interval
            return
        }
        averageInterval = average + (interval - average) / 8
        jitter += (abs(interval - average) - jitter) / 8
    }

    mutating func noteMissed(at now: Timestamp) {
        missed += 1
        add(NodeStability.missedCost, now)
    }

    /// What was taken for a missed heartbeat was a closed market.
    mutating func takeBackMissed(at now: Timestamp) {
        missed = max(0, missed - 1)
        add(-NodeStability.missedCost, now)
    }

    mutating func noteTimeout(at now: Timestamp) {
        timeouts += 1
        add(NodeStability.timeoutCost, now)
    }

    /// The registry's count of connections, which says how often it came back.
    mutating func note(connections: Int64, at now: Timestamp) {
        let fresh = max(0, connections - (knownConnections ?? connections))
        knownConnections = connections
        reconnects = max(reconnects, connections - 1)
        if fresh > 0 { add(NodeStability.reconnectCost * Double(fresh), now) }
    }

    private mutating func add(_ cost: Double, _ now: Timestamp) {
        trouble = max(0, decayed(now) + cost)
        troubleAt = now
    }

    private func decayed(_ now: Timestamp) -> Double {
        let elapsed = Double(max(0, now - troubleAt))
        var factor = 1.0
        var halves = elapsed / NodeStability.halfLife
        while halves >= 1 && factor > 0.001 {
            factor /= 2
            halves -= 1
        }
        // Between two halves a straight line is near enough.
        return trouble * factor * (1 - min(1, halves) / 2)
    }

    /// 0 to 100.
    public func score(at now: Timestamp) -> Int {
        let unsteady = min(10, max(0, (jitter - 5_000) / 1_000))
        return Int(max(0, min(100, 100 - decayed(now) - unsteady)).rounded())
    }

    public static func grade(_ score: Int) -> String {
        switch score {
        case 90...: "A"
        case 75...: "B"
        case 60...: "C"
        case 40...: "D"
        default: "F"
        }
    }

    /// Fields of `liveness:<node_id>`.
    public func fields(at now: Timestamp) -> [(name: String, value: String)] {
        let points = score(at: now)
        let list: [(name: String, value: String)] = [
            ("heartbeats", String(heartbeats)), ("missed", String(missed)),
            ("average_interval_ms", String(Int64(averageInterval ?? 0))), ("jitter_ms", String(Int64(jitter))),
            ("timeouts", String(timeouts)), ("reconnects", String(reconnects)), ("stability", String(points)),
            ("grade", NodeStability.grade(points)), ("trouble", String(Int64(decayed(now) * 1000))),
            ("watched_s", String(watched / 1000)), ("heard_s", String(heard / 1000)),
            ("updated_at", String(now.milliseconds)),
        ]
        return list + (availability.map { [("availability_percent", $0)] } ?? [])
    }

    /// Goes on from what an earlier process kept.
    mutating func restore(_ fields: [String: String], at now: Timestamp) {
        func number(_ name: String) -> Int64 { fields[name].flatMap { Int64($0) }.map { max(0, $0) } ?? 0 }
        missed += number("missed")
        timeouts += number("timeouts")
        reconnects = max(reconnects, number("reconnects"))
        heartbeats = max(heartbeats, number("heartbeats"))
        watched += number("watched_s").multipliedReportingOverflow(by: 1000).partialValue
        heard = min(watched, heard + number("heard_s").multipliedReportingOverflow(by: 1000).partialValue)
        if averageInterval == nil, number("average_interval_ms") > 0 {
            averageInterval = Double(number("average_interval_ms"))
            jitter = Double(number("jitter_ms"))
        }
        guard let written = fields["updated_at"].flatMap({ Int64($0) }) else { return }
        let kept = NodeStability(trouble: Double(number("trouble")) / 1000, at: Timestamp(milliseconds: written))
        trouble = decayed(now) + kept.decayed(now)
        troubleAt = now
    }

    private init(trouble: Double, at time: Timestamp) {
        self.trouble = trouble
        troubleAt = time
    }
}
