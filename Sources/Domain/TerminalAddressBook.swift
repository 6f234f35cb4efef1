/// From which addresses each user's terminal is believed: what tells a message from a forged one.
///
/// position-tracker fences `ea-commands` and says which connection is the terminal (hash `terminal_addresses`). Whoever
/// speaks of that user from somewhere else is not believed until the terminal itself is heard from there. A value.
public struct TerminalAddressBook: Sendable, Equatable {
    /// The users' addresses, without ports; several with commas between them.
    public private(set) var addresses: [String: String] = [:]

    public init() {}

    /// Stands in every list that position-tracker wrote whole, where a user would: so one that names nobody any more is
    /// told from one that is gone.
    public static let marker = ""

    /// Takes the whole list. One that is gone altogether says nothing: Redis was emptied, and it is written again within
    /// seconds.
    ///
    /// - Returns: whether anything is another one now.
    @discardableResult
    public mutating func replace(with list: [String: String]) -> Bool {
        var fresh = list
        let isThere = fresh.removeValue(forKey: TerminalAddressBook.marker) != nil
        guard isThere || !fresh.isEmpty, fresh != addresses else { return false }
        addresses = fresh
        return true
    }

    /// Whether there is anything to compare that address with.
    public func mayObject(to address: String) -> Bool {
        !addresses.isEmpty && !NetworkAddress.isOwnMachine(address)
    }

    /// Why a message is not believed, in words for an operator, or nil.
    ///
    /// Nothing is held against a user whose terminal's address is not known, nor against this machine, on which other
    /// services speak for terminals.
    public func objection(to user: String?, from address: String?) -> String? {
        guard let address, !NetworkAddress.isOwnMachine(address) else { return nil }
        return complaint(about: user, from: address)
    }

    /// The same for a port on which nobody speaks for a terminal but itself: this machine is an address like any other.
    public func complaint(about user: String?, from address: String?) -> String? {
        guard let user, let address, let known = addresses[user], !NetworkAddress.isIn(known, address) else {
            return nil
        }
        return "'\(user)' is told about from \(address), his terminal speaks from "
            + known.replacing(",", with: ", ")
    }
}
