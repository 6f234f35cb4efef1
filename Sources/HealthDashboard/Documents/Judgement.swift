import Domain
import ServiceKit
import Wire

/// Whether the mesh can do its job, and why not: what `/health` says and `/readyz` asks.
struct Judgement: Sendable, Equatable {
    enum Status: String, Sendable {
        case pass, warn, fail
    }

    struct Reason: Sendable, Equatable {
        let status: Status
        let code: String
        let message: String

        var json: JSON {
            .object([
                "severity": .string(status.rawValue), "code": .string(code), "message": .string(message),
            ])
        }
    }

    /// The worst first. Empty when everything is well.
    var reasons: [Reason] = []
    var score = 0
    /// `name, points, max_points, why` of each.
    var factors: JSON = .array([])
    /// Who computed the score: `heartbeat-monitor`, or `health-dashboard` in its absence.
    var scoreSource = "health-dashboard"

    var status: Status {
        if reasons.contains(where: { $0.status == .fail }) { return .fail }
        return reasons.isEmpty ? .pass : .warn
    }

    /// Services without which trades are not carried.
    static let carriers: [ServiceName] = [.positionTracker, .confirmationLogger, .handshakeProcessor, .nodeRegistry]
    /// A score older than this is not shown as the present one.
    static let scoreMilliseconds: Int64 = 5000
    /// A service that has just started may not have bound when the ports were last looked at.
    static let bindMilliseconds: Int64 = 10_000

    init() {}

    init(_ snapshot: Snapshot, now: Timestamp) {
        fail("redis_away", "Redis does not answer: nothing new can be recorded", if: !snapshot.redis.isReady)
        for service in snapshot.services {
            // Reports come through Redis: without it their age says nothing about the services.
            if service.state == .stale && !snapshot.redis.isReady { continue }
            judge(service)
        }
        judgeFires(FireLedger(snapshot, now: now))
        judgeQuestions(ReconciliationCounts(snapshot).questions)
        for (scope, text) in snapshot.brakes.sorted(by: { $0.key < $1.key }) {
            let brake = BrakeSetting(text)
            guard brake.state != "ACTIVE" else { continue }
            warn(
                "brake", "the brake is \(brake.state) for \(scope)" + (brake.reason.isEmpty ? "" : ": \(brake.reason)"))
        }
        judgePorts(snapshot, now)
        if let memory = snapshot.redisMemory, memory.isHigh, let share = memory.share {
            let of = memory.limit == "maxmemory" ? "its maxmemory" : "the machine's memory"
            warn("redis_memory", "Redis uses \(Int(share * 100)) % of \(of)")
        }
        if let used = snapshot.system.diskUsedPercent, used >= 95 {
            warn("disk", "the disk of the state directory is \(Int(used)) % full")
        }
        reasons.sort { $0.status == .fail && $1.status != .fail }
        takeScore(snapshot, now)
    }

    private mutating func judge(_ service: ServiceStatus) {
        let name = service.name.rawValue
        let isCarrier = Judgement.carriers.contains(service.name)
        switch service.state {
        case .running: break
        case .degraded:
            for problem in service.problems.fields
            where problem.name != "not_ready" || service.problems.fields.count == 1 {
                warn("service_degraded", "\(name): \(problem.value.text ?? problem.name)")
            }
        // Who answers this has started, whatever its last report says.
        case .starting where service.name == .healthDashboard: break
        case .starting:
            if isCarrier {
                fail("service_starting", "\(name) is starting")
            } else {
                warn("service_starting", "\(name) is starting")
            }
        case .stale:
            let seconds = (service.ageMilliseconds ?? 0) / 1000
            let message = "\(name) has not reported for \(seconds) s"
            if isCarrier { fail("service_stale", message) } else { warn("service_stale", message) }
        case .down:
            if isCarrier {
                fail("service_down", "\(name) is not running")
            } else {
                warn("service_down", "\(name) is not running")
            }
        }
        if service.exits.isAlarmed { warn("service_restarting", "\(name) keeps ending; its restarts are paused") }
        if let problem = service.journalProblem { fail("journal", "the journal can't be written: \(problem)") }
    }

    private mutating func judgeFires(_ ledger: FireLedger) {
        guard ledger.overdue > 0 else { return }
        warn("unaccounted", ledger.overdueText)
    }

    private mutating func judgeQuestions(_ count: Int) {
        guard count > 0 else { return }
        let what = count == 1 ? "question waits" : "questions wait"
        warn("question_open", "\(count) \(what) for an operator's answer: /questions, or meshctl questions")
    }

    private mutating func judgePorts(_ snapshot: Snapshot, _ now: Timestamp) {
        // Before the first look nothing is known to be missing.
        guard !snapshot.listening.isEmpty else { return }
        for entry in snapshot.ports where entry.service != .redis && !snapshot.listening.contains(entry.port) {
            guard let owner = snapshot.services.first(where: { $0.name == entry.service }), owner.state.isUp,
                now.milliseconds - (owner.report["started_at"].flatMap { Int64($0) } ?? 0) > Judgement.bindMilliseconds
            else { continue }
            warn("port_closed", "nobody listens on \(entry.port) (\(entry.name.rawValue)), though its owner runs")
        }
    }

    private mutating func takeScore(_ snapshot: Snapshot, _ now: Timestamp) {
        if let published = snapshot.score, now - published.computedAt <= Judgement.scoreMilliseconds,
            snapshot.redis.isReady
        {
            score = published.score
            factors = published.factors
            scoreSource = "heartbeat-monitor"
        } else {
            let fallback = FallbackScore(snapshot, now: now)
            score = fallback.score
            factors = fallback.factors
        }
    }

    private mutating func warn(_ code: String, _ message: String) {
        reasons.append(Reason(status: .warn, code: code, message: message))
    }

    private mutating func fail(_ code: String, _ message: String, if condition: Bool = true) {
        if condition { reasons.append(Reason(status: .fail, code: code, message: message)) }
    }
}
