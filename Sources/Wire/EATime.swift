import Domain

/// A terminal's clock readings: `YYYY.MM.DD HH:MM:SS` or a number of seconds, as text of either kind.
enum EATime {
    /// Seconds of the terminal's clock, nil where the text is no time of 1970 to 2200. Milliseconds are seen as such.
    static func seconds(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard let first = bytes.first, first >= 0x30, first <= 0x39 else { return nil }
        if let reading = Timestamp.brokerSeconds(bytes) { return reading }
        var number: Int64 = 0
        for (index, byte) in bytes.enumerated() {
            // A fraction of a second is let go.
            if byte == UInt8(ascii: "."), index > 0 { break }
            guard byte >= 0x30, byte <= 0x39, index < 14 else { return nil }
            number = number * 10 + Int64(byte - 0x30)
        }
        let seconds = number >= 100_000_000_000 ? number / 1000 : number
        return seconds > 0 && seconds < 7_258_118_400 ? seconds : nil
    }

    static func seconds(_ text: String) -> Int64? {
        var copy = text
        return copy.withUTF8 { seconds($0) }
    }
}

/// How many decimals a number was written with, 8 at most.
func writtenDecimals(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    guard let point = bytes.firstIndex(of: UInt8(ascii: ".")) else { return 0 }
    var index = point + 1
    while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 { index += 1 }
    return min(8, index - point - 1)
}

func writtenDecimals(_ text: String) -> Int {
    var copy = text
    return copy.withUTF8 { writtenDecimals($0) }
}
