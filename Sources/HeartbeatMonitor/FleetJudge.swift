import Domain
import Fleet
import Redis
import ServiceKit
import Wire

/// Carries out what the liveness engine decides: asks for details, tells the registry, hands over who is lost.
///
/// The registry writes a node's life cycle, the monitor only judges; a judgement that a newer sign of life overtook is
/// refused there and leaves no alert.
final class FleetJudge {
    private static let statisticsPerRound = 500
    private static let noticesPerRound = 500
    private static let days30 = String(30 * 86_400)

    var engine: LivenessEngine
    let redis: RedisLink
    let registry: RequestClient
    let alerts: AlertDesk
    let troubles: NodeTroubles
    let drift: DriftView
    let report: ServiceReport
    private let writes: PendingWrites
    let clock: SteadyClock
    /// Which markets terminals watch.
    let markets: MarketReader
    /// Anybody can reach the ports: who is not registered may speak and bears no witness of others.
    let asksWhoIsRegistered: Bool
    /// When identities were looked after, and how far that came.
    var identitiesReviewedAt: Timestamp?
    var identityReviewed = ""
    /// What the registry has not been told yet; at an opening whole fleets wake up at once.
    private var untold: [String: Liveness] = [:]
    /// Nodes given up and not back: their user, and since when.
    var lost: [String: (user: String?, since: Timestamp)] = [:]

    init(
        _ environment: ServiceEnvironment, _ redis: RedisLink, _ alerts: AlertDesk, _ writes: PendingWrites,
        _ configuration: AlertsConfiguration
    ) throws {
        self.redis = redis
        self.alerts = alerts
        self.writes = writes
        clock = alerts.clock
        report = environment.report
        markets = MarketReader(environment.instruments)
        asksWhoIsRegistered = environment.configuration.isOpenToTheWorld
        engine = LivenessEngine(calendar: { configuration.calendar($0) })
        troubles = NodeTroubles(alerts, configuration.rules.causes)
        drift = DriftView(environment, redis, troubles, alerts.clock)
        registry = try RequestClient(
            context: environment.context, endpoint: environment.configuration.connectEndpoint(.registry),
            reactor: environment.reactor, report: environment.report)
    }

    var lostCount: Int { lost.count }

    // MARK: - A round

    func look(
        sightings: [(nodeID: String, lastSeen: Timestamp)], quotes: [(server: String, at: Timestamp)],
        listeningSince: Timestamp?, at now: Timestamp
    ) {
        var effects: [LivenessEngine.Effect] = []
        let steady = clock.now()
        engine.look(
            sightings: sightings, quotes: quotes, listeningSince: listeningSince, at: now,
            steady: steady.milliseconds, into: &effects)
        for effect in effects {
            switch effect {
            case .ask(let nodeID): ask(nodeID)
            case .appeared(let nodeID): found(nodeID, "it is heard again")
            case .liveness(let nodeID, let liveness): untold[nodeID] = liveness
            case .dead(let death): giveUp(death, at: now)
            }
        }
        for (nodeID, liveness) in untold.prefix(FleetJudge.noticesPerRound) { tell(nodeID, liveness) }
        let statistics = engine.takeStatistics(
            limit: FleetJudge.statisticsPerRound, at: now, steady: steady.milliseconds)
        for (nodeID, fields) in statistics {
            redis.send(["HSET", "liveness:\(nodeID)"] + fields.flatMap { [$0.name, $0.value] })
            redis.send(["EXPIRE", "liveness:\(nodeID)", FleetJudge.days30])
        }
        for (nodeID, loss) in lost where steady - loss.since > NodeLoss.forgottenMilliseconds {
            found(nodeID, "it has been gone for a day")
        }
        writeSessions()
        judgeBrokers(now, steady)
        drift.look()
        reviewIdentities()
        troubles.look { [engine, lost] in
            var population = FleetPopulation()
            engine.forEachDetail { nodeID, detail, liveness in
                if liveness != .dead && lost[nodeID] == nil { population.add(detail) }
            }
            return population
        }
    }

    /// How many of the terminals that should speak have not been heard since a moment.
    func awaited(since moment: Timestamp) -> Int { engine.awaited(since: moment.milliseconds) }

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

    // MARK: - Brokers

    private func judgeBrokers(_ now: Timestamp, _ steady: Timestamp) {
        let silence = engine.silentBrokers(for: 900_000, at: now, steady: steady.milliseconds)
        guard silence.othersSpeak || silence.silent.count < 2 else {
            let nodes = silence.silent.reduce(0) { $0 + $1.nodes }
            alerts.set("broker_silent:", [], "no broker quotes: told as one")
            let condition = Condition(
                key: "fleet_silent:all", type: "fleet_silent", severity: .warning,
                message: "\(nodes) connected terminals of \(silence.silent.count) broker servers are silent although"
                    + " their markets should be open",
                story: AlertStory(.fleet, "", cause: "no broker quotes", count: nodes))
            return alerts.set("fleet_silent:", [condition], "")
        }
        alerts.set("fleet_silent:", [], "brokers quote again")
        let conditions = silence.silent.map { broker in
            let known = broker.isLearned ? "its terminals usually speak at this time" : "its market should be open"
            return Condition(
                key: "broker_silent:\(broker.server)", type: "broker_silent", severity: .warning,
                message: "\(broker.nodes) connected terminals of \(broker.server) have been silent for"
                    + " \(broker.silence / 60_000) min although \(known)",
                fields: ["server": broker.server],
                story: AlertStory(.server, broker.server, cause: "broker server \(broker.server)", count: broker.nodes))
        }
        alerts.set("broker_silent:", conditions, "its terminals speak again, or its market is closed")
    }

    private func writeSessions() {
        for (server, session) in engine.takeChangedSessions() {
            let key = "broker_session:\(server)"
            redis.send([
                "HSET", key, "slots", session.text, "learned_slots", String(session.learnedSlots),
                "calendar", session.calendar.rawValue, "updated_at", String(SystemClock.now().milliseconds),
            ])
            redis.send(["EXPIRE", key, String(90 * 86_400)])
        }
    }

    /// What earlier processes had learned of the brokers' weeks.
    func loadSessions() {
        redis.send(["SMEMBERS", "brokers"]) { [weak self] reply in
            for server in reply?.texts ?? [] {
                self?.redis.send(["HGET", "broker_session:\(server)", "slots"]) { [weak self] reply in
                    guard let self, let text = reply?.text else { return }
                    if !engine.restore(session: text, of: server) { report.count("sessions_not_read") }
                }
            }
        }
    }

    func write(_ command: [String]) { writes.write(command) }
}
