/// Bytes of a terminal as text: UTF-8 where they are, else its Windows code page.
///
/// MQL5 writes the terminal's ANSI code page (StringToCharArray's default CP_ACP), so `é` arrives as one byte
/// 0xE9. Windows-1252 is read where UTF-8 fails: every byte has a meaning there, so nothing is lost.
/// Source: ea-wire 1.2.
public enum ForeignText {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var text = String.UnicodeScalarView()
        for byte in bytes {
            let code: UInt32 = (0x80..<0xA0).contains(byte) ? upperControl[Int(byte) - 0x80] : UInt32(byte)
            text.append(Unicode.Scalar(code) ?? "\u{FFFD}")
        }
        return String(text)
    }

    /// What Windows-1252 has in 0x80...0x9F; its five holes stay the C1 controls. Source: Unicode mapping CP1252.TXT.
    private static let upperControl: [UInt32] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
        0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0x9D, 0x017E, 0x0178,
    ]
}
