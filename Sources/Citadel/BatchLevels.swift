/// Swings and pools of a whole file at once, for research and for comparing with other tools.
///
/// The rules of swings and pools are those of the live engine; what differs is said at each function. Nothing here
/// is used live: it looks ahead.
public enum BatchLevels {
    /// A pool of at least two equal highs or lows; `anchor`, `end` and `swept` are places in the list of bars.
    public struct Pool: Sendable, Equatable {
        public var side: LiquiditySide
        public var level: Double
        public var anchor: Int
        /// The bar of the last extreme that joined.
        public var end: Int
        /// The first bar that reached the outer band; nil if none did. A touch, not a sweep.
        public var swept: Int?
    }

    /// The swings of all bars, by bar. Unlike live, the first and the last bar are swings too (`forcesEnds`), of the
    /// kind opposite to their neighbour, so that a line through all swings spans the file.
    public static func swings(of bars: [Bar], length: Int = 5, forcesEnds: Bool = true) -> [Swing] {
        var detector = SwingDetector(length: length)
        var swings: [Swing] = []
        for bar in bars {
            switch detector.append(bar) {
            case nil: continue
            case .found(let swing): swings.append(swing)
            case .replaced(_, let swing): swings[swings.count - 1] = swing
            }
        }
        guard forcesEnds, let first = swings.first, let last = swings.last, bars.count > 1 else { return swings }
        swings.insert(end(of: bars, at: 0, beside: first), at: 0)
        swings.append(end(of: bars, at: bars.count - 1, beside: last))
        return swings
    }

    private static func end(of bars: [Bar], at index: Int, beside neighbour: Swing) -> Swing {
        let bar = bars[index]
        let kind: Swing.Kind = neighbour.kind == .high ? .low : .high
        return Swing(
            kind: kind, price: kind == .high ? bar.high : bar.low, barStart: bar.startMilliseconds, index: index)
    }

    /// The pools of the swings, highs and lows apart, in the order of their first extremes.
    ///
    /// Unlike live, the band is given (for example a hundredth of the file's whole span), an extreme joins at its own
    /// bar although it was known only later, and a pool ends where price first reaches the outer edge of its band.
    public static func pools(of swings: [Swing], bars: [Bar], band: Double) -> [Pool] {
        let high = pools(swings.filter { $0.kind == .high }, .buySide, bars, band)
        let low = pools(swings.filter { $0.kind == .low }, .sellSide, bars, band)
        return (high + low).sorted {
            ($0.anchor, $0.side == .buySide ? 0 : 1) < ($1.anchor, $1.side == .buySide ? 0 : 1)
        }
    }

    private static func pools(_ swings: [Swing], _ side: LiquiditySide, _ bars: [Bar], _ band: Double) -> [Pool] {
        var used = [Bool](repeating: false, count: swings.count)
        var pools: [Pool] = []
        for (place, first) in swings.enumerated() where !used[place] {
            let edge = first.price + side.sign * band
            let swept = bars.indices[(first.index + 1)...].first { index in
                ((side == .buySide ? bars[index].high : bars[index].low) - edge) * side.sign >= 0
            }
            var prices = [first.price]
            var end = first.index
            for later in swings.indices[(place + 1)...] where !used[later] {
                let swing = swings[later]
                if let swept, swing.index >= swept { break }
                guard PoolRule.admits(swing.price, anchor: first.price, band: band) else { continue }
                used[later] = true
                prices.append(swing.price)
                end = swing.index
            }
            guard prices.count > 1, let settled = PoolRule.settle(prices, side) else { continue }
            pools.append(Pool(side: side, level: settled.level, anchor: first.index, end: end, swept: swept))
        }
        return pools
    }
}
