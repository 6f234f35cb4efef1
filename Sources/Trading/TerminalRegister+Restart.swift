import Domain

// What is kept of terminals over a restart of ours: ways that were known, doubts that only an operator ends.
extension TerminalRegister {
    /// How often an identity that has not changed is written down again.
    static let keepMilliseconds: Int64 = 60_000

    /// Whether an identity that was just heard is to be written down. One that libzmq made up is of its connection only.
    mutating func shouldKeep(identity: [UInt8], user: String, now: Timestamp) -> Bool {
        guard let first = identity.first, first != 0 else { return false }
        if let keptAt = byUser[user]?.identityKeptAt, now - keptAt < TerminalRegister.keepMilliseconds { return false }
        byUser[user]?.identityKeptAt = now
        return true
    }

    /// The nodes whose kept identity is not to be trusted after a conflict.
    mutating func forgetKept(identity: [UInt8], user: String) -> [String] {
        var nodes: [String] = []
        for name in Set(heardOn[identity]?.keys.map { $0 } ?? []).union([user]).sorted() {
            guard let terminal = byUser[name], terminal.identityKeptAt != nil else { continue }
            byUser[name]?.identityKeptAt = nil
            nodes.append(terminal.nodeID)
        }
        return nodes
    }

    /// From where a user was believed before our restart.
    mutating func restore(address: String, user: String) {
        keep(address: address, of: user)
        if byUser[user]?.link == nil { byUser[user]?.address = address }
    }

    /// Users an address is known of, whether their terminals are there or not.
    public var addressed: Set<String> { Set(byUser.keys).union(keptAddresses.keys) }

    /// From where a user's terminal was believed last, by this process or an earlier one.
    public func learnedAddress(of user: String) -> String? {
        guard let terminal = byUser[user] else { return keptAddresses[user]?.address }
        return terminal.address
    }

    mutating func keep(address: String, of user: String) {
        addressesKept += 1
        keptAddresses[user] = KeptAddress(address: address, number: addressesKept)
    }

    /// Lets go of what there is too much of. Whom an operator registered is never let go of, and of the others those who
    /// have a terminal have its address: whoever makes up names drives out names that were made up.
    mutating func forgetStrangers(_ isRegistered: (String) -> Bool) {
        guard keptAddresses.count > TerminalRegister.maximumStrangers else { return }
        let strangers = keptAddresses.filter { !isRegistered($0.key) }
        let surplus = strangers.count - TerminalRegister.maximumStrangers
        guard surplus > 0 else { return }
        for (user, _) in strangers.sorted(by: { $0.value.number < $1.value.number }).prefix(surplus) {
            keptAddresses[user] = nil
        }
    }

    /// His registration goes: from where he spoke goes with it, unless he speaks now.
    mutating func forgetAddress(of user: String) {
        keptAddresses[user] = nil
        if byUser[user]?.link == nil { byUser[user]?.address = nil }
    }

    /// Takes a kept identity for a node that is active and has not been heard yet. Where two users were kept under one
    /// identity nobody is reached by it until he is heard. With `isLinked` it takes the one connection from the known
    /// address that claims it, now or when that opens.
    mutating func restore(identity: [UInt8], user: String, node: String, isLinked: Bool = false) {
        guard let terminal = byUser[user], terminal.nodeID == node, terminal.isActive, terminal.identity == nil,
            !identity.isEmpty, restored[identity] != ""
        else { return }
        if let other = restored[identity], other != user {
            restored[identity] = ""
            if byUser[other]?.identityHeardAt == nil { release(other) }
            return
        }
        restored[identity] = user
        if isLinked { resume(user, identity) } else { byUser[user]?.identity = identity }
    }

    mutating func resume(_ user: String, _ identity: [UInt8]) {
        guard let numbers = openByIdentity[identity], numbers.count == 1, let number = numbers.first,
            let link = open[number]?.link, let terminal = byUser[user], terminal.isActive, terminal.link == nil,
            terminal.conflict == nil, claims[number] == nil,
            let known = terminal.address, sameHost(known, link.address)
        else { return }
        note(TerminalClaim(user: user, node: terminal.nodeID, identity: identity, link: link), link)
        byUser[user]?.link = link
        byUser[user]?.identity = identity
    }

    /// Names come from outside: those that nobody speaks for any more make room, at most once a minute.
    mutating func makeRoom(_ now: Timestamp, _ isRegistered: (String) -> Bool = { _ in false }) {
        guard now - roomMadeAt >= TerminalRegister.keepMilliseconds || now < roomMadeAt else { return }
        roomMadeAt = now
        for (user, terminal) in byUser where terminal.link == nil && terminal.conflict == nil && claimants[user] == nil
        {
            if let heard = terminal.identityHeardAt, now - heard < TerminalRegister.conflictMilliseconds { continue }
            guard !terminal.isActive || terminal.account == nil || terminal.address == nil else { continue }
            remove(user: user)
        }
        forgetStrangers(isRegistered)
    }

    /// A doubt that only an operator ends, kept over a restart of ours.
    mutating func restore(conflict: IdentityConflict, user: String) {
        keptConflicts[user] = conflict
        if byUser[user]?.conflict == nil { byUser[user]?.conflict = conflict }
    }
}

/// From where a user without a terminal was believed last.
struct KeptAddress: Sendable, Equatable {
    let address: String
    /// Counts on: the lowest was kept first.
    let number: Int
}
