/// A frame's bytes for scanning eight at a time. Reads past the end give zeros, which are part of no proper frame.
///
/// Borrowed memory: valid only while the frame is. At least eight bytes long.
struct FrameBytes {
    private let base: UnsafeRawPointer
    let count: Int

    /// `base` must point at `count` readable bytes, `count` at least 8.
    init(base: UnsafeRawPointer, count: Int) {
        precondition(count >= 8)
        self.base = base
        self.count = count
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    subscript(index: Int) -> UInt8 {
        index < count ? base.load(fromByteOffset: index, as: UInt8.self) : 0
    }

    /// Eight bytes, the first in the lowest place.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        if index &+ 8 <= count {
            return UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }
        let last = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
        // The smart shift gives zero where nothing of the frame is left.
        return last >> UInt64(truncatingIfNeeded: 8 &* (index &+ 8 &- count))
    }

    /// Whether a name's last letter, its quote and the colon stand there.
    @inline(__always)
    func isClosing(at index: Int, letter: UInt8) -> Bool {
        word(at: index) & 0xFF_FFFF == UInt64(letter) | 0x3A_2200
    }

    /// The place of the quote that ends a plain text: no escapes, no control characters, nothing but ASCII.
    @inline(__always)
    func stringEnd(from start: Int) -> Int? {
        var index = start
        while true {
            let found = FrameBytes.stops(word(at: index))
            if found == 0 {
                index &+= 8
                continue
            }
            index &+= found.trailingZeroBitCount >> 3
            return self[index] == UInt8(ascii: "\"") ? index : nil
        }
    }

    /// Flags `"`, `\`, control characters and all past `~`; exact up to and including the lowest flag.
    @inline(__always)
    private static func stops(_ word: UInt64) -> UInt64 {
        let quote = word ^ 0x2222_2222_2222_2222
        let backslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
        let isQuote = (quote &- ones) & ~quote
        let isBackslash = (backslash &- ones) & ~backslash
        let isControl = (word &- 0x2020_2020_2020_2020) & ~word
        let isForeign = word | (word &+ ones)
        return (isQuote | isBackslash | isControl | isForeign) & highs
    }

    /// How many of the eight bytes are digits, from the first on, and the digits' values.
    @inline(__always)
    private func digits(at index: Int) -> (count: Int, values: UInt64) {
        let values = word(at: index) ^ 0x3030_3030_3030_3030
        let others = ((values &+ 0x7676_7676_7676_7676) | values) & FrameBytes.highs
        guard others != 0 else { return (8, values) }
        let bits = others.trailingZeroBitCount & ~7
        return (bits >> 3, values & ((1 << UInt64(bits)) &- 1))
    }

    /// The end of a price above zero: 1 to 8 digits, at most 8 decimals, no sign, no exponent.
    @inline(__always)
    func positivePrice(at start: Int) -> Int? {
        let whole = digits(at: start)
        var index = start &+ whole.count
        guard whole.count > 0, whole.count == 1 || self[start] != UInt8(ascii: "0") else { return nil }
        var isPositive = whole.values != 0
        if self[index] == UInt8(ascii: ".") {
            let fraction = digits(at: index &+ 1)
            guard fraction.count > 0 else { return nil }
            isPositive = isPositive || fraction.values != 0
            index &+= 1 &+ fraction.count
        }
        // A ninth digit is for the caller to stumble over: only `,` and `}` may follow a value.
        return isPositive ? index : nil
    }

    /// The end of a JSON number without an exponent.
    @inline(__always)
    func number(at start: Int) -> Int? {
        let first = self[start] == UInt8(ascii: "-") ? start &+ 1 : start
        guard let whole = digitsEnd(from: first) else { return nil }
        guard whole == first &+ 1 || self[first] != UInt8(ascii: "0") else { return nil }
        guard self[whole] == UInt8(ascii: ".") else { return whole }
        return digitsEnd(from: whole &+ 1)
    }

    @inline(__always)
    private func digitsEnd(from start: Int) -> Int? {
        var index = start
        while true {
            let found = digits(at: index).count
            index &+= found
            if found < 8 { return index > start ? index : nil }
        }
    }
}
