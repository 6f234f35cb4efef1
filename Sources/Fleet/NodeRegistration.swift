import Domain

// How nodes come, merge, take over from one another and come back.

extension NodeRegistryEngine {
    mutating func register(_ registration: Registration, _ effects: inout [RegistryEffect]) -> RegistryOutcome {
        let at = bounded(registration.receivedAt)
        let address = registration.details[.peerAddress]
        if !registration.isBelieved, let refusal = refusal(of: registration, at, &effects) { return .refused(refusal) }
        let user = registration.details[.userUUID]
        let isBelieved = registration.isBelieved
        if let refusal = elsewhere(registration.nodeID, address, isBelieved: isBelieved, user: user, at, &effects) {
            return .refused(refusal)
        }
        guard var node = nodes[registration.nodeID] else { return admit(registration, at, &effects) }
        defer { nodes[registration.nodeID] = node }
        if let user = registration.details[.userUUID], let known = node.details[.userUUID], user != known {
            // Node ids name one run of one terminal: a second owner of a living one is a mistake or an attack.
            guard node.status != .active else { return .refused(.identityConflict(registration.nodeID)) }
            release(node)
            node.details = NodeDetails()
        }
        var replaced: String?
        var isNew = false
        switch node.status {
        case .active: break
        case .timeout:
            recover(&node, at, &effects)
        case .replaced, .disconnected:
            guard mayReturn(node, registration, at) else {
                return .registered(node, replaced: nil)
            }
            comeBack(&node, at, &effects)
            isNew = true
        }
        let account = node.details[.account]
        let changed = node.details.merge(registration.details)
        node.note(sign: at)
        effects.append(.changed(node.nodeID))
        if let account, let now = node.details[.account], account != now {
            record(.switched, node, "was account \(account)", &effects)
        }
        if isNew || changed.contains(where: { !$0.isFigure }) {
            replaced = claim(&node, at, &effects)
            record(.registered, node, isNew ? "returned" : "updated", &effects)
        }
        return .registered(node, replaced: replaced)
    }

    /// Whether a node that had ended may be active again: its words have to be newer than its end, and no other
    /// node may stand in its place.
    private func mayReturn(_ node: NodeRecord, _ registration: Registration, _ at: Timestamp) -> Bool {
        if registration.via == .heartbeat { return false }
        if let rival = rival(of: node, registration.details), rival.status == .active {
            return isNewRun(node, registration, at)
        }
        let end = node.disconnectedAt ?? node.lastSeen
        return registration.via == .hello ? at > end.adding(milliseconds: Self.helloSlack) : at >= end
    }

    private mutating func admit(
        _ registration: Registration, _ at: Timestamp, _ effects: inout [RegistryEffect]
    ) -> RegistryOutcome {
        guard nodes.count < limits.nodes || makeRoom(&effects) else { return .refused(.registryFull) }
        var node = NodeRecord(nodeID: registration.nodeID, nodeUUID: uuids.next(), sessionID: uuids.next(), at: at)
        node.details = registration.details
        var replaced: String?
        if let rival = rival(of: node, node.details), rival.status == .active, rival.connectedAt > at {
            // A late word of a terminal that was started before the one that runs now.
            node.end(.replaced)
            node.replacedBy = rival.nodeID
        } else {
            activeCount += 1
            nodeOfSession[node.sessionID] = node.nodeID
            replaced = claim(&node, at, &effects)
        }
        nodes[node.nodeID] = node
        effects.append(.changed(node.nodeID))
        record(.registered, node, registration.via.rawValue, &effects)
        return .registered(node, replaced: replaced)
    }

    // MARK: - Standing for a user and an account

    /// The node that stands where this one would: of the same user, or of the same account where no user is known.
    private func rival(of node: NodeRecord, _ details: NodeDetails) -> NodeRecord? {
        let other: String? =
            if let user = details[.userUUID] ?? node.details[.userUUID] {
                nodeOfUser[user]
            } else {
                (details.accountKey ?? node.details.accountKey).flatMap { nodeOfAccount[$0] }
            }
        guard let other, other != node.nodeID, let rival = nodes[other] else { return nil }
        // 7.01 runs once for each chart and names no user: seven charts of one account are seven nodes.
        if (details[.family] ?? node.details[.family]) == "7.01", rival.details[.userUUID] == nil { return nil }
        let isSameKind = (rival.details[.userUUID] == nil) == ((details[.userUUID] ?? node.details[.userUUID]) == nil)
        return isSameKind ? rival : nil
    }

    /// Makes an active node the one of its user and account; returns the node whose place it took.
    @discardableResult
    mutating func claim(_ node: inout NodeRecord, _ at: Timestamp, _ effects: inout [RegistryEffect]) -> String? {
        var replaced: String?
        if var former = rival(of: node, node.details), former.status == .active || former.status == .timeout {
            if former.status == .active {
                former.finishConnection(at: former.lastSeen)
                activeCount -= 1
            }
            former.end(.replaced)
            former.replacedBy = node.nodeID
            former.disconnectedAt = at
            former.disconnectReason = "replaced"
            nodes[former.nodeID] = former
            replaced = former.nodeID
            inherit(former.identityConflict, &node, &effects)
            former.identityConflict = nil
            nodes[former.nodeID] = former
            effects.append(.changed(former.nodeID))
            record(.replaced, former, "by \(node.nodeID)", &effects)
        }
        if let user = node.details[.userUUID] { nodeOfUser[user] = node.nodeID }
        takeAwaited(&node, &effects)
        checkAccount(&node, at, &effects)
        if let key = node.details.accountKey { nodeOfAccount[key] = node.nodeID }
        return replaced
    }

    /// Gives up a node's places.
    mutating func release(_ node: NodeRecord) {
        if let user = node.details[.userUUID], nodeOfUser[user] == node.nodeID { nodeOfUser[user] = nil }
        if let key = node.details.accountKey, nodeOfAccount[key] == node.nodeID { nodeOfAccount[key] = nil }
        if nodeOfSession[node.sessionID] == node.nodeID { nodeOfSession[node.sessionID] = nil }
    }

    // MARK: - Connections

    /// A node that was given up is heard again.
    mutating func recover(_ node: inout NodeRecord, _ at: Timestamp, _ effects: inout [RegistryEffect]) {
        comeBack(&node, at, &effects)
        record(.recovered, node, nil, &effects)
    }

    private mutating func comeBack(_ node: inout NodeRecord, _ at: Timestamp, _ effects: inout [RegistryEffect]) {
        node.status = .active
        node.liveness = .live
        node.disconnectedAt = nil
        node.disconnectReason = nil
        node.replacedBy = nil
        activeCount += 1
        beginSession(&node, at, &effects)
        claim(&node, at, &effects)
        effects.append(.changed(node.nodeID))
    }

    /// A node whose connections were all lost has one again, before it was given up.
    mutating func reconnect(_ node: inout NodeRecord, _ at: Timestamp, _ effects: inout [RegistryEffect]) {
        node.finishConnection(at: node.lostAt ?? at)
        beginSession(&node, at, &effects)
    }

    private mutating func beginSession(
        _ node: inout NodeRecord, _ at: Timestamp, _ effects: inout [RegistryEffect]
    ) {
        nodeOfSession[node.sessionID] = nil
        effects.append(.sessionEnded(node.sessionID))
        node.beginConnection(session: uuids.next(), at: at)
        node.note(sign: at)
        nodeOfSession[node.sessionID] = node.nodeID
    }

    // MARK: - Switching accounts

    /// The same user goes on with another account: a new node takes the old one's place.
    mutating func switchAccount(_ change: AccountSwitch, _ effects: inout [RegistryEffect]) -> RegistryOutcome {
        let at = bounded(change.receivedAt)
        guard let old = nodes[change.nodeID] else { return .refused(.unknownNode(change.nodeID)) }
        guard old.status != .replaced else { return .refused(.replaced(old)) }
        guard let account = change.details[.account] else { return .refused(.missingField("account")) }
        var details = change.details
        details[.userUUID] = details[.userUUID] ?? old.details[.userUUID]
        for field in [NodeField.server, .broker, .terminal, .version, .socketType, .deploymentMode, .dialect] {
            details[field] = details[field] ?? old.details[field]
        }
        let nodeID = change.newNodeID ?? "NODE_\(account)_\(at.milliseconds)"
        guard nodes[nodeID] == nil else { return .refused(.nodeExists(nodeID)) }
        let registration = Registration(
            nodeID: nodeID, details: details, via: .handshake, receivedAt: change.receivedAt)
        let outcome = admit(registration, at, &effects)
        guard case .registered(let node, _) = outcome else { return outcome }
        if var former = nodes[old.nodeID], former.status != .replaced {
            // A node of another user, or without one, isn't replaced by itself.
            if former.status == .active {
                former.finishConnection(at: at)
                activeCount -= 1
            }
            former.end(.replaced)
            former.replacedBy = node.nodeID
            nodes[former.nodeID] = former
            effects.append(.changed(former.nodeID))
        }
        record(.switched, node, "from \(old.nodeID)", &effects)
        return .registered(node, replaced: old.nodeID)
    }
}
