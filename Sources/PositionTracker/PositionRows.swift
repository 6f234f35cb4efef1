import Domain
import Trading

// How a position and its closings look in Redis.

extension Position {
    var redisKey: String { "position:\(key)" }

    var row: [String] {
        var fields = [
            "user_uuid", userUUID, "node_id", nodeID, "server", key.server, "account", key.account, "ticket",
            String(key.ticket), "symbol", symbol, "canonical_symbol", canonicalSymbol, "direction", direction.rawValue,
            "lot", lot.text(minimumDecimals: 2), "open_price", openPriceText, "state", state.rawValue,
            "opened_at", String(openedAt.milliseconds), "slot", slotField, "orphan", isOrphan ? "1" : "0",
            "opened_lot", openedLot.text(minimumDecimals: 2),
        ]
        func add(_ name: String, _ value: String?) { if let value { fields += [name, value] } }
        add("fire_id", fireID)
        add("sl", stopLoss)
        add("tp", takeProfit)
        add("currency", currency)
        add("risk_amount", risk?.description)
        add("source", source)
        add("hybrid_part", hybridPart?.rawValue)
        add("contradicts", contradicts?.rawValue)
        add("profit", profit)
        add("profit_source", profitSource)
        add("close_price", closePrice)
        add("close_reason", closeReason)
        if let closedAt {
            add("closed_at", String(closedAt.milliseconds))
            add("duration_s", String((closedAt - openedAt) / 1000))
        }
        // The whole closed at once is in the row already.
        if state == .open || closings.list.count > 1 {
            for closing in closings.list { fields += [closing.field, closing.text] }
        }
        return fields + figures
    }

    /// What quotes change.
    var figures: [String] {
        var fields: [String] = []
        func add(_ name: String, _ value: String?) { if let value { fields += [name, value] } }
        add("current_price", currentPrice?.description)
        add("current_pnl", currentProfit?.money)
        add("max_profit", maximumProfit?.money)
        add("max_loss", maximumLoss?.money)
        return fields
    }

    init?(row: [String: String]) {
        guard let server = row["server"], let account = row["account"],
            let ticket = row["ticket"].flatMap({ Int64($0) }), let symbol = row["symbol"],
            let direction = row["direction"].flatMap({ Direction(wire: $0) }),
            let priceText = row["open_price"], let price = Amount(priceText),
            let lot = row["lot"].flatMap({ Amount($0) }), let openedAt = Timestamp(row: row["opened_at"])
        else { return nil }
        self.init(
            key: PositionKey(server: server, account: account, ticket: ticket), userUUID: row["user_uuid"] ?? "",
            nodeID: row["node_id"] ?? "", symbol: symbol, canonicalSymbol: row["canonical_symbol"] ?? symbol,
            direction: direction, lot: lot, openPrice: price, openPriceText: priceText, openedAt: openedAt)
        fireID = row["fire_id"]
        stopLoss = row["sl"]
        takeProfit = row["tp"]
        currency = row["currency"]
        state = row["state"].flatMap(State.init(rawValue:)) ?? .open
        currentPrice = row["current_price"].flatMap { Amount($0) }
        currentProfit = row["current_pnl"].flatMap { Amount($0) }
        maximumProfit = row["max_profit"].flatMap { Amount($0) }
        maximumLoss = row["max_loss"].flatMap { Amount($0) }
        isOrphan = row["orphan"] == "1"
        hybridPart = row["hybrid_part"].flatMap(HybridPart.init(rawValue:))
        risk = row["risk_amount"].flatMap { Amount($0) }
        source = row["source"]
        contradicts = row["contradicts"].flatMap(FireState.init(rawValue:))
        openedLot = row["opened_lot"].flatMap { Amount($0) } ?? lot
        closings = Closings(row: row)
    }
}

extension Closing {
    static let prefix = "closing."

    /// The field of the position's row it is kept in.
    var field: String { Closing.prefix + name }

    /// Units of 10^-8, source, lot: as the script that sums them reads it.
    var text: String { "\(profit.map { String($0.units) } ?? "unknown")|\(source)|\(lot?.description ?? "")" }

    init?(field: String, text: String) {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        guard field.hasPrefix(Closing.prefix), parts.count == 3 else { return nil }
        self.init(
            name: String(field.dropFirst(Closing.prefix.count)), lot: Amount(parts[2]),
            profit: Int64(parts[0]).map { Amount(units: $0) }, source: parts[1])
    }
}

extension Closings {
    init(row: [String: String]) {
        let list = row.compactMap { Closing(field: $0.key, text: $0.value) }
        // Names are volumes closed so far.
        self.init(list.sorted { (Amount($0.name) ?? .zero, $0.name) < (Amount($1.name) ?? .zero, $1.name) })
    }
}
