import ArgumentParser
import Citadel
import Domain
import Wire

/// A trade that is scored all along a recording, as it is written on the command line:
/// `DIRECTION:ENTRY[:STOP[:TARGET]]`, `-` for none, for example `BUY:1.38650:1.38400:1.39150`. Prices in quote currency.
struct ReplayTrade: ExpressibleByArgument, Equatable {
    let direction: TradeDirection
    let entry: Double
    let stop: Double?
    let target: Double?

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (2...4).contains(parts.count), let direction = TradeDirection(rawValue: parts[0].uppercased()),
            let entry = ReplayTrade.price(parts[1])
        else { return nil }
        var prices: [Double?] = []
        for part in parts.dropFirst(2) {
            if part == "-" {
                prices.append(nil)
            } else if let price = ReplayTrade.price(part) {
                prices.append(price)
            } else {
                return nil
            }
        }
        self.direction = direction
        self.entry = entry
        stop = prices.first ?? nil
        target = prices.count > 1 ? prices[1] : nil
    }

    private static func price(_ text: String) -> Double? {
        guard JSON.isNumber(text), let price = Amount(text)?.double, price > 0 else { return nil }
        return price
    }

    func query(_ symbol: String) -> ProtectionQuery {
        ProtectionQuery(symbol: symbol, entryPrice: entry, direction: direction, stopLoss: stop, takeProfit: target)
    }
}

extension ReplayDocuments {
    /// The score of a trade that was asked for: with the sentences, because one trade is looked at closely.
    static func explained(_ score: ProtectionScore, _ query: ProtectionQuery) -> JSONObject {
        var object = Self.score(score, query)
        object.append("recommendation", .string(score.recommendation))
        object.append("insights", .array(score.insights.map(JSON.string)))
        return object
    }

    /// Why such a trade has no score at a moment.
    static func refused(_ error: QueryError, _ query: ProtectionQuery, _ now: Int64) -> JSONObject {
        [
            "type": .string("score_refused"), "symbol": .string(query.symbol), "time": time(now),
            "direction": query.direction.map { .string($0.rawValue) } ?? .null, "entry_price": number(query.entryPrice),
            "stop_loss": query.stopLoss.map(number) ?? .null, "take_profit": query.takeProfit.map(number) ?? .null,
            "error": .object(["code": .string(error.code), "message": .string(error.message)]),
        ]
    }
}
