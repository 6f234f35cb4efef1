import Domain
import Fleet
import Redis
import ServiceKit
import Wire

extension FleetJudge {
    private static let fields = [
        "user_uuid", "account", "server", "broker", "connection", "heartbeats", "connections", "version",
        "peer_address", "lost_at", "ticks_processed", "chart_symbol", "identity_conflict", "identity_conflict_action",
        "family", "hears_commands", "hears_commands_reason", "symbols", "monitored_symbols", "status",
        "identity_conflict_held_back",
    ]

    /// Reads what the registry knows of a node.
    func ask(_ nodeID: String) {
        var earlier: [String: String]?
        if !engine.isKnown(nodeID) {
            redis.send(["HGETALL", "liveness:\(nodeID)"]) { earlier = $0?.dictionary }
        }
        redis.send(["HMGET", "node:\(nodeID)"] + FleetJudge.fields) { [weak self] reply in
            guard let self, let values = reply?.array, values.count == FleetJudge.fields.count else { return }
            let texts = Dictionary(
                zip(FleetJudge.fields, values).compactMap { name, value in value.text.map { (name, $0) } }
            ) { first, _ in first }
            var detail = FleetJudge.detail(texts)
            detail.markets = markets.markets(texts)
            guard asksWhoIsRegistered else { return learn(nodeID, detail, texts, earlier) }
            detail.bearsWitness = false
            guard let user = detail.userUUID else { return learn(nodeID, detail, texts, earlier) }
            redis.send(["HGET", "user:\(user)", "registered"]) { [weak self] reply in
                // No answer says nothing: the node is asked about again.
                guard let reply, reply.errorMessage == nil else { return }
                detail.bearsWitness = reply.text == "1"
                self?.learn(nodeID, detail, texts, earlier)
            }
        }
    }

    private func learn(
        _ nodeID: String, _ detail: LivenessEngine.Detail, _ texts: [String: String], _ earlier: [String: String]?
    ) {
        let now = SystemClock.now()
        engine.learn(nodeID, detail, earlier: earlier, at: now, steady: alerts.clock.now().milliseconds)
        drift.note(nodeID, texts, detail, isLive: engine.liveness(of: nodeID) == .live)
        // A node that was replaced in the meantime says nothing of its user.
        guard texts["status"] == NodeStatus.active.rawValue else { return }
        judgeIdentity(
            nodeID, texts["identity_conflict"] ?? "", texts["identity_conflict_action"],
            isHeldBack: texts["identity_conflict_held_back"] != "0", detail)
    }

    private static func detail(_ texts: [String: String]) -> LivenessEngine.Detail {
        var detail = LivenessEngine.Detail()
        detail.userUUID = texts["user_uuid"]
        detail.account = texts["account"]
        detail.server = texts["server"]
        detail.broker = texts["broker"]
        detail.version = texts["version"]
        detail.address = texts["peer_address"]
        detail.connection = texts["connection"].flatMap(ConnectionState.init(rawValue:)) ?? .unknown
        detail.lostAt = texts["lost_at"].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
        detail.heartbeats = texts["heartbeats"].flatMap { Int64($0) } ?? 0
        detail.connections = texts["connections"].flatMap { Int64($0) } ?? 1
        return detail
    }

    // MARK: - The lost and the found

    func giveUp(_ death: LivenessEngine.Death, at now: Timestamp) {
        report.count("nodes_given_up")
        let object: JSONObject = [
            "type": .string("disconnect"), "node_id": .string(death.nodeID),
            "reason": .string(NodeEnd.timeoutReason), "last_seen": .integer(death.lastSeen.milliseconds),
            "received_at": .integer(now.milliseconds),
        ]
        registry.sendReliably(object) { [weak self] reply in
            guard let self, reply?["ok"]?.bool == true, reply?["ignored"] == nil else { return }
            // A doctor that was cut off: the registry forgets the terminal it played, and nobody misses it.
            guard death.nodeID != ProbeTerminal.nodeID else { return }
            lost[death.nodeID] = (death.detail.userUUID, alerts.clock.now())
            troubles.add(
                NodeTrouble(
                    nodeID: death.nodeID, type: "node_timeout", severity: .warning,
                    message: "\(death.nodeID) gave no sign of life for \(death.silence / 1000) s: "
                        + death.cause.rawValue,
                    reason: death.cause.rawValue, detail: death.detail, lastSeen: death.lastSeen,
                    flappingType: "node_flapping"))
        }
    }

    func found(_ nodeID: String, _ message: String) {
        lost[nodeID] = nil
        troubles.remove("node_timeout", nodeID, message)
    }

    // MARK: - Confirmations that are held

    /// Users whose confirmations are held since they came from another address than their terminal's.
    func judgeHeldConfirmations() {
        redis.send(["SMEMBERS", "held_confirmations"]) { [weak self] reply in
            guard let self, let reply, reply.errorMessage == nil else { return }
            // `<user>|<address>`: one alert for a victim, however many speak in its name.
            let users = Set(
                reply.texts.map { text in text.lastIndex(of: "|").map { String(text[..<$0]) } ?? text })
            let conditions = users.sorted().prefix(1_000).map { user in
                Condition(
                    key: "held_confirmations:\(user)", type: "identity_conflict", severity: .critical,
                    message:
                        "\(user): confirmations are held: they came from an address its terminal does not speak from",
                    fields: ["user_uuid": user, "conflict": "foreign_confirmations"],
                    story: AlertStory(.node, user, cause: "a stranger confirms trades in its name"))
            }
            alerts.set("held_confirmations:", conditions, "no confirmation is held any more")
        }
    }

    // MARK: - What others say of nodes

    /// The registry's history: who came back, was replaced, said goodbye after all, or is claimed by two.
    func note(event fields: [String: String]) {
        guard let nodeID = fields["node_id"], let kind = fields["event"] ?? fields["kind"] else { return }
        switch kind {
        case "conflict", "conflict_cleared":
            var detail = LivenessEngine.Detail()
            detail.userUUID = fields["user_uuid"]
            detail.account = fields["account"]
            detail.server = fields["server"]
            detail.broker = fields["broker"]
            let conflict = kind == "conflict" ? fields["conflict"] ?? fields["identity_conflict"] ?? "unknown" : ""
            return judgeIdentity(
                nodeID, conflict, fields["action"], isHeldBack: fields["held_back"] != "0", detail)
        default: break
        }
        switch NodeEvent.Kind(rawValue: kind) {
        case .recovered: found(nodeID, "it is heard again")
        case .replaced: found(nodeID, "its user runs a newer node")
        case .disconnected: found(nodeID, "it has ended")
        case .registered, .switched:
            guard let user = fields["user_uuid"], fields["status"] == NodeStatus.active.rawValue else { return }
            for (other, loss) in lost where loss.user == user && other != nodeID {
                found(other, "its user runs \(nodeID)")
            }
        default: break
        }
    }

    /// Alerts of an earlier process: those whose node is well meanwhile are over.
    func review(_ restored: AlertDesk.Restored) {
        for (type, nodeID, user) in troubles.restore(restored) {
            guard type == "node_timeout" else {
                if type == "trading_disabled" { drift.restore(refusal: "trading was refused", of: nodeID) }
                continue
            }
            lost[nodeID] = (user, alerts.clock.now())
            redis.send(["HGET", "node:\(nodeID)", "status"]) { [weak self] reply in
                guard let self, let reply, reply.text != NodeStatus.timeout.rawValue else { return }
                found(nodeID, "it is \(reply.text ?? "forgotten") now")
            }
        }
        identitiesReviewedAt = nil
    }
}
