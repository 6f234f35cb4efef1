import Domain
import Redis
import ServiceKit
import Wire

/// Single items of the market and the books.
extension Clerk {
    /// A day of minutes would be more than a screen can show.
    private static let barsShown = 300
    private static let sweepsShown = 500

    /// - Parameter identifier: `<server>|<account>|<ticket>`, as the key spells it.
    func lookUp(position identifier: String, _ entry: Open) {
        fetch([["HGETALL", "position:\(identifier)"]], entry) { replies in
            let fields = replies[0].dictionary ?? [:]
            guard !fields.isEmpty else { return entry.answer(.missing("no position '\(identifier)' is known")) }
            let record = Details.record(identifier, fields, .positions)
            var item = Items.position(record, now: SystemClock.now())
            Details.addOthers(&item, fields, .positions, leavingOut: [])
            entry.answer(.found(item))
        }
    }

    func lookUp(alert identifier: String, _ entry: Open) {
        fetch([["HGETALL", "alert:\(identifier)"], ["SISMEMBER", "alerts_active", identifier]], entry) { replies in
            let fields = replies[0].dictionary ?? [:]
            guard !fields.isEmpty else { return entry.answer(.missing("no alert '\(identifier)' is known")) }
            var item = Schema.alerts.json(Details.record(identifier, fields, .alerts))
            item.append("active", .bool(replies[1].integer == 1))
            Details.addOthers(&item, fields, .alerts, leavingOut: ["alert_id"])
            entry.answer(.found(item))
        }
    }

    /// Bars of one minute, the open one last; levels, sweeps, live signals and open positions of the instrument.
    func lookUp(symbol given: String, _ entry: Open) {
        let symbol = given.uppercased()
        let commands = [
            ["LRANGE", "bars:\(symbol):M1", String(-Clerk.barsShown), "-1"], ["GET", "bars:\(symbol):open"],
            ["GET", "levels:\(symbol)"],
            ["XREVRANGE", "events:sweeps", "+", "-", "COUNT", String(Clerk.sweepsShown)],
        ]
        fetch(commands, entry) { [board] replies in
            let open = replies[1].text.flatMap { try? JSON($0) }?.object
            let picture = replies[2].text.flatMap { try? JSON($0) }
            let bars = SymbolPicture.bars(
                closed: replies[0].texts.map { try? JSON($0) }, open: open?["open"]?.object?["M1"],
                decimals: open?["decimals"]?.text.flatMap { Int($0) })
            guard picture != nil || !bars.isEmpty else {
                return entry.answer(.missing("no market picture of '\(symbol)' is known"))
            }
            let sweeps = (replies[3].array ?? []).compactMap { Happenings.entry($0, stream: "events:sweeps") }
            entry.answer(
                .found(
                    SymbolPicture.document(
                        symbol, bars: bars, decimals: open?["decimals"] ?? .null, picture: picture,
                        sweeps: sweeps.filter { $0["symbol"]?.text == symbol }, board.snapshot,
                        now: SystemClock.now())))
        }
    }
}

/// `/symbols/{symbol}`.
enum SymbolPicture {
    /// Closed bars in their order and the open one, each minute once: a closed bar is written at once, the open one now and
    /// then, so that it may be of a minute that has closed since.
    static func bars(closed: [JSON?], open: JSON?, decimals: Int?) -> [JSON] {
        var bars = closed.compactMap { bar($0, decimals) }
        if let open = bar(open, decimals), bars.last.map({ $0.start < open.start }) ?? true { bars.append(open) }
        return bars.map(\.json)
    }

    /// `[start_ms, open, high, low, close, ticks, origin]`, as citadel-monitor keeps it; prices with one decimal more
    /// than the symbol's quotes, since they lie between bid and ask.
    private static func bar(_ value: JSON?, _ decimals: Int?) -> (start: Int64, json: JSON)? {
        guard let parts = value?.array, parts.count >= 6, let start = parts[0].text.flatMap({ Int64($0) }) else {
            return nil
        }
        func price(_ part: JSON) -> JSON {
            guard let decimals, let amount = part.text.flatMap({ Amount($0) }) else { return part }
            return .number(amount.rounded(decimals: decimals + 1).description)
        }
        let object: JSONObject = [
            "time": Schema.json(parts[0].text, .time), "open": price(parts[1]), "high": price(parts[2]),
            "low": price(parts[3]), "close": price(parts[4]), "ticks": parts[5],
        ]
        return (start, .object(object))
    }

    static func document(
        _ symbol: String, bars: [JSON], decimals: JSON, picture: JSON?, sweeps: [JSONObject], _ snapshot: Snapshot,
        now: Timestamp
    ) -> JSONObject {
        func isOfSymbol(_ record: Record, _ schema: Schema) -> Bool {
            (schema.value("canonical_symbol", of: record) ?? schema.value("symbol", of: record)) == symbol
        }
        let positions = snapshot.positions.filter {
            Schema.positions.value("state", of: $0) == "open" && isOfSymbol($0, .positions)
        }
        let signals = snapshot.signals.filter {
            Schema.signals.value("state", of: $0) == "live" && isOfSymbol($0, .signals)
        }
        let object = picture?.object
        return [
            "symbol": .string(symbol), "now": .string("\(now)"), "timeframe": .string("M1"), "decimals": decimals,
            "time": object?["time"] ?? .null, "source": object?["source"] ?? .null,
            "condition": object?["condition"] ?? .null, "levels": object?["levels"] ?? .array([]),
            "bars": .array(bars), "sweeps": .array(sweeps.map { .object($0) }),
            "signals": .array(signals.map { .object(Schema.signals.json($0)) }),
            "positions": .array(positions.prefix(200).map { .object(Items.position($0, now: now)) }),
            "positions_total": .integer(positions.count),
        ]
    }
}
