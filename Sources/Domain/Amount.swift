/// An exact decimal in units of 10^-8: money, prices and lots. Never floating point.
///
/// Range is about ±92 billion; arithmetic that would leave it is reported, not wrapped.
public struct Amount: Sendable, Hashable, Comparable {
    public static let unitsPerOne: Int64 = 100_000_000
    public static let zero = Amount(units: 0)

    /// The value in units of 10^-8, as Redis sums it (HINCRBY).
    public let units: Int64

    public init(units: Int64) { self.units = units }
    public init(_ whole: Int) { units = Int64(whole) * Amount.unitsPerOne }

    /// Reads decimal text such as `-12.30`, `1.17620` or `1e-3`; nil for anything else (`nan`, `inf`, `1e999`, ` `).
    ///
    /// Digits past the eighth decimal are rounded half to even.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let value = copy.withUTF8({ Amount(ascii: $0) }) else { return nil }
        self = value
    }

    public init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
        var index = 0
        let count = bytes.count
        guard count > 0, count <= 64 else { return nil }
        var isNegative = false
        if bytes[0] == 0x2D || bytes[0] == 0x2B {
            isNegative = bytes[0] == 0x2D
            index = 1
        }
        var digits: [UInt8] = []
        var pointPosition: Int?
        while index < count {
            let byte = bytes[index]
            if byte >= 0x30 && byte <= 0x39 {
                digits.append(byte - 0x30)
            } else if byte == 0x2E && pointPosition == nil {
                pointPosition = digits.count
            } else {
                break
            }
            index += 1
        }
        guard !digits.isEmpty else { return nil }
        var exponent = 0
        if index < count {
            guard bytes[index] == 0x65 || bytes[index] == 0x45 else { return nil }
            let tail = bytes[(index + 1)...]
            guard let number = Int(String(decoding: tail, as: UTF8.self)), abs(number) < 64 else { return nil }
            exponent = number
        }
        // The decimal point's place among the digits, then how many digits reach 10^-8.
        let integerDigits = (pointPosition ?? digits.count) + exponent
        guard let magnitude = Amount.units(digits, keeping: integerDigits + 8) else { return nil }
        units = isNegative ? -magnitude : magnitude
    }

    private static func units(_ digits: [UInt8], keeping kept: Int) -> Int64? {
        var value: Int64 = 0
        var position = 0
        while position < max(0, kept) {
            let digit = position < digits.count ? Int64(digits[position]) : 0
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            value = sum
            position += 1
            if position > digits.count && value == 0 { return 0 }
        }
        guard kept >= 0, kept < digits.count else { return value }
        let rest = digits[kept...]
        let first = rest.first ?? 0
        let isAboveHalf = first > 5 || (first == 5 && rest.dropFirst().contains { $0 != 0 })
        let isHalf = first == 5 && !isAboveHalf
        return isAboveHalf || (isHalf && value % 2 == 1) ? value + 1 : value
    }

    public static func < (left: Amount, right: Amount) -> Bool { left.units < right.units }

    public var isZero: Bool { units == 0 }
    public var isPositive: Bool { units > 0 }
    public var isNegative: Bool { units < 0 }
    public var magnitude: Amount { Amount(units: units == .min ? .max : abs(units)) }

    // Saturating: a sum past 92 billion of anything is a fault upstream, and a trap here would take everybody down.
    public static func + (left: Amount, right: Amount) -> Amount {
        let (sum, overflow) = left.units.addingReportingOverflow(right.units)
        return Amount(units: overflow ? (right.units > 0 ? .max : .min) : sum)
    }

    public static func - (left: Amount, right: Amount) -> Amount {
        let (difference, overflow) = left.units.subtractingReportingOverflow(right.units)
        return Amount(units: overflow ? (right.units < 0 ? .max : .min) : difference)
    }

    public static prefix func - (value: Amount) -> Amount { .zero - value }

    public static func += (left: inout Amount, right: Amount) { left = left + right }

    /// The product, rounded half to even at 10^-8; saturates.
    public static func * (left: Amount, right: Amount) -> Amount {
        Amount.rounded(Int128(left.units) * Int128(right.units), over: Int128(unitsPerOne))
    }

    /// The quotient, rounded half to even at 10^-8; nil when dividing by zero.
    public func divided(by divisor: Amount) -> Amount? {
        guard divisor.units != 0 else { return nil }
        return Amount.rounded(Int128(units) * Int128(Amount.unitsPerOne), over: Int128(divisor.units))
    }

    static func rounded(_ numerator: Int128, over denominator: Int128) -> Amount {
        let positive = denominator < 0 ? -denominator : denominator
        let signed = denominator < 0 ? -numerator : numerator
        var (quotient, remainder) = signed.quotientAndRemainder(dividingBy: positive)
        let twice = (remainder < 0 ? -remainder : remainder) * 2
        if twice > positive || (twice == positive && quotient % 2 != 0) { quotient += signed < 0 ? -1 : 1 }
        return Amount(units: Int64(clamping: quotient))
    }

    /// The largest multiple of `step` that is not above the value; the value itself for a step of zero or less.
    public func roundedDown(toStep step: Amount) -> Amount {
        guard step.units > 0 else { return self }
        let remainder = units % step.units
        return Amount(units: units - (remainder < 0 ? remainder + step.units : remainder))
    }

    /// Rounded half to even to a number of decimals (0 to 8).
    public func rounded(decimals: Int) -> Amount {
        let step = (0..<(8 - max(0, min(8, decimals)))).reduce(Int64(1)) { value, _ in value * 10 }
        let whole = Amount.rounded(Int128(units), over: Int128(step))
        let (result, overflow) = whole.units.multipliedReportingOverflow(by: step)
        return overflow ? self : Amount(units: result)
    }

    /// For market analysis and display widths only, never for sums.
    public var double: Double { Double(units) / Double(Amount.unitsPerOne) }
}

extension Amount: CustomStringConvertible {
    /// Decimal text without needless zeros, `0.1`, `-12.3`, `100`.
    public var description: String { text(minimumDecimals: 0) }

    /// Decimal text with at least so many decimals and no needless zeros after them: `text(minimumDecimals: 2)` is `12.30`.
    public func text(minimumDecimals: Int) -> String {
        let magnitude = units.magnitude
        let whole = magnitude / UInt64(Amount.unitsPerOne)
        let fraction = String(magnitude % UInt64(Amount.unitsPerOne))
        var decimals = Array(repeating: UInt8(0x30), count: 8 - fraction.utf8.count) + Array(fraction.utf8)
        while decimals.count > minimumDecimals, decimals.last == 0x30 { decimals.removeLast() }
        let sign = units < 0 ? "-" : ""
        return decimals.isEmpty ? "\(sign)\(whole)" : "\(sign)\(whole).\(String(decoding: decimals, as: UTF8.self))"
    }

    /// Rounded to two decimals and printed with both: how an account statement writes money.
    public var money: String { rounded(decimals: 2).text(minimumDecimals: 2) }
}
