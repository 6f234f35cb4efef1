import Domain
import Wire

/// The lists whose items are few: services, symbols, stages, entries of streams.
enum ShortLists {
    static func items(
        _ endpoint: Endpoint, _ parameters: [String: String], _ snapshot: Snapshot, _ now: Timestamp
    ) throws(HTTPProblem) -> [JSON] {
        for name in ["symbol", "account"] { if let text = parameters[name] { try ListQuery.check(text, name) } }
        switch endpoint {
        case .services: return try services(parameters, snapshot)
        case .stats:
            try Statistics.check(scope: parameters["scope"])
            return Statistics.items(snapshot, parameters).map { .object($0) }
        case .levels: return levels(parameters, snapshot)
        case .latency: return StageLatencies(snapshot.fires).items
        case .exposure: return snapshot.summary.exposure.map(\.json)
        case .performance:
            let wanted = try ListQuery.values(parameters, "by", words: ["symbol", "session"])
            return Performance(snapshot.positions).items.filter { has($0, "by", wanted) }
        case .sweeps:
            let wanted = try ListQuery.values(parameters, "symbol", words: nil)
            return snapshot.sweeps.map { .object($0) }.filter { has($0, "symbol", wanted) }
        case .audit: return snapshot.audit.map { .object($0) }
        case .silences: return named(snapshot.silences)
        case .maintenanceWindows: return named(snapshot.maintenance)
        case .reconciliation: return try ReconciliationList(parameters).items(snapshot, now: now)
        default: return []
        }
    }

    private static func has(_ item: JSON, _ field: String, _ wanted: Set<String>?) -> Bool {
        wanted?.contains(item.object?[field]?.text?.lowercased() ?? "") ?? true
    }

    private static func services(_ parameters: [String: String], _ snapshot: Snapshot) throws(HTTPProblem) -> [JSON] {
        let wanted = try ListQuery.values(parameters, "state", words: ServiceStatus.State.allCases.map(\.rawValue))
        return Documents.services(snapshot).filter { has($0, "state", wanted) }
    }

    private static func levels(_ parameters: [String: String], _ snapshot: Snapshot) -> [JSON] {
        let wanted = parameters["symbol"]?.uppercased()
        return snapshot.levels.sorted { $0.key < $1.key }.compactMap { symbol, value -> JSON? in
            if let wanted, symbol.uppercased() != wanted { return nil }
            var item: JSONObject = ["symbol": .string(symbol)]
            if let fields = value.object?.fields {
                for field in fields where field.name != "symbol" { item.append(field.name, field.value) }
            } else {
                item.append("levels", value)
            }
            return .object(item)
        }
    }

    /// A small hash of JSON objects as a list, each with its `id`.
    static func named(_ entries: [String: JSON]) -> [JSON] {
        entries.sorted { $0.key < $1.key }.map { identifier, value in
            var object: JSONObject = ["id": .string(identifier)]
            for field in value.object?.fields ?? [] where field.name != "id" { object.append(field.name, field.value) }
            return .object(object)
        }
    }
}
