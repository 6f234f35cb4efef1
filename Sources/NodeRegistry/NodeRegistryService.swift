import Domain
import Fleet
import Logging
import Redis
import ServiceKit
import Wire

/// Wiring of the registry: requests in, the engine decides, Redis keeps, replies out.
///
/// Everything is answered from memory; Redis may be away, and what changed meanwhile is written when it returns.
final class NodeRegistryService: MeshService {
    /// How long the start waits for what was kept, before it answers from an empty memory.
    private static let loadPatience: Int64 = 2_000
    /// How often it is looked whether Redis still has every node: one that was emptied heals within seconds.
    private static let lookMilliseconds: Int64 = 2_000
    /// A node that was kept as living and was not heard for longer than this is not called living by us.
    private static let keptAsLiving: Int64 = 60_000

    private let report: ServiceReport
    private let redis: RedisLink
    private let store: RegistryStore
    private var loader: RegistryLoader?
    private var server: RequestServer?
    private var engine = NodeRegistryEngine()
    private var effects: [RegistryEffect] = []

    init(_ environment: ServiceEnvironment) throws {
        report = environment.report
        redis = environment.makeRedisLink()
        store = RegistryStore(redis, report)
        let reactor = environment.reactor
        loader = RegistryLoader(
            redis, restore: { [unowned self] records in restore(records) },
            done: { [unowned self] in
                store.finishLoading()
                environment.log.info("nodes loaded", metadata: ["nodes": "\(engine.nodes.count)"])
            })
        redis.onReady.append { [unowned self] in becomeReady() }
        // Look-ups that come right after a restart should find what was known before it.
        _ = try reactor.run(until: { [store] in store.isLoaded }, milliseconds: NodeRegistryService.loadPatience)
        server = try RequestServer(
            context: environment.context, endpoint: environment.configuration.bindEndpoint(.registry),
            reactor: reactor, report: report
        ) { [unowned self] request in answer(request) }
        reactor.beforeWait { [unowned self] in store.flush(engine) }
        reactor.every(milliseconds: 3_600_000) { [unowned self] in
            engine.forget(at: SystemClock.now(), into: &effects)
            keepEffects()
        }
        reactor.every(milliseconds: 5_000) { [unowned self] in
            engine.reviewConflicts(at: SystemClock.now(), into: &effects)
            keepEffects()
        }
        reactor.every(milliseconds: NodeRegistryService.lookMilliseconds) { [unowned self] in lookAfterRedis() }
        // Keys that expire must not do so under an active node.
        reactor.every(milliseconds: 86_400_000) { [unowned self] in store.markAll(engine) }
    }

    var isReady: Bool { server != nil && store.isLoaded && redis.isReady }

    func refreshReport() {
        report.gauges["nodes"] = Int64(engine.nodes.count)
        report.gauges["active_nodes"] = Int64(engine.activeCount)
        report.gauges["identity_conflicts"] = Int64(engine.nodes.values.count { $0.identityConflict != nil })
        report.gauges["unwritten"] = Int64(store.backlog)
        report.gauges["queue_depth"] = Int64(store.backlog)
        report.problem("redis", redis.isReady ? nil : "Redis is away; changes wait in memory")
    }

    func drain() {
        for _ in 0..<100 where store.backlog > 0 && redis.isReady {
            store.flush(engine)
            redis.drain(milliseconds: 1_000)
        }
    }

    // MARK: - Redis

    private func becomeReady() {
        guard store.isLoaded else {
            loader?.load()
            return
        }
        lookAfterRedis()
    }

    /// A Redis that was emptied or replaced gets everything again.
    private func lookAfterRedis() {
        // While something waits to be written Redis may rightly have less.
        guard store.isLoaded, redis.isReady, store.backlog == 0 else { return }
        let nodes = engine.nodes.count
        redis.send(["ZCARD", "all_nodes"]) { [weak self] reply in
            guard let self, let count = reply?.integer, count < nodes, nodes <= engine.nodes.count else { return }
            report.count("redis_rewritten")
            store.markAll(engine)
        }
    }

    private func restore(_ records: [NodeRecord]) {
        let now = SystemClock.now()
        for record in records {
            var record = record
            if record.status == .active, now - record.lastSeen > NodeRegistryService.keptAsLiving {
                // After a restored backup its connections are of the past: it has to be heard.
                record.liveness = .stale
                record.telemetry = .unknown
                record.commands = .unknown
            }
            engine.restore(record, into: &effects)
        }
        keepEffects()
    }

    private func keepEffects() {
        store.note(effects)
        effects.removeAll(keepingCapacity: true)
    }

    // MARK: - Requests

    private func answer(_ request: Request) {
        guard let type = request.type else {
            return refuse(request, .missingField("type"))
        }
        do throws(RegistryRefusal) {
            switch type {
            case "register", "heartbeat", "disconnect", "connection", "liveness", "switch_account", "conflict",
                "conflict_cleared", "foreign":
                try change(request, type)
            case "node":
                let query = try RegistryDecoder.query(request.object)
                guard let node = engine.node(query) else {
                    throw RegistryRefusal(code: "unknown_node", message: "no such node is known")
                }
                var fields: JSONObject = ["node": .object(node.json)]
                // The node's fields also stand beside `ok`, for callers that want one or two of them.
                for field in node.json.fields { fields.append(field.name, field.value) }
                server?.reply(request, fields)
            case "nodes": server?.reply(request, list(try RegistryDecoder.listing(request.object)))
            case "find": server?.reply(request, list(try RegistryDecoder.search(request.object)))
            case "stats": server?.reply(request, engine.statistics().json)
            case "history": history(request, limit: try RegistryDecoder.historyLimit(request.object))
            default:
                throw RegistryRefusal(
                    code: "unknown_type",
                    message: "the types are register, heartbeat, disconnect, connection, liveness, switch_account,"
                        + " conflict, conflict_cleared, node, nodes, find, stats and history")
            }
            report.count("requests_answered")
        } catch {
            refuse(request, error)
        }
    }

    private func change(_ request: Request, _ type: String) throws(RegistryRefusal) {
        let change = try RegistryDecoder.change(type, request.object, at: request.receivedAt)
        let outcome = engine.handle(change, at: request.receivedAt, into: &effects)
        keepEffects()
        report.count("\(type)_requests")
        switch outcome {
        case .registered(let node, let replaced):
            server?.reply(
                request,
                [
                    "node_id": .string(node.nodeID), "session_id": .string(node.sessionID),
                    "user_uuid": .text(node.details[.userUUID]), "replaced": .text(replaced),
                    "status": .string(node.status.rawValue), "node_uuid": .string(node.nodeUUID),
                ])
        case .accepted: server?.reply(request, [:])
        case .ignored(let why):
            report.count("ignored_\(why)")
            server?.reply(request, ["ignored": .string(why)])
        case .refused(let refusal): throw refusal
        }
    }

    private func refuse(_ request: Request, _ refusal: RegistryRefusal) {
        report.reject(refusal.code)
        server?.fail(request, refusal.code, refusal.message)
    }

    private func list(_ listing: NodeListing) -> JSONObject {
        let (total, page) = engine.list(listing)
        return [
            "total": .integer(total), "offset": .integer(listing.offset), "limit": .integer(listing.limit),
            "items": .array(page.map { .object($0.json) }),
        ]
    }

    private func history(_ request: Request, limit: Int) {
        let inMemory = engine.history(limit: limit)
        guard inMemory.count < limit, redis.isReady else { return reply(request, inMemory) }
        // Memory reaches back to this process's start only.
        redis.send(["XREVRANGE", "events:nodes", "+", "-", "COUNT", String(limit)]) { [weak self] reply in
            guard let self else { return }
            guard let rows = reply?.array else { return self.reply(request, inMemory) }
            let items = rows.compactMap { row -> JSON? in
                guard let parts = row.array, parts.count == 2 else { return nil }
                let texts = parts[1].texts
                let names = stride(from: 0, to: texts.count - 1, by: 2)
                return HistoryLine.json(names.map { (texts[$0], texts[$0 + 1]) })
            }
            server?.reply(request, ["total": .integer(items.count), "items": .array(items)])
        }
    }

    private func reply(_ request: Request, _ events: [NodeEvent]) {
        server?.reply(
            request, ["total": .integer(events.count), "items": .array(events.map { HistoryLine.json($0.fields) })])
    }
}
