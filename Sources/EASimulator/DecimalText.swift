import Domain

/// MQL5's ways with decimals: DoubleToString and NormalizeDouble, on exact numbers.
enum DecimalText {
    private static let powersOfTen: [UInt64] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
    ]

    /// A fixed number of decimals (0 to 8), halves rounded away from zero.
    static func fixed(_ value: Amount, decimals: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        append(value, decimals: decimals, to: &bytes)
        return bytes
    }

    static func append(_ value: Amount, decimals: Int, to bytes: inout [UInt8]) {
        let places = max(0, min(8, decimals))
        let scale = powersOfTen[8 - places]
        let magnitude = (value.units.magnitude + scale / 2) / scale
        // A negative value that rounds to nothing keeps its sign: terminals do print -0.00.
        if value.units < 0 { bytes.append(UInt8(ascii: "-")) }
        let unit = powersOfTen[places]
        bytes.append(contentsOf: String(magnitude / unit).utf8)
        guard places > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        var divisor = unit / 10
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(magnitude / divisor % 10))
            divisor /= 10
        }
    }

    static func roundedAway(_ value: Amount, decimals: Int) -> Amount {
        let scale = powersOfTen[8 - max(0, min(8, decimals))]
        let magnitude = (value.units.magnitude + scale / 2) / scale * scale
        let units = Int64(clamping: magnitude)
        return Amount(units: value.units < 0 ? -units : units)
    }
}
