/// Decimal text and rounding without Foundation, so that the module stays free of imports.
enum Decimals {
    private static let powers: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]

    static func power(_ exponent: Int) -> Double { powers[min(max(exponent, 0), 8)] }

    static func rounded(_ value: Double, _ decimals: Int) -> Double {
        let scale = power(decimals)
        let scaled = value * scale
        guard scaled.isFinite, abs(scaled) < 9e15 else { return value }
        return Double(nearest(scaled)) / scale
    }

    /// Rounds half away from zero. By integer, because `rounded()` would need the C mathematics library linked.
    /// The value must lie within +-9e15.
    static func nearest(_ value: Double) -> Int64 { Int64(value < 0 ? value - 0.5 : value + 0.5) }

    /// Fixed-point text with exactly `decimals` digits after the point.
    static func text(_ value: Double, _ decimals: Int) -> String {
        let places = min(max(decimals, 0), 8)
        let scaled = value * power(places)
        guard scaled.isFinite, abs(scaled) < 9e15 else { return "\(value)" }
        let units = nearest(scaled)
        // Written backwards into one small buffer: scores are full of numbers, and string sums cost more than scoring.
        return String(unsafeUninitializedCapacity: 24) { buffer in
            var rest = units.magnitude
            var count = 0
            repeat {
                buffer[count] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
                count += 1
                if count == places {
                    buffer[count] = UInt8(ascii: ".")
                    count += 1
                }
            } while rest > 0 || (places > 0 && count < places + 2)
            if units < 0 {
                buffer[count] = UInt8(ascii: "-")
                count += 1
            }
            var written = buffer[..<count]
            written.reverse()
            return count
        }
    }
}

/// A straight line from (`fromX`, `fromY`) to (`toX`, `toY`), flat outside: the only curve the factors use.
func ramp(_ value: Double, from: (x: Double, y: Double), to: (x: Double, y: Double)) -> Double {
    if value <= from.x { return from.y }
    if value >= to.x { return to.y }
    return from.y + (to.y - from.y) * (value - from.x) / (to.x - from.x)
}
