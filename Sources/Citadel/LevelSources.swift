/// The extremes of a UTC day or of one session of a day, from closed bars.
struct ExtremeRange: Sendable, Equatable {
    var day: Int64
    var high: Double
    var highBar: Int64
    var low: Double
    var lowBar: Int64
    var bars: Int

    static let dayMilliseconds: Int64 = 86_400_000

    init(_ bar: Bar) {
        day = bar.startMilliseconds / Self.dayMilliseconds
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

/// The hours of UTC whose extremes traders watch.
struct SessionWindow: Sendable {
    var origin: LevelOrigins
    var hours: Range<Int64>

    static let all = [
        SessionWindow(origin: .tokyoSession, hours: 0..<7), SessionWindow(origin: .londonSession, hours: 7..<16),
        SessionWindow(origin: .newYorkSession, hours: 12..<21),
    ]
}

/// Turns closed bars into levels: swings of M5 and M15, extremes of the previous day and of sessions, round numbers.
struct LevelSources: Sendable {
    private var fiveMinuteSwings: SwingDetector
    private var fifteenMinuteSwings: SwingDetector
    private var today: ExtremeRange?
    private var sessions = [ExtremeRange?](repeating: nil, count: SessionWindow.all.count)
    let configuration: CitadelConfiguration

    init(configuration: CitadelConfiguration) {
        self.configuration = configuration
        fiveMinuteSwings = SwingDetector(length: configuration.swingLength)
        fifteenMinuteSwings = SwingDetector(length: configuration.swingLength)
    }

    /// Call after the book has decided by this bar, so that nothing is born and pierced by one and the same bar.
    mutating func closedDeciding(
        _ bar: Bar, in surroundings: LevelBook.Surroundings, digits: Int, levels: inout LevelBook
    ) {
        if configuration.origins.contains(.previousDay) { dayAdvances(bar, surroundings, &levels) }
        if !configuration.origins.isDisjoint(with: .sessions) { sessionsAdvance(bar, surroundings, &levels) }
        if configuration.origins.contains(.roundNumber) { roundNumbers(surroundings, digits, &levels) }
    }

    mutating func closedFiveMinutes(
        _ bar: Bar, in surroundings: LevelBook.Surroundings, levels: inout LevelBook
    ) {
        guard configuration.origins.contains(.swingFiveMinute) else { return }
        apply(fiveMinuteSwings.append(bar), origin: .swingFiveMinute, surroundings, &levels)
    }

    mutating func closedFifteenMinutes(
        _ bar: Bar, in surroundings: LevelBook.Surroundings, levels: inout LevelBook
    ) {
        guard configuration.origins.contains(.swingFifteenMinute) else { return }
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

    // MARK: days and sessions

    private mutating func dayAdvances(
        _ bar: Bar, _ surroundings: LevelBook.Surroundings, _ levels: inout LevelBook
    ) {
        guard let finished = today else {
            today = ExtremeRange(bar)
            return
        }
        guard bar.startMilliseconds / ExtremeRange.dayMilliseconds != finished.day else {
            today?.add(bar)
            return
        }
        today = ExtremeRange(bar)
        // The setting counts M5 bars.
        let minimum = Int64(configuration.minimumDayBars) * Timeframe.m5.milliseconds
        guard Int64(finished.bars) * configuration.decidingTimeframe.milliseconds >= minimum else { return }
        add(finished, .previousDay, surroundings, &levels)
    }

    /// A session's extremes are levels from the first bar after it; one of which most is missing has none.
    private mutating func sessionsAdvance(
        _ bar: Bar, _ surroundings: LevelBook.Surroundings, _ levels: inout LevelBook
    ) {
        let day = bar.startMilliseconds / ExtremeRange.dayMilliseconds
        let hour = bar.startMilliseconds % ExtremeRange.dayMilliseconds / Timeframe.h1.milliseconds
        for (place, window) in SessionWindow.all.enumerated() {
            let isInside = window.hours.contains(hour)
            guard let range = sessions[place] else {
                if isInside { sessions[place] = ExtremeRange(bar) }
                continue
            }
            if isInside, range.day == day {
                sessions[place]?.add(bar)
                continue
            }
            sessions[place] = isInside ? ExtremeRange(bar) : nil
            let whole = Int64(window.hours.count) * Timeframe.h1.milliseconds
            let seen = Int64(range.bars) * configuration.decidingTimeframe.milliseconds
            guard configuration.origins.contains(window.origin),
                Double(seen) >= Double(whole) * configuration.minimumSessionShare
            else { continue }
            add(range, window.origin, surroundings, &levels)
        }
    }

    private func add(
        _ range: ExtremeRange, _ origin: LevelOrigins, _ surroundings: LevelBook.Surroundings, _ levels: inout LevelBook
    ) {
        let high = LevelMember(price: range.high, time: range.highBar, origin: origin)
        let low = LevelMember(price: range.low, time: range.lowBar, origin: origin)
        levels.add(high, side: .buySide, in: surroundings)
        levels.add(low, side: .sellSide, in: surroundings)
    }

    // MARK: round numbers

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
