/// The rule by which nearly equal extremes are one pool; the live book and the batch mode both go by it.
enum PoolRule {
    /// An extreme belongs to the pool whose first extreme (`anchor`) lies within `band` of it. A billionth of slack: a
    /// pool's edge written in decimals must not fall out by binary rounding.
    @inline(__always)
    static func admits(_ price: Double, anchor: Double, band: Double) -> Bool {
        abs(price - anchor) <= band + 1e-9
    }

    /// The level of a pool: the mean of its extremes; and its outer edge, the farthest of them on this side.
    static func settle(_ prices: some Sequence<Double>, _ side: LiquiditySide) -> (level: Double, outer: Double)? {
        var sum = 0.0
        var count = 0
        var farthest = 0.0
        for price in prices {
            if count == 0 || (price - farthest) * side.sign > 0 { farthest = price }
            sum += price
            count += 1
        }
        return count > 0 ? (sum / Double(count), farthest) : nil
    }
}
