/// What the engine knows of an instrument before the first quote.
///
/// `symbol` is the canonical name (`EURUSD`, never `EURUSD.r`), `digits` the decimals of a price, `pip` the price
/// distance of one pip (0.0001 for EURUSD). `known` is false where these were learned from quotes, not configured.
public struct InstrumentProfile: Sendable, Equatable, Codable {
    public var symbol: String
    public var digits: Int
    public var pip: Double
    public var known: Bool

    public init(symbol: String, digits: Int, pip: Double, known: Bool = true) {
        self.symbol = symbol
        self.digits = digits
        self.pip = pip
        self.known = known
    }

    /// A guess for an unconfigured symbol from the decimals seen: brokers that quote an odd number of decimals quote
    /// tenths of a pip (five for EURUSD, three for USDJPY), those with an even number quote whole pips. An index at
    /// 34,567.25 or gold at 3,300.25 has no pip of a hundredth, though: no price has more than 200,000 pips.
    static func learned(symbol: String, decimals: Int, price: Double = 0) -> InstrumentProfile {
        let digits = min(max(decimals, 0), 8)
        let point = 1 / Decimals.power(digits)
        var pip = digits % 2 == 1 ? point * 10 : point
        while price.isFinite, price < highestPrice, price > pip * 200_000 { pip *= 10 }
        return InstrumentProfile(symbol: symbol, digits: digits, pip: pip, known: false)
    }
}

/// One quote. `symbol` canonical, `source` the broker server, time in milliseconds of UTC, prices in quote currency,
/// `decimals` the number of digits after the point as it was written.
public struct MarketTick: Sendable, Equatable {
    public var symbol: String
    public var source: String
    public var timeMilliseconds: Int64
    public var bid: Double
    public var ask: Double
    public var decimals: Int

    public init(
        symbol: String, source: String, timeMilliseconds: Int64, bid: Double, ask: Double, decimals: Int
    ) {
        self.symbol = symbol
        self.source = source
        self.timeMilliseconds = timeMilliseconds
        self.bid = bid
        self.ask = ask
        self.decimals = decimals
    }

    var mid: Double { (bid + ask) / 2 }
}

/// No instrument costs more; above it a number is damage, and sums of such numbers would not stay finite.
let highestPrice = 1e9

/// A finished bar a terminal sent. It fills history the engine has not built itself; start in milliseconds of UTC.
public struct MarketBar: Sendable, Equatable {
    public var symbol: String
    public var source: String
    public var timeframe: Timeframe
    public var startMilliseconds: Int64
    public var open: Double
    public var high: Double
    public var low: Double
    public var close: Double

    public init(
        symbol: String, source: String, timeframe: Timeframe, startMilliseconds: Int64,
        open: Double, high: Double, low: Double, close: Double
    ) {
        self.symbol = symbol
        self.source = source
        self.timeframe = timeframe
        self.startMilliseconds = startMilliseconds
        self.open = open
        self.high = high
        self.low = low
        self.close = close
    }

    var isSound: Bool {
        let prices = [open, high, low, close]
        return prices.allSatisfy { $0 > 0 && $0 < highestPrice } && high >= max(open, close) && low <= min(open, close)
            && startMilliseconds >= 0 && startMilliseconds % timeframe.milliseconds == 0
    }
}

/// The side of a trade; raw values are the contract's words.
public enum TradeDirection: String, Sendable, Equatable, Codable, CaseIterable {
    case buy = "BUY"
    case sell = "SELL"

    /// +1 for a buy, -1 for a sell: turns prices into "how far in favour".
    var sign: Double { self == .buy ? 1 : -1 }
}
