public import Domain

/// One part of the health score: how many of its points are there and why not all.
public struct HealthFactor: Sendable, Equatable {
    public let name: String
    public let points: Int
    public let maximum: Int
    public let why: String
}

/// The mesh's health as 0 to 100 points, named parts that add up, each with its reason.
public struct HealthScore: Sendable, Equatable {
    /// What is looked at.
    public struct Facts: Sendable, Equatable {
        public var servicesExpected = 7
        /// Services that don't report, by name.
        public var silentServices: [String] = []
        /// Services that report that they can't do their whole job.
        public var degradedServices: [String] = []
        public var isRedisReady = true
        public var activeNodes = 0
        /// Nodes given up and not back.
        public var deadNodes = 0
        /// Broker servers whose terminals are heard, and those of them without a current quote.
        public var quotingBrokers = 0
        public var staleBrokers: [String] = []
        /// Fires sent more than a minute ago whose outcome is unknown.
        public var unaccountedFires: Int64 = 0
        public var warnings = 0
        public var criticals = 0
        /// What the gravest active alerts say, the newest first: the causes.
        public var worst: [String] = []
        /// What ``MonitorSilence`` says where nobody watches; nil while heartbeat-monitor reports.
        public var monitorSilence: String?
        public init() {}
    }

    public let score: Int
    public let factors: [HealthFactor]

    public init(_ facts: Facts) {
        factors = [
            HealthScore.services(facts), HealthScore.redis(facts), HealthScore.nodes(facts), HealthScore.quotes(facts),
            HealthScore.fires(facts), HealthScore.alerts(facts),
        ]
        score = factors.reduce(0) { $0 + $1.points }
    }

    private static func services(_ facts: Facts) -> HealthFactor {
        let expected = max(1, facts.servicesExpected)
        let silent = min(facts.silentServices.count, expected)
        let degraded = min(facts.degradedServices.count, expected - silent)
        // A service that is there but not whole counts half.
        let points = 30 * (2 * (expected - silent) - degraded) / (2 * expected)
        var why = "\(expected - silent) of \(expected) services report"
        if silent > 0 { why += "; silent: \(names(facts.silentServices))" }
        if degraded > 0 { why += "; not whole: \(names(facts.degradedServices))" }
        return HealthFactor(name: "services", points: points, maximum: 30, why: why)
    }

    private static func redis(_ facts: Facts) -> HealthFactor {
        HealthFactor(
            name: "redis", points: facts.isRedisReady ? 20 : 0, maximum: 20,
            why: facts.isRedisReady ? "Redis answers" : "Redis does not answer")
    }

    private static func nodes(_ facts: Facts) -> HealthFactor {
        let all = facts.activeNodes + facts.deadNodes
        guard facts.deadNodes > 0 else {
            let why = all == 0 ? "no terminal is connected" : "none of \(all) terminals is lost"
            return HealthFactor(name: "nodes", points: 15, maximum: 15, why: why)
        }
        // One lost terminal of a thousand shows: points are rounded down.
        let points = 15 * facts.activeNodes / all
        return HealthFactor(
            name: "nodes", points: min(14, points), maximum: 15,
            why: "\(facts.deadNodes) of \(all) terminals timed out and are not back")
    }

    private static func quotes(_ facts: Facts) -> HealthFactor {
        let stale = facts.staleBrokers.count
        guard stale > 0, facts.quotingBrokers > 0 else {
            let why =
                facts.quotingBrokers == 0
                ? "no terminal is heard, so none has to quote" : "every broker with live terminals quotes"
            return HealthFactor(name: "quotes", points: 10, maximum: 10, why: why)
        }
        let points = 10 * (facts.quotingBrokers - min(stale, facts.quotingBrokers)) / facts.quotingBrokers
        return HealthFactor(
            name: "quotes", points: points, maximum: 10,
            why: "live terminals, but no current quote for a minute: \(names(facts.staleBrokers))")
    }

    private static func fires(_ facts: Facts) -> HealthFactor {
        let open = max(0, facts.unaccountedFires)
        let points = open == 0 ? 15 : max(0, 10 - Int(clamping: 5 * min(open - 1, 10)))
        let why =
            open == 0
            ? "every fire older than a minute has an outcome"
            : "\(open) fires older than a minute have no known outcome"
        return HealthFactor(name: "fires", points: points, maximum: 15, why: why)
    }

    private static func alerts(_ facts: Facts) -> HealthFactor {
        if let silence = facts.monitorSilence {
            return HealthFactor(name: "alerts", points: 0, maximum: 10, why: silence)
        }
        let points = max(0, 10 - 2 * min(facts.warnings, 5) - 5 * min(facts.criticals, 2))
        var why =
            facts.warnings + facts.criticals == 0
            ? "no alert is active" : "active alerts: \(facts.criticals) critical, \(facts.warnings) warnings"
        if points < 10, !facts.worst.isEmpty { why += ": \(facts.worst.prefix(3).joined(separator: "; "))" }
        return HealthFactor(name: "alerts", points: points, maximum: 10, why: why)
    }

    private static func names(_ all: [String]) -> String {
        let shown = all.sorted().prefix(5).joined(separator: ", ")
        return all.count > 5 ? "\(shown) and \(all.count - 5) more" : shown
    }
}

/// Which terminals count as lost, whoever counts them.
public enum NodeLoss {
    /// Whose connection is gone is lost after so much silence.
    public static let silenceMilliseconds: Int64 = 60_000
    /// Who was given up so long ago is no loss any more.
    public static let forgottenMilliseconds: Int64 = 86_400_000
}

/// Who says so when the one who watches is silent: whoever reads its report.
public enum MonitorSilence {
    /// heartbeat-monitor writes its score each second.
    public static let patience: Int64 = 10_000

    /// A sentence for people where heartbeat-monitor's last word is too old; nil while it reports.
    ///
    /// - Parameter computedAt: `computed_at` of the hash `health`; nil where there is none.
    public static func message(computedAt: Timestamp?, now: Timestamp) -> String? {
        guard let computedAt else { return "heartbeat-monitor is not reporting: nobody watches, no alert is raised" }
        let age = now - computedAt
        guard age > patience else { return nil }
        return "heartbeat-monitor is not reporting for \(age / 1000) s: nobody watches, no alert is raised"
    }
}

/// Fires whose outcome is overdue, from the ledger's running counts.
public struct LedgerWatch: Sendable {
    public static let patience: Int64 = 60_000
    private var samples: [(at: Timestamp, sent: Int64)] = []

    public init() {}

    /// Takes the counts as they are now; returns how many of the fires that had been sent a minute ago have no outcome.
    public mutating func note(sent: Int64, accounted: Int64, at now: Timestamp) -> Int64 {
        samples.append((now, sent))
        // The newest sample that is a minute old is all that is needed of the past.
        while samples.count > 1, now - samples[1].at >= LedgerWatch.patience { samples.removeFirst() }
        guard let old = samples.first, now - old.at >= LedgerWatch.patience else { return 0 }
        return max(0, old.sent - accounted)
    }
}

/// Which brokers with live terminals don't quote, once that has lasted a minute.
public struct QuoteWatch: Sendable {
    public static let patience: Int64 = 60_000
    private var missingSince: [String: Timestamp] = [:]

    public init() {}

    /// - Parameters:
    ///   - live: servers of terminals that are heard.
    ///   - quotes: per server when its newest current quote came, by the same clock as `now`: one that never steps.
    /// - Returns: the servers without one for a minute.
    public mutating func note(
        live: Set<String>, quotes: [(server: String, at: Timestamp)], at now: Timestamp
    ) -> [String] {
        let fresh = Set(quotes.filter { now - $0.at < QuoteWatch.patience }.map(\.server))
        let missing = live.subtracting(fresh)
        missingSince = missingSince.filter { missing.contains($0.key) }
        for server in missing where missingSince[server] == nil { missingSince[server] = now }
        return missingSince.filter { now - $0.value >= QuoteWatch.patience }.keys.sorted()
    }
}
