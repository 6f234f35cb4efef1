/// Why text is no JSON, with the offset of the byte where that showed.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        case empty, truncated, unexpected, tooDeep = "too_deep", notANumber = "not_a_number", trailing
    }
    public let code: Code
    public let offset: Int

    public var description: String { "not JSON at byte \(offset): \(code.rawValue)" }
}

/// A reader of RFC 8259 text with a bound on nesting; strict but for raw control characters in strings, which
/// terminals do not escape. Never allocates more than the text is long.
struct JSONParser {
    /// Deeper than any message of the contract; what is deeper is an attack or a mistake.
    static let maximumDepth = 16

    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    /// Bytes read so far.
    var consumed: Int { index }

    mutating func parseDocument() throws(JSONError) -> JSON {
        skipSpace()
        guard !isAtEnd else { throw JSONError(code: .empty, offset: 0) }
        let value = try parseValue(depth: 0)
        skipSpace()
        guard isAtEnd else { throw JSONError(code: .trailing, offset: index) }
        return value
    }

    /// One value at the start of the bytes, whatever follows it.
    mutating func parseLeadingValue() throws(JSONError) -> JSON { try parseValue(depth: 1) }

    private mutating func parseValue(depth: Int) throws(JSONError) -> JSON {
        guard depth < JSONParser.maximumDepth else { throw JSONError(code: .tooDeep, offset: index) }
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try parseObject(depth: depth))
        case UInt8(ascii: "["): return .array(try parseArray(depth: depth))
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parse(word: "true", as: .bool(true))
        case UInt8(ascii: "f"): return try parse(word: "false", as: .bool(false))
        case UInt8(ascii: "n"):
            // Broken terminals print `nan`: name it, it is not just a misspelt null.
            if index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "a") {
                throw JSONError(code: .notANumber, offset: index)
            }
            return try parse(word: "null", as: .null)
        case UInt8(ascii: "N"), UInt8(ascii: "i"), UInt8(ascii: "I"): throw JSONError(code: .notANumber, offset: index)
        default:
            let start = index
            guard skipNumber() else { throw numberError(at: start) }
            return .number(String(decoding: bytes[start..<index], as: UTF8.self))
        }
    }

    private func numberError(at start: Int) -> JSONError {
        // `1.` or `-` at the end of the text: the digits that should follow were cut off.
        if isAtEnd, index > start { return JSONError(code: .truncated, offset: index) }
        let isSigned = bytes[start] == UInt8(ascii: "-")
        let next = start + 1 < bytes.count ? bytes[start + 1] : 0
        let isWord = isSigned && (next == UInt8(ascii: "n") || next == UInt8(ascii: "i"))
        return JSONError(code: isWord ? .notANumber : .unexpected, offset: start)
    }

    private mutating func parseObject(depth: Int) throws(JSONError) -> JSONObject {
        var object = JSONObject()
        index += 1
        skipSpace()
        if try peek() == UInt8(ascii: "}") {
            index += 1
            return object
        }
        while true {
            skipSpace()
            guard try peek() == UInt8(ascii: "\"") else { throw JSONError(code: .unexpected, offset: index) }
            let name = try parseString()
            skipSpace()
            guard try peek() == UInt8(ascii: ":") else { throw JSONError(code: .unexpected, offset: index) }
            index += 1
            skipSpace()
            object.append(name, try parseValue(depth: depth + 1))
            skipSpace()
            let separator = try peek()
            index += 1
            if separator == UInt8(ascii: "}") { return object }
            guard separator == UInt8(ascii: ",") else { throw JSONError(code: .unexpected, offset: index - 1) }
        }
    }

    private mutating func parseArray(depth: Int) throws(JSONError) -> [JSON] {
        var items: [JSON] = []
        index += 1
        skipSpace()
        if try peek() == UInt8(ascii: "]") {
            index += 1
            return items
        }
        while true {
            skipSpace()
            items.append(try parseValue(depth: depth + 1))
            skipSpace()
            let separator = try peek()
            index += 1
            if separator == UInt8(ascii: "]") { return items }
            guard separator == UInt8(ascii: ",") else { throw JSONError(code: .unexpected, offset: index - 1) }
        }
    }

    private mutating func parseString() throws(JSONError) -> String {
        index += 1
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                let text = ForeignText.decode(UnsafeBufferPointer(rebasing: bytes[start..<index]))
                index += 1
                return text
            case UInt8(ascii: "\\"): return try parseEscapedString(from: start)
            default: index += 1
            }
        }
        throw JSONError(code: .truncated, offset: bytes.count)
    }

    private mutating func parseEscapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<index])
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return text.withUnsafeBufferPointer { ForeignText.decode($0) } }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            let escape = try peek()
            index += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"): text.append(contentsOf: Array(String(try parseUnicode()).utf8))
            default: throw JSONError(code: .unexpected, offset: index - 1)
            }
        }
        throw JSONError(code: .truncated, offset: bytes.count)
    }

    private mutating func parseUnicode() throws(JSONError) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let first = try parseHexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        else { return replacement }
        index += 2
        let second = try parseHexadecimal()
        guard (0xDC00..<0xE000).contains(second) else { return replacement }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? replacement
    }

    private mutating func parseHexadecimal() throws(JSONError) -> UInt32 {
        guard index + 4 <= bytes.count else { throw JSONError(code: .truncated, offset: bytes.count) }
        var value: UInt32 = 0
        for offset in index..<(index + 4) {
            switch bytes[offset] {
            case 0x30...0x39: value = value << 4 | UInt32(bytes[offset] - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((bytes[offset] | 0x20) - 0x57)
            default: throw JSONError(code: .unexpected, offset: offset)
            }
        }
        index += 4
        return value
    }

    private mutating func parse(word: StaticString, as value: JSON) throws(JSONError) -> JSON {
        let count = word.utf8CodeUnitCount
        guard index + count <= bytes.count else { throw JSONError(code: .truncated, offset: bytes.count) }
        for offset in 0..<count where bytes[index + offset] != word.utf8Start[offset] {
            throw JSONError(code: .unexpected, offset: index + offset)
        }
        index += count
        return value
    }

    /// Passes over one number; false, and nothing promised about the position, where there is none.
    mutating func skipNumber() -> Bool {
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index += 1 }
        guard index < bytes.count else { return false }
        if bytes[index] == UInt8(ascii: "0") {
            index += 1
        } else if !skipDigits() {
            return false
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard skipDigits() else { return false }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            guard skipDigits() else { return false }
        }
        return true
    }

    private mutating func skipDigits() -> Bool {
        let start = index
        while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 { index += 1 }
        return index > start
    }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard index < bytes.count else { throw JSONError(code: .truncated, offset: bytes.count) }
        return bytes[index]
    }
}
