import Citadel
import Domain
import Wire

/// How trades went, by symbol and by the session in which they were opened.
///
/// Of the closed positions that are kept: the newest 1,000. Sums over all time are in `/stats`.
struct Performance {
    struct Tally {
        var trades = 0
        var wins = 0
        var losses = 0
        /// Closed, and nobody knows for how much.
        var unknown = 0
        var net: [String: Amount] = [:]
    }

    private var bySymbol: [String: Tally] = [:]
    private var bySession: [String: Tally] = [:]

    init(_ positions: [Record]) {
        let schema = Schema.positions
        for record in positions where schema.value("state", of: record) == "closed" {
            let profit = schema.value("profit", of: record).flatMap { Amount($0) }
            let currency = schema.value("currency", of: record) ?? "unknown"
            let symbol = schema.value("canonical_symbol", of: record) ?? schema.value("symbol", of: record) ?? "unknown"
            bySymbol[symbol, default: Tally()].take(profit, currency)
            if let opened = schema.value("opened_at", of: record).flatMap({ Int64($0) }) {
                bySession[MarketSession.at(opened).rawValue, default: Tally()].take(profit, currency)
            }
        }
    }

    /// Symbols with the most trades first, then the sessions in the order of the day.
    var items: [JSON] {
        let symbols = bySymbol.sorted { ($1.value.trades, $0.key) < ($0.value.trades, $1.key) }
            .map { Performance.item("symbol", $0.key, $0.value) }
        let sessions = MarketSession.allCases.compactMap { session in
            bySession[session.rawValue].map { Performance.item("session", session.rawValue, $0) }
        }
        return symbols + sessions
    }

    private static func item(_ by: String, _ name: String, _ tally: Tally) -> JSON {
        let decided = tally.wins + tally.losses
        return .object([
            "by": .string(by), "name": .string(name), "trades": .integer(tally.trades), "wins": .integer(tally.wins),
            "losses": .integer(tally.losses), "unknown_profit": .integer(tally.unknown),
            // Over what was won or lost: neither break-even nor what nobody knows.
            "win_rate": decided > 0 ? .rounded(Double(tally.wins) / Double(decided), 4) : .null,
            "net": .object(tally.net.moneyObject),
        ])
    }
}

extension Performance.Tally {
    mutating func take(_ profit: Amount?, _ currency: String) {
        trades += 1
        guard let profit else {
            unknown += 1
            return
        }
        if profit.isPositive { wins += 1 } else if profit != .zero { losses += 1 }
        net[currency, default: .zero] += profit
    }
}
