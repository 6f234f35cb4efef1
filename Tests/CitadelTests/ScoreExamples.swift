@testable import Citadel

/// Twenty situations as a trader would tell them, on one plain market; `docs/citadel-examples.md` is made from these.
struct ScoreExample {
    var situation: String
    var query: ProtectionQuery
    var view: MarketView

    static let all: [ScoreExample] = [
        example("Two hours of quiet, nothing near: the plain trade"),
        example("Three equal lows behind the trade were swept ten minutes ago, the stop is beyond them") {
            $0.levels = [swept(1.0990, .sellSide, minutes: 10, in: $0)]
        },
        example("The same sweep, but the stop sits in front of its extreme", stop: 1.09905) {
            $0.levels = [swept(1.0990, .sellSide, minutes: 10, in: $0)]
        },
        example("Three equal lows rest at 1.0983: the stop is 1.2 pips under them", stop: 1.09818) {
            $0.levels = [pool(1.0983, .sellSide, in: $0)]
        },
        example("The same lows: the stop is behind the crowd", stop: 1.0976) {
            $0.levels = [pool(1.0983, .sellSide, in: $0)]
        },
        example("The same lows: the stop is among them", stop: 1.0983) {
            $0.levels = [pool(1.0983, .sellSide, in: $0)]
        },
        example("The same lows: the stop is just in front of them", stop: 1.0986) {
            $0.levels = [pool(1.0983, .sellSide, in: $0)]
        },
        example("The stop is four pips away", stop: 1.0996),
        example("No stop", stop: nil),
        example("The previous day's high stands a quarter of the way to the target") {
            $0.levels = [pool(1.1010, .buySide, members: 1, origins: .previousDay, in: $0)]
        },
        example("The same high, the target in front of it", target: 1.1009) {
            $0.levels = [pool(1.1010, .buySide, members: 1, origins: .previousDay, in: $0)]
        },
        example("Three equal highs ahead were swept ten minutes ago: price turned against the trade") {
            $0.levels = [swept(1.1006, .buySide, minutes: 10, in: $0)]
        },
        example("All timeframes fall against the purchase") { $0.leans = TimeframeLeans(m5: -1, m15: -1, h1: -1) },
        example("The spread is four times its usual") { $0.spread = 0.0004 },
        example("Payrolls: M5 bars three times as long as is usual at this hour, the spread twice as wide") {
            $0.spread = 0.0002
            $0.range5 = 0.0015
            $0.range15 = 0.0027
        },
        example("Price is two thirds of the way to the target already") { $0.price = 1.1027 },
        example("The turn of the trading day, 21:10 UTC, the spread three times as wide") {
            $0.now = Drawn.start + 21 * Drawn.hour + 10 * Drawn.minute
            $0.quoteTime = $0.now
            $0.spread = 0.0003
        },
        example("No direction, no stop, no target: both sides are scored", direction: nil, stop: nil, target: nil) {
            $0.leans = TimeframeLeans(m5: 0.2, m15: 0.8, h1: 1)
        },
        example("The last quote is two minutes old") { $0.quoteTime = $0.now - 120_000 },
        example(
            "Stop in the crowd, a wall ahead, a sweep against it, all timeframes against it, a wide spread",
            stop: 1.09925
        ) {
            $0.spread = 0.0005
            $0.range5 = 0.0014
            $0.leans = TimeframeLeans(m5: -1, m15: -1, h1: -1)
            $0.levels = [
                pool(1.0993, .sellSide, in: $0), pool(1.1003, .buySide, members: 4, in: $0),
                pool(1.1007, .buySide, origins: .previousDay, in: $0), swept(1.1001, .buySide, minutes: 5, in: $0),
            ]
        },
    ]

    private static func example(
        _ situation: String, direction: TradeDirection? = .buy, stop: Double? = 1.0980, target: Double? = 1.1040,
        _ change: (inout MarketView) -> Void = { _ in }
    ) -> ScoreExample {
        ScoreExample(
            situation: situation,
            query: ProtectionQuery(
                symbol: "EURUSD", entryPrice: 1.1, direction: direction, stopLoss: stop, takeProfit: target),
            view: Drawn.view(change))
    }

    private static func pool(
        _ price: Double, _ side: LiquiditySide, members: Int = 3, origins: LevelOrigins = .swingFifteenMinute,
        in view: MarketView
    ) -> LiquidityLevel {
        Drawn.level(
            price, side, members: members, origins: origins, band: 0.0001, born: view.now - 3 * Drawn.hour)
    }

    private static func swept(
        _ price: Double, _ side: LiquiditySide, minutes: Int64, in view: MarketView
    ) -> LiquidityLevel {
        var level = Drawn.level(
            price, side, state: .swept, members: 3, born: view.now - 3 * Drawn.hour,
            ended: view.now - minutes * Drawn.minute)
        level.extreme = price + side.sign * 0.0004
        return level
    }
}
