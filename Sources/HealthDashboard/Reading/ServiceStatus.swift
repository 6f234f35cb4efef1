import Domain
import Wire

/// One of the seven as the dashboard sees it: its own report, the report's age, and what the supervisor noted.
struct ServiceStatus: Sendable {
    enum State: String, Sendable, CaseIterable {
        case running, degraded, starting, stale, down

        var isUp: Bool { self == .running || self == .degraded }
    }

    /// A report older than this says nothing about now. Reports come each second.
    static let freshMilliseconds: Int64 = 5000

    let name: ServiceName
    let state: State
    /// Fields of `service:<name>`; empty while there is no report.
    let report: [String: String]
    let exits: ExitRecord
    let problems: JSONObject
    let counters: JSONObject
    let rejected: JSONObject
    let gauges: JSONObject
    let ageMilliseconds: Int64?

    init(_ name: ServiceName, report: [String: String], exits: ExitRecord, now: Timestamp) {
        self.name = name
        self.report = report
        self.exits = exits
        let age = report["updated_at"].flatMap { Int64($0) }.map { max(0, now.milliseconds - $0) }
        ageMilliseconds = age
        state = ServiceStatus.state(report["state"], age: age)
        problems = ServiceStatus.object(report["problems"])
        counters = ServiceStatus.object(report["counters"])
        rejected = ServiceStatus.object(report["rejected"])
        gauges = ServiceStatus.object(report["gauges"])
    }

    private static func state(_ told: String?, age: Int64?) -> State {
        guard let told, let age, told != "stopped" else { return .down }
        if age > freshMilliseconds { return .stale }
        switch told {
        case "ready": return .running
        case "degraded": return .degraded
        default: return .starting
        }
    }

    private static func object(_ text: String?) -> JSONObject {
        text.flatMap { try? JSON($0) }?.object ?? JSONObject()
    }

    /// The journal of a confirmation-logger that says it can't write: what happens now would not be kept.
    var journalProblem: String? {
        guard name == .confirmationLogger, state.isUp else { return nil }
        return problems["journal_disk"]?.text
    }

    /// An item of `/services`.
    func json(ports: [JSON]) -> JSON {
        func number(_ key: String) -> JSON { Schema.json(report[key], .integer) }
        func time(_ key: String) -> JSON { Schema.json(report[key], .time) }
        var lastExit = JSON.null
        if let exit = exits.lastExit {
            lastExit = .object([
                "time": .string("\(exit.time)"), "exit_code": .integer(exit.exitCode), "signal": .integer(exit.signal),
                "lived_s": .integer(exit.livedSeconds), "kind": .string(exit.kind),
            ])
        }
        return .object([
            "name": .string(name.rawValue), "state": .string(state.rawValue), "pid": number("pid"),
            "version": .text(report["version"]), "started_at": time("started_at"),
            "report_age_ms": ageMilliseconds.map { .integer($0) } ?? .null, "last_progress": time("last_progress"),
            "ready_ms": number("ready_ms"), "longest_turn_ms": number("longest_turn_ms"),
            "restarts": .integer(exits.restarts), "last_exit": lastExit, "restart_alarm": .bool(exits.isAlarmed),
            "ports": .array(ports), "counters": .object(counters), "rejected": .object(rejected),
            "gauges": .object(gauges), "problems": .object(problems),
        ])
    }
}
