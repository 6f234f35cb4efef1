public import Domain

// Loading, forgetting and making room.

extension NodeRegistryEngine {
    /// Takes in what was kept before this process started. A node that spoke up meanwhile keeps its new words and gets
    /// its past back.
    public mutating func restore(_ kept: NodeRecord, into effects: inout [RegistryEffect]) {
        guard let current = nodes[kept.nodeID] else {
            guard nodes.count < limits.nodes else { return }
            nodes[kept.nodeID] = kept
            index(kept, &effects)
            return
        }
        var merged = current
        merged.nodeUUID = kept.nodeUUID
        merged.firstSeen = min(kept.firstSeen, current.firstSeen)
        merged.heartbeats += kept.heartbeats
        merged.ignoredHeartbeats += kept.ignoredHeartbeats
        merged.details = kept.details
        merged.details.merge(current.details)
        if kept.status == .active && current.status == .active {
            // The registry was away, not the terminal: its session goes on.
            nodeOfSession[current.sessionID] = nil
            merged.sessionID = kept.sessionID
            merged.connectedAt = min(kept.connectedAt, current.connectedAt)
            merged.finishedUptime = kept.finishedUptime
            merged.connections = kept.connections + current.connections - 1
            nodeOfSession[merged.sessionID] = merged.nodeID
        } else {
            merged.finishedUptime = kept.uptime + current.finishedUptime
            merged.connections = kept.connections + current.connections
        }
        nodes[kept.nodeID] = merged
        effects.append(.changed(kept.nodeID))
    }

    private mutating func index(_ node: NodeRecord, _ effects: inout [RegistryEffect]) {
        nodeOfSession[node.sessionID] = node.nodeID
        if node.status == .active { activeCount += 1 }
        if let user = node.details[.userUUID], isNewer(node, than: nodeOfUser[user]) {
            demote(nodeOfUser[user], inFavourOf: node, &effects)
            nodeOfUser[user] = node.nodeID
        } else if let user = node.details[.userUUID], let holder = nodeOfUser[user].flatMap({ nodes[$0] }),
            holder.status == .active
        {
            demote(node.nodeID, inFavourOf: holder, &effects)
        }
        if let key = node.details.accountKey, isNewer(node, than: nodeOfAccount[key]) {
            nodeOfAccount[key] = node.nodeID
        }
    }

    private func isNewer(_ node: NodeRecord, than other: String?) -> Bool {
        guard let other = other.flatMap({ nodes[$0] }) else { return true }
        let rank = node.status == .active ? 1 : 0
        let otherRank = other.status == .active ? 1 : 0
        return (otherRank, other.connectedAt) < (rank, node.connectedAt)
    }

    /// Two active nodes of one user can only come from a crash between two writes: the older one yields.
    private mutating func demote(
        _ nodeID: String?, inFavourOf node: NodeRecord, _ effects: inout [RegistryEffect]
    ) {
        guard let nodeID, nodeID != node.nodeID, var former = nodes[nodeID], former.status == .active,
            node.status == .active
        else { return }
        former.finishConnection(at: former.lastSeen)
        former.end(.replaced)
        former.replacedBy = node.nodeID
        nodes[nodeID] = former
        activeCount -= 1
        effects.append(.changed(nodeID))
    }

    /// Forgets nodes that ended long ago; to be called now and then.
    public mutating func forget(at now: Timestamp, into effects: inout [RegistryEffect]) {
        notice(now)
        let edge = latest.adding(milliseconds: -limits.forgetAfter)
        for node in nodes.values where node.status != .active && NodeRegistryEngine.end(of: node) < edge {
            drop(node, &effects)
        }
    }

    /// Makes room for a newcomer: of the nodes that aren't active, those that ended longest ago go, many at a time.
    mutating func makeRoom(_ effects: inout [RegistryEffect]) -> Bool {
        guard activeCount < limits.nodes else { return false }
        let ended = nodes.values.filter { $0.status != .active }
            .sorted { NodeRegistryEngine.end(of: $0) < NodeRegistryEngine.end(of: $1) }
        for node in ended.prefix(max(1, limits.nodes / 100)) { drop(node, &effects) }
        return nodes.count < limits.nodes
    }

    /// A terminal that was only played leaves nothing behind.
    mutating func forget(ended nodeID: String, _ effects: inout [RegistryEffect]) {
        if let node = nodes[nodeID], node.status != .active { drop(node, &effects) }
    }

    private static func end(of node: NodeRecord) -> Timestamp {
        max(node.disconnectedAt ?? node.lastSeen, node.lastSeen)
    }

    private mutating func drop(_ node: NodeRecord, _ effects: inout [RegistryEffect]) {
        release(node)
        nodes[node.nodeID] = nil
        effects.append(.forgotten(node))
    }
}
