/// Reads an object whose writer escaped nothing: EAs build JSON by gluing texts together.
///
/// A string value ends only at a quote that a next field (`,"name":`) or the frame's last brace follows; backslashes
/// are themselves. Names are plain words. Nested values must be proper JSON. Source: ea-wire 1.2.
struct EALenientReader {
    private static let maximumName = 64
    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The object, or nil where even this reading makes no sense of the bytes.
    mutating func read() -> JSONObject? {
        guard byte(at: 0) == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else { return nil }
        var object = JSONObject()
        index = 1
        while true {
            index = pastSpace(index)
            guard let colon = nameEnd(at: index) else { return nil }
            let name = text(index + 1, colon.quote)
            index = pastSpace(colon.next)
            guard let value = readValue() else { return nil }
            object.append(name, value)
            index = pastSpace(index)
            if index == bytes.count - 1 { return byte(at: index) == UInt8(ascii: "}") ? object : nil }
            guard byte(at: index) == UInt8(ascii: ",") else { return nil }
            index += 1
        }
    }

    private mutating func readValue() -> JSON? {
        switch byte(at: index) {
        case UInt8(ascii: "\""): return readString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): return readNested()
        default: return readWord()
        }
    }

    private mutating func readString() -> JSON? {
        let start = index + 1
        var end = start
        while end < bytes.count {
            if bytes[end] == UInt8(ascii: "\""), isEnd(end + 1) {
                index = end + 1
                return .string(text(start, end))
            }
            end += 1
        }
        return nil
    }

    /// Whether what follows a quote says that the quote closed its string.
    private func isEnd(_ position: Int) -> Bool {
        let next = pastSpace(position)
        switch byte(at: next) {
        case UInt8(ascii: "}"): return next == bytes.count - 1
        case UInt8(ascii: ","): return nameEnd(at: pastSpace(next + 1)) != nil
        default: return false
        }
    }

    private mutating func readNested() -> JSON? {
        var parser = JSONParser(bytes: UnsafeBufferPointer(rebasing: bytes[index...]))
        guard let value = try? parser.parseLeadingValue() else { return nil }
        index += parser.consumed
        return value
    }

    private mutating func readWord() -> JSON? {
        let start = index
        while let byte = byte(at: index), byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte > 0x20 {
            index += 1
        }
        guard index > start else { return nil }
        return try? JSON(UnsafeBufferPointer(rebasing: bytes[start..<index]))
    }

    /// Where a name that opens at `position` closes, and where its value may begin; nil where there is no name.
    private func nameEnd(at position: Int) -> (quote: Int, next: Int)? {
        guard byte(at: position) == UInt8(ascii: "\"") else { return nil }
        var end = position + 1
        while let byte = byte(at: end), isNameByte(byte), end - position <= EALenientReader.maximumName { end += 1 }
        guard end > position + 1, byte(at: end) == UInt8(ascii: "\"") else { return nil }
        let colon = pastSpace(end + 1)
        return byte(at: colon) == UInt8(ascii: ":") ? (end, colon + 1) : nil
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    private func pastSpace(_ position: Int) -> Int {
        var next = position
        while byte(at: next) == 0x20 { next += 1 }
        return next
    }

    private func byte(at position: Int) -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private func text(_ start: Int, _ end: Int) -> String {
        ForeignText.decode(UnsafeBufferPointer(rebasing: bytes[start..<end]))
    }
}
