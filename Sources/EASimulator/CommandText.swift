import Domain

/// A command as EAs read it: text search, no JSON. Source: ea-wire 1.5.
///
/// The first `"key":` anywhere counts, nested or not; a space before the colon hides a key; a string ends at the
/// first quote, since escapes are not understood.
struct CommandText {
    /// What the EA's receive buffer holds; the rest of a longer frame is lost.
    static let bufferSize = 4096

    let bytes: [UInt8]
    /// 7.01 also ends a number at a space or a line break.
    var endsNumbersAtSpace = false

    init(frame: some Sequence<UInt8>, endsNumbersAtSpace: Bool = false) {
        bytes = Array(frame.prefix(CommandText.bufferSize).prefix { $0 != 0 })
        self.endsNumbersAtSpace = endsNumbersAtSpace
    }

    /// The value's raw text; empty where the key is missing or has none.
    func value(_ key: StaticString) -> TerminalText {
        guard var start = find(CommandText.pattern(key), from: 0) else { return "" }
        while start < bytes.count, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        guard start < bytes.count else { return "" }
        var end: Int
        if bytes[start] == UInt8(ascii: "\"") {
            start += 1
            end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\"") { end += 1 }
        } else {
            end = start
            while end < bytes.count, !isEndOfNumber(bytes[end]) { end += 1 }
        }
        return TerminalText(bytes: Array(bytes[start..<end]))
    }

    /// StringToDouble: the number the text starts with, zero where there is none.
    func amount(_ key: StaticString) -> Amount { CommandText.leadingAmount(value(key).bytes) }

    /// StringToInteger: the digits the text starts with, zero where there are none.
    func integer(_ key: StaticString) -> Int64 { CommandText.leadingInteger(value(key).bytes[...]) }

    func contains(_ text: StaticString) -> Bool {
        find(text.withUTF8Buffer { Array($0) }, from: 0) != nil
    }

    /// The integer behind each `"key":`, in the order they stand there.
    func integers(everyOf key: StaticString) -> [Int64] {
        var found: [Int64] = []
        var position = 0
        while let start = find(CommandText.pattern(key), from: position) {
            // The EA takes five characters from behind the colon and converts those.
            found.append(CommandText.leadingInteger(bytes[start..<min(bytes.count, start + 5)]))
            position = start
        }
        return found
    }

    private func isEndOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "}"): true
        case UInt8(ascii: "]"): !endsNumbersAtSpace
        case 0x20, 0x0A, 0x0D: endsNumbersAtSpace
        default: false
        }
    }

    private static func pattern(_ key: StaticString) -> [UInt8] {
        [UInt8(ascii: "\"")] + key.withUTF8Buffer { Array($0) } + [UInt8(ascii: "\""), UInt8(ascii: ":")]
    }

    /// The position behind the first occurrence.
    private func find(_ pattern: [UInt8], from start: Int) -> Int? {
        guard let first = pattern.first, bytes.count >= pattern.count else { return nil }
        var index = start
        while index + pattern.count <= bytes.count {
            if bytes[index] == first, bytes[index..<(index + pattern.count)].elementsEqual(pattern) {
                return index + pattern.count
            }
            index += 1
        }
        return nil
    }

    static func leadingAmount(_ text: [UInt8]) -> Amount {
        var characters = text.drop { $0 == 0x20 || $0 == 0x09 }
        if let end = characters.firstIndex(where: { !"+-.0123456789eE".utf8.contains($0) }) {
            characters = characters[..<end]
        }
        // Whatever is no number as a whole may still begin with one: take bytes away until it is.
        while !characters.isEmpty {
            if let value = Array(characters).withUnsafeBufferPointer({ Amount(ascii: $0) }) { return value }
            characters = characters.dropLast()
        }
        return .zero
    }

    static func leadingInteger(_ text: ArraySlice<UInt8>) -> Int64 {
        let characters = text.drop { $0 == 0x20 || $0 == 0x09 }
        let isNegative = characters.first == UInt8(ascii: "-")
        var value: Int64 = 0
        for byte in characters.dropFirst(isNegative ? 1 : 0) {
            guard byte >= 0x30, byte <= 0x39 else { break }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
            if overflow || carry { return isNegative ? .min : .max }
            value = sum
        }
        return isNegative ? -value : value
    }
}
