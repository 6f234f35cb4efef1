/// A local extreme of a bar series.
struct Swing: Sendable, Equatable {
    enum Kind: Sendable, Equatable { case high, low }

    var kind: Kind
    var price: Double
    /// The start of the bar that holds the extreme, milliseconds of UTC.
    var barStart: Int64
    /// The bar's place in its series, from 0.
    var index: Int
}

/// What one more bar changed in the list of swings.
enum SwingChange: Sendable, Equatable {
    case found(Swing)
    /// A stronger extreme of the same kind came before any opposite one: it stands for the earlier, which goes.
    case replaced(Swing, by: Swing)
}

/// Finds swing highs and lows as bars close.
///
/// Bar i is a swing high when its high is the highest of the 4 bars before it, itself and the 5 after it (ties count),
/// else a swing low when its low is the lowest of them. So a swing is known 5 bars late and never earlier. Of
/// neighbours of one kind only the strongest stays, on a tie the first. The first nine bars can't be swings.
struct SwingDetector: Sendable {
    static let barsBefore = 4
    static let barsAfter = 5
    static let firstIndex = 9

    private struct Extremes: Sendable {
        var high: Double
        var low: Double
        var start: Int64
    }

    private var window = RingBuffer<Extremes>(capacity: barsBefore + 1 + barsAfter)
    private var seen = 0
    private var last: Swing?

    /// Takes the next closed bar; returns what it confirmed about the bar five before it.
    mutating func append(_ bar: Bar) -> SwingChange? {
        window.append(Extremes(high: bar.high, low: bar.low, start: bar.startMilliseconds))
        seen += 1
        let index = seen - 1 - Self.barsAfter
        guard index >= Self.firstIndex, window.count == window.capacity else { return nil }
        let candidate = window[Self.barsBefore]
        var highest = true
        var lowest = true
        for place in 0..<window.capacity {
            let other = window[place]
            if other.high > candidate.high { highest = false }
            if other.low < candidate.low { lowest = false }
        }
        if highest {
            return take(Swing(kind: .high, price: candidate.high, barStart: candidate.start, index: index))
        }
        guard lowest else { return nil }
        return take(Swing(kind: .low, price: candidate.low, barStart: candidate.start, index: index))
    }

    private mutating func take(_ swing: Swing) -> SwingChange? {
        guard let previous = last, previous.kind == swing.kind else {
            last = swing
            return .found(swing)
        }
        let stronger = swing.kind == .high ? swing.price > previous.price : swing.price < previous.price
        guard stronger else { return nil }
        last = swing
        return .replaced(previous, by: swing)
    }
}
