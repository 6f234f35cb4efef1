public import Domain

/// A doubt about who speaks under a node's name, as position-tracker's fence found it or the registry saw itself.
public struct NodeConflict: Sendable, Equatable {
    /// `shared_identity`, `two_addresses`, `taken_over` or `account_on_two_terminals`.
    public var kind: String
    public var since: Timestamp
    public var text: String
    /// What an operator does about it.
    public var action: String
    public var identity = ""
    public var addresses: [String] = []
    public var users: [String] = []
    /// Whether commands are held back meanwhile.
    public var isHeldBack = true
    public var clearedBy: String?
    /// Until when the registry's own finding holds without being found again; nil where somebody else ends it.
    public var until: Timestamp?

    public init(kind: String, since: Timestamp, text: String, action: String) {
        self.kind = kind
        self.since = since
        self.text = text
        self.action = action
    }

    public static let twoAddresses = "two_addresses"
    public static let accountOnTwoTerminals = "account_on_two_terminals"
    public static let kinds: Set<String> = [
        "shared_identity", twoAddresses, "taken_over", accountOnTwoTerminals,
    ]
}

/// What the fence reports: of a node, or of a user where the node is not known.
public struct ConflictNotice: Sendable, Equatable {
    public var nodeID: String?
    public var userUUID: String?
    public var conflict: NodeConflict
    public var receivedAt: Timestamp
    public var reason: String?

    public init(nodeID: String?, userUUID: String?, conflict: NodeConflict, receivedAt: Timestamp) {
        self.nodeID = nodeID
        self.userUUID = userUUID
        self.conflict = conflict
        self.receivedAt = receivedAt
    }
}

extension NodeRegistryEngine {
    /// A finding of the registry's own ends when it was not found again for so long.
    static let conflictMilliseconds: Int64 = 120_000
    /// A node that spoke within this is there: another address can't be its new one.
    static let presentMilliseconds: Int64 = 90_000
    /// Farther back than this our clock was set, rather than two messages having overtaken each other.
    static let setBackMilliseconds: Int64 = 5_000
    static let maximumAwaited = 20_000

    /// Takes the time; after our clock was set back nothing stays in the future.
    mutating func notice(_ now: Timestamp) {
        guard latest - now > NodeRegistryEngine.setBackMilliseconds else {
            latest = max(latest, now)
            return
        }
        latest = now
        for nodeID in nodes.keys { nodes[nodeID]?.setBack(to: now) }
    }

    // MARK: - What the fence says

    mutating func note(_ notice: ConflictNotice, _ effects: inout [RegistryEffect]) -> RegistryOutcome {
        guard let nodeID = node(of: notice) else {
            // The fence hears a terminal before it is registered.
            guard let user = notice.userUUID, awaited.count < NodeRegistryEngine.maximumAwaited else {
                return .refused(.unknownNode(notice.nodeID ?? ""))
            }
            awaited[user] = notice.conflict
            return .ignored("awaits_registration")
        }
        return change(nodeID) { engine, node in
            engine.raise(notice.conflict, on: &node, &effects)
            return .accepted
        }
    }

    mutating func clear(_ notice: ConflictNotice, _ effects: inout [RegistryEffect]) -> RegistryOutcome {
        if let user = notice.userUUID { awaited[user] = nil }
        guard let nodeID = node(of: notice) else {
            return .refused(.unknownNode(notice.nodeID ?? notice.userUUID ?? ""))
        }
        return change(nodeID) { engine, node in
            guard node.identityConflict != nil else { return .ignored("no_conflict") }
            engine.end(&node, by: notice.conflict.clearedBy ?? "unknown", reason: notice.reason, &effects)
            return .accepted
        }
    }

    /// A node that was registered after the fence had spoken of its user.
    mutating func takeAwaited(_ node: inout NodeRecord, _ effects: inout [RegistryEffect]) {
        guard !awaited.isEmpty, let user = node.details[.userUUID], let conflict = awaited.removeValue(forKey: user)
        else { return }
        raise(conflict, on: &node, &effects)
    }

    /// A user's doubt goes over to the node that takes the place of another.
    mutating func inherit(
        _ conflict: NodeConflict?, _ node: inout NodeRecord, _ effects: inout [RegistryEffect]
    ) {
        guard let conflict, conflict.until == nil, node.identityConflict == nil else { return }
        node.identityConflict = conflict
        effects.append(.changed(node.nodeID))
    }

    /// The node that stands for the user now: the one named may have been replaced.
    func node(of notice: ConflictNotice) -> String? {
        if let user = notice.userUUID, let node = nodeOfUser[user] { return node }
        return notice.nodeID.flatMap { nodes[$0]?.nodeID }
    }

    mutating func raise(
        _ conflict: NodeConflict, on node: inout NodeRecord, _ effects: inout [RegistryEffect]
    ) {
        let isKnown = node.identityConflict?.kind == conflict.kind
        var fresh = conflict
        if isKnown, let since = node.identityConflict?.since { fresh.since = since }
        node.identityConflict = fresh
        guard !isKnown else { return }
        effects.append(.changed(node.nodeID))
        keep(NodeEvent(kind: .conflict, node: node, reason: fresh.text, time: latest, conflict: fresh), &effects)
    }

    private mutating func end(
        _ node: inout NodeRecord, by actor: String, reason: String?, _ effects: inout [RegistryEffect]
    ) {
        guard var conflict = node.identityConflict else { return }
        conflict.clearedBy = actor
        node.identityConflict = nil
        effects.append(.changed(node.nodeID))
        keep(NodeEvent(kind: .conflictCleared, node: node, reason: reason, time: latest, conflict: conflict), &effects)
    }

    // MARK: - What the registry sees itself

    /// Two users' living terminals in one account: both can be traded, and each user's risk is only half the truth.
    mutating func checkAccount(_ node: inout NodeRecord, _ at: Timestamp, _ effects: inout [RegistryEffect]) {
        guard let key = node.details.accountKey, let user = node.details[.userUUID],
            let holder = nodeOfAccount[key].flatMap({ nodes[$0] }), holder.nodeID != node.nodeID,
            holder.status == .active, let other = holder.details[.userUUID], other != user,
            node.identityConflict == nil
        else { return }
        var conflict = NodeConflict(
            kind: NodeConflict.accountOnTwoTerminals, since: at,
            text: "'\(user)' and '\(other)' are logged in to one account, \(key)",
            action: "decide which user trades this account and suspend the other: meshctl user suspend UUID")
        conflict.users = [user, other]
        conflict.addresses = [node.details[.peerAddress], holder.details[.peerAddress]].compactMap { $0 }
        conflict.isHeldBack = false
        conflict.until = latest.adding(milliseconds: NodeRegistryEngine.conflictMilliseconds)
        raise(conflict, on: &node, &effects)
    }

    /// Findings of the registry's own that are over; to be called every few seconds.
    public mutating func reviewConflicts(at now: Timestamp, into effects: inout [RegistryEffect]) {
        notice(now)
        for nodeID in nodes.keys.sorted() {
            guard var node = nodes[nodeID], let conflict = node.identityConflict, let until = conflict.until else {
                continue
            }
            if conflict.kind == NodeConflict.accountOnTwoTerminals, node.status == .active, shares(node, conflict) {
                continue
            }
            guard conflict.kind == NodeConflict.accountOnTwoTerminals || until <= latest else { continue }
            end(&node, by: "time", reason: "it was not found again", &effects)
            nodes[nodeID] = node
        }
    }

    private func shares(_ node: NodeRecord, _ conflict: NodeConflict) -> Bool {
        conflict.users.contains { name in
            guard name != node.details[.userUUID], let other = nodeOfUser[name].flatMap({ nodes[$0] }) else {
                return false
            }
            return other.status == .active && other.details.accountKey == node.details.accountKey
        }
    }

    // MARK: - Node ids

    /// A node id that came before and was replaced names a new run when its handshake is of the present: ids are made of a
    /// 32-bit clock that starts at every boot and wraps, so that an EA started by the boot may well get an old one.
    /// Source: ea-wire 1.1.
    func isNewRun(_ node: NodeRecord, _ registration: Registration, _ at: Timestamp) -> Bool {
        guard let seconds = registration.brokerSeconds,
            let server = registration.details[.server] ?? node.details[.server],
            var clock = clocks[server], let age = clock.age(ofBrokerSeconds: seconds, now: at)
        else { return false }
        let end = node.disconnectedAt ?? node.lastSeen
        return age <= BrokerClock.currentWithinMilliseconds && at - end > BrokerClock.currentWithinMilliseconds
    }
}

extension NodeRecord {
    /// Whether one of its names contains a text, in any case.
    public func isNamed(_ text: String) -> Bool {
        let wanted = text.lowercased()
        let names = [
            nodeID, sessionID, nodeUUID, details[.userUUID], details[.account], details[.server], details[.broker],
            details[.peerAddress],
        ]
        return names.contains { $0?.lowercased().contains(wanted) ?? false }
    }
}
