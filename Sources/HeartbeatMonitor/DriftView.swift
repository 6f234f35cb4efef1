import Domain
import Fleet
import Redis
import ServiceKit
import Wire

/// The drift view: `fleet_drift` in Redis, and alerts for what keeps a terminal from trading.
final class DriftView {
    private static let days30 = String(30 * 86_400)
    private static let listed = 1_000
    /// After a start, so long nothing is said of charts: it takes that long to see that one stands still.
    private static let patience: Int64 = FleetDrift.chartPatience + 60_000
    /// After a start, so long troubles of an earlier process last whose terminals were not read yet.
    private static let readingPatience: Int64 = 90_000

    private let redis: RedisLink
    private let troubles: NodeTroubles
    private let clock: SteadyClock
    private let instruments: InstrumentCatalogue
    private let startedAt: Timestamp
    private var drift = FleetDrift()
    private var events: StreamReader?
    /// Terminals that hear no commands, and why.
    private var deaf: [String: (why: String, family: String, detail: LivenessEngine.Detail)] = [:]
    /// By node or address: what was shed, as handshake-processor says of those that flood now.
    private var flooding: [String: String]?
    /// Refusals an earlier process saw, until their terminals are read.
    private var restoredRefusals: [String: String] = [:]
    private var lookedAt: Timestamp?
    private var offsets: [String: String] = [:]

    init(_ environment: ServiceEnvironment, _ redis: RedisLink, _ troubles: NodeTroubles, _ clock: SteadyClock) {
        self.redis = redis
        self.troubles = troubles
        self.clock = clock
        instruments = environment.instruments
        startedAt = clock.now()
        events = StreamReader(
            address: environment.configuration.redis, stream: "events:trades", group: nil,
            reactor: environment.reactor, log: environment.log
        ) { [unowned self] entries in
            for entry in entries { note(trade: entry.fields) }
        }
    }

    /// What a trade event says of its terminal: refused since trading is off, or carried out.
    private func note(trade fields: [String: String]) {
        guard let nodeID = fields["node_id"], let kind = fields["kind"] else { return }
        let now = clock.now()
        switch kind {
        case "failed", "close_failed": drift.note(trade: nodeID, failedWith: fields["message"] ?? "", at: now)
        case "opened": drift.note(trade: nodeID, failedWith: nil, at: now)
        default: break
        }
    }

    /// What was read of a terminal.
    func note(_ nodeID: String, _ texts: [String: String], _ detail: LivenessEngine.Detail, isLive: Bool) {
        var facts = DriftFacts()
        facts.version = detail.version
        facts.chartSymbol = texts["chart_symbol"]
        facts.knowsChartSymbol = texts["chart_symbol"].map { instruments.instrument(for: $0) != nil }
        facts.ticksProcessed = texts["ticks_processed"].flatMap { Int64($0) }
        facts.heartbeats = detail.heartbeats
        facts.isLive = isLive
        facts.detail = detail
        let now = clock.now()
        drift.note(nodeID, facts, at: now)
        if let why = restoredRefusals.removeValue(forKey: nodeID) {
            drift.restore(refusal: why, of: nodeID, at: now)
        }
        // 7.01 has no identity to be addressed by: that is no news.
        let family = texts["family"] ?? "unknown"
        let isDeaf = texts["hears_commands"] == "no" && family != "7.01"
        let why = texts["hears_commands_reason"] ?? "it hears no commands"
        deaf[nodeID] = isDeaf && deaf.count < 20_000 ? (why, family, detail) : nil
    }

    /// Goes on from an alert of an earlier process.
    func restore(refusal why: String, of nodeID: String) { restoredRefusals[nodeID] = why }

    // MARK: - Every ten seconds

    func look() {
        let now = clock.now()
        if let lookedAt, now - lookedAt < 10_000 { return }
        lookedAt = now
        drift.forgetOld(at: now)
        readOffsets()
        let frozen = now - startedAt >= DriftView.patience ? drift.frozenCharts(at: now) : nil
        let disabled = drift.tradingDisabled()
        let wrong = drift.wrongSymbols()
        if let frozen {
            troubles.set("chart_frozen", frozen.map { trouble("chart_frozen", .warning, $0) }, "its chart ticks again")
        }
        if restoredRefusals.isEmpty || now - startedAt >= DriftView.patience {
            restoredRefusals = [:]
            troubles.set(
                "trading_disabled", disabled.map { trouble("trading_disabled", .critical, $0) }, "it trades again")
        }
        troubles.set(
            "wrong_symbols", wrong.map { trouble("wrong_symbols", .warning, $0) }, "its chart's symbol is known now",
            isKnown: isKnown)
        judgeDeaf()
        judgeFlooding()
        write(frozen ?? [], disabled, wrong)
    }

    private func judgeDeaf() {
        deaf = deaf.filter { drift.detail(of: $0.key) != nil }
        let found = deaf.map { nodeID, known in
            NodeTrouble(
                nodeID: nodeID, type: "commands_unheard", severity: .warning, message: "\(nodeID): \(known.why)",
                reason: known.why, detail: known.detail)
        }
        troubles.set("commands_unheard", found, "it hears commands again", isKnown: isKnown)
    }

    private func isKnown(_ nodeID: String) -> Bool {
        drift.detail(of: nodeID) != nil || clock.now() - startedAt >= DriftView.readingPatience
    }

    private func judgeFlooding() {
        redis.send(["HGETALL", "flooding_terminals"]) { [weak self] reply in
            if let known = reply?.dictionary { self?.flooding = known }
        }
        guard let flooding else { return }
        let found = flooding.map { name, json -> NodeTrouble in
            let told = (try? JSON(json))?.object
            var detail = drift.detail(of: name) ?? LivenessEngine.Detail()
            if detail.address == nil { detail.address = told?["address"]?.text }
            return NodeTrouble(
                nodeID: name, type: "terminal_flooding", severity: .warning,
                message: "\(name) sends more than its quota: \(told?["shed"]?.text ?? "some") messages were shed",
                reason: "more than its quota", detail: detail)
        }
        troubles.set("terminal_flooding", found, "it keeps to its quota")
    }

    private func trouble(_ type: String, _ severity: Alert.Severity, _ found: FleetDrift.Case) -> NodeTrouble {
        NodeTrouble(
            nodeID: found.nodeID, type: type, severity: severity, message: "\(found.nodeID): \(found.why)",
            reason: type == "trading_disabled" ? found.why : "", detail: found.detail)
    }

    private func readOffsets() {
        redis.send(["SMEMBERS", "brokers"]) { [weak self] reply in
            for server in reply?.texts.prefix(1_000) ?? [] {
                self?.redis.send(["HGET", "broker:\(server)", "clock_offset_ms"]) { [weak self] reply in
                    if let text = reply?.text { self?.offsets[server] = text }
                }
            }
        }
    }

    private func write(_ frozen: [FleetDrift.Case], _ disabled: [FleetDrift.Case], _ wrong: [FleetDrift.Case]) {
        let versions = drift.versions.sortedObject { .integer($0) }
        let clocks = offsets.sortedObject { .number($0) }
        redis.send([
            "HSET", "fleet_drift", "versions", versions.compactText, "clock_offsets", clocks.compactText,
            "frozen_charts", list(frozen), "trading_disabled", list(disabled), "wrong_symbols", list(wrong),
            "updated_at", String(SystemClock.now().milliseconds),
        ])
        redis.send(["EXPIRE", "fleet_drift", DriftView.days30])
    }

    private func list(_ cases: [FleetDrift.Case]) -> String {
        JSON.array(
            cases.prefix(DriftView.listed).map { found in
                .object([
                    "node_id": .string(found.nodeID), "user_uuid": .text(found.detail.userUUID),
                    "account": .text(found.detail.account), "server": .text(found.detail.server),
                    "version": .text(found.detail.version),
                    "since": .integer(clock.wall(found.since).milliseconds), "why": .string(found.why),
                ])
            }
        ).compactText
    }
}
