import Domain
import Wire

/// A response before it is Hummingbird's: pure, so that tests ask the interface without a socket.
struct Answer: Sendable, Equatable {
    var status = 200
    var contentType = "application/json; charset=utf-8"
    var body: [UInt8] = []
    /// Beside those that every response carries.
    var headers: [String: String] = [:]

    static func json(_ value: JSON, status: Int = 200) -> Answer { Answer(status: status, body: value.bytes) }

    static func problem(_ problem: HTTPProblem) -> Answer {
        var answer = Answer.json(problem.json, status: problem.status)
        if !problem.allowed.isEmpty { answer.headers["allow"] = problem.allowed.joined(separator: ", ") }
        if problem.status == 401 { answer.headers["www-authenticate"] = "Bearer" }
        if problem.status == 503 { answer.headers["retry-after"] = "1" }
        return answer
    }

    static func text(_ text: String, type: String) -> Answer { Answer(contentType: type, body: Array(text.utf8)) }

    /// What every response carries: nothing is cached, framed, sniffed, or loaded from elsewhere.
    static let securityHeaders: [(String, String)] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
        ),
        ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"), ("cross-origin-opener-policy", "same-origin"),
    ]
}

/// Answers from a snapshot: everything that needs neither Redis nor another service.
enum SnapshotAnswers {
    /// - Parameters:
    ///   - now: the wall clock; `monotonic`: milliseconds of the clock that never steps.
    /// - Returns: nil for what a snapshot cannot answer: inquiries, actions, the event stream.
    static func answer(
        _ endpoint: Endpoint, _ parameters: [String: String], _ snapshot: Snapshot, now: Timestamp, monotonic: Int64
    ) throws(HTTPProblem) -> Answer? {
        switch endpoint {
        case .toDashboard: return Answer(status: 302, headers: ["location": "/dashboard"])
        case .asset(let asset):
            return Answer(contentType: asset.contentType, body: asset.bytes, headers: ["cache-control": "no-cache"])
        case .live: return .json(.object(["alive": .bool(true)]))
        case .ready:
            let readiness = Documents.readiness(snapshot, monotonic: monotonic)
            return .json(readiness.body, status: readiness.isReady ? 200 : 503)
        case .version: return .json(Documents.version(snapshot))
        case .health: return health(snapshot, now, monotonic)
        case .metrics:
            return .text(
                MetricsText(snapshot, now: now).text, type: "text/plain; version=0.0.4; charset=utf-8")
        case .services: return try services(parameters, snapshot, now)
        case .stats:
            try Statistics.check(scope: parameters["scope"])
            return try list(Statistics.items(snapshot, parameters).map { .object($0) }, parameters, snapshot, now)
        case .levels: return try levels(parameters, snapshot, now)
        case .reconciliation:
            let accounts = try ReconciliationList(parameters)
            return try list(accounts.items(snapshot, now: now), parameters, snapshot, now)
        case .list(let list): return try items(list, parameters, snapshot, now)
        case .events, .inquiry, .action: return nil
        }
    }

    private static func health(_ snapshot: Snapshot, _ now: Timestamp, _ monotonic: Int64) -> Answer {
        guard snapshot.publishedMonotonic != 0, snapshot.age(monotonic: monotonic) <= 5000 else {
            return .problem(.unavailable("no_snapshot", "the dashboard has not looked at the mesh for more than 5 s"))
        }
        return .json(
            Documents.health(snapshot, now: now), status: snapshot.judgement.status == .fail ? 503 : 200)
    }

    private static func services(_ parameters: [String: String], _ snapshot: Snapshot, _ now: Timestamp)
        throws(HTTPProblem) -> Answer
    {
        let states = ServiceStatus.State.allCases.map(\.rawValue)
        let wanted = try ListQuery.values(parameters, "state", words: states)
        let items = Documents.services(snapshot).filter { item in
            wanted?.contains(item.object?["state"]?.text ?? "") ?? true
        }
        return try list(items, parameters, snapshot, now)
    }

    private static func levels(_ parameters: [String: String], _ snapshot: Snapshot, _ now: Timestamp)
        throws(HTTPProblem) -> Answer
    {
        let wanted = parameters["symbol"]?.uppercased()
        let items = snapshot.levels.sorted { $0.key < $1.key }.compactMap { symbol, value -> JSON? in
            if let wanted, symbol.uppercased() != wanted { return nil }
            var item: JSONObject = ["symbol": .string(symbol)]
            if let fields = value.object?.fields {
                for field in fields where field.name != "symbol" { item.append(field.name, field.value) }
            } else {
                item.append("levels", value)
            }
            return .object(item)
        }
        return try list(items, parameters, snapshot, now)
    }

    /// A page of items that are few and have an order of their own.
    private static func list(
        _ items: [JSON], _ parameters: [String: String], _ snapshot: Snapshot, _ now: Timestamp
    ) throws(HTTPProblem) -> Answer {
        let limit = try ListQuery.number(parameters, "limit", 1...ListQuery.maximumLimit) ?? ListQuery.usualLimit
        let offset = try ListQuery.number(parameters, "offset", 0...1_000_000_000) ?? 0
        let page = Array(items.dropFirst(offset).prefix(limit))
        return .json(Documents.list(page, total: items.count, (offset, limit), snapshot, now: now))
    }

    private static func items(
        _ list: Endpoint.List, _ parameters: [String: String], _ snapshot: Snapshot, _ now: Timestamp
    ) throws(HTTPProblem) -> Answer {
        let schema: Schema
        let records: [Record]
        switch list {
        case .nodes: (schema, records) = (.nodes, snapshot.nodes)
        case .positions: (schema, records) = (.positions, snapshot.positions)
        case .fires: (schema, records) = (.fires, snapshot.fires)
        case .signals: (schema, records) = (.signals, snapshot.signals)
        case .alerts: (schema, records) = (.alerts, snapshot.alerts)
        case .questions: (schema, records) = (.questions, snapshot.questions)
        }
        let query = try ListQuery(parameters, schema)
        let page = query.page(of: records, schema, now: now)
        let items = page.records.map { JSON.object(Items.json($0, list, snapshot, now: now)) }
        return .json(Documents.list(items, total: page.total, (query.offset, query.limit), snapshot, now: now))
    }
}

/// Items of lists with what isn't in the hash but follows from it.
enum Items {
    static func json(_ record: Record, _ list: Endpoint.List, _ snapshot: Snapshot, now: Timestamp) -> JSONObject {
        switch list {
        case .positions: return position(record, now: now)
        case .alerts:
            var item = Schema.alerts.json(record)
            item.append("active", .bool(snapshot.activeAlerts.contains(record.identifier)))
            return item
        case .nodes: return node(record, snapshot)
        case .fires: return fire(record, now: now)
        case .questions: return question(record, now: now)
        case .signals: return Schema.signals.json(record)
        }
    }

    /// A node's record may be some seconds old; its last sign of life is read for all nodes each second.
    static func node(_ record: Record, _ snapshot: Snapshot) -> JSONObject {
        var item = Schema.nodes.json(record)
        if let position = Schema.nodes.position("last_seen"), let seen = snapshot.lastSeen[record.identifier],
            seen > record.values[position].flatMap({ Int64($0) }) ?? 0
        {
            item["last_seen"] = Schema.json(String(seen), .time)
        }
        return item
    }

    static func fire(_ record: Record, now: Timestamp) -> JSONObject {
        var item = Schema.fires.json(record)
        if item["fire_id"] == .null { item["fire_id"] = .string(record.identifier) }
        FireStanding(record, now: now).extend(&item)
        return item
    }

    /// An open position lasts until now.
    static func position(_ record: Record, now: Timestamp) -> JSONObject {
        var item = Schema.positions.json(record)
        if item["state"]?.text == "open", item["duration_s"] == .null,
            let position = Schema.positions.position("opened_at"),
            let opened = record.values[position].flatMap({ Int64($0) }), opened > 0
        {
            item["duration_s"] = .integer(max(0, now.milliseconds - opened) / 1000)
        }
        return item
    }
}
