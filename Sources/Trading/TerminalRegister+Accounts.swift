import Domain

// Whose terminals are logged in to an account: asked with every event that nobody here fired for.
extension TerminalRegister {
    func users(of key: PositionKey) -> Set<String> { usersByAccount[key.accountKey] ?? [] }

    /// Follows a terminal that logged in elsewhere, came or went.
    mutating func index(_ user: String, from before: Terminal?, to after: Terminal?) {
        guard before?.account != after?.account || before?.server != after?.server else { return }
        if let key = before?.accountKey {
            usersByAccount[key]?.remove(user)
            if usersByAccount[key]?.isEmpty == true { usersByAccount[key] = nil }
        }
        if let key = after?.accountKey { usersByAccount[key, default: []].insert(user) }
    }

    /// Lets go of a terminal that nobody speaks for. From where it spoke stays: else anybody could speak for it.
    mutating func remove(user: String) {
        guard let terminal = byUser.removeValue(forKey: user) else { return }
        if let address = terminal.address { keep(address: address, of: user) }
        userByNode[terminal.nodeID] = nil
        index(user, from: terminal, to: nil)
    }
}
