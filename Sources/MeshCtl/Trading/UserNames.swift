import Domain
import ServiceKit

/// UUIDs that `meshctl user add` gives out: the part before the last character is unique.
///
/// EA 2.05 connects under its UUID without the last character, so that neighbours which differ there alone are one terminal
/// to whoever routes by it. Here that character means nothing: it is always the same.
/// Source: the EA's StringToCharArray with an explicit count, docs/fleet.md.
enum UserNames {
    /// Long enough for every EA (10 characters at least), short enough for a line of `bitten_deployment.cfg`.
    static let randomCharacters = 16
    static let prefix = "user_"
    static let last: Character = "0"
    /// No letters that are read wrongly: i, l, o, u.
    private static let alphabet = Array("abcdefghjkmnpqrstvwxyz123456789")

    static func make(_ generator: inout some RandomNumberGenerator) -> String {
        var name = prefix
        for _ in 0..<randomCharacters { name.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]) }
        name.append(last)
        return name
    }

    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return make(&generator)
    }

    /// What a UUID routes as.
    static func routed(_ uuid: String) -> String { String(uuid.dropLast()) }

    /// What is wrong with a UUID somebody chose, in words, or nil. EAs write it unescaped and read no more than a line.
    static func complaint(about uuid: String) -> String? {
        if uuid.utf8.count < 10 { return "is shorter than 10 characters: no EA starts with it" }
        if uuid.utf8.count > 128 { return "is longer than 128 characters" }
        let isPlain = uuid.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: ",")
        }
        return isPlain ? nil : "may only have visible ASCII characters without quotes, backslashes and commas"
    }
}
