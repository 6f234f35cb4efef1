import Domain

/// All terminals by user, with their routing identities fenced: one identity, one UUID, one connection.
///
/// The rules are in docs/fleet.md. A value; time is an argument, what is to be done leaves as ``TerminalAction``.
public struct TerminalRegister: Sendable {
    /// Two speakers under one name within this are a conflict; without a second one it then ends by itself.
    static let conflictMilliseconds: Int64 = 120_000
    /// How long a UUID counts as one that speaks under an identity: terminals are silent over a weekend, and over a week of
    /// holidays, and are there all the same.
    static let speakerMilliseconds: Int64 = 10 * 86_400_000
    /// Within this a connection that lives shows it: libzmq answers by itself, whatever its program does.
    static let probeMilliseconds: Int64 = 5_000
    /// 2.05 cuts one character: ten numeric neighbours may share an identity; more are not neighbours.
    static let maximumSpeakers = 16
    /// More speakers than this are refused: names come from outside and must not grow memory for ever.
    static let maximumCount = 50_000
    /// Of users nobody registered whose terminals are gone so many addresses are kept, the newest: names come from outside.
    static let maximumStrangers = 10_000

    public internal(set) var byUser: [String: Terminal] = [:]
    var userByNode: [String: String] = [:]
    /// Whose terminals are logged in to an account, by ``Terminal/accountKey``.
    var usersByAccount: [String: Set<String>] = [:]
    /// Every UUID heard on an identity lately, so that a shared one is noticed from either side.
    var heardOn: [[UInt8]: [String: Timestamp]] = [:]
    /// Whom a kept identity belongs to; empty where two users were kept under one.
    var restored: [[UInt8]: String] = [:]
    /// Connections whose handshake is done, with the identity they claim, and by identity.
    var open: [Int32: (link: TerminalLink, identity: [UInt8])] = [:]
    var openByIdentity: [[UInt8]: Set<Int32>] = [:]
    /// What was said last on each connection, and on which a user was claimed.
    var claims: [Int32: TerminalClaim] = [:]
    var claimants: [String: Set<Int32>] = [:]
    /// Users to look at when time passes.
    var probing: Set<String> = []
    var timed: Set<String> = []
    /// What an earlier process knew of users whose terminals may not have been seen yet.
    var keptAddresses: [String: KeptAddress] = [:]
    /// How many addresses were kept so far.
    var addressesKept = 0
    var keptConflicts: [String: IdentityConflict] = [:]
    /// When names that nobody speaks for were let go last.
    var roomMadeAt = Timestamp(milliseconds: 0)
    /// What was decided where nobody could take it.
    var waiting: [TerminalAction] = []

    public init() {}

    public subscript(user: String) -> Terminal? { byUser[user] }

    public func terminal(node: String) -> Terminal? { userByNode[node].flatMap { byUser[$0] } }

    public var count: Int { byUser.count }

    /// What node-registry says of a node.
    public mutating func update(
        user: String, node: String, _ change: (inout Terminal) -> Void
    ) {
        var terminal = byUser[user] ?? newcomer(user, node)
        if terminal.nodeID != node {
            userByNode[terminal.nodeID] = nil
            terminal.nodeID = node
            terminal.identityKeptAt = nil
            terminal.telemetryAddress = nil
            terminal.chartAdvancedAt = nil
            terminal.chartBrokerSeconds = .min
        }
        userByNode[node] = user
        change(&terminal)
        index(user, from: byUser[user], to: terminal)
        byUser[user] = terminal
    }

    /// A terminal that is new to this process, with what was known of its user before.
    private func newcomer(_ user: String, _ node: String) -> Terminal {
        var terminal = Terminal(userUUID: user, nodeID: node)
        terminal.address = keptAddresses[user]?.address
        terminal.conflict = keptConflicts[user]
        return terminal
    }

    /// A node ended. Only the current node of a user takes his terminal away.
    public mutating func end(node: String) {
        guard let user = userByNode[node] else { return }
        byUser[user]?.isActive = false
    }

    // MARK: - Frames

    /// A frame of a terminal: learns who speaks where. Returns what is wrong, if anything is.
    mutating func hear(
        _ claim: TerminalClaim, now: Timestamp, isRegistered: (String) -> Bool = { _ in false },
        into actions: inout [TerminalAction]
    ) -> String? {
        if let refusal = refusal(of: claim, now, isRegistered, &actions) { return refusal }
        if let link = claim.link { note(claim, link) }
        if let text = share(claim, now, &actions) { return text }
        guard let link = claim.link else { return hearUnlinked(claim, now, &actions) }
        guard let holder = byUser[claim.user]?.link else {
            return admit(claim, link, now, &actions) ?? sharing(claim.user)
        }
        guard holder == link else { return challenge(claim, holder, now, &actions) }
        if let text = sharing(claim.user) { return text }
        believe(claim, now)
        alive(link.number, now: now, into: &actions)
        return nil
    }

    /// What keeps a user who shares his identity from being believed.
    private func sharing(_ user: String) -> String? {
        guard let conflict = byUser[user]?.conflict, conflict.kind == .sharedIdentity, conflict.isFencing else {
            return nil
        }
        return conflict.text
    }

    /// Names come from outside: bounded, and only from where the user may speak.
    private mutating func refusal(
        of claim: TerminalClaim, _ now: Timestamp, _ isRegistered: (String) -> Bool,
        _ actions: inout [TerminalAction]
    ) -> String? {
        if heardOn.count >= TerminalRegister.maximumCount {
            heardOn = heardOn.filter { $0.value.values.contains { now - $0 < TerminalRegister.conflictMilliseconds } }
        }
        if byUser[claim.user] == nil, byUser.count >= TerminalRegister.maximumCount {
            makeRoom(now, isRegistered)
        }
        guard heardOn.count <= TerminalRegister.maximumCount,
            byUser[claim.user] != nil || byUser.count < TerminalRegister.maximumCount
        else { return "more than \(TerminalRegister.maximumCount) terminals claim a name; this one is not served" }
        guard let link = claim.link, let complaint = claim.complaint(about: link.address) else { return nil }
        let text = "'\(claim.user)' is claimed from \(link.address), \(complaint)"
        if byUser[claim.user] != nil {
            mark(claim.user, conflict(.takenOver, claim, text, now, isFencing: false), now, &actions)
        }
        return text
    }

    /// Two UUIDs on one identity. Not where the user's own connection has another one: then a stranger claims the name.
    private mutating func share(
        _ claim: TerminalClaim, _ now: Timestamp, _ actions: inout [TerminalAction]
    ) -> String? {
        let user = claim.user
        let identity = claim.identity
        let isMadeUp = identity.first == 0 && claim.link != nil
        if isMadeUp { return nil }
        if let holder = byUser[user]?.link, holder != claim.link, byUser[user]?.identity != identity { return nil }
        var heard = heardOn[identity] ?? [:]
        if heard[user] == nil, heard.count >= TerminalRegister.maximumSpeakers {
            heard = heard.filter { now - $0.value < TerminalRegister.conflictMilliseconds }
            guard heard.count < TerminalRegister.maximumSpeakers else {
                return "more than \(heard.count) users speak under the identity '\(printable(identity))'"
            }
        }
        heard[user] = now
        heardOn[identity] = heard
        let names = heard.filter { now - $0.value < TerminalRegister.speakerMilliseconds }.keys.sorted()
        guard names.count > 1 else { return nil }
        let others = names.filter { $0 != user }.prefix(3).joined(separator: ", ")
        let text = "the routing identity '\(printable(identity))' is used by \(user) and \(others)"
        if byUser[user] == nil { update(user: user, node: claim.node) { _ in } }
        for name in names where byUser[name] != nil {
            var conflict = conflict(.sharedIdentity, claim, text, now)
            conflict.until = nil
            conflict.users = Array(names.prefix(TerminalRegister.maximumSpeakers))
            // Commands go to his own connection, at an address he is bound to: nobody else can get them.
            if name != user, let number = byUser[name]?.link?.number, claims[number]?.isBound == true {
                conflict.isFencing = false
            }
            mark(name, conflict, now, &actions)
        }
        return text
    }

    /// The port does not tell connections apart: the identity is all there is.
    private mutating func hearUnlinked(
        _ claim: TerminalClaim, _ now: Timestamp, _ actions: inout [TerminalAction]
    ) -> String? {
        if let known = byUser[claim.user]?.identity, known != claim.identity,
            let heardAt = byUser[claim.user]?.identityHeardAt,
            now - heardAt < TerminalRegister.conflictMilliseconds
        {
            let text = "the user \(claim.user) speaks from two connections at once"
            mark(claim.user, conflict(.takenOver, claim, text, now), now, &actions)
            return text
        }
        believe(claim, now)
        return nil
    }

    // MARK: - Believing

    mutating func believe(_ claim: TerminalClaim, _ now: Timestamp) {
        update(user: claim.user, node: claim.node) {
            if $0.identity != claim.identity { $0.identityKeptAt = nil }
            $0.identity = claim.identity
            $0.identityHeardAt = now
        }
    }

    /// Takes a doubt down. Told once for each victim, not for each attempt.
    mutating func mark(
        _ user: String, _ fresh: IdentityConflict, _ now: Timestamp, _ actions: inout [TerminalAction]
    ) {
        guard let terminal = byUser[user] else { return }
        if var known = terminal.conflict, known.isActive(now) {
            let isGraver =
                (fresh.kind == .sharedIdentity && known.kind != .sharedIdentity)
                || (fresh.isFencing && !known.isFencing)
            guard isGraver else {
                if known.until != nil { known.until = fresh.until }
                for address in fresh.addresses where !known.addresses.contains(address) && known.addresses.count < 8 {
                    known.addresses.append(address)
                }
                byUser[user]?.conflict = known
                return
            }
        }
        byUser[user]?.conflict = fresh
        if fresh.until == nil { timed.remove(user) } else { timed.insert(user) }
        actions.append(.conflict(user: user, node: terminal.nodeID, fresh))
    }

    func conflict(
        _ kind: ConflictKind, _ claim: TerminalClaim, _ text: String, _ now: Timestamp, isFencing: Bool = true
    ) -> IdentityConflict {
        var addresses = [byUser[claim.user]?.link?.address ?? byUser[claim.user]?.address].compactMap { $0 }
        if let address = claim.link?.address, !addresses.contains(address) { addresses.append(address) }
        return IdentityConflict(
            kind: kind, since: now, until: now.adding(milliseconds: TerminalRegister.conflictMilliseconds), text: text,
            identity: printable(claim.identity), addresses: addresses, users: [claim.user], isFencing: isFencing)
    }

    func printable(_ identity: [UInt8]) -> String {
        String(decoding: identity.prefix(64).map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    // MARK: - Market

    /// Whose terminal a node is, and its broker's server. Mutating, for it looks in place: a terminal is a large value, and
    /// this is asked with every quote.
    mutating func quoting(node: String) -> (user: String, server: String)? {
        guard let user = userByNode[node], let server = byUser[user]?.serverInPlace() else { return nil }
        return (user, server)
    }

    /// A present tick of a user's terminal: moves its chart's clock on.
    mutating func tick(_ tick: Tick, of user: String, now: Timestamp) { byUser[user]?.take(tick, now: now) }
}
