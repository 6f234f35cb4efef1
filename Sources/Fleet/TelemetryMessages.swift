public import Domain

// What the telemetry port carries besides prices: few and slow, so that text and dictionaries may cost something.

/// What follows from a message or a connection event.
public enum TelemetryEffect: Sendable, Equatable {
    case register(nodeID: String, report: TerminalReport)
    case heartbeat(nodeID: String, report: TerminalReport, peer: String? = nil)
    case disconnect(nodeID: String, userUUID: String?, reason: String, peer: String? = nil)
    case connection(nodeID: String, state: ConnectionState)
    /// Whether it hears commands has changed: ``TelemetryEngine/standing(_:)``.
    case standing(nodeID: String)
}

extension TelemetryEngine {
    /// What a terminal that says no reason disconnects with.
    public static let disconnectReason = "ea_disconnect"

    /// Takes a report; false where nobody can tell whose it is.
    ///
    /// - Parameter peer: the address it came from, without port; only an introduction's is kept.
    public mutating func take(
        _ report: TerminalReport, descriptor: Int32, peer: String? = nil, at now: Timestamp,
        into effects: inout [TelemetryEffect]
    ) -> Bool {
        let isIntroduction = report.kind == .handshake || report.kind == .hello
        if let nodeID = report.nodeID {
            guard let node = index(of: nodeID, at: now) else { return true }
            note(report, node, descriptor, isIntroduction: isIntroduction, peer, now, &effects)
            if isIntroduction { introduce(report, nodeID, peer: peer, now, &effects) }
            anchor(nodeID, descriptor, peer)
            return true
        }
        // 7.01 names its account once, at its start; afterwards only its connection tells who it is.
        if let account = report.account, let server = report.server {
            let nodeID = TelemetryEngine.nodeID(server: server, account: account)
            guard let node = index(of: nodeID, at: now) else { return true }
            let isNew = connections.identity(descriptor) != node
            connections.identify(descriptor, as: node)
            if identities.count < nodes.limit || identities[nodeID] != nil {
                identities[nodeID] = Identity(nodeID: nodeID, account: account, server: server)
            }
            note(report, node, descriptor, isIntroduction: isNew || isIntroduction, peer, now, &effects)
            if isNew || isIntroduction { introduce(report, nodeID, peer: peer, now, &effects) }
            anchor(nodeID, descriptor, peer)
            return true
        }
        guard let node = connections.identity(descriptor) else { return false }
        note(report, node, descriptor, isIntroduction: false, peer, now, &effects)
        return true
    }

    /// A terminal that doesn't name itself in its messages.
    public struct Identity: Sendable, Equatable {
        public let nodeID: String
        public let account: String
        public let server: String
    }

    /// Who speaks on a connection without naming itself, where that is known.
    public func identity(_ descriptor: Int32) -> Identity? {
        connections.identity(descriptor).flatMap { identities[nodes.nodeIDs[$0]] }
    }

    /// The node id of a terminal that has none: one for an account, whatever the number of its charts.
    static func nodeID(server: String, account: String) -> String {
        "EA7_\(String(account.prefix(40)))_\(String(server.prefix(60)))"
    }

    private mutating func note(
        _ report: TerminalReport, _ node: Int, _ descriptor: Int32, isIntroduction: Bool, _ peer: String?,
        _ now: Timestamp, _ effects: inout [TelemetryEffect]
    ) {
        if let server = report.server, let place = place(server, now) {
            nodes[node].server = place
            changeBroker(place) { broker in
                if let name = report.broker { broker.broker = name }
                if isIntroduction { broker.handshakes &+= 1 }
                broker.lastSeen = now
            }
        }
        quota.hear(descriptor, at: now.milliseconds)
        // A heartbeat says more than prices: they need not be reported for a while.
        nodes[node].nextActivity = now.milliseconds + TelemetryEngine.activityInterval
        let nodeID = nodes.nodeIDs[node]
        let message: TelemetryEffect =
            isIntroduction
            ? .register(nodeID: nodeID, report: report) : .heartbeat(nodeID: nodeID, report: report, peer: peer)
        effects.append(message)
        attach(node, to: descriptor, at: now, into: &effects)
    }

    /// Takes a terminal's goodbye; false where nobody can tell whose it is.
    public mutating func take(
        _ end: Disconnect, descriptor: Int32, peer: String? = nil, at now: Timestamp,
        into effects: inout [TelemetryEffect]
    ) -> Bool {
        let isNamed = end.nodeID != nil
        guard let node = end.nodeID.flatMap({ index(of: $0, at: now) }) ?? connections.identity(descriptor) else {
            return isNamed
        }
        let server = nodes[node].server
        if server >= 0 { changeBroker(server) { $0.disconnects &+= 1 } }
        // Of an account's several charts (7.01) the last one ends the node.
        guard isNamed || nodes[node].connections <= 1 else { return true }
        let reason = end.reason.map { String($0.unicodeScalars.prefix(128)) } ?? TelemetryEngine.disconnectReason
        effects.append(.disconnect(nodeID: nodes.nodeIDs[node], userUUID: end.userUUID, reason: reason, peer: peer))
        forgetStanding(nodes.nodeIDs[node], &effects)
        return true
    }

    // MARK: - Connections

    /// Notes that a node was heard on a connection.
    public mutating func attach(
        _ node: Int, to descriptor: Int32, at now: Timestamp, into effects: inout [TelemetryEffect]
    ) {
        guard connections.attach(node, to: descriptor) else { return }
        nodes[node].connections += 1
        if nodes[node].connections == 1 { effects.append(.connection(nodeID: nodes.nodeIDs[node], state: .up)) }
    }

    /// - Parameter isShared: whether several terminals may stand behind it (a gateway, a simulator): one of this machine.
    public mutating func connectionAccepted(_ descriptor: Int32, isShared: Bool = true) {
        connections.accepted(descriptor, isShared: isShared)
        quota.begin(descriptor)
        quota.share(among: connections.statistics.current)
    }

    /// Whether the descriptor's connection has been accepted and not ended, as far as events have been taken in.
    public func isOpen(_ descriptor: Int32) -> Bool { connections.isOpen(descriptor) }

    public mutating func connectionHandshakeFailed() { connections.handshakeFailed() }

    /// A TCP connection ended: nodes that have no other one lost theirs.
    public mutating func connectionClosed(
        _ descriptor: Int32, at now: Timestamp, into effects: inout [TelemetryEffect]
    ) {
        let nodesLeft = connections.closed(descriptor)
        quota.share(among: connections.statistics.current)
        for index in nodesLeft {
            let node = Int(index)
            nodes[node].connections -= 1
            if nodes[node].connections == 0 {
                nodes[node].lastHeard = now.milliseconds
                nodes[node].nextAttach = 0
                effects.append(.connection(nodeID: nodes.nodeIDs[node], state: .lost))
            }
        }
    }

    // MARK: - Quotas

    /// Charges the connection a frame came on; false where the frame's rank has to decide.
    public mutating func charge(_ descriptor: Int32, _ weight: Int, at now: Timestamp) -> Bool {
        quota.charge(descriptor, weight, shares: connections.shares(of: descriptor), at: now.milliseconds)
    }

    /// Who was shed since the last call.
    public mutating func takeBreaches() -> [QuotaBreach] {
        quota.takeBreaches().map { descriptor, shed in
            let names = connections.nodes(on: descriptor).prefix(8).map { nodes.nodeIDs[Int($0)] }
            return QuotaBreach(descriptor: descriptor, nodeIDs: names, shed: shed)
        }
    }
}
