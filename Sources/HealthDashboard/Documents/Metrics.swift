import Domain
import ServiceKit
import Wire

/// `/metrics`: the Prometheus text format, version 0.0.4. No label holds a user, an account or a node.
///
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
struct MetricsText {
    private(set) var text = ""

    enum Kind: String { case gauge, counter, histogram }

    struct Sample {
        let labels: [(String, String)]
        let value: String

        init(_ value: some BinaryInteger, _ labels: [(String, String)] = []) {
            self.labels = labels
            self.value = String(value)
        }

        init(_ value: Double, _ labels: [(String, String)] = []) {
            self.labels = labels
            self.value = value.isNaN ? "NaN" : value.isInfinite ? (value > 0 ? "+Inf" : "-Inf") : "\(value)"
        }
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        addHead(name, kind, help)
        for sample in samples { addLine(name, sample) }
    }

    mutating func addHead(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func addLine(_ name: String, _ sample: Sample) {
        let labels = sample.labels.map { "\($0.0)=\"\(MetricsText.escaped($0.1))\"" }.joined(separator: ",")
        text += labels.isEmpty ? "\(name) \(sample.value)\n" : "\(name){\(labels)} \(sample.value)\n"
    }

    /// In a label's value a backslash, a quote and a line feed are escaped.
    static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

extension MetricsText {
    init(_ snapshot: Snapshot, now: Timestamp) {
        addMesh(snapshot, now)
        addServices(snapshot)
        addTrading(snapshot, now)
        addLedger(FireLedger(snapshot, now: now))
        addReconciliation(ReconciliationCounts(snapshot))
        addMachine(snapshot)
        addStorage(snapshot)
        addStages(snapshot.stages)
    }

    private mutating func addMesh(_ snapshot: Snapshot, _ now: Timestamp) {
        let states: [Judgement.Status] = [.pass, .warn, .fail]
        add(
            "mesh_status", .gauge, "Whether the mesh can do its job: 1 for the status it has.",
            states.map { Sample(snapshot.judgement.status == $0 ? 1 : 0, [("status", $0.rawValue)]) })
        add("mesh_health_score", .gauge, "Health score, 0 to 100.", [Sample(snapshot.judgement.score)])
        add("mesh_info", .gauge, "Version of the dashboard.", [Sample(1, [("version", MeshVersion.current)])])
        if let read = snapshot.readAt {
            let age = Double(max(0, now - read)) / 1000
            add("mesh_state_age_seconds", .gauge, "How long ago the state was read from Redis.", [Sample(age)])
        }
        addBrakes(snapshot)
        add("mesh_alerts_active", .gauge, "Alerts that are not over.", [Sample(snapshot.activeAlerts.count)])
    }

    /// One sample for each kind of scope and state, so that no label names a user.
    private mutating func addBrakes(_ snapshot: Snapshot) {
        var counts: [String: Int] = [:]
        for (scope, text) in snapshot.brakes {
            let kind = String(scope.prefix { $0 != ":" })
            counts["\(kind) \(BrakeSetting(text).state)", default: 0] += 1
        }
        let kinds = ["all", "tier", "broker", "symbol", "user"]
        add(
            "mesh_brakes", .gauge, "Brakes in force, by the kind of their scope and their state.",
            kinds.flatMap { kind in
                ["REDUCING", "HALTED"].map { state in
                    Sample(counts["\(kind) \(state)"] ?? 0, [("scope", kind), ("state", state)])
                }
            })
    }

    private mutating func addServices(_ snapshot: Snapshot) {
        func samples(_ value: (ServiceStatus) -> Sample?) -> [Sample] { snapshot.services.compactMap(value) }
        add(
            "mesh_up", .gauge, "Whether the service runs and reports.",
            samples { Sample($0.state.isUp ? 1 : 0, [("service", $0.name.rawValue)]) })
        add(
            "mesh_service_degraded", .gauge, "Whether the service runs but is not whole.",
            samples { Sample($0.state == .degraded ? 1 : 0, [("service", $0.name.rawValue)]) })
        add(
            "mesh_service_report_age_seconds", .gauge, "Age of the service's own report.",
            samples { service in
                service.ageMilliseconds.map { Sample(Double($0) / 1000, [("service", service.name.rawValue)]) }
            })
        add(
            "mesh_service_restarts_total", .counter, "Unexpected ends since the supervisor was started.",
            samples { Sample($0.exits.restarts, [("service", $0.name.rawValue)]) })
        add(
            "mesh_rejected_total", .counter, "What was refused, by reason.",
            snapshot.services.flatMap { service in
                MetricsText.numbers(service.rejected).map {
                    Sample($0.value, [("service", service.name.rawValue), ("reason", $0.name)])
                }
            })
        addOwn(snapshot, .counter, \.counters)
        addOwn(snapshot, .gauge, \.gauges)
    }

    private static func numbers(_ object: JSONObject) -> [(name: String, value: Int64)] {
        object.fields.compactMap { field in field.value.text.flatMap { Int64($0) }.map { (field.name, $0) } }
    }

    /// What the services count and stand at, each under a name of its own, in base units.
    private mutating func addOwn(
        _ snapshot: Snapshot, _ kind: Kind, _ numbers: (ServiceStatus) -> JSONObject
    ) {
        var found: [String: (help: String, samples: [Sample])] = [:]
        for service in snapshot.services {
            for (name, value) in MetricsText.numbers(numbers(service)) {
                let own = OwnMetric(name, kind)
                let sample = own.sample(value, service.name.rawValue)
                found[own.name, default: (own.help, [])].samples.append(sample)
            }
        }
        for (name, metric) in found.sorted(by: { $0.key < $1.key }) { add(name, kind, metric.help, metric.samples) }
    }

    private mutating func addTrading(_ snapshot: Snapshot, _ now: Timestamp) {
        let nodes = snapshot.summary.nodes
        add(
            "mesh_nodes", .gauge, "Terminals by life cycle.",
            NodeCounts.statuses.map { Sample(nodes.byStatus[$0] ?? 0, [("status", $0)]) })
        add(
            "mesh_nodes_liveness", .gauge, "Terminals that are or should be there, by liveness.",
            NodeCounts.livenesses.map { Sample(nodes.byLiveness[$0] ?? 0, [("liveness", $0)]) })
        let positions = snapshot.summary.positions
        add("mesh_positions_open", .gauge, "Open positions.", [Sample(positions.open)])
        add(
            "mesh_positions_pnl", .gauge, "Unrealised profit of the open positions, per account currency.",
            positions.profit.sorted { $0.key < $1.key }.map { Sample($1.double, [("currency", $0)]) })
        add(
            "mesh_signals_live", .gauge, "Signals that are live.",
            [Sample(snapshot.signals.count { $0.values[Schema.signals.position("state") ?? 0] == "live" })])
    }

    private mutating func addMachine(_ snapshot: Snapshot) {
        add("mesh_redis_up", .gauge, "Whether Redis answers.", [Sample(snapshot.redis.isReady ? 1 : 0)])
        if let latency = snapshot.redis.latencyMicroseconds {
            add("mesh_redis_latency_seconds", .gauge, "Last PING.", [Sample(Double(latency) / 1_000_000)])
        }
        if let memory = snapshot.redis.information["used_memory"].flatMap({ Int64($0) }) {
            add("mesh_redis_memory_bytes", .gauge, "Memory Redis uses.", [Sample(memory)])
        }
        let system = snapshot.system
        if let cpu = system.cpuPercent {
            add("mesh_cpu_busy_ratio", .gauge, "Busy share of all processors.", [Sample(cpu / 100)])
        }
        add("mesh_memory_available_bytes", .gauge, "Memory that is available.", [Sample(system.memoryAvailable)])
        add("mesh_disk_free_bytes", .gauge, "Free space where the state lives.", [Sample(system.diskFree)])
        add(
            "mesh_port_listening", .gauge, "Whether somebody listens on the port.",
            snapshot.ports.filter { $0.name != .state || snapshot.redis.isOwn }.map {
                Sample(
                    snapshot.listening.contains($0.port) ? 1 : 0,
                    [("port", String($0.port)), ("name", $0.name.rawValue), ("service", $0.service.rawValue)])
            })
    }
}

/// The Prometheus name of a number of a service: base units, no unit twice, counters end in `_total`.
///
/// Source: https://prometheus.io/docs/practices/naming/
struct OwnMetric {
    let name: String
    let help: String
    /// Seconds are told as seconds, whatever the service counts in.
    private let divisor: Double?

    private static let times: [(suffix: String, divisor: Double)] = [("_us", 1e6), ("_ms", 1e3), ("_s", 1)]

    init(_ own: String, _ kind: MetricsText.Kind) {
        var plain = String(own.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        let time = OwnMetric.times.first { plain.hasSuffix($0.suffix) && !plain.hasSuffix("_per\($0.suffix)") }
        if let time { plain = plain.dropLast(time.suffix.count) + "_seconds" }
        divisor = time?.divisor
        name = "mesh_service_\(plain)" + (kind == .counter ? "_total" : "")
        help = "'\(own)' as the service reports it\(time == nil ? "" : ", in seconds")."
    }

    func sample(_ value: Int64, _ service: String) -> MetricsText.Sample {
        let labels = [("service", service)]
        return divisor.map { MetricsText.Sample(Double(value) / $0, labels) } ?? MetricsText.Sample(value, labels)
    }
}
