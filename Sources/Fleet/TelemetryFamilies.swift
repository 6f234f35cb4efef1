public import Domain

// Which EA each terminal runs and whether commands reach it.

/// What is known of a terminal's family since it introduced itself.
public struct TerminalStanding: Sendable, Equatable {
    public var family: EAFamily
    public var socketType: String?
    public var userUUID: String?
    /// The address it came from, without port.
    public var peerAddress: String?
    public var introducedAt: Timestamp
    public var hearing: CommandHearing
    /// When its PULL was turned away by a ROUTER.
    public var refusedAt: Timestamp?
    /// The connection on which it speaks from its address, or -1.
    var descriptor: Int32 = -1

    var pulls: Bool { family.commandSocket(socketType) == .pull }
}

extension TelemetryEngine {
    /// What a terminal that introduced itself is taken for; nil where it did so to an earlier process.
    public func standing(_ nodeID: String) -> TerminalStanding? { standings[nodeID] }

    /// A terminal introduced itself, or told an earlier process, from whom ``restoreStanding(_:_:at:into:)`` has it.
    mutating func introduce(
        _ report: TerminalReport, _ nodeID: String, peer: String?, _ now: Timestamp,
        _ effects: inout [TelemetryEffect]
    ) {
        let family = EAFamily(version: report.version, namesItself: report.nodeID != nil)
        var standing = TerminalStanding(
            family: family, socketType: report.socketType, userUUID: report.userUUID, peerAddress: peer,
            introducedAt: now, hearing: CommandHearing(isHeard: true, reason: ""))
        // 7.01 says its status again and again: its PULL is still the one it was.
        if family == .v701, let known = standings[nodeID] { standing.introducedAt = known.introducedAt }
        keep(standing, nodeID, now, &effects)
    }

    /// Takes over what an earlier process had written of a node.
    public mutating func restoreStanding(
        _ nodeID: String, _ fields: [String: String], at now: Timestamp, into effects: inout [TelemetryEffect]
    ) {
        guard standings[nodeID] == nil, let family = fields["family"].flatMap({ EAFamily(rawValue: $0) }) else {
            return
        }
        let standing = TerminalStanding(
            family: family, socketType: fields["socket_type"], userUUID: fields["user_uuid"],
            peerAddress: fields["peer_address"], introducedAt: now,
            hearing: CommandHearing(
                isHeard: fields["hears_commands"] != "no", reason: fields["hears_commands_reason"] ?? ""))
        keep(standing, nodeID, now, &effects)
        doubt(nodeID, at: now)
    }

    private mutating func keep(
        _ standing: TerminalStanding, _ nodeID: String, _ now: Timestamp, _ effects: inout [TelemetryEffect]
    ) {
        guard standings[nodeID] != nil || standings.count < nodes.limit else { return }
        standings[nodeID] = standing
        if commandListeners.hasPush || standing.pulls { pulling.insert(nodeID) }
        // Counted once: a restart of ours brings all nodes back, one after the other.
        let count = commandListeners.hasPush ? pullingCount() : 0
        _ = judge(nodeID, count)
        judgeOthers(except: nodeID, count, &effects)
    }

    /// Says again who hears commands, once those that PULL have become more than one, or are no longer.
    private mutating func judgeOthers(
        except nodeID: String? = nil, _ count: Int, _ effects: inout [TelemetryEffect]
    ) {
        guard commandListeners.hasPush else { return }
        defer { lastPulling = count }
        guard (count <= 1) != (lastPulling <= 1) else { return }
        for other in pulling where other != nodeID && judge(other, count) {
            effects.append(.standing(nodeID: other))
        }
    }

    /// - Returns: whether its standing is another one now.
    private mutating func judge(_ nodeID: String, _ count: Int) -> Bool {
        guard let standing = standings[nodeID] else { return false }
        var hearing = CommandHearing(
            standing.family, socketType: standing.socketType, user: standing.userUUID, pulling: count, commandListeners)
        if hearing.isHeard, standing.refusedAt != nil { hearing = TelemetryEngine.needsRestart }
        guard hearing != standing.hearing else { return false }
        standings[nodeID]?.hearing = hearing
        return true
    }

    static let needsRestart = CommandHearing(
        isHeard: false,
        reason:
            "its PULL is turned away by a ROUTER on ea-commands: lead its connection to the PUSH listener, and restart "
            + "the EA if it does not come by itself")

    /// Terminals that share the PUSH listeners, this process's view of them.
    private func pullingCount() -> Int {
        pulling.count { nodeID in
            guard let standing = standings[nodeID] else { return false }
            if let user = standing.userUUID, commandListeners.ownPush.contains(user) { return false }
            return commandListeners.hasRouter ? standing.pulls : true
        }
    }

    /// A terminal ended.
    mutating func forgetStanding(_ nodeID: String, _ effects: inout [TelemetryEffect]) {
        standings[nodeID] = nil
        guard pulling.remove(nodeID) != nil else { return }
        judgeOthers(commandListeners.hasPush ? pullingCount() : 0, &effects)
    }

    /// Addresses from which a PULL was turned away on the command port, and when last.
    ///
    /// A terminal opens its sockets one right after the other, so that one that introduced itself at about that time or
    /// before, from the same address, is the one. It keeps knocking; when it doesn't any more, it went elsewhere.
    public mutating func noteRefused(
        _ addresses: [String: Timestamp], at now: Timestamp, into effects: inout [TelemetryEffect]
    ) {
        let count = commandListeners.hasPush ? pullingCount() : 0
        for nodeID in pulling {
            guard let standing = standings[nodeID], standing.pulls, standing.family.checksAddressee else { continue }
            var refusedAt = standing.peerAddress.flatMap { addresses[$0] }
            if let at = refusedAt,
                at - standing.introducedAt < -TelemetryEngine.startMilliseconds
                    || now - at > TelemetryEngine.refusedMilliseconds
            {
                refusedAt = nil
            }
            guard refusedAt != standing.refusedAt else { continue }
            standings[nodeID]?.refusedAt = refusedAt
            if judge(nodeID, count) {
                effects.append(.standing(nodeID: nodeID))
            }
        }
    }

    private static let refusedMilliseconds: Int64 = 120_000
    private static let startMilliseconds: Int64 = 10_000

    /// Terminals that have to be restarted before they hear commands again, with their addresses.
    public var terminalsToRestart: [(nodeID: String, address: String)] {
        standings.filter { $0.value.refusedAt != nil && $0.value.family.checksAddressee }
            .map { ($0.key, $0.value.peerAddress ?? "unknown address") }.sorted { $0.nodeID < $1.nodeID }
    }
}
