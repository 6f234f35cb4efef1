/// Addresses of peers as text, without ports.
public enum NetworkAddress {
    /// Whether two addresses are of one machine: the same, or of one IPv6 network of 64 bits, whose hosts change the
    /// lower half by themselves.
    public static func isSameHost(_ one: String, _ other: String) -> Bool {
        if one == other { return true }
        let (one, other) = (canonical(one), canonical(other))
        guard let first = network(one), let second = network(other) else { return one == other }
        return first == second
    }

    /// This machine, on which services speak for terminals.
    public static func isOwnMachine(_ address: String) -> Bool {
        let address = canonical(address)
        return address == "127.0.0.1" || address == "::1"
    }

    /// An IPv4 address in the form IPv6 has for it (`::ffff:192.0.2.1`, `::ffff:c000:201`) as what it is; any other
    /// unchanged. Source: RFC 4291, 2.5.5.2.
    public static func canonical(_ address: String) -> String {
        guard address.utf8.count > 7, address.prefix(7).lowercased() == "::ffff:" else { return address }
        let rest = address.dropFirst(7)
        guard rest.utf8.contains(UInt8(ascii: ":")) else { return String(rest) }
        let groups = rest.split(separator: ":").compactMap { UInt16($0, radix: 16) }
        guard groups.count == 2 else { return address }
        return groups.flatMap { [$0 >> 8, $0 & 0xFF] }.map(String.init).joined(separator: ".")
    }

    /// The same for all addresses of one machine: what ``isSameHost(_:_:)`` compares.
    public static func host(_ address: String) -> String {
        let address = canonical(address)
        return network(address)?.joined(separator: ":") ?? address
    }

    /// Whether an address is one of a list's, which has commas between its entries.
    public static func isIn(_ list: String, _ address: String) -> Bool {
        guard list.utf8.contains(UInt8(ascii: ",")) else { return isSameHost(list, address) }
        return list.split(separator: ",").contains { isSameHost(String($0), address) }
    }

    /// The first four groups of an IPv6 address, or nil where it is none.
    private static func network(_ address: String) -> [String]? {
        guard address.utf8.contains(UInt8(ascii: ":")) else { return nil }
        let bare = address.prefix { $0 != "%" }
        let halves = bare.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let gap = halves.firstIndex(of: ""), bare.contains("::") else {
            return halves.count >= 4 ? halves.prefix(4).map(trimmed) : nil
        }
        let front = halves.prefix(gap).map(trimmed)
        let back = halves.suffix(from: gap).filter { !$0.isEmpty }.map(trimmed)
        let zeros = max(0, 8 - front.count - back.count)
        return Array((front + Array(repeating: "0", count: zeros) + back).prefix(4))
    }

    private static func trimmed(_ group: String) -> String {
        let rest = group.lowercased().drop { $0 == "0" }
        return rest.isEmpty ? "0" : String(rest)
    }
}
