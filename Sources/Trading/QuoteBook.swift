public import Domain

/// The newest present quote of a broker's symbol.
public struct Quote: Sendable, Equatable {
    public let bid: Amount
    public let ask: Amount
    public let brokerSeconds: Int64
    public let receivedAt: Timestamp
    public let decimals: Int

    public init(bid: Amount, ask: Amount, brokerSeconds: Int64, receivedAt: Timestamp, decimals: Int) {
        self.bid = bid
        self.ask = ask
        self.brokerSeconds = brokerSeconds
        self.receivedAt = receivedAt
        self.decimals = decimals
    }
}

/// Quotes by broker server and symbol; old ones are never taken for the present.
public struct QuoteBook: Sendable {
    struct Key: Hashable {
        let server: String
        let symbol: String
    }

    /// A conversion rate may be this old: exotic pairs tick seldom.
    static let conversionWithinMilliseconds: Int64 = 300_000

    private let catalogue: InstrumentCatalogue
    private var quotes: [Key: Quote] = [:]
    private var clocks: [String: BrokerClock] = [:]
    /// The newest quote of a canonical symbol at any broker, for conversions where the own broker has none.
    private var anywhere: [String: Quote] = [:]
    private var canonicalNames: [String: String] = [:]
    private var brokerNames: [Key: String] = [:]

    public init(catalogue: InstrumentCatalogue) { self.catalogue = catalogue }

    public mutating func canonical(_ symbol: String) -> String {
        if let known = canonicalNames[symbol] { return known }
        let name = catalogue.canonical(symbol)
        // Names come from outside: a flood of invented ones must not grow this for ever.
        if canonicalNames.count < 20_000 { canonicalNames[symbol] = name }
        return name
    }

    /// Takes a tick in; returns the quote when it is the present and new.
    public mutating func take(_ tick: Tick, server: String, now: Timestamp) -> Quote? {
        guard let seconds = tick.brokerSeconds, tick.ask >= tick.bid, tick.bid.isPositive else { return nil }
        guard clocks[server, default: BrokerClock()].isCurrent(brokerSeconds: seconds, now: now) else { return nil }
        let key = Key(server: server, symbol: tick.symbol)
        if let known = quotes[key], known.brokerSeconds > seconds { return nil }
        let quote = Quote(
            bid: tick.bid, ask: tick.ask, brokerSeconds: seconds, receivedAt: now, decimals: tick.decimals)
        quotes[key] = quote
        let canonicalName = canonical(tick.symbol)
        anywhere[canonicalName] = quote
        brokerNames[Key(server: server, symbol: canonicalName)] = tick.symbol
        return quote
    }

    public func quote(server: String, symbol: String) -> Quote? { quotes[Key(server: server, symbol: symbol)] }

    public var count: Int { quotes.count }

    /// The name under which a broker quotes a canonical symbol, if it does.
    public func brokerName(of canonical: String, server: String) -> String? {
        brokerNames[Key(server: server, symbol: canonical)]
    }

    /// One unit of `from` in `to`, by the same broker's quotes first, then by anybody's, through USD if it must be.
    public func conversion(from: String, to: String, server: String, now: Timestamp) -> Amount? {
        if from == to { return Amount(1) }
        if let direct = pairRate(from, to, server, now) { return direct }
        guard from != "USD", to != "USD", let toDollar = pairRate(from, "USD", server, now),
            let fromDollar = pairRate("USD", to, server, now)
        else { return nil }
        return toDollar * fromDollar
    }

    private func pairRate(_ from: String, _ to: String, _ server: String, _ now: Timestamp) -> Amount? {
        if let quote = fresh(from + to, server, now) { return quote.bid }
        if let quote = fresh(to + from, server, now) { return Amount(1).divided(by: quote.ask) }
        return nil
    }

    private func fresh(_ canonical: String, _ server: String, _ now: Timestamp) -> Quote? {
        let own = brokerName(of: canonical, server: server).flatMap { quote(server: server, symbol: $0) }
        for quote in [own, anywhere[canonical]] {
            if let quote, now - quote.receivedAt <= QuoteBook.conversionWithinMilliseconds { return quote }
        }
        return nil
    }
}
