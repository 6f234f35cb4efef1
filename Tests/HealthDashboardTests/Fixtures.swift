import Domain
import ServiceKit
import Wire

@testable import HealthDashboard

/// A mesh where everything is well, to be spoilt by each test.
enum Fixtures {
    static let now = Timestamp(milliseconds: 1_795_000_000_000)

    /// - Parameter change: spoils what the services report; empty fields mean no report.
    static func services(_ change: (ServiceName, inout [String: String]) -> Void = { _, _ in }) -> [ServiceStatus] {
        ServiceName.startOrder.map { name in
            var report = [
                "state": "ready", "updated_at": String(now.milliseconds - 400), "pid": "42", "problems": "{}",
                "started_at": String(now.milliseconds - 60_000), "counters": #"{"received":7}"#,
                "rejected": #"{"not_json":2}"#,
            ]
            change(name, &report)
            return ServiceStatus(name, report: report, exits: ExitRecord(), now: now)
        }
    }

    static func snapshot(_ services: [ServiceStatus] = services()) -> Snapshot {
        var snapshot = Snapshot()
        snapshot.publishedAt = now
        snapshot.publishedMonotonic = 1_000_000
        snapshot.readAt = now
        snapshot.readMonotonic = 1_000_000
        snapshot.startedAt = now.adding(milliseconds: -90_000)
        snapshot.redis.state = .ready
        snapshot.services = services
        snapshot.judgement = Judgement(snapshot, now: now)
        return snapshot
    }

    static func record(_ identifier: String, _ schema: Schema, _ fields: [String: String]) -> Record {
        Details.record(identifier, fields, schema)
    }

    static func node(_ identifier: String, _ fields: [String: String] = [:]) -> Record {
        let usual = ["node_id": identifier, "status": "active", "liveness": "live"]
        return record(identifier, .nodes, usual.merging(fields) { _, new in new })
    }

    static func answer(_ path: String, _ parameters: [String: String] = [:], _ snapshot: Snapshot) throws -> Answer? {
        let endpoint = try Endpoint.resolve(method: "GET", path: path)
        var summed = snapshot
        summed.summarise()
        return try SnapshotAnswers.answer(endpoint, parameters, summed, now: now, monotonic: 1_000_500)
    }

    static func body(_ path: String, _ parameters: [String: String] = [:], _ snapshot: Snapshot) throws -> JSONObject {
        guard let answer = try answer(path, parameters, snapshot) else { return JSONObject() }
        return try JSON(answer.body).object ?? JSONObject()
    }
}

/// Random numbers that come again: SplitMix64 (S. Vigna).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        print("seed \(seed)")
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
