import Domain
import Fleet
import ServiceKit

/// Terminals' troubles of every type, put together by cause and handed to the alert desk.
final class NodeTroubles {
    private let desk: AlertDesk
    private var finders: [CauseFinder]

    init(_ desk: AlertDesk, _ settings: CauseSettings) {
        self.desk = desk
        finders = [
            CauseFinder(type: "node_timeout", groupType: "nodes_lost", settings: settings),
            CauseFinder(type: "terminal_flooding", settings: settings),
            CauseFinder(type: "commands_unheard", settings: settings),
            CauseFinder(type: "chart_frozen", settings: settings),
            CauseFinder(type: "trading_disabled", settings: settings),
            CauseFinder(type: "wrong_symbols", settings: settings),
        ]
    }

    private func place(_ type: String) -> Int? { finders.firstIndex { $0.type == type || $0.groupType == type } }

    func add(_ trouble: NodeTrouble) {
        guard let place = place(trouble.type) else { return }
        finders[place].add(trouble, at: desk.clock.now())
    }

    func remove(_ type: String, _ nodeID: String, _ message: String) {
        guard let place = place(type) else { return }
        finders[place].remove(nodeID, "\(nodeID): \(message)", at: desk.clock.now())
    }

    /// All terminals that have this trouble now: the others have it no more.
    ///
    /// - Parameter isKnown: whether something was read of a terminal; of who was not, nothing is over.
    func set(
        _ type: String, _ troubles: [NodeTrouble], _ message: String, isKnown: (String) -> Bool = { _ in true }
    ) {
        guard let place = place(type) else { return }
        let now = desk.clock.now()
        let have = Set(troubles.map(\.nodeID))
        for nodeID in finders[place].nodeIDs where !have.contains(nodeID) && isKnown(nodeID) {
            finders[place].remove(nodeID, "\(nodeID): \(message)", at: now)
        }
        for trouble in troubles { finders[place].add(trouble, at: now) }
    }

    /// One of ours that terminals connect to was started anew, now or, as an earlier process saw it, at another time.
    func noteRestart(_ service: String, _ why: String, at moment: Timestamp? = nil) {
        guard RestartWatch.listeners.contains(service) else { return }
        for index in finders.indices { finders[index].noteRestart(service, why, at: moment ?? desk.clock.now()) }
    }

    func look(_ population: () -> FleetPopulation) {
        let now = desk.clock.now()
        for index in finders.indices {
            let look = finders[index].look(at: now, population: population)
            for condition in look.raise { desk.raise(condition) }
            for (key, message) in look.resolve { desk.resolve(key, message) }
            for (key, members) in look.changed { desk.keep(members: members, of: key) }
        }
    }

    // MARK: - What an earlier process had found

    /// Takes in the active alerts; returns the terminals they are about, with type and user.
    func restore(_ restored: AlertDesk.Restored) -> [(type: String, nodeID: String, user: String?)] {
        var found: [(type: String, nodeID: String, user: String?)] = []
        let now = desk.clock.now()
        for alert in desk.engine.active.values {
            guard let place = place(alert.type) else { continue }
            let type = finders[place].type
            if let members = restored.members[alert.key] {
                let troubles = members.map { NodeTroubles.trouble(type, $0, alert) }
                finders[place].restore(
                    cause: alert.key, scope: alert.story.scope, name: alert.story.scopeName,
                    service: alert.story.scope == .mesh ? alert.story.scopeName : nil, peak: alert.story.count,
                    members: troubles, at: now)
                found += members.map { (type, $0, nil) }
            } else if let nodeID = alert.fields["node_id"], alert.key == NodeTrouble.key(type, nodeID) {
                finders[place].restore(alone: NodeTroubles.trouble(type, nodeID, alert), at: now)
                found.append((type, nodeID, alert.fields["user_uuid"]))
            } else {
                // Its terminals were not kept: nothing could ever end it.
                finders[place].restore(
                    cause: alert.key, scope: alert.story.scope, name: alert.story.scopeName, service: nil,
                    peak: alert.story.count, members: [], at: now)
            }
        }
        return found
    }

    private static func trouble(_ type: String, _ nodeID: String, _ alert: Alert) -> NodeTrouble {
        var detail = LivenessEngine.Detail()
        detail.userUUID = alert.fields["user_uuid"]
        detail.account = alert.fields["account"]
        detail.server = alert.fields["server"]
        detail.broker = alert.fields["broker"]
        detail.version = alert.fields["version"]
        return NodeTrouble(
            nodeID: nodeID, type: type, severity: alert.severity, message: alert.message, reason: alert.story.cause,
            detail: detail,
            lastSeen: alert.fields["last_seen"].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) },
            flappingType: type == "node_timeout" ? "node_flapping" : nil)
    }
}
