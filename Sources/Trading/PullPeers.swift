public import Domain

/// Connections of terminals that PULL (2.02, 2.01), by the listener they came to. They say nothing there: whose one is can
/// only be judged by its address.
struct PullPeers: Sendable {
    struct Peer: Sendable, Equatable {
        let link: TerminalLink
        let since: Timestamp
    }

    /// By the user a listener is for; empty: for whoever is the one that PULLs.
    private(set) var byOwner: [String: [Peer]] = [:]

    mutating func open(_ peer: Peer, owner: String?) { byOwner[owner ?? "", default: []].append(peer) }

    mutating func lost(_ number: Int32) {
        for (owner, peers) in byOwner {
            let left = peers.filter { $0.link.number != number }
            byOwner[owner] = left.isEmpty ? nil : left
        }
    }
}

/// Who is there for a user's commands.
enum PullVerdict: Sendable, Equatable {
    case one(TerminalLink)
    case nobody
    /// Only such as are elsewhere than the user is believed.
    case elsewhere(believed: String, [String])
    /// More than one that may be his.
    case several([String])
}

extension PositionTrackerEngine {
    /// A PULL was so long there beside another one that both have shown that they live.
    static let pullsSettledMilliseconds: Int64 = 7_000

    /// The handshake of a PULL is done.
    ///
    /// - Parameter owner: the user its listener is for; nil where that is for whoever is the one that PULLs.
    public mutating func pullOpened(_ link: TerminalLink, owner: String?, now: Timestamp) {
        pulls.open(PullPeers.Peer(link: link, since: now), owner: owner)
    }

    public mutating func pullLost(_ number: Int32) { pulls.lost(number) }

    /// From where a terminal's telemetry comes, as node-registry believes it: a terminal that says nothing on the command
    /// port is known by that.
    public mutating func nodeSpeaks(_ node: String, from address: String?) {
        guard let address, !address.isEmpty, let user = terminals.terminal(node: node)?.userUUID else { return }
        terminals.update(user: user, node: node) { $0.telemetryAddress = address }
    }

    /// The connection on which a user's terminal PULLs; nil where nobody can say which it is.
    public func pullLink(of user: String) -> Int32? {
        if case .one(let link) = pullVerdict(user) { link.number } else { nil }
    }

    func pullVerdict(_ user: String) -> PullVerdict {
        let peers = pulls.byOwner[policy.commandListeners.ownPush.contains(user) ? user : ""] ?? []
        guard !peers.isEmpty else { return .nobody }
        let believed = believedAddresses(of: user)
        let own = peers.filter { peer in believed.map { sameHost($0, peer.link.address) } ?? true }
        if own.count == 1, let only = own.first { return .one(only.link) }
        return own.isEmpty
            ? .elsewhere(believed: believed ?? "", PositionTrackerEngine.addresses(peers))
            : .several(PositionTrackerEngine.addresses(own))
    }

    /// Addresses with commas between them; nil where he is believed from anywhere, or nothing is known of him.
    private func believedAddresses(of user: String) -> String? {
        switch users[user]?.addresses ?? .learned {
        case .any: nil
        case .only(let list): list.joined(separator: ",")
        case .learned: terminals.learnedAddress(of: user) ?? terminals[user]?.telemetryAddress
        }
    }

    private static func addresses(_ peers: [PullPeers.Peer]) -> [String] {
        Set(peers.map(\.link.address)).sorted()
    }

    /// Why nothing can be sent to a terminal that PULLs, where that is a matter of who it is.
    func pullDoubt(_ terminal: Terminal) -> String? {
        guard commandSocket(of: terminal.userUUID) == .pull, hearing(of: terminal).isHeard else { return nil }
        let user = terminal.userUUID
        switch pullVerdict(user) {
        case .one, .nobody: return nil
        case .elsewhere(let believed, let addresses):
            let from = PositionTrackerEngine.few(addresses)
            return "the only PULL where '\(user)' takes commands is from \(from), and he speaks from \(believed)"
        case .several(let addresses):
            let from = PositionTrackerEngine.few(addresses)
            return "several PULL where '\(user)' takes commands, from \(from): nobody can say which is his"
        }
    }

    private static func few(_ addresses: [String]) -> String {
        addresses.prefix(4).joined(separator: ", ") + (addresses.count > 4 ? " and \(addresses.count - 4) more" : "")
    }

    /// Looks at who PULLs: one who is elsewhere than his terminal, or several, is told of as a doubt about the user. The
    /// doubt lasts as long as they are there; commands go to the one connection that is believed meanwhile, or to nobody.
    public mutating func judgePulls(now: Timestamp, into outputs: inout [TrackerOutput]) {
        for owner in pulls.byOwner.keys.sorted() {
            guard let user = owner.isEmpty ? solePuller : owner, let terminal = terminals[user],
                commandSocket(of: user) == .pull, let peers = pulls.byOwner[owner]
            else { continue }
            let believed = believedAddresses(of: user)
            let foreign = peers.filter { peer in believed.map { !sameHost($0, peer.link.address) } ?? false }
            let own = peers.count - foreign.count
            let isSettled = peers.allSatisfy { now - $0.since >= PositionTrackerEngine.pullsSettledMilliseconds }
            var doubt: (kind: ConflictKind, text: String)?
            if let believed, !foreign.isEmpty {
                let from = PositionTrackerEngine.few(PositionTrackerEngine.addresses(foreign))
                doubt = (
                    .twoAddresses,
                    "the commands of '\(user)' are PULLed from \(from), and he speaks from \(believed): nothing is "
                        + (own == 0 ? "sent while his own PULL is not there" : "sent there")
                )
            } else if own > 1, isSettled {
                doubt = (
                    .takenOver,
                    "\(own) connections PULL the commands of '\(user)' from "
                        + "\(PositionTrackerEngine.few(PositionTrackerEngine.addresses(peers))): nobody can say which is "
                        + "his, so nothing is sent; leave one of them (a second chart, a copy of the terminal)"
                )
            }
            guard let doubt else { continue }
            let addresses = [believed].compactMap { $0 } + PositionTrackerEngine.addresses(peers)
            let conflict = IdentityConflict(
                kind: doubt.kind, since: now,
                until: now.adding(milliseconds: TerminalRegister.conflictMilliseconds), text: doubt.text,
                identity: "PULL", addresses: Array(addresses.prefix(8)), users: [terminal.userUUID], isFencing: false)
            fence(into: &outputs) { $0.mark(user, conflict, now, &$1) }
        }
    }

    /// The one user whose terminal PULLs from a listener that is nobody's own.
    private var solePuller: String? {
        let pulling = terminals.byUser.values.filter { terminal in
            terminal.isActive && !policy.commandListeners.ownPush.contains(terminal.userUUID)
                && commandSocket(of: terminal.userUUID) == .pull
        }
        return pulling.count == 1 ? pulling.first?.userUUID : nil
    }
}
