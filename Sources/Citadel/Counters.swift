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
    /// From a source that is not the active one, which is healthy.
    case tickOtherSource = "tick_other_source"
    /// From the active source, at a price that no other live one has.
    case tickOutlying = "tick_outlying"
    /// Holes in the quotes, longer than five minutes; a weekend is one.
    case quoteGaps = "quote_gaps"
    case tickSymbolRefused = "tick_symbol_refused"
    case sourceSwitches = "source_switches"
    case barsUsed = "bars_used"
    case barKnown = "bar_known"
    case barMalformed = "bar_malformed"
    /// Nowhere near the bars before and after it.
    case barOutlier = "bar_outlier"
    case barSymbolRefused = "bar_symbol_refused"
    case levelsBorn = "levels_born"
    case levelsEvicted = "levels_evicted"
    case sweeps = "sweeps"
    case sweepsNotAnnounced = "sweeps_not_announced"
    case levelsTaken = "levels_taken"
    case levelsBroken = "levels_broken"
    /// Grew old without ever being taken.
    case levelsExpired = "levels_expired"
    case manipulations = "manipulations"
    case manipulationsNotAnnounced = "manipulations_not_announced"
    case signalsAccepted = "signals_accepted"
    case signalsRepeated = "signals_repeated"
    case signalsRefused = "signals_refused"
    case signalsDecayed = "signals_decayed"
    case signalsExpired = "signals_expired"
    case signalsInvalidated = "signals_invalidated"
}

/// Counts by name, all of them present from the start.
struct CounterBoard: Sendable, Equatable {
    private static let places = Dictionary(
        uniqueKeysWithValues: CitadelCounter.allCases.enumerated().map { ($0.element, $0.offset) })

    /// Nearly every tick counts this one: it does without a look-up.
    var ticksUsed = 0
    private var values = [Int](repeating: 0, count: CitadelCounter.allCases.count)

    mutating func add(_ counter: CitadelCounter, _ amount: Int = 1) {
        guard amount != 0, let place = Self.places[counter] else { return }
        values[place] += amount
    }

    subscript(counter: CitadelCounter) -> Int {
        let counted = Self.places[counter].map { values[$0] } ?? 0
        return counter == .ticksUsed ? counted + ticksUsed : counted
    }

    var dictionary: [String: Int] {
        Dictionary(uniqueKeysWithValues: CitadelCounter.allCases.map { ($0.rawValue, self[$0]) })
    }
}
