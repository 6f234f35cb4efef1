/// The extremes of a UTC day, from closed M5 bars.
struct DayRange: Sendable, Equatable {
    var day: Int64
    var high: Double
    var highBar: Int64
    var low: Double
    var lowBar: Int64
    var bars: Int

    static let milliseconds: Int64 = 86_400_000

    init(_ bar: Bar) {
        day = bar.startMilliseconds / Self.milliseconds
        high = bar.high
        highBar = bar.startMilliseconds
        low = bar.low
        lowBar = bar.startMilliseconds
        bars = 1
    }

    mutating func add(_ bar: Bar) {
        bars += 1
        if bar.high > high {
            high = bar.high
            highBar = bar.startMilliseconds
        }
        if bar.low < low {
            low = bar.low
            lowBar = bar.startMilliseconds
        }
    }
}

/// Turns closed bars into levels: swings of M5 and M15, the previous day's extremes, round numbers.
struct LevelSources: Sendable {
    private var fiveMinuteSwings = SwingDetector()
    private var fifteenMinuteSwings = SwingDetector()
    private var today: DayRange?
    let configuration: CitadelConfiguration

    init(configuration: CitadelConfiguration) { self.configuration = configuration }

    /// Call after the book has decided by this bar, so that nothing is born and pierced by one and the same bar.
    mutating func closedFiveMinutes(
        _ bar: Bar, in surroundings: LevelBook.Surroundings, digits: Int, levels: inout LevelBook
    ) {
        apply(fiveMinuteSwings.append(bar), origin: .swingFiveMinute, surroundings, &levels)
        dayAdvances(bar, surroundings, &levels)
        roundNumbers(surroundings, digits, &levels)
    }

    mutating func closedFifteenMinutes(
        _ bar: Bar, in surroundings: LevelBook.Surroundings, levels: inout LevelBook
    ) {
        apply(fifteenMinuteSwings.append(bar), origin: .swingFifteenMinute, surroundings, &levels)
    }

    private func apply(
        _ change: SwingChange?, origin: LevelOrigins, _ surroundings: LevelBook.Surroundings, _ levels: inout LevelBook
    ) {
        switch change {
        case nil: return
        case .found(let swing):
            levels.add(member(swing, origin), side: side(swing), in: surroundings)
        case .replaced(let old, let new):
            levels.replace(member(old, origin), by: member(new, origin), side: side(new), in: surroundings)
        }
    }

    private func member(_ swing: Swing, _ origin: LevelOrigins) -> LevelMember {
        LevelMember(price: swing.price, time: swing.barStart, origin: origin)
    }

    private func side(_ swing: Swing) -> LiquiditySide { swing.kind == .high ? .buySide : .sellSide }

    private mutating func dayAdvances(
        _ bar: Bar, _ surroundings: LevelBook.Surroundings, _ levels: inout LevelBook
    ) {
        guard let finished = today else {
            today = DayRange(bar)
            return
        }
        guard bar.startMilliseconds / DayRange.milliseconds != finished.day else {
            today?.add(bar)
            return
        }
        today = DayRange(bar)
        guard finished.bars >= configuration.minimumDayBars else { return }
        let high = LevelMember(price: finished.high, time: finished.highBar, origin: .previousDay)
        let low = LevelMember(price: finished.low, time: finished.lowBar, origin: .previousDay)
        levels.add(high, side: .buySide, in: surroundings)
        levels.add(low, side: .sellSide, in: surroundings)
    }

    private func roundNumbers(
        _ surroundings: LevelBook.Surroundings, _ digits: Int, _ levels: inout LevelBook
    ) {
        let step = configuration.roundNumberPips * surroundings.pip
        guard step > 0, surroundings.close / step < 1e12 else { return }
        let below = Int64(surroundings.close / step)
        for multiple in [below, below + 1] where multiple > 0 {
            let price = Decimals.rounded(Double(multiple) * step, digits)
            // A price that sits on the number has no side yet.
            guard abs(price - surroundings.close) > surroundings.averageTrueRange * configuration.bandShare else {
                continue
            }
            levels.add(roundNumber: price, in: surroundings)
        }
    }
}
