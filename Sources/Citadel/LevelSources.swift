/// The extremes of one window of a day, from closed bars.
struct ExtremeRange: Sendable, Equatable {
    /// When the window ends: from then on its extremes are levels.
    let end: Int64
    var high: Double
    var highBar: Int64
    var low: Double
    var lowBar: Int64
    var bars: Int

    init(_ bar: Bar, end: Int64) {
        self.end = end
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

/// The hours of UTC whose extremes traders watch: the whole day, and each session.
struct WatchedWindow: Sendable {
    let origin: LevelOrigins
    let hours: Range<Int64>
    var range: ExtremeRange?

    init(_ origin: LevelOrigins, hours: Range<Int64>) {
        self.origin = origin
        self.hours = hours
    }

    static let all = [
        WatchedWindow(.previousDay, hours: 0..<24), WatchedWindow(.tokyoSession, hours: 0..<7),
        WatchedWindow(.londonSession, hours: 7..<16), WatchedWindow(.newYorkSession, hours: 12..<21),
    ]

    private static let day: Int64 = 86_400_000

    mutating func add(_ bar: Bar) {
        let hour = bar.startMilliseconds % Self.day / Timeframe.h1.milliseconds
        guard hours.contains(hour) else { return }
        if range == nil {
            let midnight = bar.startMilliseconds - bar.startMilliseconds % Self.day
            range = ExtremeRange(bar, end: midnight + hours.upperBound * Timeframe.h1.milliseconds)
        } else {
            range?.add(bar)
        }
    }

    /// How much of the window must have been seen for its extremes to count.
    func needed(_ configuration: CitadelConfiguration) -> Double {
        // The setting counts M5 bars.
        if origin == .previousDay { return Double(configuration.minimumDayBars) * Double(Timeframe.m5.milliseconds) }
        return Double(hours.count) * Double(Timeframe.h1.milliseconds) * configuration.minimumSessionShare
    }
}

/// Turns closed bars into levels: swings of M5 and M15, extremes of the previous day and of sessions, round numbers.
struct LevelSources: Sendable {
    private var fiveMinuteSwings: SwingDetector
    private var fifteenMinuteSwings: SwingDetector
    private var windows: [WatchedWindow]
    /// When the deciding bar that opened last is over: the next tick from then on opens another.
    private(set) var nextOpening = Int64.min
    let configuration: CitadelConfiguration

    init(configuration: CitadelConfiguration) {
        self.configuration = configuration
        fiveMinuteSwings = SwingDetector(length: configuration.swingLength)
        fifteenMinuteSwings = SwingDetector(length: configuration.swingLength)
        windows = WatchedWindow.all.filter { configuration.origins.contains($0.origin) }
    }

    /// A deciding bar begins, and nothing of it is known yet: windows that ended in a hole before it become levels now,
    /// so that its very first tick may run them.
    mutating func opens(_ start: Int64, in surroundings: LevelBook.Surroundings, levels: inout LevelBook) {
        nextOpening = start + configuration.decidingTimeframe.milliseconds
        windowsEnd(by: start, surroundings, &levels)
    }

    /// Call after the book has decided by this bar, so that nothing is born and pierced by one and the same bar.
    mutating func closedDeciding(
        _ bar: Bar, in surroundings: LevelBook.Surroundings, digits: Int, levels: inout LevelBook
    ) {
        for place in windows.indices { windows[place].add(bar) }
        windowsEnd(by: surroundings.time, surroundings, &levels)
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

    /// Extremes are levels from the end of their window, before any later bar is decided: the run of a session's high
    /// in the first minutes after it is the commonest of all.
    private mutating func windowsEnd(
        by time: Int64, _ surroundings: LevelBook.Surroundings, _ levels: inout LevelBook
    ) {
        func ended() -> Int? {
            let places = windows.indices.filter { windows[$0].range.map { $0.end <= time } ?? false }
            return places.min { (windows[$0].range?.end ?? 0, $0) < (windows[$1].range?.end ?? 0, $1) }
        }
        while let place = ended(), let range = windows[place].range {
            windows[place].range = nil
            // In a hole the older ones go first: nothing joins a level that was past its age by then.
            levels.retire(at: range.end)
            let seen = Double(range.bars) * Double(configuration.decidingTimeframe.milliseconds)
            guard seen >= windows[place].needed(configuration) else { continue }
            var then = surroundings
            then.time = range.end
            let origin = windows[place].origin
            let high = LevelMember(price: range.high, time: range.highBar, origin: origin)
            let low = LevelMember(price: range.low, time: range.lowBar, origin: origin)
            levels.add(windowExtreme: high, side: .buySide, in: then)
            levels.add(windowExtreme: low, side: .sellSide, in: then)
        }
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
