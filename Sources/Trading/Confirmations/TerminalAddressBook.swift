/// From which address each user's terminal is believed: what tells a confirmation from a forged one.
///
/// position-tracker fences `ea-commands` and says which connection is the terminal (hash `terminal_addresses`). Whoever
/// reports trades of that user from somewhere else is not believed until the terminal itself is heard from there. A value.
public struct TerminalAddressBook: Sendable, Equatable {
    /// The users' addresses, without ports.
    public private(set) var addresses: [String: String] = [:]

    public init() {}

    /// Takes the whole list. One that is gone altogether says nothing: Redis was emptied, and it is written again with the
    /// terminals' next words. Only who was alone in it may have been taken out on purpose.
    public mutating func replace(with fresh: [String: String]) {
        if !fresh.isEmpty || addresses.count <= 1 { addresses = fresh }
    }

    /// Whether there is anything to compare that address with.
    public func mayObject(to address: String) -> Bool {
        !addresses.isEmpty && !TerminalAddressBook.isOwnMachine(address)
    }

    /// Why a message is not believed, in words for an operator, or nil.
    ///
    /// Nothing is held against a user whose terminal's address is not known, nor against this machine, on which other
    /// services speak for terminals.
    public func objection(to user: String?, from address: String?) -> String? {
        guard let user, let address, let known = addresses[user],
            !TerminalAddressBook.isOwnMachine(address), !TerminalAddressBook.isSame(known, address)
        else { return nil }
        return "'\(user)' is told about from \(address), his terminal speaks from \(known)"
    }

    /// IPv6 hosts change the second half of their address by themselves.
    public static func isSame(_ one: String, _ other: String) -> Bool {
        if one == other { return true }
        guard let first = network(one), let second = network(other) else { return false }
        return first == second
    }

    private static func isOwnMachine(_ address: String) -> Bool { address == "127.0.0.1" || address == "::1" }

    /// The first four groups of an IPv6 address, or nil where it is none.
    private static func network(_ address: String) -> [String]? {
        guard address.contains(":") else { return nil }
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
