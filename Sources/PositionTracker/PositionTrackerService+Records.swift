import Domain
import Redis
import ServiceKit
import Trading
import Wire

// Look-ups.
extension PositionTrackerService {
    func slots(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.text("user_uuid")
        let maximum = engine.slotsMaximum(of: user, now: request.receivedAt)
        lookUp(request, ["HGETALL", "slots:\(user)"]) { [unowned self] reply in
            let rows = reply.dictionary ?? [:]
            return [
                "user_uuid": .string(user), "tier": .string(engine.user(user, now: request.receivedAt).tier),
                "slots_used": .integer(rows.count), "slots_max": .integer(maximum),
                "slots": .object(rows.sortedObject { .string($0) }),
            ]
        }
    }

    func positions(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.optionalText("user_uuid")
        let state = try fields.optionalText("state", else: "open")
        guard state == "open" || state == "closed" else { throw .bad("state", "must be open or closed") }
        if state == "open" {
            let found = engine.positions.values.filter { user == nil || $0.userUUID == user }
            let sorted = found.sorted { ($0.openedAt, $0.key.ticket) < ($1.openedAt, $1.key.ticket) }
            let items = sorted.prefix(1000).map { JSON.object($0.json(now: request.receivedAt)) }
            return orders?.reply(request, ["total": .integer(found.count), "items": .array(items)]) ?? ()
        }
        redis.send(["ZREVRANGE", "closed_positions", "0", "999"]) { [unowned self] reply in
            guard let names = reply?.texts else { return unavailable(request) }
            collect(request, names.map { "position:\($0)" }) { row in
                Position(row: row).flatMap { position in
                    guard user == nil || position.userUUID == user else { return nil }
                    return position.json(now: request.receivedAt).merging(closedFields(row))
                }
            }
        }
    }

    func user(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let uuid = try fields.text("user_uuid")
        let user = engine.user(uuid, now: request.receivedAt)
        let isSeen = engine.users[uuid] != nil || engine.terminals[uuid] != nil
        let open = engine.positions.values.filter { $0.userUUID == uuid }.count
        let currency = engine.terminals[uuid]?.currency ?? "USD"
        let atStake = engine.atStake(uuid, in: currency, now: request.receivedAt)
        let realised = engine.realisedToday(uuid, in: currency, now: request.receivedAt)
        orders?.reply(
            request,
            user.json(policy: engine.policy).merging([
                "known": .bool(isSeen), "open_positions": .integer(open),
                "node_id": .text(engine.terminals[uuid]?.nodeID), "currency": .string(currency),
                "at_stake": .number(atStake.money), "realised_today": .number(realised.money),
                "without_figure": .integer(engine.withoutFigure(uuid)),
                "reachable": .bool(engine.terminals[uuid].map { $0.isActive && $0.identity != nil } ?? false),
            ]))
    }

    func setUser(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let uuid = try fields.identifier("user_uuid")
        let isKnown = engine.users[uuid] != nil || engine.terminals[uuid] != nil
        // Whoever is to be changed has to be there: a slip of the pen must not make a user.
        let mustExist = try fields.flag("existing")
        let isSuspending = try fields.optionalText("state") == "suspended"
        guard isKnown || !(mustExist || isSuspending) else {
            throw OrderError(
                code: "user_unknown", message: "nobody is registered as '\(uuid)', and no terminal of his was seen")
        }
        var user = engine.user(uuid, now: request.receivedAt)
        if let tier = try fields.optionalText("tier")?.uppercased() {
            guard engine.policy.tiers[tier] != nil else {
                let names = engine.policy.tiers.values.sorted { $0.slots < $1.slots }.map(\.name)
                throw .bad("tier", "must be one of \(names.joined(separator: " "))")
            }
            user.tier = tier
        }
        if let percent = try fields.amount("risk_pct") {
            guard percent.isPositive, percent <= engine.policy.capPercent else {
                throw .bad("risk_pct", "must be above 0 and at most \(engine.policy.capPercent)")
            }
            user.riskPercent = percent
        }
        user.dailyLossPercent = try fields.percentage("daily_loss_pct", else: user.dailyLossPercent)
        user.openRiskPercent = try fields.percentage("open_risk_pct", else: user.openRiskPercent)
        if let state = try fields.optionalText("state") {
            guard let state = User.State(rawValue: state) else { throw .bad("state", "must be active or suspended") }
            user.state = state
        }
        try bind(&user, fields)
        user.isRegistered = true
        guard try !fields.flag("check") else {
            return orders?.reply(request, user.json(policy: engine.policy).merging(["checked": .bool(true)])) ?? ()
        }
        decide { engine, _, outputs in engine.set(user: user, into: &outputs) }
        keepAddress(of: uuid)
        keepBoundAccounts()
        orders?.reply(request, user.json(policy: engine.policy).merging(["recorded": .bool(redis.isReady)]))
    }

    // MARK: - Redis

    func lookUp(_ request: Request, _ command: [String], _ body: @escaping (RedisValue) -> JSONObject) {
        redis.send(command) { [unowned self] reply in
            guard let reply, reply.errorMessage == nil else { return unavailable(request) }
            orders?.reply(request, body(reply))
        }
    }

    private func collect(_ request: Request, _ keys: [String], _ body: @escaping ([String: String]) -> JSONObject?) {
        var items: [JSON] = []
        for key in keys {
            redis.send(["HGETALL", key]) { reply in
                if let row = reply?.dictionary, let item = body(row) { items.append(.object(item)) }
            }
        }
        redis.send(["PING"]) { [unowned self] reply in
            guard reply != nil else { return unavailable(request) }
            orders?.reply(request, ["total": .integer(items.count), "items": .array(items)])
        }
    }

    func unavailable(_ request: Request) {
        orders?.fail(request, DenialReason.stateUnavailable.rawValue, "the mesh's Redis did not answer; try again")
    }
}

/// What only a closed position's row has.
private func closedFields(_ row: [String: String]) -> JSONObject {
    var object = JSONObject()
    for name in ["closed_at", "duration_s"] {
        if let number = row[name].flatMap({ Int64($0) }) { object.append(name, .integer(number)) }
    }
    object.append("profit", .decimal(row["profit"]))
    object.append("profit_source", .text(row["profit_source"]))
    return object
}
