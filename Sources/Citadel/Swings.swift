/// A local extreme of a bar series.
public struct Swing: Sendable, Equatable {
    public enum Kind: Sendable, Equatable { case high, low }

    public var kind: Kind
    public var price: Double
    /// The start of the bar that holds the extreme, milliseconds of UTC.
    public var barStart: Int64
    /// The bar's place in its series, from 0.
    public var index: Int
}

/// What one more bar changed in the list of swings.
enum SwingChange: Sendable, Equatable {
    case found(Swing)
    /// A stronger extreme of the same kind came before any opposite one: it stands for the earlier, which goes.
    case replaced(Swing, by: Swing)
}

/// Finds swing highs and lows as bars close.
///
/// With length S = 5: bar i is a swing high when its high is the highest of the 4 bars before it, itself and the 5
/// after it (ties count), else a swing low when its low is the lowest of them. So a swing is known S bars late and never
/// earlier. Of neighbours of one kind only the strongest stays, on a tie the first. The first 2 S - 1 bars can't be
/// swings.
struct SwingDetector: Sendable {
    let barsBefore: Int
    let barsAfter: Int
    let firstIndex: Int

    private struct Extremes: Sendable {
        var high: Double
        var low: Double
        var start: Int64
    }

    private var window: RingBuffer<Extremes>
    private var seen = 0
    private var last: Swing?

    init(length: Int = 5) {
        let length = min(max(1, length), 100)
        barsBefore = length - 1
        barsAfter = length
        firstIndex = 2 * length - 1
        window = RingBuffer(capacity: barsBefore + 1 + barsAfter)
    }

    /// Takes the next closed bar; returns what it confirmed about the bar `barsAfter` before it.
    mutating func append(_ bar: Bar) -> SwingChange? {
        window.append(Extremes(high: bar.high, low: bar.low, start: bar.startMilliseconds))
        seen += 1
        let index = seen - 1 - barsAfter
        guard index >= firstIndex, window.count == window.capacity else { return nil }
        let candidate = window[barsBefore]
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
