import Domain
import Trading
import Wire

extension WitnessedPosition {
    fileprivate var json: JSON {
        .object([
            "ticket": .integer(ticket), "fire_id": .text(fireID), "symbol": .text(symbol),
            "direction": .text(direction?.rawValue), "volume": .text(volume), "open_price": .text(openPrice),
            "current_price": .text(currentPrice), "profit": .text(profit), "magic": .text(magicNumber),
        ])
    }

    fileprivate init?(_ json: JSON) {
        guard let object = json.object, let ticket = object["ticket"]?.text.flatMap({ Int64($0) }) else { return nil }
        self.init(ticket: ticket)
        fireID = object["fire_id"]?.text
        symbol = object["symbol"]?.text
        direction = object["direction"]?.text.flatMap(Direction.init(rawValue:))
        volume = object["volume"]?.text
        openPrice = object["open_price"]?.text
        currentPrice = object["current_price"]?.text
        profit = object["profit"]?.text
        magicNumber = object["magic"]?.text
    }
}

/// ``AccountState`` as the field `state` of `reconciliation:<server>|<account>` keeps it.
enum AccountStateText {
    static func text(_ state: AccountState) -> String {
        var object: JSONObject = [
            "server": .string(state.server), "account": .string(state.account), "user_uuid": .string(state.userUUID),
            "node_id": .text(state.nodeID), "currency": .text(state.currency), "version": .text(state.version),
            "leverage": .text(state.leverage?.description), "witness": .string(state.witness.rawValue),
            "looked_at": time(state.lookedAt), "list_at": time(state.listTakenAt),
            "balance": .text(state.balance?.description),
            "balance_at": time(state.balanceAt), "floating": .text(state.floating?.description),
            "flat_looks": .integer(state.flatLooks), "exposure": .bool(state.hasExposure),
            "complete": .bool(state.isComplete), "mismatch": state.mismatch.map(look) ?? .null,
            "unfitting": state.unfitting.map(look) ?? .null, "margin": state.margin.map(rate) ?? .null,
        ]
        object.append("steps", .array(state.steps.map(step)))
        object.append("causes", .array(state.causes.map(cause)))
        object.append("touches", map(state.touches) { .array([.bool($0.isTarget), .integer($0.at.milliseconds)]) })
        object.append("missing", map(state.missing, look))
        object.append("reduced", map(state.reduced, look))
        object.append("strangers", map(state.strangers, look))
        object.append("listed", map(state.listedAt) { .integer($0.milliseconds) })
        object.append("closed", map(state.closed) { .integer($0.milliseconds) })
        object.append("opened", map(state.openedAt) { .integer($0.milliseconds) })
        object.append("kept_open", map(state.keptOpen) { .integer($0.milliseconds) })
        var watches = JSONObject()
        for (name, watch) in state.watches.sorted(by: { $0.key < $1.key }) {
            watches.append(
                name,
                .array([
                    .text(watch.balanceBefore?.description), .integer(watch.since.milliseconds),
                    .integer(watch.ticks), time(watch.lastTick), time(watch.balanceAt), .integer(watch.ahead),
                ]))
        }
        object.append("watches", .object(watches))
        object.append("theirs", .array(state.theirs.map(\.json)))
        return object.compactText
    }

    static func read(_ text: String) -> AccountState? {
        guard let object = (try? JSON(text))?.object, let server = object["server"]?.text,
            let account = object["account"]?.text, let user = object["user_uuid"]?.text
        else { return nil }
        var state = AccountState(server: server, account: account, userUUID: user)
        func amount(_ name: String) -> Amount? { object[name]?.text.flatMap { Amount($0) } }
        func items(_ name: String) -> [[JSON]] { object[name]?.array?.compactMap(\.array) ?? [] }
        state.nodeID = object["node_id"]?.text
        state.currency = object["currency"]?.text
        state.version = object["version"]?.text
        state.leverage = amount("leverage")
        state.witness = object["witness"]?.text.flatMap(WitnessKind.init(rawValue:)) ?? .none
        state.lookedAt = Timestamp(row: object["looked_at"]?.text)
        state.listTakenAt = Timestamp(row: object["list_at"]?.text)
        state.balance = amount("balance")
        state.balanceAt = Timestamp(row: object["balance_at"]?.text)
        state.floating = amount("floating")
        state.flatLooks = object["flat_looks"]?.text.flatMap { Int($0) } ?? 0
        state.hasExposure = object["exposure"]?.bool ?? false
        state.isComplete = object["complete"]?.bool ?? false
        state.mismatch = object["mismatch"].flatMap { look($0) }
        state.unfitting = object["unfitting"].flatMap { look($0) }
        state.margin = object["margin"].flatMap { rate($0) }
        state.steps = items("steps").compactMap(step)
        state.causes = items("causes").compactMap(cause)
        state.touches = unmap(object["touches"]) { value in
            guard let parts = value.array, parts.count == 2, let isTarget = parts[0].bool,
                let at = Timestamp(row: parts[1].text)
            else { return nil }
            return Touch(isTarget: isTarget, at: at)
        }
        state.missing = unmap(object["missing"], look)
        state.reduced = unmap(object["reduced"], look)
        state.strangers = unmap(object["strangers"], look)
        state.listedAt = unmap(object["listed"]) { Timestamp(row: $0.text) }
        state.closed = unmap(object["closed"]) { Timestamp(row: $0.text) }
        state.openedAt = unmap(object["opened"]) { Timestamp(row: $0.text) }
        state.keptOpen = unmap(object["kept_open"]) { Timestamp(row: $0.text) }
        for field in object["watches"]?.object?.fields ?? [] {
            guard let parts = field.value.array, parts.count >= 5, let since = Timestamp(row: parts[1].text) else {
                continue
            }
            state.watches[field.name] = FireWatch(
                balanceBefore: parts[0].text.flatMap { Amount($0) }, balanceAt: Timestamp(row: parts[4].text),
                since: since,
                ticks: parts[2].text.flatMap { Int($0) } ?? 0, lastTick: Timestamp(row: parts[3].text),
                // A state of a version before this counted none.
                ahead: parts.count > 5 ? parts[5].text.flatMap { Int($0) } ?? 0 : 0)
        }
        state.theirs = object["theirs"]?.array?.compactMap { WitnessedPosition($0) } ?? []
        return state
    }

    // MARK: - Parts

    private static func time(_ value: Timestamp?) -> JSON { value.map { .integer($0.milliseconds) } ?? .null }

    private static func map<Value>(_ values: [Int64: Value], _ body: (Value) -> JSON) -> JSON {
        var object = JSONObject()
        for (ticket, value) in values.sorted(by: { $0.key < $1.key }) { object.append(String(ticket), body(value)) }
        return .object(object)
    }

    private static func unmap<Value>(_ json: JSON?, _ body: (JSON) -> Value?) -> [Int64: Value] {
        var values: [Int64: Value] = [:]
        for field in json?.object?.fields ?? [] {
            if let ticket = Int64(field.name) { values[ticket] = body(field.value) }
        }
        return values
    }

    private static func look(_ value: LookCount) -> JSON {
        .array([.integer(value.count), .integer(value.since.milliseconds), .text(value.volume?.description)])
    }

    private static func look(_ json: JSON) -> LookCount? {
        guard let parts = json.array, parts.count == 3, let count = parts[0].text.flatMap({ Int($0) }),
            let since = Timestamp(row: parts[1].text)
        else { return nil }
        return LookCount(count: count, since: since, volume: parts[2].text.flatMap { Amount($0) })
    }

    private static func rate(_ value: MarginRate) -> JSON {
        .array([.string(value.symbols), .text(value.net?.description), .string(value.gross.description)])
    }

    private static func rate(_ json: JSON) -> MarginRate? {
        guard let parts = json.array, parts.count == 3, let symbols = parts[0].text,
            let gross = parts[2].text.flatMap({ Amount($0) })
        else { return nil }
        return MarginRate(symbols: symbols, net: parts[1].text.flatMap { Amount($0) }, gross: gross)
    }

    private static func step(_ step: BalanceStep) -> JSON {
        .array([
            .string(step.from.description), .string(step.to.description), .integer(step.after.milliseconds),
            .integer(step.at.milliseconds), .integer(step.seenAt.milliseconds), .bool(step.isNoted),
        ])
    }

    private static func step(_ parts: [JSON]) -> BalanceStep? {
        guard parts.count == 6, let from = parts[0].text.flatMap({ Amount($0) }),
            let to = parts[1].text.flatMap({ Amount($0) }), let after = Timestamp(row: parts[2].text),
            let at = Timestamp(row: parts[3].text), let seenAt = Timestamp(row: parts[4].text)
        else { return nil }
        var step = BalanceStep(from: from, to: to, after: after, at: at, seenAt: seenAt)
        step.isNoted = parts[5].bool ?? false
        return step
    }

    private static func cause(_ cause: BalanceCause) -> JSON {
        .array([
            .text(cause.amount?.description), .string(cause.band.description), .integer(cause.at.milliseconds),
            cause.ticket.map { .integer($0) } ?? .null, .bool(cause.isOpening),
            .bool(cause.isTimed), .bool(cause.isSpent),
        ])
    }

    private static func cause(_ parts: [JSON]) -> BalanceCause? {
        guard parts.count == 7, let band = parts[1].text.flatMap({ Amount($0) }), let at = Timestamp(row: parts[2].text)
        else { return nil }
        var cause = BalanceCause(
            amount: parts[0].text.flatMap { Amount($0) }, band: band, at: at,
            ticket: parts[3].text.flatMap { Int64($0) }, isOpening: parts[4].bool ?? false,
            isTimed: parts[5].bool ?? true)
        cause.isSpent = parts[6].bool ?? false
        return cause
    }
}
