import Domain
import Glibc

/// SplitMix64: small, seedable, the same sequence on every machine. Source: Steele, Lea, Flood (OOPSLA 2014).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// Uniform in 0 ..< 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Standard normal (Box and Muller).
    mutating func normal() -> Double {
        let radius = (-2 * log(1 - unit())).squareRoot()
        return radius * cos(2 * Double.pi * unit())
    }
}

/// One price as a source delivers it.
struct QuoteUpdate: Sendable, Equatable {
    /// Place in ``Market``.
    var symbol: Int
    var bid: Amount
    var ask: Amount
    /// Milliseconds on the source's own clock, 0 at the start of the simulation.
    var model: Int64
    /// When the price really was quoted, where it is a recording.
    var recordedUTC: Int64?
}

/// Where prices come from; always asked with a growing time.
protocol QuoteSource {
    /// The next price at or before that time, or nil when none is due.
    mutating func next(until model: Int64) -> QuoteUpdate?
}

/// A mean-reverting walk per symbol around a slowly drifting anchor, each with a generator of its own.
struct RandomWalk: QuoteSource {
    private struct Line {
        let symbol: Int
        let specification: SymbolSpecification
        var generator: SeededGenerator
        /// Middle price and its anchor, in points.
        var middle: Double
        var anchor: Double
        var previous: Int64
        var due: Int64
    }

    /// How fast the distance to the anchor shrinks, per second.
    private static let reversion = 0.004
    private var lines: [Line]

    /// - Parameter historyMilliseconds: how long before the start prices begin, so that bars exist at once.
    init(_ symbols: [(index: Int, specification: SymbolSpecification)], seed: UInt64, historyMilliseconds: Int64) {
        lines = symbols.map { symbol in
            let specification = symbol.specification
            var generator = SeededGenerator(seed: seed ^ RandomWalk.hash(specification.name))
            let middle = specification.referencePrice / SymbolSpecification.pointSize(digits: specification.digits)
            let start = -historyMilliseconds
            let due = start + Int64(generator.unit() * specification.meanInterval)
            return Line(
                symbol: symbol.index, specification: specification, generator: generator, middle: middle,
                anchor: middle, previous: start, due: due)
        }
    }

    mutating func next(until model: Int64) -> QuoteUpdate? {
        guard let index = lines.indices.min(by: { lines[$0].due < lines[$1].due }), lines[index].due <= model else {
            return nil
        }
        return RandomWalk.step(&lines[index])
    }

    private static func step(_ line: inout Line) -> QuoteUpdate {
        let specification = line.specification
        let now = line.due
        let seconds = max(0.001, Double(now - line.previous) / 1000)
        let sigma = line.middle * specification.volatility * seconds.squareRoot()
        line.anchor += line.generator.normal() * sigma * 0.5
        line.middle += line.generator.normal() * sigma
        line.middle += (line.anchor - line.middle) * min(1, reversion * seconds)
        line.middle = max(specification.spread * 2, line.middle)
        let chance = line.generator.unit()
        // Spreads breathe, and now and then they jump.
        let width = specification.spread * (chance > 0.99 ? 3 : 0.6 + 0.8 * line.generator.unit())
        let bid = specification.amount(points: line.middle - width / 2)
        let ask = bid + specification.amount(points: width)
        line.previous = now
        let gap = -specification.meanInterval * log(1 - line.generator.unit())
        line.due = now + max(50, min(Int64(6 * specification.meanInterval), Int64(gap)))
        return QuoteUpdate(symbol: line.symbol, bid: bid, ask: ask, model: now)
    }

    /// FNV-1a: a symbol's walk stays the same whatever other symbols there are.
    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
