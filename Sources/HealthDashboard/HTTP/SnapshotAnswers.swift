import Domain
import Wire

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
        case .noSuchPage: return NoSuchPage.answer
        case .asset(let asset): return Answer(contentType: asset.contentType, body: asset.bytes)
        case .live: return .json(.object(["alive": .bool(true)]))
        case .ready:
            let readiness = Documents.readiness(snapshot, monotonic: monotonic)
            return .json(readiness.body, status: readiness.isReady ? 200 : 503)
        case .version: return .json(Documents.version(snapshot))
        case .health: return health(snapshot, now, monotonic)
        case .metrics:
            return .text(
                MetricsText(snapshot, now: now).text, type: "text/plain; version=0.0.4; charset=utf-8")
        case .openAPI: return .json(OpenAPI.document)
        case .overview: return try OverviewAnswer.answer(parameters, snapshot, now: now)
        case .history: return .json(try HistoryAnswer(parameters).document(snapshot, now: now))
        case .drift: return .json(snapshot.drift)
        case .service(let name): return try service(name, snapshot)
        case .list(let list): return .json(try page(list, parameters, snapshot, now))
        case .services, .stats, .levels, .latency, .exposure, .performance, .sweeps, .audit, .silences,
            .maintenanceWindows, .reconciliation:
            return .json(try page(endpoint, parameters, snapshot, now))
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

    private static func service(_ name: String, _ snapshot: Snapshot) throws(HTTPProblem) -> Answer {
        let items = Documents.services(snapshot)
        guard let item = items.first(where: { $0.object?["name"]?.text == name }) else {
            let names = items.compactMap { $0.object?["name"]?.text }.joined(separator: " ")
            throw .notFound("no service '\(name)' is known; there are: \(names)")
        }
        return .json(item)
    }

    /// A page of a list whose items are few and have an order of their own; `sort` names any plain field of theirs.
    static func page(
        _ endpoint: Endpoint, _ parameters: [String: String], _ snapshot: Snapshot, _ now: Timestamp
    ) throws(HTTPProblem) -> JSON {
        let given = try ShortLists.items(endpoint, parameters, snapshot, now)
        // Accounts are ordered by what is wrong with them, which is no field.
        let items = endpoint == .reconciliation ? given : try PlainOrder.sorted(given, parameters["sort"])
        let limit = try ListQuery.number(parameters, "limit", 1...ListQuery.maximumLimit) ?? ListQuery.usualLimit
        let offset = try ListQuery.number(parameters, "offset", 0...1_000_000_000) ?? 0
        let page = Array(items.dropFirst(offset).prefix(limit))
        return Documents.list(page, total: items.count, (offset, limit), snapshot, now: now)
    }

    /// A page of a family of rows.
    static func page(
        _ list: Endpoint.List, _ parameters: [String: String], _ snapshot: Snapshot, _ now: Timestamp
    ) throws(HTTPProblem) -> JSON {
        let (schema, records) = rows(list, snapshot)
        let query = try ListQuery(parameters, schema)
        let page = query.page(of: records, schema, now: now)
        let items = page.records.map { JSON.object(Items.json($0, list, snapshot, now: now)) }
        let answer = Documents.list(items, total: page.total, (query.offset, query.limit), snapshot, now: now)
        guard list == .alerts, var object = answer.object else { return answer }
        // What keeps alerts from calling somebody belongs beside them.
        object.append("silences", .array(ShortLists.named(snapshot.silences)))
        object.append("maintenance", .array(ShortLists.named(snapshot.maintenance)))
        return .object(object)
    }

    private static func rows(_ list: Endpoint.List, _ snapshot: Snapshot) -> (Schema, [Record]) {
        switch list {
        case .nodes: (.nodes, snapshot.nodes)
        case .positions: (.positions, snapshot.positions)
        case .fires: (.fires, snapshot.fires)
        case .signals: (.signals, snapshot.signals)
        case .alerts: (.alerts, snapshot.alerts)
        case .questions: (.questions, snapshot.questions)
        case .users: (.users, snapshot.users)
        }
    }
}
