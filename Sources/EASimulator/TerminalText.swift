import Glibc

/// Text as a terminal puts it on the wire: bytes of its Windows code page, never escaped.
///
/// A quote or a backslash in it breaks the JSON around it, exactly as it does in the field. Source: ea-wire 1.2.
struct TerminalText: Sendable, Hashable, ExpressibleByStringLiteral {
    var bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }
    init(_ text: String) { bytes = Array(text.utf8) }
    init(stringLiteral text: String) { bytes = Array(text.utf8) }

    var isEmpty: Bool { bytes.isEmpty }
    /// For people and event lines; bytes that are no UTF-8 are replaced.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    static func + (left: TerminalText, right: TerminalText) -> TerminalText {
        TerminalText(bytes: left.bytes + right.bytes)
    }
}

/// A Windows ANSI code page, as MQL5's StringToCharArray(CP_ACP) applies it. Source: iconv(3), ea-wire 1.2.
struct CodePage: Sendable {
    /// What iconv calls it: `CP1252`, `CP932`, `CP1251`.
    let name: String

    init(_ name: String) throws(SimulatorError) {
        self.name = name
        guard let converter = CodePage.open(name) else {
            throw SimulatorError("unknown code page '\(name)'; try CP1252, CP1251 or CP932")
        }
        iconv_close(converter)
    }

    /// What the page has no character for becomes `?`, as Windows does it.
    func encode(_ text: String) -> TerminalText {
        guard text.utf8.contains(where: { $0 >= 0x80 }), let converter = CodePage.open(name) else {
            return TerminalText(text)
        }
        defer { iconv_close(converter) }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            bytes.append(contentsOf: CodePage.convert(scalar, converter) ?? [UInt8(ascii: "?")])
        }
        return TerminalText(bytes: bytes)
    }

    private static func open(_ name: String) -> iconv_t? {
        guard let converter = iconv_open(name, "UTF-8"), Int(bitPattern: converter) != -1 else { return nil }
        return converter
    }

    private static func convert(_ scalar: Unicode.Scalar, _ converter: iconv_t) -> [UInt8]? {
        var input = Array(String(scalar).utf8).map { CChar(bitPattern: $0) }
        var output = [CChar](repeating: 0, count: 8)
        var remaining = input.count
        var room = output.count
        let converted = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                var from = source.baseAddress
                var to = target.baseAddress
                return iconv(converter, &from, &remaining, &to, &room)
            }
        }
        guard converted == 0 else { return nil }
        return output.prefix(output.count - room).map { UInt8(bitPattern: $0) }
    }
}
