/// Every number of the engine that an operator may want to change. Times are milliseconds, shares are of an ATR.
public struct CitadelConfiguration: Sendable, Equatable {
    // MARK: quotes
    /// A quote older than this is history, not the present; a score without a younger one is `stale`.
    public var staleAfter: Int64 = 60_000
    /// A quote that claims to be further ahead of `now` than this is refused.
    public var futureTolerance: Int64 = 60_000
    /// The active source of a symbol is given up after this much silence.
    public var sourceSilence: Int64 = 10_000
    /// A middle price this share away from the last one is held back until a second quote agrees.
    public var outlierShare: Double = 0.2
    /// A source farther from every other live one than the M5 ATR, three spreads and this many pips stands alone.
    public var outlyingPips: Double = 3
    public var maximumSymbols: Int = 512
    /// Broker servers remembered a symbol.
    public var maximumSources: Int = 16
    /// A hole between two quotes longer than this is counted as a gap.
    public var gapAfter: Int64 = 300_000

    // MARK: bars
    /// Closed bars kept for M1, M5, M15 and H1. M5 and M15 cover the same days, so that a restart rebuilds the levels.
    public var barsKept: [Timeframe: Int] = [.m1: 500, .m5: 1_500, .m15: 500, .h1: 300]
    /// Below this many M5 bars ranges and levels are not trusted and the factors resting on them are capped.
    public var minimumBars: Int = 30

    // MARK: levels
    public var maximumLevels: Int = 200
    /// The bars that pierce, close back and give the range: M5 for ticks; M15 to study a file of such bars.
    public var decidingTimeframe: Timeframe = .m5
    /// The sources of levels in use.
    public var origins: LevelOrigins = .all
    /// S: a swing has S - 1 bars before it and is confirmed S bars later.
    public var swingLength: Int = 5
    /// Highs (lows) this share of the M5 ATR apart are one pool; fixed when the level is born.
    public var bandShare: Double = 0.5
    /// How far beyond a level counts as pierced: this share of the M5 ATR, at least `minimumPiercePips`, and at least
    /// this many usual spreads: half of one is what the middle price moves when one side of the quote steps back.
    public var pierceShare: Double = 0.1
    public var minimumPiercePips: Double = 0.3
    public var pierceSpreads: Double = 0.5
    /// A sweep closes back in the M5 bar that pierced or in one of this many after it.
    public var closeBackBars: Int = 3
    public var roundNumberPips: Double = 50
    /// A day needs this many M5 bars (six hours) before its high and low count: a Sunday evening does not.
    public var minimumDayBars: Int = 72
    /// A session needs this share of its bars before its extremes count.
    public var minimumSessionShare: Double = 0.5
    /// Swept and broken levels stay in view this long.
    public var retireAfter: Int64 = 4 * 3_600_000
    public var swingFiveMinuteAge: Int64 = 24 * 3_600_000
    public var swingFifteenMinuteAge: Int64 = 120 * 3_600_000
    public var previousDayAge: Int64 = 72 * 3_600_000
    public var sessionAge: Int64 = 24 * 3_600_000
    public var roundNumberAge: Int64 = 24 * 3_600_000
    /// A sweep that completed longer ago than this (a backlog, warm-up bars) changes levels but is not announced.
    public var announceWithin: Int64 = 300_000

    // MARK: manipulation
    /// A minute with this many times the usual ticks and this many times the usual range, ...
    public var spikeActivity: Double = 6
    public var spikeRange: Double = 6
    /// ... of which this share was given back by its end or the end of the next, is a spike with reversal.
    public var spikeReversal: Double = 0.6
    /// A spread this many times the usual one, and this many pips above it, three quotes in a row.
    public var blowoutRatio: Double = 5
    public var blowoutPips: Double = 1.5
    /// Events stay in a condition this long; a source or a spike is not reported again sooner than `manipulationPause`.
    public var manipulationKept: Int64 = 1_800_000
    public var manipulationPause: Int64 = 600_000

    // MARK: answers and signals
    public var nearestLevels: Int = 6
    public var maximumSignals: Int = 10_000
    public var signalLifetime: Int64 = 3_600_000
    /// A live signal is scored again after this long, a bounded number of them in one `advance`.
    public var rescoreEvery: Int64 = 5_000
    public var rescoresPerAdvance: Int = 256
    /// At most so many signals end at one `now`, by quotes and time together; the others in the calls after it.
    public var endingsPerStep: Int = 256
    /// The score change that is a new standing even inside one risk level.
    public var standingStep: Double = 0.5

    public init() {}
}
