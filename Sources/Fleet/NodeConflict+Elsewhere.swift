import Domain

// Who speaks for a terminal from where it does not speak: seen by the registry itself, or by the telemetry port.
extension NodeRegistryEngine {
    /// A registration of a user from another address than that of his node which is there: a copy, or a stranger. It must
    /// not take the living one's place.
    mutating func refusal(
        of registration: Registration, _ at: Timestamp, _ effects: inout [RegistryEffect]
    ) -> RegistryRefusal? {
        guard let user = registration.details[.userUUID], let holderID = nodeOfUser[user],
            holderID != registration.nodeID, var holder = nodes[holderID], holder.status == .active,
            let address = registration.details[.peerAddress], let known = holder.details[.peerAddress],
            !NetworkAddress.isSameHost(address, known), at - holder.lastSeen <= NodeRegistryEngine.presentMilliseconds,
            holder.connection != .lost
        else { return nil }
        raiseElsewhere(on: &holder, user: user, known: known, address: address, at, &effects)
        nodes[holderID] = holder
        return .spokenElsewhere(user, known, address)
    }

    /// A message about a node from another address than its own, while that one is there and was heard lately: a stranger
    /// who knows its name. It changes nothing of the node, and its life is not his to end or to prolong.
    ///
    /// - Parameters:
    ///   - isBelieved: whether the fence vouches at that address for `user`, or for whose the node is.
    mutating func elsewhere(
        _ nodeID: String, _ address: String?, isBelieved: Bool, user: String?, _ at: Timestamp,
        _ effects: inout [RegistryEffect]
    ) -> RegistryRefusal? {
        guard let address, var node = nodes[nodeID], node.status == .active,
            let known = node.details[.peerAddress], !NetworkAddress.isSameHost(known, address),
            at - node.lastSeen <= NodeRegistryEngine.presentMilliseconds, node.connection != .lost
        else { return nil }
        // Whoever is himself, and where he is believed, is not the owner of another's node by that.
        if isBelieved, user == nil || node.details[.userUUID] == nil || user == node.details[.userUUID] { return nil }
        let name = node.details[.userUUID] ?? nodeID
        raiseElsewhere(on: &node, user: name, known: known, address: address, at, &effects)
        nodes[nodeID] = node
        return .spokenElsewhere(name, known, address)
    }

    private mutating func raiseElsewhere(
        on node: inout NodeRecord, user: String, known: String, address: String, _ at: Timestamp,
        _ effects: inout [RegistryEffect]
    ) {
        raiseForeign(
            "'\(user)' is connected from \(known), and \(address) says it is '\(user)' as well", [known, address],
            on: &node, at, &effects)
    }

    /// What handshake-processor refused: somebody spoke for a terminal from where it does not speak.
    mutating func noteForeign(_ notice: ConflictNotice, _ effects: inout [RegistryEffect]) -> RegistryOutcome {
        guard let nodeID = node(of: notice), var node = nodes[nodeID] else { return .ignored("unknown_node") }
        raiseForeign(
            notice.conflict.text, notice.conflict.addresses, on: &node, bounded(notice.receivedAt), &effects)
        nodes[nodeID] = node
        return .accepted
    }

    private mutating func raiseForeign(
        _ text: String, _ addresses: [String], on node: inout NodeRecord, _ at: Timestamp,
        _ effects: inout [RegistryEffect]
    ) {
        // What the fence found is graver than what is seen here.
        guard node.identityConflict == nil || node.identityConflict?.until != nil else { return }
        var conflict = NodeConflict(
            kind: NodeConflict.twoAddresses, since: at, text: text,
            action: "stop the copy that should not run; if the customer moved, stop his old terminal; if his address "
                + "changes: meshctl user set \(node.details[.userUUID] ?? "UUID") --address any")
        conflict.addresses = addresses
        conflict.users = [node.details[.userUUID]].compactMap { $0 }
        conflict.isHeldBack = false
        conflict.until = latest.adding(milliseconds: NodeRegistryEngine.conflictMilliseconds)
        raise(conflict, on: &node, &effects)
    }
}
