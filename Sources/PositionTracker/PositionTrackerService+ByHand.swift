import Domain
import ServiceKit
import Trading
import Wire

// Positions that did not come through a fire, and such as are ended in our books only.
extension PositionTrackerService {
    func open(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let user = try fields.identifier("user_uuid")
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
        position.risk = engine.riskAtStop(position, fire: nil, now: request.receivedAt)
        guard redis.isReady else { return unavailable(request) }
        let maximum = engine.slotsMaximum(of: user, now: request.receivedAt)
        store.openIfAbsent(position, slotsMaximum: maximum) { [unowned self] result in
            switch result {
            case .opened(let used):
                let now = SystemClock.now()
                _ = engine.open(position)
                store.audit("open", ["position": position.key.description, "user_uuid": user], now: now)
                orders?.reply(
                    request,
                    position.json(now: now).merging(["slots_used": .integer(used), "slots_max": .integer(maximum)]))
            case .exists: orders?.fail(request, "position_exists", "ticket \(ticket) is open already")
            case .noSlot(let used):
                orders?.reply(
                    request,
                    [
                        "state": .string("denied"), "reason": .string(DenialReason.noSlot.rawValue),
                        "message": .string("\(used) of \(maximum) slots are in use"), "slots_used": .integer(used),
                        "slots_max": .integer(maximum),
                    ])
            case .unavailable: unavailable(request)
            }
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
        let actor = try fields.actor()
        let closed = engine.forceClose(
            position.key, profit: profit, price: price, reason: reason, now: request.receivedAt)
        guard let (closed, day, heir) = closed else { return }
        let inherited = heir.map { store.openCommands($0) } ?? []
        store.write(.always, inherited + store.closeCommands(closed) + (day.map { store.dayCommands($0) } ?? []))
        store.audit(
            "force_close",
            ["position": closed.key.description, "reason": reason, "profit": closed.profit ?? "", "by": actor],
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
}
