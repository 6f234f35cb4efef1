import Domain
import Redis
import ServiceKit
import Trading
import Wire

// Look-ups and positions that did not come through a fire.
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
        orders?.reply(
            request,
            user.json(policy: engine.policy).merging([
                "known": .bool(isSeen), "open_positions": .integer(open),
                "node_id": .text(engine.terminals[uuid]?.nodeID),
                "reachable": .bool(engine.terminals[uuid].map { $0.isActive && $0.identity != nil } ?? false),
            ]))
    }

    func setUser(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let uuid = try fields.text("user_uuid")
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
        if let state = try fields.optionalText("state") {
            guard let state = User.State(rawValue: state) else { throw .bad("state", "must be active or suspended") }
            user.state = state
        }
        user.isRegistered = true
        decide { engine, _, outputs in engine.set(user: user, into: &outputs) }
        orders?.reply(request, user.json(policy: engine.policy).merging(["recorded": .bool(redis.isReady)]))
    }

    func outcome(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let fireID = try fields.text("fire_id")
        redis.send(["HGETALL", "fire:\(fireID)"]) { [unowned self] reply in
            guard let row = reply?.dictionary else { return unavailable(request) }
            guard !row.isEmpty else {
                return orders?.fail(request, "unknown_fire", "no fire '\(fireID)' is known here") ?? ()
            }
            orders?.reply(request, FireRow.json(row))
        }
    }

    func ledger(_ request: Request) {
        lookUp(request, ["HGETALL", "ledger"]) { [unowned self] reply in
            var counts = (reply.dictionary ?? [:]).mapValues { Int64($0) ?? 0 }
            for name in ["sent", "filled", "rejected", "never_executed", "denied", "expired", "unknown"] {
                counts[name, default: 0] += 0
            }
            let accounted = ["filled", "rejected", "never_executed"].reduce(0) { $0 + (counts[$1] ?? 0) }
            var object = counts.sortedObject { .integer($0) }
            object["accounted"] = .integer(accounted)
            object["unaccounted"] = .integer((counts["sent"] ?? 0) - accounted)
            let overdue = engine.fires.values.filter { $0.expiresAt < request.receivedAt }
            object["overdue"] = .integer(overdue.count)
            object["open"] = .array(
                engine.fires.values.sorted { $0.createdAt < $1.createdAt }.prefix(100).map {
                    .object([
                        "fire_id": .string($0.fireID), "state": .string($0.state.rawValue),
                        "user_uuid": .string($0.userUUID), "symbol": .string($0.symbol),
                        "lot": .number($0.lot.description),
                        "age_s": .integer((request.receivedAt - $0.createdAt) / 1000),
                    ])
                })
            return object
        }
    }

    // MARK: - By hand

    func open(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.text("user_uuid")
        guard let ticket = try fields.integer("ticket"), ticket > 0 else { throw .missing("ticket") }
        let symbol = try fields.text("symbol", maximum: 64)
        guard let direction = Direction(wire: try fields.text("direction")) else {
            throw .bad("direction", "must be BUY or SELL")
        }
        guard let lot = try fields.amount("lot"), lot.isPositive else { throw .missing("lot") }
        guard let price = try fields.amount("open_price"), price.isPositive else { throw .missing("open_price") }
        let terminal = engine.terminals[user]
        guard let account = try fields.optionalText("account", else: terminal?.account) else {
            throw .missing("account")
        }
        guard let server = try fields.optionalText("server", else: terminal?.server) else { throw .missing("server") }
        var position = Position(
            key: PositionKey(server: server, account: account, ticket: ticket), userUUID: user,
            nodeID: terminal?.nodeID ?? "", symbol: symbol,
            canonicalSymbol: environment.instruments.canonical(symbol), direction: direction, lot: lot,
            openPrice: price, openPriceText: price.description, openedAt: request.receivedAt)
        position.currency = try fields.optionalText("currency", else: terminal?.currency)
        position.stopLoss = try fields.amount("sl")?.description
        position.takeProfit = try fields.amount("tp")?.description
        guard redis.isReady else { return unavailable(request) }
        let maximum = engine.slotsMaximum(of: user, now: request.receivedAt)
        redis.send(["HLEN", "slots:\(user)"]) { [unowned self] reply in
            guard let used = reply?.integer else { return unavailable(request) }
            guard used < Int64(maximum) else {
                return orders?.reply(
                    request, ["state": .string("denied"), "reason": .string(DenialReason.noSlot.rawValue)]) ?? ()
            }
            guard engine.open(position) else {
                return orders?.fail(request, "position_exists", "ticket \(ticket) is open already") ?? ()
            }
            store.write(.always, store.openCommands(position))
            orders?.reply(request, position.json(now: request.receivedAt))
        }
    }

    func updateProfit(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let position = try openPosition(fields)
        guard let text = fields.object["pnl"]?.text, let profit = Amount(text) else { throw .missing("pnl") }
        _ = engine.updateProfit(position.key, to: profit)
        orders?.reply(request, (engine.positions[position.key] ?? position).json(now: request.receivedAt))
    }

    func forceClose(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let position = try openPosition(fields)
        let profit = fields.object["profit"]?.text
        if let profit, Amount(profit) == nil { throw .bad("profit", "must be a decimal number") }
        let price = try fields.amount("close_price")?.description
        let reason = try fields.optionalText("reason", else: "FORCED") ?? "FORCED"
        let closed = engine.forceClose(
            position.key, profit: profit, price: price, reason: reason, now: request.receivedAt)
        guard let closed else { return }
        store.write(.always, store.closeCommands(closed))
        store.audit(
            "force_close", ["position": closed.key.description, "reason": reason, "profit": closed.profit ?? ""],
            now: request.receivedAt)
        orders?.reply(request, closed.json(now: request.receivedAt))
    }

    private func openPosition(_ fields: OrderFields) throws(OrderError) -> Position {
        let user = try fields.text("user_uuid")
        guard let ticket = try fields.integer("ticket") else { throw .missing("ticket") }
        guard let position = engine.position(ticket: ticket, of: user) else {
            throw OrderError(code: "unknown_position", message: "'\(user)' has no open position \(ticket) here")
        }
        return position
    }

    // MARK: - Redis

    private func lookUp(_ request: Request, _ command: [String], _ body: @escaping (RedisValue) -> JSONObject) {
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

    private func unavailable(_ request: Request) {
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
