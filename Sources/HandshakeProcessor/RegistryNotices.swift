import Domain
import Fleet
import ServiceKit
import Wire

/// What the registry hears from the telemetry port, and the handshakes' own stream.
///
/// Registrations, ends and connections are repeated until they are answered; heartbeats are not, since another one comes.
final class RegistryNotices {
    /// Past this many unanswered requests further ones are dropped and counted: memory is bounded by it.
    private static let backlogLimit = 20_000
    private static let silence: Int64 = 5_000
    private static let heartbeatTimeout: Int64 = 2_000

    private let client: RequestClient
    private let reactor: Reactor
    private let report: ServiceReport
    private let writes: PendingWrites
    private var lastAnswer: Int64
    /// Whether an address is the one a user is believed at; nil where nobody knows.
    var isBelieved: (String?, String?) -> Bool? = { _, _ in nil }

    init(_ environment: ServiceEnvironment, _ writes: PendingWrites) throws {
        client = try RequestClient(
            context: environment.context, endpoint: environment.configuration.connectEndpoint(.registry),
            reactor: environment.reactor, report: environment.report)
        reactor = environment.reactor
        report = environment.report
        self.writes = writes
        lastAnswer = SystemClock.monotonicMilliseconds()
    }

    var undelivered: Int { client.undelivered }

    /// Whether requests have waited for long without any answer.
    var isSilent: Bool {
        guard client.undelivered > 0 else { return false }
        return SystemClock.monotonicMilliseconds() - lastAnswer > RegistryNotices.silence
    }

    /// - Parameter standing: what a node's terminal is taken for.
    func carryOut(_ effects: [TelemetryEffect], at now: Timestamp, _ standing: (String) -> TerminalStanding?) {
        for effect in effects {
            switch effect {
            case .register(let nodeID, let terminal):
                var object = message("register", nodeID, now, NodeDetails(terminal))
                object.append("via", .string(terminal.kind == .hello ? "hello" : "handshake"))
                object["dialect"] = terminal.version.map { .string($0) }
                add(standing(nodeID), to: &object)
                sendReliably(object)
            case .standing(let nodeID):
                var object = message("heartbeat", nodeID, now, NodeDetails())
                object.append("activity", .string("heartbeat"))
                add(standing(nodeID), to: &object)
                sendReliably(object)
            case .heartbeat(let nodeID, let terminal, let peer):
                var object = message("heartbeat", nodeID, now, NodeDetails(terminal))
                add(peer: peer, standing(nodeID)?.userUUID ?? terminal.userUUID, to: &object)
                object.append("broker_time", .text(terminal.timestamp))
                object.append("activity", .string("heartbeat"))
                send(object)
            case .disconnect(let nodeID, let user, let reason, let peer):
                var object = message("disconnect", nodeID, now, NodeDetails())
                add(peer: peer, standing(nodeID)?.userUUID ?? user, to: &object)
                object.append("user_uuid", .text(user))
                object.append("reason", .string(reason))
                sendReliably(object)
            case .connection(let nodeID, let state): report(state, of: nodeID, at: now)
            }
        }
    }

    private func add(_ standing: TerminalStanding?, to object: inout JSONObject) {
        guard let standing else { return }
        object.append("family", .string(standing.family.rawValue))
        object.append("hears_commands", .string(standing.hearing.isHeard ? "yes" : "no"))
        object.append("hears_commands_reason", .string(standing.hearing.reason))
        add(peer: standing.peerAddress, standing.userUUID, to: &object)
    }

    /// Prices of a node come: a sign of life between its heartbeats.
    func activity(_ nodeID: String, from peer: String?, at now: Timestamp) {
        var object = message("heartbeat", nodeID, now, NodeDetails())
        if let peer { object.append("peer_address", .string(peer)) }
        object.append("activity", .string("ticks"))
        send(object)
    }

    /// Somebody spoke for a terminal from where it does not speak.
    func foreign(node: String?, user: String?, peer: String?, why: String, at now: Timestamp) {
        var object: JSONObject = ["type": .string("foreign"), "received_at": .integer(now.milliseconds)]
        object.append("node_id", .text(node))
        object.append("user_uuid", .text(user))
        object.append("peer_address", .text(peer))
        object.append("text", .string(why))
        // Said again with the next attempt after a while: a stranger must not fill what waits for an answer.
        send(object)
    }

    private func add(peer: String?, _ user: String?, to object: inout JSONObject) {
        guard let peer else { return }
        object.append("peer_address", .string(peer))
        if isBelieved(user, peer) == true { object.append("believed", .bool(true)) }
    }

    private func message(_ type: String, _ nodeID: String, _ now: Timestamp, _ details: NodeDetails) -> JSONObject {
        var object: JSONObject = [
            "type": .string(type), "node_id": .string(nodeID), "received_at": .integer(now.milliseconds),
        ]
        for (name, value) in details.fields(NodeField.allCases) { object.append(name, .string(value)) }
        return object
    }

    private func send(_ object: JSONObject) {
        client.send(object, timeout: RegistryNotices.heartbeatTimeout) { [unowned self] reply in note(reply) }
    }

    private func sendReliably(_ object: JSONObject, _ completion: @escaping (JSONObject) -> Void = { _ in }) {
        guard client.undelivered < RegistryNotices.backlogLimit else { return report.count("registry_backlog_full") }
        if client.undelivered == 0 { lastAnswer = SystemClock.monotonicMilliseconds() }
        client.sendReliably(object) { [unowned self] reply in
            note(reply)
            if let reply { completion(reply) }
        }
    }

    private func note(_ reply: JSONObject?) {
        guard let reply else { return }
        lastAnswer = SystemClock.monotonicMilliseconds()
        if reply["ok"]?.bool == false {
            report.count("registry_refused_\(reply["error"]?.object?["code"]?.text ?? "unknown")")
        }
    }

    // MARK: - Connections

    private func report(_ state: ConnectionState, of nodeID: String, at now: Timestamp) {
        writes.write(["HINCRBY", "node_connections:\(nodeID)", state == .up ? "connects" : "disconnects", "1"])
        let field = state == .up ? "last_connected_at" : "last_disconnected_at"
        writes.write(["HSET", "node_connections:\(nodeID)", field, String(now.milliseconds)])
        writes.write(["EXPIRE", "node_connections:\(nodeID)", String(30 * 86_400)])
        send(state, of: nodeID, at: now, attempt: 1)
    }

    /// A connection may be reported before its node's registration, which was repeated, has come through.
    private func send(_ state: ConnectionState, of nodeID: String, at now: Timestamp, attempt: Int) {
        let object: JSONObject = [
            "type": .string("connection"), "node_id": .string(nodeID), "port": .string(NodePort.telemetry.rawValue),
            "state": .string(state.rawValue), "at": .integer(now.milliseconds),
        ]
        sendReliably(object) { [unowned self] reply in
            guard reply["error"]?.object?["code"]?.text == "unknown_node", attempt < 3 else { return }
            reactor.after(milliseconds: 1_500) { [unowned self] in
                send(state, of: nodeID, at: now, attempt: attempt + 1)
            }
        }
    }

    // MARK: - Handshakes

    /// Keeps a handshake as it was understood.
    func keep(handshake: TerminalReport, from peer: String?, at now: Timestamp) {
        var fields = ["received_at", String(now.milliseconds)]
        if let nodeID = handshake.nodeID { fields += ["node_id", nodeID] }
        for (name, value) in NodeDetails(handshake).fields(NodeField.allCases) { fields += [name, value] }
        if let time = handshake.timestamp { fields += ["broker_time", time] }
        if let peer { fields += ["peer", peer] }
        writes.write(["XADD", "events:handshakes", "MAXLEN", "~", "10000", "*"] + fields)
    }
}
