import Citadel
import Domain
import Wire

@testable import CitadelMonitor

enum Fixture {
    /// 2025-09-15 16:39:23 UTC, a Monday afternoon.
    static let now = Timestamp(milliseconds: 1_757_954_363_000)
    /// The broker of the captures lives three hours ahead.
    static let brokerOffset: Int64 = 3 * 3600

    static var catalogue: InstrumentCatalogue {
        InstrumentCatalogue(instruments: [instrument("EURUSD", 5, "0.0001"), instrument("XAUUSD", 2, "0.1")])
    }

    private static func instrument(_ symbol: String, _ digits: Int, _ pip: String) -> Instrument {
        Instrument(
            symbol: symbol, kind: .forex, digits: digits, pip: Amount(pip) ?? .zero, contractSize: Amount(100_000),
            quoteCurrency: "USD", lotStep: Amount("0.01") ?? .zero, minimumLot: Amount("0.01") ?? .zero,
            maximumLot: Amount(100))
    }

    static func feed(unconfigured: Int = 4) -> MarketFeed {
        let feed = MarketFeed(instruments: catalogue, maximumUnconfigured: unconfigured)
        feed.assign(node: "NODE_1", user: "USER_1", server: "Broker-Live")
        return feed
    }

    static func tick(
        _ symbol: String = "EURUSD", bid: String = "1.08500", ask: String = "1.08510", node: String? = "NODE_1",
        user: String? = nil, behind: Int64 = 0, at now: Timestamp = now
    ) -> Tick {
        var tick = Tick(symbol: symbol, bid: Amount(bid) ?? .zero, ask: Amount(ask) ?? .zero, decimals: 5)
        tick.nodeID = node
        tick.userUUID = user
        tick.brokerSeconds = now.seconds + brokerOffset - behind
        return tick
    }

    static func object(_ text: String) throws -> JSONObject {
        guard let object = try JSON(text).object else { throw NotAnObject() }
        return object
    }

    struct NotAnObject: Error {}

    static func answer(_ engine: CitadelEngine? = nil) throws -> ProtectionScore {
        let engine = engine ?? CitadelEngine(instruments: [:])
        return try engine.score(
            ProtectionQuery(symbol: "EURUSD", entryPrice: 1.085, direction: .buy, stopLoss: 1.083, takeProfit: 1.09),
            now: now.milliseconds)
    }
}
