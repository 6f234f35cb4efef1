public import Domain

extension LivenessEngine {
    mutating func judge(
        _ nodeID: String, _ node: inout Node, _ heardSince: Int64?, _ now: Timestamp, _ steady: Int64,
        _ elapsed: Int64, _ effects: inout [Effect]
    ) {
        let before = node.liveness
        let extra = node.isAhead ? settings.ahead : 0
        let isUnheard = steady - node.heardAt >= settings.dead + extra
        guard let heardSince else {
            guard isUnheard, before == .live || before == .late else { return }
            node.liveness = unheard(node, now)
            return effects.append(.liveness(nodeID, node.liveness))
        }
        let silentSince = max(node.heardAt, heardSince)
        let silence = max(0, steady - silentSince)
        // A little early, so that the answer is there when it is needed.
        let isSettled = node.liveness == .quiet || node.liveness == .stale
        let patience: Int64 = silence < settings.dead - 3_000 ? 30_000 : isSettled ? 10_000 : 1_000
        if steady - max(node.detailAt, node.askedAt) >= patience {
            node.askedAt = steady
            effects.append(.ask(nodeID))
        }
        if silence < settings.late + extra {
            node.liveness = isUnheard ? unheard(node, now) : .live
        } else if silence < settings.dead + extra {
            if before != .quiet && before != .stale { node.liveness = .late }
        } else if before != .dead, let detail = node.detail, steady - node.detailAt <= 15_000 {
            if let cause = causeOfDeath(nodeID, node, detail, silentSince, now, steady) {
                node.liveness = .dead
                let death = Death(
                    nodeID: nodeID, lastSeen: node.lastSeen, silence: max(0, steady - node.heardAt), cause: cause,
                    detail: detail)
                effects.append(.dead(death))
            } else {
                node.liveness = isExpected(node, now) ? .stale : .quiet
            }
        }
        // What nobody could hear is not held against it.
        if !isUnheard || silence >= settings.late { node.stability.note(heard: node.liveness, elapsed: elapsed) }
        count(nodeID, node, silence, steady)
        guard node.liveness != before else { return }
        note(before, &node, now)
        if before == .dead, node.liveness == .live { effects.append(.appeared(nodeID)) }
        if node.liveness != .dead { effects.append(.liveness(nodeID, node.liveness)) }
    }

    private mutating func count(_ nodeID: String, _ node: Node, _ silence: Int64, _ steady: Int64) {
        guard node.server >= 0, node.liveness != .dead else { return }
        servers[node.server].markets.count(node.group)
        guard node.detail?.bearsWitness != false else { return }
        servers[node.server].nodes += 1
        if silence >= settings.dead { servers[node.server].silent += 1 }
        guard node.detail?.connection != .lost else { return }
        servers[node.server].connected += 1
        let user = node.detail?.userUUID ?? nodeID
        let speaks = steady - node.heardAt < settings.dead && node.heardAt - node.speakingSince >= settings.quoted
        servers[node.server].present.note(user, speaks: speaks)
        servers[node.server].markets.note(node.group, user, speaks: speaks)
    }

    /// Whether its broker's fleet has shown that it speaks at this time of the week.
    private func isExpected(_ node: Node, _ now: Timestamp) -> Bool {
        node.server >= 0 && servers[node.server].session.isSurelyOpen(at: now)
            && node.detail?.markets.mayBeOpen(at: now) ?? true
    }

    /// What it is while its last word is old and nobody was there to hear a newer one.
    private func unheard(_ node: Node, _ now: Timestamp) -> Liveness {
        guard node.server >= 0, let detail = node.detail else { return node.liveness == .quiet ? .quiet : .stale }
        let isOpen = servers[node.server].session.expected(at: now) != .closed && detail.markets.mayBeOpen(at: now)
        return isOpen ? .stale : .quiet
    }

    private func note(_ before: Liveness, _ node: inout Node, _ now: Timestamp) {
        switch (before, node.liveness) {
        case (.live, .late): node.stability.noteMissed(at: now)
        case (.late, .quiet): node.stability.takeBackMissed(at: now)
        case (_, .dead):
            node.stability.noteMissed(at: now)
            node.stability.noteTimeout(at: now)
        default: break
        }
        node.writtenAt = .min / 2
    }

    private func causeOfDeath(
        _ nodeID: String, _ node: Node, _ detail: Detail, _ silentSince: Int64, _ now: Timestamp, _ steady: Int64
    ) -> Cause? {
        if detail.connection == .lost, steady - (node.lostSince ?? steady - settings.lost) >= settings.lost {
            return .connectionLost
        }
        if node.server >= 0, let quotedAt = servers[node.server].quotedAt {
            let server = servers[node.server]
            let quoted = quotedAt - max(silentSince, server.quotingSince)
            if quoted >= settings.quoted {
                // By when it was quoted: the edge itself will be over.
                let moment = now.adding(milliseconds: quotedAt - steady)
                let enough = server.session.isAtEdge(at: moment) ? settings.quotedAtEdge : settings.quoted
                let user = detail.userUUID ?? nodeID
                if quoted >= enough, server.markets.hasSpoken(for: node.group, since: silentSince, during: enough),
                    server.session.expected(at: moment) != .closed || server.markets.isOpen(for: node.group, user)
                {
                    return .silentAmongQuotes
                }
            }
        }
        return steady - silentSince >= settings.quietLimit ? .quietTooLong : nil
    }

    // MARK: - Details and statistics

    /// Takes in what the registry knows of a node, and its statistics of earlier processes where they were asked for.
    public mutating func learn(
        _ nodeID: String, _ detail: Detail, earlier: [String: String]?, at now: Timestamp, steady given: Int64? = nil
    ) {
        guard var node = nodes[nodeID] else { return }
        let steady = given ?? now.milliseconds
        if node.detail == nil, let earlier { node.stability.restore(earlier, at: now) }
        // With our clock set back, a heartbeat that was counted is the sign of life whose time can't be told.
        if node.isAhead, let known = node.detail, detail.heartbeats > known.heartbeats {
            speak(&node, steady)
        }
        node.stability.heartbeats = max(node.stability.heartbeats, detail.heartbeats)
        node.stability.note(connections: detail.connections, at: now)
        // A connection that comes and goes is a sign of life, not of quotes.
        if let known = node.detail, detail.connections > known.connections { node.speakingSince = node.heardAt }
        if detail.connection != .lost {
            node.lostSince = nil
        } else if node.lostSince == nil {
            // By the steady clock: how long ago it says, but not longer than it was known to be up.
            let told = detail.lostAt.map { steady - max(0, now - $0) } ?? steady - settings.lost
            node.lostSince = node.detail?.connection == .up && detail.lostAt != nil ? max(told, node.detailAt) : told
        }
        // Names come from outside: who bears no witness makes no record of a server.
        node.server = detail.server.flatMap { detail.bearsWitness ? server($0) : serverIndex[$0] } ?? -1
        node.group = node.server >= 0 ? servers[node.server].markets.place(detail.markets) : -1
        node.detail = detail
        node.detailAt = steady
        nodes[nodeID] = node
    }

    public func isKnown(_ nodeID: String) -> Bool { nodes[nodeID]?.detail != nil }

    /// What is known of the active nodes, by which causes are told apart.
    public func forEachDetail(_ body: (String, Detail, Liveness) -> Void) {
        for (nodeID, node) in nodes { if let detail = node.detail { body(nodeID, detail, node.liveness) } }
    }

    /// Statistics to write: of each node at most every 30 s, or when it was judged anew.
    public mutating func takeStatistics(
        limit: Int, at now: Timestamp, steady given: Int64? = nil
    ) -> [(nodeID: String, fields: [(name: String, value: String)])] {
        let steady = given ?? now.milliseconds
        var result: [(nodeID: String, fields: [(name: String, value: String)])] = []
        for (nodeID, node) in nodes where steady - node.writtenAt >= 30_000 && node.detail != nil {
            guard result.count < limit else { break }
            nodes[nodeID]?.writtenAt = steady
            result.append((nodeID, node.stability.fields(at: now)))
        }
        return result
    }
}
