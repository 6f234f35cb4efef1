/// Decimal text and rounding without Foundation, so that the module stays free of imports.
enum Decimals {
    private static let powers: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]

    static func power(_ exponent: Int) -> Double { powers[min(max(exponent, 0), 8)] }

    static func rounded(_ value: Double, _ decimals: Int) -> Double {
        let scale = power(decimals)
        let scaled = value * scale
        guard scaled.isFinite, abs(scaled) < 9e15 else { return value }
        return scaled.rounded() / scale
    }

    /// Fixed-point text with exactly `decimals` digits after the point.
    static func text(_ value: Double, _ decimals: Int) -> String {
        let places = min(max(decimals, 0), 8)
        let scaled = (value * power(places)).rounded()
        guard scaled.isFinite, abs(scaled) < 9e15 else { return "\(value)" }
        let units = Int64(scaled)
        let sign = units < 0 ? "-" : ""
        let digits = String(units.magnitude)
        guard places > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.utf8.count)) + digits
        return sign + padded.dropLast(places) + "." + padded.suffix(places)
    }
}

/// A straight line from (`fromX`, `fromY`) to (`toX`, `toY`), flat outside: the only curve the factors use.
func ramp(_ value: Double, from: (x: Double, y: Double), to: (x: Double, y: Double)) -> Double {
    if value <= from.x { return from.y }
    if value >= to.x { return to.y }
    return from.y + (to.y - from.y) * (value - from.x) / (to.x - from.x)
}
