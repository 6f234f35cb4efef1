import Wire

/// Writes the one argument of a script as JSON: Redis reads it in C, hundreds of arguments cost it more than the work.
///
/// Source: the Redis manual, "cjson library". Numbers must be such that a double holds them exactly.
struct ScriptInput {
    private var bytes: [UInt8] = [UInt8(ascii: "[")]
    private var needsComma = false

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// The whole, when everything is in.
    var text: String { String(decoding: bytes + [UInt8(ascii: "]")], as: UTF8.self) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    mutating func append(_ text: String) {
        separate()
        var plain = text
        let isPlain = plain.withUTF8 { utf8 in
            guard !utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C || $0 == 0x7F }) else { return false }
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: utf8)
            bytes.append(UInt8(ascii: "\""))
            return true
        }
        if !isPlain { JSON.string(text).write(into: &bytes) }
    }

    mutating func append(_ number: Int64) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    /// A list, whose elements the closure appends.
    mutating func list(_ elements: (inout ScriptInput) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
        elements(&self)
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    mutating func append(_ pairs: [(name: String, value: String)]) {
        list { input in
            for pair in pairs {
                input.append(pair.name)
                input.append(pair.value)
            }
        }
    }

    mutating func append(_ numbers: [Int]) {
        list { input in for number in numbers { input.append(Int64(number)) } }
    }
}
