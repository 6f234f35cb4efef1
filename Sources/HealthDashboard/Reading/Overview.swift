import Domain
import Redis
import ServiceKit

/// The hashes that are read whole in every cycle: reports of services, score, ledger, brake; and INFO now and then.
final class Overview {
    private(set) var reports: [ServiceName: [String: String]] = [:]
    private var score: [String: String] = [:]
    private var ledger: [String: String] = [:]
    private var brakes: [String: String] = [:]
    private var closedPositions: Int64 = 0
    private var firesKept: Int64 = 0
    private var information: [String: String] = [:]
    private var latencyMicroseconds: Int64?
    private var changes: Set<Part> = []

    func questions() -> [RedisQuestion] {
        let asked = SystemClock.monotonicNanoseconds()
        let reports = ServiceName.startOrder.map { name in
            RedisQuestion(["HGETALL", "service:\(name.rawValue)"]) { [self] in take(report: $0.dictionary ?? [:], name)
            }
        }
        // The first of the pipeline: what it takes is the way there and back.
        let ping = RedisQuestion(["PING"]) { [self] _ in
            latencyMicroseconds = (SystemClock.monotonicNanoseconds() - asked) / 1000
        }
        return [ping] + reports + [
            RedisQuestion(["HGETALL", "health"]) { [self] in replace(&score, $0.dictionary, .health) },
            RedisQuestion(["HGETALL", "ledger"]) { [self] in replace(&ledger, $0.dictionary, .fires) },
            RedisQuestion(["HGETALL", "brake"]) { [self] in replace(&brakes, $0.dictionary, .health) },
            RedisQuestion(["ZCARD", "closed_positions"]) { [self] in closedPositions = $0.integer ?? 0 },
            RedisQuestion(["ZCARD", "fires"]) { [self] in firesKept = $0.integer ?? 0 },
        ]
    }

    func slowQuestions() -> [RedisQuestion] {
        [RedisQuestion(["INFO"]) { [self] in information = Overview.fields(information: $0.text ?? "") }]
    }

    private func take(report: [String: String], _ name: ServiceName) {
        guard reports[name] != report else { return }
        reports[name] = report
        changes.insert(.services)
    }

    private func replace(_ kept: inout [String: String], _ fresh: [String: String]?, _ part: Part) {
        guard let fresh, fresh != kept else { return }
        kept = fresh
        changes.insert(part)
    }

    /// Lines `name:value` of INFO. Source: the Redis manual, INFO.
    static func fields(information text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = String(line[line.index(after: colon)...])
        }
        return fields
    }

    func takeChanges() -> Set<Part> {
        defer { changes = [] }
        return changes
    }

    func fill(_ snapshot: inout Snapshot) {
        snapshot.score = PublishedScore(score)
        snapshot.ledger = ledger
        snapshot.brakes = brakes
        snapshot.closedPositions = closedPositions
        snapshot.firesKept = firesKept
        snapshot.redis.information = information
        snapshot.redis.latencyMicroseconds = latencyMicroseconds
    }
}
