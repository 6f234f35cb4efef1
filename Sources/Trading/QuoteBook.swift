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

/// Quotes by terminal and by broker server; old ones are never taken for the present.
///
/// What a terminal's fire is judged by are its own quotes: anybody may claim a server's name. Clocks are the terminals'
/// own for the same reason. Only symbols of the catalogue are kept, so that invented names cost no memory.
public struct QuoteBook: Sendable {
    struct Key: Hashable {
        /// A broker server, or a node id.
        let source: String
        let symbol: String
    }

    /// A conversion rate may be this old: exotic pairs tick seldom.
    static let conversionWithinMilliseconds: Int64 = 300_000

    private let catalogue: InstrumentCatalogue
    private var byServer: [Key: Quote] = [:]
    private var byNode: [Key: Quote] = [:]
    private var clocks: [String: BrokerClock] = [:]
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

    /// Whether a tick of a known terminal is the present, by that terminal's own clock.
    mutating func isCurrent(_ tick: Tick, node: String, now: Timestamp) -> Bool {
        guard let seconds = tick.brokerSeconds, tick.ask >= tick.bid, tick.bid.isPositive else { return false }
        return clocks[node, default: BrokerClock()].isCurrent(brokerSeconds: seconds, now: now)
    }

    /// Keeps a present tick; returns the quote when it is new and of a symbol that can be traded.
    mutating func keep(_ tick: Tick, node: String, server: String, now: Timestamp) -> Quote? {
        let canonicalName = canonical(tick.symbol)
        guard let seconds = tick.brokerSeconds, catalogue.instruments[canonicalName] != nil else { return nil }
        let own = Key(source: node, symbol: tick.symbol)
        if let known = byNode[own], known.brokerSeconds > seconds { return nil }
        let quote = Quote(
            bid: tick.bid, ask: tick.ask, brokerSeconds: seconds, receivedAt: now, decimals: tick.decimals)
        byNode[own] = quote
        byServer[Key(source: server, symbol: tick.symbol)] = quote
        brokerNames[Key(source: server, symbol: canonicalName)] = tick.symbol
        brokerNames[Key(source: node, symbol: canonicalName)] = tick.symbol
        return quote
    }

    /// Forgets what a terminal that is gone for good quoted.
    mutating func forget(node: String) {
        clocks[node] = nil
        byNode = byNode.filter { $0.key.source != node }
        brokerNames = brokerNames.filter { $0.key.source != node }
    }

    /// The newest that a terminal itself sent.
    public func quote(node: String, symbol: String) -> Quote? { byNode[Key(source: node, symbol: symbol)] }

    public var count: Int { byServer.count }

    /// The name under which a terminal, or its broker, quotes a canonical symbol.
    public func brokerName(of canonical: String, node: String, server: String) -> String? {
        brokerNames[Key(source: node, symbol: canonical)] ?? brokerNames[Key(source: server, symbol: canonical)]
    }

    /// One unit of `from` in `to`, by the terminal's own quotes first, then its broker's, through USD if it must be.
    public func conversion(from: String, to: String, node: String, server: String, now: Timestamp) -> Amount? {
        if from == to { return Amount(1) }
        if let direct = pairRate(from, to, node, server, now) { return direct }
        guard from != "USD", to != "USD", let toDollar = pairRate(from, "USD", node, server, now),
            let fromDollar = pairRate("USD", to, node, server, now)
        else { return nil }
        return toDollar * fromDollar
    }

    private func pairRate(_ from: String, _ to: String, _ node: String, _ server: String, _ now: Timestamp) -> Amount? {
        if let quote = fresh(from + to, node, server, now) { return quote.bid }
        if let quote = fresh(to + from, node, server, now) { return Amount(1).divided(by: quote.ask) }
        return nil
    }

    private func fresh(_ canonical: String, _ node: String, _ server: String, _ now: Timestamp) -> Quote? {
        for source in [node, server] {
            guard let name = brokerNames[Key(source: source, symbol: canonical)] else { continue }
            let key = Key(source: source, symbol: name)
            if let quote = byNode[key] ?? byServer[key],
                now - quote.receivedAt <= QuoteBook.conversionWithinMilliseconds
            {
                return quote
            }
        }
        return nil
    }
}
