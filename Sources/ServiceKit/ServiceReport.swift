public import Domain
import Foundation
public import Wire

/// What a service tells of itself: counters, refusals by reason, progress. Written to `service:<name>` each second.
///
/// Owned by the loop's thread. The dashboard judges a service by this report's age.
public final class ServiceReport {
    public let service: ServiceName
    public let startedAt: Timestamp
    public private(set) var counters: [String: Int64] = [:]
    public private(set) var rejected: [String: Int64] = [:]
    /// Standing facts a person may want beside the counters (connections, queue depths).
    public var gauges: [String: Int64] = [:]
    /// Why the service is up but not whole, in a few words; empty when it is.
    public var problems: [String: String] = [:]
    public var lastProgress: Timestamp
    public var isReady = false
    public var readyAfterMilliseconds: Int64 = 0

    public init(service: ServiceName, now: Timestamp) {
        self.service = service
        startedAt = now
        lastProgress = now
    }

    public func count(_ name: String, _ amount: Int64 = 1) { counters[name, default: 0] += amount }
    public func set(_ name: String, _ value: Int64) { counters[name] = value }
    public func reject(_ reason: String, _ amount: Int64 = 1) { rejected[reason, default: 0] += amount }

    public func problem(_ name: String, _ text: String?) { problems[name] = text }

    func fields(ports: [PortList.Entry], now: Timestamp, longestTurn: Int64, version: String) -> [String] {
        let state = !isReady ? "starting" : problems.isEmpty ? "ready" : "degraded"
        return [
            "name", service.rawValue, "pid", String(ProcessInfo.processInfo.processIdentifier), "state", state,
            "version", version, "started_at", String(startedAt.milliseconds), "updated_at", String(now.milliseconds),
            "last_progress", String(lastProgress.milliseconds), "ready_ms", String(readyAfterMilliseconds),
            "longest_turn_ms", String(longestTurn),
            "ports", JSON.array(ports.map { .integer($0.port) }).compactText,
            "counters", ServiceReport.json(counters), "rejected", ServiceReport.json(rejected),
            "gauges", ServiceReport.json(gauges),
            "problems", JSON.object(problems.sortedObject { .string($0) }).compactText,
        ]
    }

    private static func json(_ values: [String: Int64]) -> String {
        JSON.object(values.sortedObject { .integer($0) }).compactText
    }
}

extension Dictionary where Key == String {
    /// The dictionary as a JSON object in the order of its keys.
    public func sortedObject(_ transform: (Value) -> JSON) -> JSONObject {
        var object = JSONObject()
        for (key, value) in sorted(by: { $0.key < $1.key }) { object.append(key, transform(value)) }
        return object
    }
}
