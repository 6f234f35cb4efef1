import Domain
import Fleet
import Redis
import ServiceKit
import Wire

/// Carries out what the liveness engine decides: asks for details, tells the registry, raises alerts for the dead.
///
/// The registry writes a node's life cycle, the monitor only judges; a judgement that a newer sign of life overtook is
/// refused there and leaves no alert.
final class FleetJudge {
    private static let statisticsPerRound = 500
    private static let noticesPerRound = 500
    private static let days30 = String(30 * 86_400)
    /// A node that was given up for so long is no loss any more.
    private static let lossMilliseconds: Int64 = 86_400_000

    private(set) var engine = LivenessEngine()
    private let redis: RedisLink
    private let registry: RequestClient
    private let alerts: AlertDesk
    private let writes: PendingWrites
    private let report: ServiceReport
    /// What the registry has not been told yet; at an opening whole fleets wake up at once.
    private var untold: [String: Liveness] = [:]
    /// Nodes given up and not back: their user, and since when.
    private var lost: [String: (user: String?, since: Timestamp)] = [:]

    init(_ environment: ServiceEnvironment, _ redis: RedisLink, _ alerts: AlertDesk, _ writes: PendingWrites) throws {
        self.redis = redis
        self.alerts = alerts
        self.writes = writes
        report = environment.report
        registry = try RequestClient(
            context: environment.context, endpoint: environment.configuration.connectEndpoint(.registry),
            reactor: environment.reactor, report: environment.report)
    }

    var lostCount: Int { lost.count }

    static func key(_ nodeID: String) -> String { "node_timeout:\(nodeID)" }

    // MARK: - A round

    func look(
        sightings: [(nodeID: String, lastSeen: Timestamp)], quotes: [(server: String, at: Timestamp)],
        listeningSince: Timestamp?, at now: Timestamp
    ) {
        var effects: [LivenessEngine.Effect] = []
        engine.look(
            sightings: sightings, quotes: quotes, listeningSince: listeningSince, at: now, into: &effects)
        for effect in effects {
            switch effect {
            case .ask(let nodeID): ask(nodeID)
            case .appeared(let nodeID): found(nodeID, "it is heard again", at: now)
            case .liveness(let nodeID, let liveness): untold[nodeID] = liveness
            case .dead(let death): giveUp(death, at: now)
            }
        }
        for (nodeID, liveness) in untold.prefix(FleetJudge.noticesPerRound) { tell(nodeID, liveness) }
        for (nodeID, fields) in engine.takeStatistics(limit: FleetJudge.statisticsPerRound, at: now) {
            redis.send(["HSET", "liveness:\(nodeID)"] + fields.flatMap { [$0.name, $0.value] })
            redis.send(["EXPIRE", "liveness:\(nodeID)", FleetJudge.days30])
        }
        for (nodeID, loss) in lost where now - loss.since > FleetJudge.lossMilliseconds {
            found(nodeID, "it has been gone for a day", at: now)
        }
    }

    private func ask(_ nodeID: String) {
        var earlier: [String: String]?
        if !engine.isKnown(nodeID) {
            redis.send(["HGETALL", "liveness:\(nodeID)"]) { earlier = $0?.dictionary }
        }
        let fields = ["user_uuid", "account", "server", "broker", "connection", "heartbeats", "connections"]
        redis.send(["HMGET", "node:\(nodeID)"] + fields) { [weak self] reply in
            guard let self, let values = reply?.array, values.count == fields.count else { return }
            var detail = LivenessEngine.Detail()
            detail.userUUID = values[0].text
            detail.account = values[1].text
            detail.server = values[2].text
            detail.broker = values[3].text
            detail.connection = values[4].text.flatMap(ConnectionState.init(rawValue:)) ?? .unknown
            detail.heartbeats = values[5].integer ?? 0
            detail.connections = values[6].integer ?? 1
            engine.learn(nodeID, detail, earlier: earlier, at: SystemClock.now())
        }
    }

    private func tell(_ nodeID: String, _ liveness: Liveness) {
        untold[nodeID] = nil
        let object: JSONObject = [
            "type": .string("liveness"), "node_id": .string(nodeID), "liveness": .string(liveness.rawValue),
        ]
        registry.send(object, timeout: 2_000) { [weak self] reply in
            guard let self, reply == nil, untold[nodeID] == nil, engine.liveness(of: nodeID) == liveness else { return }
            untold[nodeID] = liveness
        }
    }

    private func giveUp(_ death: LivenessEngine.Death, at now: Timestamp) {
        report.count("nodes_given_up")
        let object: JSONObject = [
            "type": .string("disconnect"), "node_id": .string(death.nodeID),
            "reason": .string(NodeEnd.timeoutReason), "last_seen": .integer(death.lastSeen.milliseconds),
            "received_at": .integer(now.milliseconds),
        ]
        registry.sendReliably(object) { [weak self] reply in
            guard let self, reply?["ok"]?.bool == true, reply?["ignored"] == nil else { return }
            lost[death.nodeID] = (death.detail.userUUID, now)
            alerts.raise(FleetJudge.condition(death, at: now), at: SystemClock.now())
        }
    }

    private static func condition(_ death: LivenessEngine.Death, at now: Timestamp) -> Condition {
        var fields = ["node_id": death.nodeID, "last_seen": String(death.lastSeen.milliseconds)]
        fields["user_uuid"] = death.detail.userUUID
        fields["account"] = death.detail.account
        fields["server"] = death.detail.server
        fields["broker"] = death.detail.broker
        let silence = (now - death.lastSeen) / 1000
        return Condition(
            key: key(death.nodeID), type: "node_timeout", severity: .warning,
            message: "\(death.nodeID) gave no sign of life for \(silence) s: \(death.cause.rawValue)", fields: fields,
            flappingType: "node_flapping")
    }

    private func found(_ nodeID: String, _ message: String, at now: Timestamp) {
        lost[nodeID] = nil
        alerts.resolve(FleetJudge.key(nodeID), "\(nodeID): \(message)", at: now)
    }

    // MARK: - What others say of nodes

    /// The registry's history: who came back, was replaced, or said goodbye after all.
    func note(event fields: [String: String]) {
        guard let nodeID = fields["node_id"], let kind = fields["event"] else { return }
        let now = SystemClock.now()
        switch NodeEvent.Kind(rawValue: kind) {
        case .recovered: found(nodeID, "it is heard again", at: now)
        case .replaced: found(nodeID, "its user runs a newer node", at: now)
        case .disconnected: found(nodeID, "it has ended", at: now)
        case .registered, .switched:
            guard let user = fields["user_uuid"], fields["status"] == NodeStatus.active.rawValue else { return }
            for (other, loss) in lost where loss.user == user && other != nodeID {
                found(other, "its user runs \(nodeID)", at: now)
            }
        case .timeout, .connection, nil: break
        }
    }

    /// Alerts of an earlier process: those whose node is well meanwhile are over.
    func review(at now: Timestamp) {
        for alert in alerts.engine.active.values where alert.type == "node_timeout" {
            guard let nodeID = alert.fields["node_id"] else { continue }
            lost[nodeID] = (alert.fields["user_uuid"], alert.raisedAt)
            redis.send(["HGET", "node:\(nodeID)", "status"]) { [weak self] reply in
                guard let self, let reply, reply.text != NodeStatus.timeout.rawValue else { return }
                found(nodeID, "it is \(reply.text ?? "forgotten") now", at: SystemClock.now())
            }
        }
    }
}
