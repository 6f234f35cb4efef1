/// A position's name in the world: tickets are unique per broker server only.
///
/// Spelled `<server>|<account>|<ticket>`; a `|`, `%` or control character inside a part is percent-encoded.
public struct PositionKey: Sendable, Hashable, CustomStringConvertible {
    public let server: String
    public let account: String
    public let ticket: Int64

    public init(server: String, account: String, ticket: Int64) {
        self.server = server
        self.account = account
        self.ticket = ticket
    }

    public init?(_ text: String) {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 3, let ticket = Int64(parts[2]) else { return nil }
        self.init(server: KeyPart.decode(parts[0]), account: KeyPart.decode(parts[1]), ticket: ticket)
    }

    public var description: String { "\(accountKey)|\(ticket)" }

    /// `<server>|<account>`: the account's name in the world.
    public var accountKey: String { PositionKey.accountKey(server: server, account: account) }

    public static func accountKey(server: String, account: String) -> String {
        "\(KeyPart.encode(server))|\(KeyPart.encode(account))"
    }
}

/// One part of a composite Redis key.
public enum KeyPart {
    public static func encode(_ text: String) -> String {
        guard text.utf8.contains(where: needsEscape) else { return text }
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if needsEscape(byte) {
                bytes.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    public static func decode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var iterator = Array(text.utf8)[...]
        while let byte = iterator.popFirst() {
            if byte == UInt8(ascii: "%"), iterator.count >= 2, let high = nibble(iterator[iterator.startIndex]),
                let low = nibble(iterator[iterator.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                iterator = iterator.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46, 0x61...0x66: (digit | 0x20) - 0x57
        default: nil
        }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x21 || byte == 0x7F || byte == UInt8(ascii: "|") || byte == UInt8(ascii: "%")
    }
}
