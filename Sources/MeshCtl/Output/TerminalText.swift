/// Text of strangers on a terminal: broker names, symbols and frames must not move the cursor or change its colours.
enum TerminalText {
    /// Control characters, and those that reverse or hide what is written, become visible escapes.
    static func sanitised(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: isHarmful) else { return String(text) }
        var result = ""
        for scalar in text.unicodeScalars {
            guard isHarmful(scalar) else {
                result.unicodeScalars.append(scalar)
                continue
            }
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                let digits = String(scalar.value, radix: 16)
                let isByte = scalar.value < 0x100
                let padding = String(repeating: "0", count: max(0, (isByte ? 2 : 4) - digits.count))
                result += (isByte ? "\\x" : "\\u") + padding + digits
            }
        }
        return result
    }

    /// Bytes of a frame: text where they are UTF-8, escapes elsewhere.
    static func sanitised(bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return sanitised(text) }
        var result = ""
        for byte in bytes {
            if (0x20..<0x7F).contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return result
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
        default: false
        }
    }
}
