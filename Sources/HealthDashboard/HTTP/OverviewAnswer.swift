import Domain
import Synchronization
import Wire

/// `/overview`: everything the page's first look needs, and with `since` only the parts that changed after it.
///
/// `version` is `<run of the dashboard>.<number>`. A snapshot is the truth: whoever missed events asks with the version
/// he has and is told what differs; a version of another run, or none, is answered with everything.
enum OverviewAnswer {
    /// What the page draws; users are looked up one by one.
    static let parts: [Part] = Part.allCases.filter { $0 != .users }

    static func answer(
        _ parameters: [String: String], _ snapshot: Snapshot, now: Timestamp
    ) throws(HTTPProblem) -> Answer {
        let since = parameters["since"].flatMap { known($0, snapshot) }
        var wanted = parts
        if let names = try ListQuery.values(parameters, "parts", words: parts.map(\.rawValue)) {
            wanted = parts.filter { names.contains($0.rawValue) }
        }
        let changed = wanted.filter { part in since.map { (snapshot.partVersions[part] ?? 0) > $0 } ?? true }
        var object: JSONObject = [
            "version": .string("\(snapshot.instance).\(snapshot.version)"), "now": .string("\(now)"),
            "as_of": Documents.asOf(snapshot), "full": .bool(since == nil),
        ]
        var documents = JSONObject()
        for part in changed { documents.append(part.rawValue, try document(part, snapshot, now)) }
        object.append("parts", .object(documents))
        return .json(.object(object))
    }

    /// The number of a version of this run; nil for any other text.
    private static func known(_ text: String, _ snapshot: Snapshot) -> UInt64? {
        let parts = text.split(separator: ".")
        guard parts.count == 2, parts[0] == snapshot.instance, let number = UInt64(parts[1]),
            number <= snapshot.version
        else { return nil }
        return number
    }

    private static func document(_ part: Part, _ snapshot: Snapshot, _ now: Timestamp) throws(HTTPProblem) -> JSON {
        func rows(_ list: Endpoint.List, _ parameters: [String: String]) throws(HTTPProblem) -> JSON {
            try SnapshotAnswers.page(list, parameters, snapshot, now)
        }
        func short(_ list: Endpoint, _ parameters: [String: String]) throws(HTTPProblem) -> JSON {
            try SnapshotAnswers.page(list, parameters, snapshot, now)
        }

        switch part {
        case .health: return Documents.health(snapshot, now: now)
        case .services: return .array(Documents.services(snapshot))
        case .nodes: return snapshot.summary.fleet(snapshot)
        case .positions:
            return .object([
                "counts": snapshot.summary.positions.json(closed: snapshot.closedPositions),
                "exposure": .array(snapshot.summary.exposure.prefix(60).map(\.json)),
                "performance": .array(Performance(snapshot.positions).items),
            ])
        case .fires:
            return .object([
                "unaccounted": try rows(.fires, ["unaccounted": "1", "sort": "sending_at", "limit": "20"]),
                "latest": try rows(.fires, ["limit": "8"]),
                "latency": .array(StageLatencies(snapshot.fires).items),
            ])
        case .signals: return try rows(.signals, ["state": "live", "limit": "50"])
        case .levels:
            return .object([
                "symbols": try short(.levels, ["limit": "60"]),
                "sweeps": .array(snapshot.sweeps.prefix(20).map { .object($0) }),
            ])
        case .alerts:
            return .object([
                "active": try rows(.alerts, ["state": "active,firing", "limit": "100"]),
                "latest": try rows(.alerts, ["limit": "20"]),
                "silences": try short(.silences, [:]),
                "maintenance": try short(.maintenanceWindows, [:]),
            ])
        case .stats: return try short(.stats, [:])
        case .reconciliation:
            return .object([
                "accounts": try short(.reconciliation, ["limit": "30"]),
                "questions": try rows(.questions, ["state": "open", "limit": "50"]),
            ])
        case .users: return .null
        case .audit: return .array(snapshot.audit.prefix(30).map { .object($0) })
        }
    }

}
