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
    public var maximumSymbols: Int = 512

    // MARK: bars
    /// Closed bars kept for M1, M5, M15 and H1. M5 and M15 cover the same days, so that a restart rebuilds the levels.
    public var barsKept: [Timeframe: Int] = [.m1: 500, .m5: 1_500, .m15: 500, .h1: 300]
    /// Below this many M5 bars ranges and levels are not trusted and the factors resting on them are capped.
    public var minimumBars: Int = 30

    // MARK: levels
    public var maximumLevels: Int = 200
    /// Highs (lows) this share of the M5 ATR apart are one pool; fixed when the level is born.
    public var bandShare: Double = 0.5
    /// How far beyond a level counts as pierced: this share of the M5 ATR, at least `minimumPiercePips`.
    public var pierceShare: Double = 0.1
    public var minimumPiercePips: Double = 0.3
    /// A sweep closes back in the M5 bar that pierced or in one of this many after it.
    public var closeBackBars: Int = 3
    public var roundNumberPips: Double = 50
    /// A day needs this many M5 bars (six hours) before its high and low count: a Sunday evening does not.
    public var minimumDayBars: Int = 72
    /// Swept and broken levels stay in view this long.
    public var retireAfter: Int64 = 4 * 3_600_000
    public var swingFiveMinuteAge: Int64 = 24 * 3_600_000
    public var swingFifteenMinuteAge: Int64 = 120 * 3_600_000
    public var previousDayAge: Int64 = 72 * 3_600_000
    public var roundNumberAge: Int64 = 24 * 3_600_000
    /// A sweep that completed longer ago than this (a backlog, warm-up bars) changes levels but is not announced.
    public var announceWithin: Int64 = 300_000

    // MARK: answers and signals
    public var nearestLevels: Int = 6
    public var maximumSignals: Int = 10_000
    public var signalLifetime: Int64 = 3_600_000
    /// A live signal is scored again after this long, a bounded number of them in one `advance`.
    public var rescoreEvery: Int64 = 5_000
    public var rescoresPerAdvance: Int = 256
    /// The score change that is a new standing even inside one risk level.
    public var standingStep: Double = 0.5

    public init() {}
}

/// What the engine counts; raw values are the names shown in `/services`.
public enum CitadelCounter: String, Sendable, CaseIterable {
    case ticksUsed = "ticks_used"
    case tickNotFinite = "tick_not_finite"
    case tickNotPositive = "tick_not_positive"
    case tickCrossed = "tick_crossed"
    case tickOutOfOrder = "tick_out_of_order"
    case tickRepeated = "tick_repeated"
    case tickFuture = "tick_future"
    case tickOutlier = "tick_outlier"
    case tickOtherSource = "tick_other_source"
    case tickSymbolRefused = "tick_symbol_refused"
    case sourceSwitches = "source_switches"
    case barsUsed = "bars_used"
    case barKnown = "bar_known"
    case barMalformed = "bar_malformed"
    case barSymbolRefused = "bar_symbol_refused"
    case levelsBorn = "levels_born"
    case levelsEvicted = "levels_evicted"
    case sweeps = "sweeps"
    case sweepsNotAnnounced = "sweeps_not_announced"
    case levelsBroken = "levels_broken"
    case signalsAccepted = "signals_accepted"
    case signalsRepeated = "signals_repeated"
    case signalsRefused = "signals_refused"
    case signalsDecayed = "signals_decayed"
    case signalsExpired = "signals_expired"
    case signalsInvalidated = "signals_invalidated"
}

/// Counts by name, all of them present from the start.
struct CounterBoard: Sendable, Equatable {
    private var values = Dictionary(uniqueKeysWithValues: CitadelCounter.allCases.map { ($0, 0) })

    mutating func add(_ counter: CitadelCounter, _ amount: Int = 1) { values[counter, default: 0] += amount }

    subscript(counter: CitadelCounter) -> Int { values[counter, default: 0] }

    var dictionary: [String: Int] {
        Dictionary(uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) })
    }
}
