/// The bar lengths the engine keeps.
public enum Timeframe: String, Sendable, Codable, CaseIterable {
    case m1 = "M1"
    case m5 = "M5"
    case m15 = "M15"
    case h1 = "H1"

    public var milliseconds: Int64 {
        switch self {
        case .m1: 60_000
        case .m5: 300_000
        case .m15: 900_000
        case .h1: 3_600_000
        }
    }

    func start(of time: Int64) -> Int64 { time - time % milliseconds }
}

/// Who built a bar.
public enum BarOrigin: String, Sendable, Codable {
    /// From middle prices of ticks, by the engine.
    case ticks
    /// By a terminal, as history; its prices are bids.
    case terminal
}

/// One bar by UTC; `volume` is the number of ticks, since the terminals send no other volume.
public struct Bar: Sendable, Equatable, Codable {
    public var startMilliseconds: Int64
    public var open: Double
    public var high: Double
    public var low: Double
    public var close: Double
    public var volume: Int
    public var origin: BarOrigin
    /// What the spread usually was when the bar began (a terminal's: when it came), a price distance; 0 where unknown.
    public var usualSpread: Double

    public init(
        startMilliseconds: Int64, open: Double, high: Double, low: Double, close: Double, volume: Int,
        origin: BarOrigin, usualSpread: Double = 0
    ) {
        self.startMilliseconds = startMilliseconds
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
        self.origin = origin
        self.usualSpread = usualSpread
    }

    mutating func add(_ price: Double) {
        high = max(high, price)
        low = min(low, price)
        close = price
        volume += 1
    }
}

/// The newest `capacity` elements in order of arrival.
struct RingBuffer<Element: Sendable>: Sendable {
    private var storage: [Element] = []
    private var head = 0
    let capacity: Int

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { storage.count }
    var first: Element? { storage.isEmpty ? nil : storage[head] }
    var last: Element? { storage.isEmpty ? nil : storage[(head + storage.count - 1) % storage.count] }

    mutating func append(_ element: Element) {
        if storage.count < capacity {
            storage.append(element)
        } else {
            storage[head] = element
            head = (head + 1) % capacity
        }
    }

    /// Oldest first; `index` 0 is the oldest element still held.
    subscript(index: Int) -> Element { storage[(head + index) % storage.count] }

    var elements: [Element] { Array(storage[head...] + storage[..<head]) }
}

/// Bars of one symbol and length, with the average true range kept up to date.
///
/// A bar is closed by the first tick of a later bar, never by a clock: what is known at a moment depends on the ticks
/// alone, so a replay knows what the stream knew. Minutes without ticks leave no bar.
struct BarSeries: Sendable {
    let timeframe: Timeframe
    private(set) var closed: RingBuffer<Bar>
    private(set) var open: Bar?
    /// The times of the open bar: a tick within costs two comparisons instead of a division.
    private var openTimes: Range<Int64> = 0..<0
    /// Wilder's average over 14 bars (a plain mean until there are 14), 0 before the first bar.
    private(set) var averageTrueRange: Double = 0
    /// The same over a day of M5 bars: what is usual here.
    private(set) var usualTrueRange: Double = 0
    private(set) var closedCount = 0
    /// Where the closed bars lean and go, read when one closes: a question asks for them far more often.
    private(set) var lean: Double?
    private(set) var trend: TrendReading?

    private static let fastLength = 14.0
    private static let slowLength = 288.0
    /// After a hole of this many bars (a weekend) the jump to the new price is no range of that bar.
    private static let gapBars: Int64 = 12

    init(timeframe: Timeframe, capacity: Int) {
        self.timeframe = timeframe
        closed = RingBuffer(capacity: capacity)
    }

    /// Adds a middle price and returns the bar it closed, if any; `usualSpread` is what was usual until then.
    @inline(__always)
    mutating func add(_ price: Double, at time: Int64, usualSpread: Double = 0) -> Bar? {
        if openTimes.contains(time) {
            open?.add(price)
            return nil
        }
        return turn(price, at: time, usualSpread)
    }

    /// The first tick of a bar.
    private mutating func turn(_ price: Double, at time: Int64, _ usualSpread: Double) -> Bar? {
        let finished = open
        if let finished { close(finished) }
        let start = timeframe.start(of: time)
        // A terminal whose clock is ahead sent this bar already: its time is not told twice.
        if finished == nil, let last = closed.last, start <= last.startMilliseconds { return nil }
        var bar = Bar(price, start: start)
        bar.usualSpread = usualSpread
        resumeOpen(bar)
        return finished
    }

    private mutating func resumeOpen(_ bar: Bar) {
        open = bar
        openTimes = bar.startMilliseconds..<(bar.startMilliseconds + timeframe.milliseconds)
    }

    /// Whether a finished bar is news: the engine has none yet, and history has not gone on.
    func admits(_ bar: Bar) -> Bool {
        if let last = closed.last, bar.startMilliseconds <= last.startMilliseconds { return false }
        if let current = open, bar.startMilliseconds >= current.startMilliseconds { return false }
        return true
    }

    /// Whether there is no bar of this start, closed or open, and time has not gone beyond the open one.
    func lacks(_ start: Int64) -> Bool {
        if let current = open, start >= current.startMilliseconds { return false }
        let place = place(of: start)
        return place == closed.count || closed[place].startMilliseconds != start
    }

    /// The place of the first closed bar that does not begin before this.
    func place(of start: Int64) -> Int {
        var low = 0
        var high = closed.count
        while low < high {
            let middle = (low + high) / 2
            if closed[middle].startMilliseconds < start { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Appends a finished bar; false where it is no news.
    mutating func append(finished bar: Bar) -> Bool {
        guard admits(bar) else { return false }
        close(bar)
        return true
    }

    /// Continues an unfinished bar of an earlier run.
    mutating func resume(_ bar: Bar) {
        if let last = closed.last, bar.startMilliseconds <= last.startMilliseconds { return }
        resumeOpen(bar)
    }

    private mutating func close(_ bar: Bar) {
        var range = bar.high - bar.low
        if let previous = closed.last,
            bar.startMilliseconds - previous.startMilliseconds <= Self.gapBars * timeframe.milliseconds
        {
            range = max(bar.high, previous.close) - min(bar.low, previous.close)
        }
        closed.append(bar)
        closedCount += 1
        let seen = Double(closedCount)
        averageTrueRange += (range - averageTrueRange) / min(seen, Self.fastLength)
        usualTrueRange += (range - usualTrueRange) / min(seen, Self.slowLength)
        guard timeframe != .m1 else { return }
        lean = readLean()
        trend = readTrend()
    }
}

extension Bar {
    init(_ price: Double, start: Int64) {
        self.init(
            startMilliseconds: start, open: price, high: price, low: price, close: price, volume: 1, origin: .ticks)
    }

    init(_ bar: MarketBar) {
        self.init(
            startMilliseconds: bar.startMilliseconds, open: bar.open, high: bar.high, low: bar.low, close: bar.close,
            volume: 0, origin: .terminal)
    }
}
