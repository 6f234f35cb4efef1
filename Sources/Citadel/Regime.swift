/// How far price got for how much it moved: net change over the sum of the single changes (Kaufman's efficiency ratio),
/// 0 for a walk on the spot, 1 for a straight line.
struct TrendReading: Sendable, Equatable {
    var efficiency: Double
    /// Price distance from the first close to the last.
    var change: Double

    /// From this efficiency on it is a trend; closes that are a random walk reach it about one time in twelve.
    static let trendFrom = 0.4

    var direction: TradeDirection? {
        guard efficiency >= Self.trendFrom, change != 0 else { return nil }
        return change > 0 ? .buy : .sell
    }
}

extension BarSeries {
    /// Closes that a trend is read from: 2 hours of M5, 5 hours of M15, 20 hours of H1.
    static func trendLength(_ timeframe: Timeframe) -> Int { timeframe == .m5 ? 24 : 20 }

    /// The trend of the last closed bars; nil before there are enough.
    func readTrend() -> TrendReading? {
        let length = Self.trendLength(timeframe)
        guard closed.count > length else { return nil }
        let first = closed[closed.count - 1 - length].close
        var last = first
        var way = 0.0
        for place in (closed.count - length)..<closed.count {
            let close = closed[place].close
            way += abs(close - last)
            last = close
        }
        return TrendReading(efficiency: way > 0 ? abs(last - first) / way : 0, change: last - first)
    }
}

/// What is normal at each hour of a trading day: the mean range of M5 bars, and of late against it.
struct HourlyNormal: Sendable {
    private struct Hour: Sendable {
        var mean = 0.0
        var days = 0
    }

    private struct Recent: Sendable {
        var hour: Int
        var range: Double
    }

    private var hours = [Hour](repeating: Hour(), count: 24)
    private var recent = RingBuffer<Recent>(capacity: 12)
    /// The hour that is being collected, counted from 1970.
    private var current: Int64 = -1
    private var sum = 0.0
    private var bars = 0
    /// The mean range of the last twelve M5 bars against what is normal at their hours; nil while those are not known.
    private(set) var ratio: Double?

    /// An hour is known after this many days; beyond `memoryDays` the older ones fade.
    static let enoughDays = 2
    private static let memoryDays = 20
    private static let enoughBars = 6

    mutating func add(_ bar: Bar) {
        guard MarketSession.at(bar.startMilliseconds) != .weekend else { return }
        let hour = bar.startMilliseconds / Timeframe.h1.milliseconds
        if hour != current {
            finish()
            current = hour
        }
        sum += bar.high - bar.low
        bars += 1
        recent.append(Recent(hour: Int(hour % 24), range: bar.high - bar.low))
        ratio = readRatio()
    }

    private mutating func finish() {
        if current >= 0, bars >= Self.enoughBars {
            let place = Int(current % 24)
            hours[place].days += 1
            let weight = Double(min(hours[place].days, Self.memoryDays))
            hours[place].mean += (sum / Double(bars) - hours[place].mean) / weight
        }
        sum = 0
        bars = 0
    }

    private func readRatio() -> Double? {
        guard recent.count == recent.capacity else { return nil }
        var seen = 0.0
        var normal = 0.0
        for place in 0..<recent.count {
            let bar = recent[place]
            guard hours[bar.hour].days >= Self.enoughDays else { return nil }
            seen += bar.range
            normal += hours[bar.hour].mean
        }
        return normal > 0 ? seen / normal : nil
    }
}
