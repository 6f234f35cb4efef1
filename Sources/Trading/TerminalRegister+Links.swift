import Domain

// Connections: who holds a name, who claims it, and which of two lives.
extension TerminalRegister {
    /// A connection's handshake is done; nobody has spoken on it.
    mutating func opened(_ link: TerminalLink, identity: [UInt8], now: Timestamp) {
        open[link.number] = (link, identity)
        openByIdentity[identity, default: []].insert(link.number)
        guard let user = restored[identity], !user.isEmpty else { return }
        guard byUser[user]?.link != nil else { return resume(user, identity) }
        // A second one of this name: what was only restored is not certain any more.
        if byUser[user]?.identityHeardAt == nil { release(user) }
    }

    /// A connection ended.
    mutating func lost(_ number: Int32, now: Timestamp, into actions: inout [TerminalAction]) {
        if let identity = open.removeValue(forKey: number)?.identity {
            openByIdentity[identity]?.remove(number)
            if openByIdentity[identity]?.isEmpty == true { openByIdentity[identity] = nil }
        }
        let user = claims.removeValue(forKey: number)?.user
        if let user {
            claimants[user]?.remove(number)
            if claimants[user]?.isEmpty == true { claimants[user] = nil }
        }
        guard let user, byUser[user]?.link?.number == number else { return }
        let wasAsked = byUser[user]?.probeUntil != nil
        let identity = byUser[user]?.identity
        release(user)
        if wasAsked { return succeed(user, now, &actions) }
        if let identity { expect(user, under: identity) }
    }

    /// A terminal whose network blinked connects again and says nothing for up to 30 s (2.05 says HELLO once): the one
    /// connection from its address that opens under its identity from now on is its own, as after a restart of ours. Not
    /// where others were heard on that identity or wait under it, and not under a name that libzmq made up.
    private mutating func expect(_ user: String, under identity: [UInt8]) {
        guard let first = identity.first, first != 0, heardOn[identity].map({ Set($0.keys) == [user] }) ?? false,
            byUser[user]?.conflict == nil, openByIdentity[identity] == nil
        else { return }
        restored[identity] = user
    }

    /// A sign of life on a connection: where two claim one name, the first of them lives.
    mutating func alive(_ number: Int32, now: Timestamp, into actions: inout [TerminalAction]) {
        guard let user = claims[number]?.user, let terminal = byUser[user], terminal.link?.number == number,
            terminal.probeUntil != nil
        else { return }
        byUser[user]?.probeUntil = nil
        probing.remove(user)
        guard let rival = rivals(of: user).first, let claim = claims[rival], let link = claim.link else { return }
        let own = terminal.link?.address ?? ""
        let isElsewhere = !sameHost(own, link.address)
        let isSameAccount = claim.account == nil || terminal.account == nil || claim.account == terminal.account
        let kind: ConflictKind = isElsewhere && isSameAccount ? .twoAddresses : .takenOver
        let text =
            isElsewhere
            ? "'\(user)' is spoken from \(own) and from \(link.address) at once"
            : "'\(user)' is spoken on two living connections from \(own)"
        mark(user, conflict(kind, claim, text, now), now, &actions)
    }

    /// Time passes: connections that did not answer are given up, doubts without a second speaker end.
    mutating func advance(to now: Timestamp, into actions: inout [TerminalAction]) {
        actions += waiting
        waiting = []
        for user in probing.sorted() {
            guard let until = byUser[user]?.probeUntil, until <= now else { continue }
            if let link = byUser[user]?.link {
                actions.append(.cut(link.number))
                lost(link.number, now: now, into: &actions)
            } else {
                release(user)
            }
        }
        for user in timed.sorted() {
            guard let conflict = byUser[user]?.conflict, let until = conflict.until, until <= now else { continue }
            // A forgotten second one may sit there for days.
            guard rivals(of: user).isEmpty else {
                byUser[user]?.conflict?.until = now.adding(milliseconds: TerminalRegister.conflictMilliseconds)
                continue
            }
            end(conflict.kind, of: user, by: "time", "nobody else has spoken for it", &actions)
        }
    }

    /// An operator says that the doubt is over: who speaks next is believed. Returns what it was.
    mutating func clear(
        _ user: String, by actor: String, reason: String, now: Timestamp, into actions: inout [TerminalAction]
    ) -> ConflictKind? {
        let known = byUser[user] == nil ? keptConflicts.removeValue(forKey: user) : byUser[user]?.conflict
        guard let conflict = known, conflict.isActive(now) else { return nil }
        keptConflicts[user] = nil
        for (identity, speakers) in heardOn where speakers[user] != nil && speakers.count > 1 {
            heardOn[identity] = [user: now]
        }
        end(conflict.kind, of: user, by: actor, reason, &actions)
        guard byUser[user]?.link == nil else { return conflict.kind }
        byUser[user]?.address = nil
        keptAddresses[user] = nil
        if let only = claimants[user], only.count == 1, let number = only.first, let claim = claims[number],
            let link = claim.link
        {
            _ = admit(claim, link, now, &actions)
        }
        return conflict.kind
    }

    private mutating func end(
        _ kind: ConflictKind, of user: String, by actor: String, _ reason: String, _ actions: inout [TerminalAction]
    ) {
        timed.remove(user)
        byUser[user]?.conflict = nil
        actions.append(
            .cleared(user: user, node: byUser[user]?.nodeID ?? "", kind, by: actor, reason: reason))
    }

    // MARK: - Claims

    mutating func note(_ claim: TerminalClaim, _ link: TerminalLink) {
        if let before = claims[link.number], before.user != claim.user {
            claimants[before.user]?.remove(link.number)
            if byUser[before.user]?.link == link { release(before.user) }
        }
        var claim = claim
        // A heartbeat names no account: what its HELLO said still holds.
        claim.account = claim.account ?? claims[link.number]?.account
        claim.server = claim.server ?? claims[link.number]?.server
        claims[link.number] = claim
        claimants[claim.user, default: []].insert(link.number)
    }

    /// Another connection than the one that holds the name.
    mutating func challenge(
        _ claim: TerminalClaim, _ holder: TerminalLink, _ now: Timestamp, _ actions: inout [TerminalAction]
    ) -> String? {
        let user = claim.user
        if let conflict = byUser[user]?.conflict, conflict.isFencing, conflict.isActive(now) {
            mark(user, self.conflict(conflict.kind, claim, conflict.text, now), now, &actions)
            return conflict.text
        }
        if byUser[user]?.probeUntil == nil {
            ask(user, holder, now)
            actions.append(.probe(holder.number))
        }
        return "'\(user)' is claimed on a second connection, from \(claim.link?.address ?? "unknown")"
    }

    private mutating func ask(_ user: String, _ holder: TerminalLink, _ now: Timestamp) {
        byUser[user]?.probeUntil = now.adding(milliseconds: TerminalRegister.probeMilliseconds)
        probing.insert(user)
    }

    /// node-registry has another run of this user than his connection spoke for: an EA that restarts opens new ones.
    mutating func look(after user: String, now: Timestamp) {
        guard let terminal = byUser[user], let holder = terminal.link, terminal.probeUntil == nil,
            let claim = claims[holder.number], claim.node != terminal.nodeID
        else { return }
        ask(user, holder, now)
        waiting.append(.probe(holder.number))
    }

    /// Nobody holds the name: whoever speaks from where it was known does from now on.
    mutating func admit(
        _ claim: TerminalClaim, _ link: TerminalLink, _ now: Timestamp, _ actions: inout [TerminalAction]
    ) -> String? {
        let user = claim.user
        let known = byUser[user]?.address
        let isKnown = known.map { sameHost($0, link.address) } ?? true
        guard isKnown || claim.rule != .learned else {
            let account = byUser[user]?.account
            let isSameAccount = claim.account == nil || account == nil || claim.account == account
            let text = "'\(user)' was known at \(known ?? "") and speaks from \(link.address) now"
            var doubt = conflict(isSameAccount ? .twoAddresses : .takenOver, claim, text, now)
            doubt.until = nil
            mark(user, doubt, now, &actions)
            return text
        }
        if claim.rule == .learned, known == nil, let text = pullingElsewhere(user, link) {
            // No fence: his own PULL goes on being served.
            mark(user, conflict(.takenOver, claim, text, now, isFencing: false), now, &actions)
            return text
        }
        believe(claim, now)
        byUser[user]?.link = link
        byUser[user]?.address = link.address
        if let conflict = byUser[user]?.conflict, conflict.kind != .sharedIdentity, conflict.until == nil {
            // It speaks again from where it was known.
            byUser[user]?.conflict?.until = now.adding(milliseconds: TerminalRegister.conflictMilliseconds)
            timed.insert(user)
        }
        if let rival = rivals(of: user).first, let other = claims[rival] {
            let text = "'\(user)' is claimed on several connections, and the one that held it is gone"
            mark(user, conflict(.takenOver, other, text, now), now, &actions)
        }
        actions.append(.trusted(user: user, node: claim.node, link))
        return nil
    }

    /// What speaks against a connection where the user's terminal is of those that PULL: it never speaks here, so that
    /// only its telemetry tells where it is.
    private func pullingElsewhere(_ user: String, _ link: TerminalLink) -> String? {
        guard let terminal = byUser[user], terminal.family.commandSocket() == .pull,
            let home = terminal.telemetryAddress, !sameHost(home, link.address)
        else { return nil }
        return
            "'\(user)' is spoken on the command port from \(link.address), where a terminal that PULLs says nothing, "
            + "and its telemetry comes from \(home); if it is a new terminal, its handshake has to come first"
    }

    /// The connection that held the name is gone while others claimed it.
    private mutating func succeed(_ user: String, _ now: Timestamp, _ actions: inout [TerminalAction]) {
        let heirs = (claimants[user] ?? []).sorted()
        guard let first = heirs.first, let claim = claims[first], let link = claim.link else { return }
        guard heirs.count > 1 else {
            _ = admit(claim, link, now, &actions)
            return
        }
        let text = "'\(user)' is claimed on \(heirs.count) connections, and the one that held it is gone"
        mark(user, conflict(.takenOver, claim, text, now), now, &actions)
    }

    mutating func release(_ user: String) {
        probing.remove(user)
        byUser[user]?.probeUntil = nil
        byUser[user]?.link = nil
        byUser[user]?.identity = nil
        byUser[user]?.identityHeardAt = nil
    }

    /// Other connections that claimed the user, and are there.
    private func rivals(of user: String) -> [Int32] {
        let own = byUser[user]?.link?.number
        return (claimants[user] ?? []).filter { $0 != own }.sorted()
    }
}
