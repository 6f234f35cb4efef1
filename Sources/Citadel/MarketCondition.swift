/// Whether price goes somewhere or back and forth.
public enum MarketRegime: String, Sendable, Codable, CaseIterable {
    case trend
    case range
    /// Too little history to say.
    case unknown
}

/// Which trading centres are open, by the clock of UTC alone: no daylight saving, so that the same time of day always
/// has the same name. Raw values are the words shown to people.
public enum MarketSession: String, Sendable, Codable, CaseIterable {
    /// 00:00 to 07:00.
    case tokyo
    /// 07:00 to 12:00.
    case london
    /// 12:00 to 16:00: London's afternoon is New York's morning.
    case overlap
    /// 16:00 to 21:00.
    case newYork = "new_york"
    /// 21:00 to 24:00: the roll-over and the hours before Tokyo.
    case offHours = "off_hours"
    /// Friday 21:00 to Sunday 21:00.
    case weekend

    /// The session at a time in milliseconds of UTC.
    public static func at(_ milliseconds: Int64) -> MarketSession {
        let hours = milliseconds / Timeframe.h1.milliseconds
        let hour = hours % 24
        // 1970-01-01 was a Thursday: 0 is Thursday, 1 Friday, 2 Saturday, 3 Sunday.
        switch (hours / 24 % 7, hour) {
        case (1, 21...), (2, _), (3, ..<21): return .weekend
        case (_, ..<7): return .tokyo
        case (_, ..<12): return .london
        case (_, ..<16): return .overlap
        case (_, ..<21): return .newYork
        default: return .offHours
        }
    }
}

/// What looks like somebody's hand in the market, or a broker's. Raw values are the words on the wire.
public enum ManipulationKind: String, Sendable, Codable, CaseIterable {
    /// Far more ticks than usual, a run to one side, and most of it given back at once.
    case activitySpike = "activity_spike"
    /// The spread at several times its usual size.
    case spreadBlowout = "spread_blowout"
    /// One broker prints a price that no other has.
    case outlyingQuote = "outlying_quote"
}

/// One suspicious event, told once: when it began, when it was known, and the numbers that say so.
///
/// Prices in quote currency, times in milliseconds of UTC. `measured` and `usual` are in the kind's own unit: ticks of
/// the minute (`activity_spike`), the spread in pips (`spread_blowout`), the distance from the other brokers in pips
/// (`outlying_quote`; `usual` is the distance still allowed).
public struct ManipulationEvent: Sendable, Equatable, Codable {
    public var symbol: String
    public var kind: ManipulationKind
    /// The broker server that quoted it.
    public var source: String
    public var beganMilliseconds: Int64
    /// When it became known; all that it rests on is at or before this time.
    public var timeMilliseconds: Int64
    /// The farthest price of a spike, the price that stood out, the middle price while the spread was wide.
    public var price: Double
    /// Where a spike came from and returned to, the other brokers' price, the middle price before.
    public var reference: Double
    public var measured: Double
    public var usual: Double

    public init(
        symbol: String, kind: ManipulationKind, source: String, beganMilliseconds: Int64, timeMilliseconds: Int64,
        price: Double, reference: Double, measured: Double, usual: Double
    ) {
        self.symbol = symbol
        self.kind = kind
        self.source = source
        self.beganMilliseconds = beganMilliseconds
        self.timeMilliseconds = timeMilliseconds
        self.price = price
        self.reference = reference
        self.measured = measured
        self.usual = usual
    }
}

/// What the market of one symbol is like at one moment, beside its levels. Plain values; nil means unknown.
public struct MarketCondition: Sendable, Equatable {
    public var regime: MarketRegime = .unknown
    /// Where a trend goes; nil without one.
    public var trendDirection: TradeDirection?
    /// Where each timeframe goes (M5 over 2 hours, M15 over 5, H1 over 20); one without a trend or with too little
    /// history is not listed.
    public var trends: [Timeframe: TradeDirection] = [:]
    /// The last hour's M5 ranges against the same hours of other days (1 is normal); nil while there are too few.
    public var volatilityRatio: Double?
    public var session: MarketSession
    /// The last spread against its usual size; nil before there are enough quotes.
    public var spreadRatio: Double?
    /// Broker servers with a quote of the last minute.
    public var sourceCount = 0
    /// Whether those quote the same price; true for one alone, of which nobody can say otherwise.
    public var sourcesAgree = true
    /// Events of the last half hour, oldest first.
    public var manipulation: [ManipulationEvent] = []

    public init(session: MarketSession) { self.session = session }
}

extension SymbolState {
    /// The condition at `now`, from what was known then; the scorer has no use for the list of trends.
    func condition(
        at now: Int64, _ configuration: CitadelConfiguration, listsTrends: Bool = true
    ) -> MarketCondition {
        var condition = MarketCondition(session: .at(max(0, now)))
        if let trend = m15.trend {
            condition.regime = trend.direction == nil ? .range : .trend
            condition.trendDirection = trend.direction
        }
        if listsTrends {
            condition.trends[.m5] = m5.trend?.direction
            condition.trends[.m15] = m15.trend?.direction
            condition.trends[.h1] = h1.trend?.direction
        }
        condition.volatilityRatio = normal.ratio.map { Decimals.rounded($0, 2) }
        if usualSpread.samples >= UsualSpread.enough, usualSpread.value > 0, quotes.hasQuote {
            condition.spreadRatio = Decimals.rounded((quotes.ask - quotes.bid) / usualSpread.value, 2)
        }
        let standing = quotes.book.standing(now: now, configuration)
        condition.sourceCount = standing.count
        condition.sourcesAgree = standing.agree
        if !suspicions.isEmpty {
            condition.manipulation = suspicions.filter { now - $0.timeMilliseconds <= configuration.manipulationKept }
        }
        return condition
    }
}
