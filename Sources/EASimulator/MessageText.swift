import Domain

/// A message as EAs build it: strings joined in a fixed order, no spaces, nothing escaped. Source: ea-wire 1.2.
struct MessageText {
    private(set) var bytes: [UInt8] = []

    /// Opens the object with its `type`.
    init(type: StaticString) {
        bytes.reserveCapacity(448)
        append(literal: "{\"type\":\"")
        append(literal: type)
        append(literal: "\"")
    }

    /// Continues text that was prepared, for instance the part of a TICK that never changes.
    init(prefix: [UInt8]) {
        bytes.reserveCapacity(prefix.count + 96)
        bytes.append(contentsOf: prefix)
    }

    // MARK: - Fields, each with its leading comma

    mutating func text(_ name: StaticString, _ value: TerminalText) {
        key(name)
        append(literal: "\"")
        bytes.append(contentsOf: value.bytes)
        append(literal: "\"")
    }

    mutating func integer(_ name: StaticString, _ value: some BinaryInteger) {
        key(name)
        append(integer: value)
    }

    /// A fixed number of decimals, as DoubleToString prints them.
    mutating func decimal(_ name: StaticString, _ value: Amount, _ decimals: Int) {
        key(name)
        append(value, decimals: decimals)
    }

    /// Two decimals.
    mutating func money(_ name: StaticString, _ value: Amount) { decimal(name, value, 2) }

    /// A value that is JSON already.
    mutating func raw(_ name: StaticString, _ value: StaticString) {
        key(name)
        append(literal: value)
    }

    /// A list of objects, each of them finished.
    mutating func list(_ name: StaticString, _ items: [[UInt8]]) {
        key(name)
        append(literal: "[")
        bytes.append(contentsOf: items.joined(separator: [UInt8(ascii: ",")]))
        append(literal: "]")
    }

    consuming func finished() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    // MARK: - Pieces

    mutating func append(literal text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ text: TerminalText) { bytes.append(contentsOf: text.bytes) }

    mutating func append(integer value: some BinaryInteger) {
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func append(_ value: Amount, decimals: Int) {
        DecimalText.append(value, decimals: decimals, to: &bytes)
    }

    private mutating func key(_ name: StaticString) {
        append(literal: ",\"")
        append(literal: name)
        append(literal: "\":")
    }
}
