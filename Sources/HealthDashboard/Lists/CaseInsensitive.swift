/// Comparing texts without regard to case, thousands of rows at a time: ASCII is compared byte by byte, since making a
/// lower-case copy of each field took most of a search's time. Other texts are compared as Unicode has it.
enum CaseInsensitive {
    /// - Parameter wanted: in lower case.
    static func isEqual(_ text: String, _ wanted: String) -> Bool {
        guard text.utf8.count == wanted.utf8.count else { return isOther(text) && text.lowercased() == wanted }
        let isSame = zip(text.utf8, wanted.utf8).allSatisfy { lower($0) == $1 }
        return isSame || (isOther(text) && text.lowercased() == wanted)
    }

    /// - Parameter wanted: in lower case, not empty.
    static func contains(_ text: String, _ wanted: String) -> Bool {
        var (text, wanted) = (text, wanted)
        let found = text.withUTF8 { bytes in
            wanted.withUTF8 { needle in isPart(needle, of: bytes) }
        }
        return found || (isOther(text) && text.lowercased().contains(wanted))
    }

    private static func isPart(_ needle: UnsafeBufferPointer<UInt8>, of bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard needle.count <= bytes.count else { return false }
        var start = 0
        while start + needle.count <= bytes.count {
            var length = 0
            while length < needle.count, lower(bytes[start + length]) == needle[length] { length += 1 }
            if length == needle.count { return true }
            start += 1
        }
        return false
    }

    /// Whether there is more in it than ASCII.
    private static func isOther(_ text: String) -> Bool { text.utf8.contains { $0 >= 0x80 } }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
