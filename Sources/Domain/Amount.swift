/// An exact decimal in units of 10^-8: money, prices and lots. Never floating point.
///
/// Range is about ±92 billion; arithmetic that would leave it is reported, not wrapped.
public struct Amount: Sendable, Hashable, Comparable {
    public static let unitsPerOne: Int64 = 100_000_000
    public static let zero = Amount(units: 0)

    /// The value in units of 10^-8, as Redis sums it (HINCRBY).
    public let units: Int64

    public init(units: Int64) { self.units = units }
    /// A whole number; saturates past 92 billion.
    public init(_ whole: Int) {
        let (product, overflow) = Int64(whole).multipliedReportingOverflow(by: Amount.unitsPerOne)
        units = overflow ? (whole < 0 ? .min : .max) : product
    }

    /// Reads decimal text such as `-12.30`, `1.17620` or `1e-3`; nil for anything else (`nan`, `inf`, `1e999`, ` `).
    ///
    /// Digits past the eighth decimal are rounded half to even.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let value = copy.withUTF8({ Amount(ascii: $0) }) else { return nil }
        self = value
    }

    /// The same of ASCII bytes, without allocating: at most 64 of them, exponents below 64 either way.
    public init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count > 0, bytes.count <= 64 else { return nil }
        let isNegative = bytes[0] == 0x2D
        let start = isNegative || bytes[0] == 0x2B ? 1 : 0
        var end = start
        var digits = 0
        var integerDigits: Int?
        while end < bytes.count {
            let byte = bytes[end]
            if byte >= 0x30 && byte <= 0x39 {
                digits += 1
            } else if byte == 0x2E && integerDigits == nil {
                integerDigits = digits
            } else {
                break
            }
            end += 1
        }
        guard digits > 0, let exponent = Amount.exponent(bytes, from: end) else { return nil }
        // The decimal point's place among the digits, then how many digits reach 10^-8.
        let kept = (integerDigits ?? digits) + exponent + 8
        guard let magnitude = Amount.units(bytes, start..<end, keeping: kept) else { return nil }
        if isNegative {
            guard magnitude <= Int64.min.magnitude else { return nil }
            units = Int64(truncatingIfNeeded: 0 &- magnitude)
        } else {
            guard magnitude <= Int64.max.magnitude else { return nil }
            units = Int64(magnitude)
        }
    }

    /// The exponent that starts at an index: 0 at the end of the text, nil where something else stands.
    private static func exponent(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard start < bytes.count else { return 0 }
        guard bytes[start] | 0x20 == 0x65, start + 1 < bytes.count else { return nil }
        let sign = bytes[start + 1]
        var index = sign == 0x2D || sign == 0x2B ? start + 2 : start + 1
        guard index < bytes.count else { return nil }
        var value = 0
        while index < bytes.count {
            guard bytes[index] >= 0x30, bytes[index] <= 0x39 else { return nil }
            value = value * 10 + Int(bytes[index] - 0x30)
            guard value < 64 else { return nil }
            index += 1
        }
        return sign == 0x2D ? -value : value
    }

    /// The first `kept` digits of the text as a number, rounded half to even by the rest; nil past 64 bits.
    private static func units(
        _ bytes: UnsafeBufferPointer<UInt8>, _ text: Range<Int>, keeping kept: Int
    ) -> UInt64? {
        var value: UInt64 = 0
        var position = 0
        var firstDropped: UInt8 = 0
        var hasMore = false
        func append(_ digit: UInt8) -> Bool {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            value = sum
            return !overflow && !carry
        }
        for byte in bytes[text] where byte != 0x2E {
            let digit = byte - 0x30
            if position < kept {
                guard append(digit) else { return nil }
            } else if position == kept {
                firstDropped = digit
            } else {
                hasMore = hasMore || digit != 0
            }
            position += 1
        }
        while position < kept, value != 0 {
            guard append(0) else { return nil }
            position += 1
        }
        let isUp = firstDropped > 5 || (firstDropped == 5 && (hasMore || value % 2 == 1))
        guard isUp else { return value }
        let (sum, overflow) = value.addingReportingOverflow(1)
        return overflow ? nil : sum
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
        return self - Amount(units: remainder < 0 ? remainder + step.units : remainder)
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
