import Domain

/// The newest price of a symbol. MqlTick has whole seconds, and so have we.
struct Quote: Sendable, Equatable {
    var bid: Amount
    var ask: Amount
    var utcSeconds: Int64
}

enum Timeframe: String, Sendable, CaseIterable {
    case m1 = "M1"
    case m5 = "M5"
    case m15 = "M15"

    var seconds: Int64 {
        switch self {
        case .m1: 60
        case .m5: 300
        case .m15: 900
        }
    }
}

/// A bar of bid prices.
struct MarketBar: Sendable, Equatable {
    /// Its opening time.
    var utcSeconds: Int64
    var open: Amount
    var high: Amount
    var low: Amount
    var close: Amount
    var tickCount = 1
}

/// The last ten bars of one timeframe, oldest first, the one in the making last.
struct BarSeries: Sendable {
    private(set) var bars: [MarketBar] = []

    mutating func add(_ price: Amount, utcSeconds: Int64, timeframe: Timeframe) {
        let start = utcSeconds - utcSeconds % timeframe.seconds
        if let last = bars.indices.last, bars[last].utcSeconds >= start {
            bars[last].high = max(bars[last].high, price)
            bars[last].low = min(bars[last].low, price)
            bars[last].close = price
            bars[last].tickCount += 1
            return
        }
        if bars.count == 10 { bars.removeFirst() }
        bars.append(MarketBar(utcSeconds: start, open: price, high: price, low: price, close: price))
    }

    /// iOpen(…, 1) and its kin: the newest bar that is complete.
    var completed: MarketBar? { bars.count < 2 ? nil : bars[bars.count - 2] }
}

/// What the liquidity provider quotes: one price stream, shared by all terminals of the fleet. One thread owns it.
final class Market {
    struct Line {
        let specification: SymbolSpecification
        var quote: Quote?
        var bars: [Timeframe: BarSeries] = [:]
    }

    private(set) var lines: [Line]
    private let indexByName: [String: Int]
    private var timeTexts: [(seconds: Int64, text: TerminalText)]

    init(_ specifications: [SymbolSpecification]) {
        lines = specifications.map { Line(specification: $0) }
        indexByName = Dictionary(specifications.enumerated().map { ($1.name, $0) }) { first, _ in first }
        timeTexts = Array(repeating: (.min, ""), count: 64)
    }

    func index(of name: String) -> Int? { indexByName[name] }

    func quote(_ index: Int) -> Quote? { lines[index].quote }

    func apply(_ index: Int, bid: Amount, ask: Amount, utcSeconds: Int64) {
        // A replay that starts over with its original times goes back; a quote's time in a terminal never does.
        let seconds = max(utcSeconds, lines[index].quote?.utcSeconds ?? utcSeconds)
        lines[index].quote = Quote(bid: bid, ask: ask, utcSeconds: seconds)
        for timeframe in Timeframe.allCases {
            lines[index].bars[timeframe, default: BarSeries()].add(bid, utcSeconds: seconds, timeframe: timeframe)
        }
    }

    func completedBar(_ index: Int, _ timeframe: Timeframe) -> MarketBar? { lines[index].bars[timeframe]?.completed }

    func bars(_ index: Int, _ timeframe: Timeframe) -> [MarketBar] { lines[index].bars[timeframe]?.bars ?? [] }

    /// `YYYY.MM.DD HH:MM:SS` of a broker's clock; all terminals of a broker ask for the same few seconds.
    func timeText(brokerSeconds: Int64) -> TerminalText {
        let slot = Int(truncatingIfNeeded: brokerSeconds & 63)
        if timeTexts[slot].seconds != brokerSeconds {
            timeTexts[slot] = (brokerSeconds, TerminalText(Timestamp.brokerText(seconds: brokerSeconds)))
        }
        return timeTexts[slot].text
    }

    /// What one unit of a currency is worth in another, at what the broker would get for it.
    func rate(from currency: String, to account: String) -> Amount {
        if currency == account { return Amount(1) }
        if let direct = pair(currency, account) { return direct }
        guard currency != "USD", account != "USD", let toDollar = pair(currency, "USD"),
            let fromDollar = pair("USD", account)
        else { return Amount(1) }
        return toDollar * fromDollar
    }

    private func pair(_ base: String, _ quote: String) -> Amount? {
        if let price = price(base + quote, \.bid) { return price }
        guard let inverse = price(quote + base, \.ask) else { return nil }
        return Amount(1).divided(by: inverse)
    }

    private func price(_ name: String, _ side: KeyPath<Quote, Amount>) -> Amount? {
        if let index = indexByName[name], let quote = lines[index].quote { return quote[keyPath: side] }
        // Brokers convert by pairs no terminal watches: their usual price will do.
        let specification = SymbolSpecification.named(name)
        return specification.isListed ? specification.reference : nil
    }
}
