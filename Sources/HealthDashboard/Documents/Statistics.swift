import Domain
import Wire

/// The statistics of confirmation-logger as items of `/stats`: one for each scope and currency.
///
/// Fields of `stats:<scope>`: plain counters, and `<field>.<currency>` (in an account's scope
/// `<field>.<currency>@<server>`). Sums are integers of 10^-8, of profit with swap and commission; losses are
/// magnitudes. Amounts of different currencies are never added. Writer: `StatisticsChange` in Trading.
enum Statistics {
    private static let measured: Set<String> = [
        "total_trades", "wins", "losses", "breakeven", "unknown_profit", "timed_trades", "gross_profit", "gross_loss",
        "swap", "commission", "largest_win",
        "largest_loss", "total_duration_s",
    ]

    /// What the parameter `scope` may be.
    static let scopes = ["global", "symbol", "account", "all"]

    static func check(scope: String?) throws(HTTPProblem) {
        guard let scope, !scope.isEmpty, !scopes.contains(scope.lowercased()) else { return }
        throw .badRequest("'scope' is one of: \(scopes.joined(separator: " "))")
    }

    /// - Parameter name: the scope's key without `stats:`: `global`, `symbol:EURUSD`, `account:843859`.
    static func items(scope name: String, _ fields: [String: String]) -> [JSONObject] {
        let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
        let kind = parts.count == 2 ? parts[0] : "global"
        let scope = parts.count == 2 ? KeyPart.decode(parts[1]) : name
        var groups: [String: [String: Int64]] = [:]
        for (key, text) in fields {
            guard let dot = key.firstIndex(of: "."), measured.contains(String(key[..<dot])), let value = Int64(text)
            else { continue }
            groups[String(key[key.index(after: dot)...]), default: [:]][String(key[..<dot])] = value
        }
        let head: JSONObject = ["scope": .string(scope), "kind": .string(kind)]
        if groups.isEmpty {
            // Nothing has been closed in any currency: the counters alone.
            let counters = fields.compactMapValues { Int64($0) }
            return [item(head, currency: nil, server: nil, counters, fields)]
        }
        return groups.sorted { $0.key < $1.key }.map { group, values in
            let names = group.split(separator: "@", maxSplits: 1).map(String.init)
            return item(
                head, currency: names.first, server: names.count == 2 ? KeyPart.decode(names[1]) : nil, values, fields)
        }
    }

    private static func item(
        _ head: JSONObject, currency: String?, server: String?, _ values: [String: Int64], _ fields: [String: String]
    ) -> JSONObject {
        func count(_ name: String) -> Int64 { values[name] ?? 0 }
        func amount(_ name: String) -> Amount { Amount(units: values[name] ?? 0) }
        let profit = amount("gross_profit")
        let loss = amount("gross_loss")
        let trades = count("total_trades")
        var item = head
        item.append("currency", .text(currency))
        if let server { item.append("server", .string(server)) }
        item.append("total_trades", .integer(trades))
        item.append("wins", .integer(count("wins")))
        item.append("losses", .integer(count("losses")))
        item.append("breakeven", .integer(count("breakeven")))
        item.append("unknown_profit", .integer(count("unknown_profit")))
        item.append("win_rate", .rounded(trades > 0 ? Double(count("wins")) / Double(trades) : 0, 4))
        item.append("gross_profit", money(profit))
        item.append("gross_loss", money(loss))
        item.append("swap", money(amount("swap")))
        item.append("commission", money(amount("commission")))
        item.append("net_profit", money(profit - loss.magnitude))
        item.append("profit_factor", factor(profit, loss.magnitude))
        item.append("largest_win", money(amount("largest_win")))
        item.append("largest_loss", money(amount("largest_loss")))
        let timed = count("timed_trades")
        // Of trades whose opening nobody saw the duration is not known.
        let average: JSON =
            timed > 0 ? .rounded(Double(count("total_duration_s")) / Double(timed)) : trades > 0 ? .null : .number("0")
        item.append("average_duration_s", average)
        // What has no currency is counted for the whole scope.
        for name in ["opened", "failed", "orphans"] { item.append(name, Schema.json(fields[name] ?? "0", .integer)) }
        item.append("last_updated", Schema.json(fields["last_updated"], .time))
        return item
    }

    private static func money(_ amount: Amount) -> JSON { .number(amount.text(minimumDecimals: 2)) }

    /// Gross profit over gross loss; null where nothing was lost.
    private static func factor(_ profit: Amount, _ loss: Amount) -> JSON {
        guard let quotient = profit.divided(by: loss) else { return .null }
        return .number(quotient.rounded(decimals: 4).description)
    }

    /// Net result of every closed trade, per currency.
    static func realised(_ snapshot: Snapshot) -> [String: Amount] {
        var sums: [String: Amount] = [:]
        for (key, text) in snapshot.statistics["global"] ?? [:] {
            guard let units = Int64(text) else { continue }
            for (prefix, sign) in [("gross_profit.", Int64(1)), ("gross_loss.", Int64(-1))] where key.hasPrefix(prefix)
            {
                let amount = Amount(units: units).magnitude
                let currency = String(key.dropFirst(prefix.count))
                sums[currency] = sign > 0 ? (sums[currency] ?? .zero) + amount : (sums[currency] ?? .zero) - amount
            }
        }
        return sums
    }

    /// The scopes a request asks for: one symbol, one account, or the whole.
    static func items(_ snapshot: Snapshot, _ parameters: [String: String]) -> [JSONObject] {
        func scope(_ name: String) -> [JSONObject] {
            snapshot.statistics[name].map { items(scope: name, $0) } ?? []
        }
        if let symbol = parameters["symbol"], !symbol.isEmpty {
            let exact = scope("symbol:\(KeyPart.encode(symbol))")
            return exact.isEmpty ? scope("symbol:\(KeyPart.encode(symbol.uppercased()))") : exact
        }
        if let account = parameters["account"], !account.isEmpty { return scope("account:\(KeyPart.encode(account))") }
        let isKind: ((String) -> Bool)? =
            switch parameters["scope"]?.lowercased() {
            case "symbol": { $0.hasPrefix("symbol:") }
            case "account": { $0.hasPrefix("account:") }
            case "all": { _ in true }
            default: nil
            }
        guard let isKind else { return items(scope: "global", snapshot.statistics["global"] ?? [:]) }
        return snapshot.statistics.keys.filter(isKind).sorted().flatMap(scope)
    }
}
