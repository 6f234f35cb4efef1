public import Domain

extension LivenessEngine.Server {
    mutating func beginLook() {
        nodes = 0
        connected = 0
        silent = 0
        present = Attendance()
        markets.beginLook()
    }

    mutating func endLook(listened: Int64, at now: Timestamp, steady: Int64) {
        if isHeard || heardAt == nil { heardAt = steady }
        // A pause of the looks themselves is nobody's silence.
        let isObserved = connected > 0 && listened <= 120_000
        attendance = present
        markets.endLook()
        // That a market is open when it should not be is learned from many, not from one who says so.
        let isMarket = isHeard && (session.expected(at: now) != .closed || attendance.isBroad)
        session.note(isHeard: isMarket, listened: isObserved ? listened : 0, at: now)
        isHeard = false
    }
}

/// A broker server whose connected terminals all are silent although its market should be open.
public struct SilentBroker: Sendable, Equatable {
    public let server: String
    public let nodes: Int
    public let silence: Int64
    /// Whether its own fleet has shown that it speaks at this time; else it is the calendar that says so.
    public let isLearned: Bool
}

extension LivenessEngine {
    /// Broker servers that should speak and don't, by their sessions away from opening and close.
    ///
    /// - Returns: the silent ones, and whether any other server is heard now: if none is, it may be a holiday, or ours.
    public func silentBrokers(
        for milliseconds: Int64, at now: Timestamp, steady given: Int64? = nil
    ) -> (silent: [SilentBroker], othersSpeak: Bool) {
        let steady = given ?? now.milliseconds
        var silent: [SilentBroker] = []
        var othersSpeak = false
        for server in servers where server.nodes > 0 {
            let silence = steady - (server.heardAt ?? steady)
            if silence < 60_000 { othersSpeak = true }
            guard server.connected > 0, server.silent == server.nodes, silence >= milliseconds,
                server.session.isLikelyOpen(at: now)
            else { continue }
            silent.append(
                SilentBroker(
                    server: server.name, nodes: server.nodes, silence: silence,
                    isLearned: server.session.isSurelyOpen(at: now)))
        }
        return (silent.sorted { $0.server < $1.server }, othersSpeak)
    }

    /// Terminals that were not heard since a moment of the steady clock although they are expected to speak.
    public func awaited(since moment: Int64) -> Int {
        nodes.values.count { $0.heardAt < moment && $0.liveness != .quiet && $0.liveness != .dead }
    }

    /// Sessions with something new, to write.
    public mutating func takeChangedSessions() -> [(server: String, session: BrokerSession)] {
        var result: [(server: String, session: BrokerSession)] = []
        for index in servers.indices where servers[index].session.takeChanged() {
            result.append((servers[index].name, servers[index].session))
        }
        return result
    }

    /// Takes in what an earlier process had learned of a broker server's week.
    public mutating func restore(session text: String, of name: String) -> Bool {
        guard let index = server(name) else { return false }
        return servers[index].session.restore(text)
    }

    public func session(of server: String) -> BrokerSession? { serverIndex[server].map { servers[$0].session } }
}
