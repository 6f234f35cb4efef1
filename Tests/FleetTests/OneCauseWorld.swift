import Domain
import Fleet

/// 5,000 terminals of ten brokers, five EA versions and 250 subnets, from silence to the alert that goes out.
struct OneCauseWorld {
    struct Terminal {
        let nodeID: String
        let server: String
        let version: String
        let address: String
        var isConnected = true
        var isActive = true
        var lastSeen: Timestamp
    }

    var terminals: [Terminal] = []
    var engine = LivenessEngine()
    var finder = CauseFinder(type: "node_timeout", groupType: "nodes_lost")
    var restarts = RestartWatch()
    var services = ServiceWatch(startedAt: at(-10_000))
    var alerts = AlertEngine(uuids: UUIDSource(SplitMix64(seed: 9)))
    var random: SplitMix64
    /// nil while the processor is down.
    var processor: Timestamp? = at(-5_000)
    var processorReport = at(-1)
    var second = 0.0
    var raised: [Alert] = []
    var resolved: [Alert] = []
    var held: Int { raised.map(\.story.heldBack).max() ?? 0 }

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        for index in 0..<5_000 {
            // Broker 9 has 400 terminals, the others share the rest unevenly.
            let server = index < 400 ? "Broker-9" : "Broker-\(index * index % 9)"
            let version = ["2.05", "2.05", "2.05", "2.06H", "2.02"][Int(random.next() % 5)]
            terminals.append(
                Terminal(
                    nodeID: "NODE_\(index)", server: server, version: version,
                    address: "10.\(index / 20 % 25).\(random.next() % 10).\(index % 250)", lastSeen: at(0)))
        }
        run(5)
    }

    mutating func run(_ seconds: Int) {
        for _ in 0..<seconds {
            second += 1
            look(at(second))
        }
    }

    private mutating func look(_ now: Timestamp) {
        if processor != nil {
            processorReport = now
            for index in terminals.indices where terminals[index].isConnected && terminals[index].isActive {
                terminals[index].lastSeen = now.adding(milliseconds: -Int64(random.next() % 900))
            }
        }
        var effects: [LivenessEngine.Effect] = []
        engine.look(
            sightings: terminals.filter(\.isActive).map { ($0.nodeID, $0.lastSeen) }, quotes: [],
            listeningSince: processor, at: now, into: &effects)
        for effect in effects {
            switch effect {
            case .ask(let nodeID): learn(nodeID, now)
            case .dead(let death): lose(death, now)
            case .appeared, .liveness: break
            }
        }
        tell(now)
    }

    private mutating func learn(_ nodeID: String, _ now: Timestamp) {
        let terminal = terminals[Int(nodeID.dropFirst(5)) ?? 0]
        var detail = LivenessEngine.Detail()
        (detail.server, detail.version, detail.address) = (terminal.server, terminal.version, terminal.address)
        detail.connection = terminal.isConnected ? .up : .lost
        engine.learn(nodeID, detail, earlier: nil, at: now)
    }

    private mutating func lose(_ death: LivenessEngine.Death, _ now: Timestamp) {
        terminals[Int(death.nodeID.dropFirst(5)) ?? 0].isActive = false
        finder.add(
            NodeTrouble(
                nodeID: death.nodeID, type: "node_timeout", severity: .warning, message: death.cause.rawValue,
                reason: death.cause.rawValue, detail: death.detail), at: now)
    }

    private mutating func tell(_ now: Timestamp) {
        var effects: [AlertEngine.Effect] = []
        var sighting = ServiceSighting(name: "handshake-processor")
        sighting.updatedAt = processorReport
        sighting.startedAt = processor ?? at(-5_000)
        sighting.state = "ready"
        let judgement = services.judge([sighting], at: now)
        for (service, why) in judgement.restarted {
            finder.noteRestart(service, why, at: now)
            if alerts.active["service_down:\(service)"] == nil {
                restarts.note(service, why, terminals: engine.nodeCount, at: now)
            }
        }
        let anew = restarts.look(at: now) { engine.awaited(since: $0.milliseconds) }
        let look = finder.look(at: now) {
            var population = FleetPopulation()
            engine.forEachDetail { _, detail, liveness in if liveness != .dead { population.add(detail) } }
            return population
        }
        for condition in judgement.raise + anew.raise + look.raise { alerts.raise(condition, at: now, into: &effects) }
        for (key, message) in judgement.resolve + anew.resolve + look.resolve {
            alerts.resolve(key, message: message, at: now, into: &effects)
        }
        alerts.tick(at: now, into: &effects)
        for effect in effects {
            switch effect {
            case .raised(let alert): raised.append(alert)
            case .resolved(let alert, _): resolved.append(alert)
            case .updated, .reminded, .noted: break
            }
        }
    }

    // MARK: - What happens

    mutating func vanish(_ isGone: (Terminal) -> Bool) -> Int {
        var count = 0
        for index in terminals.indices where isGone(terminals[index]) {
            terminals[index].isConnected = false
            count += 1
        }
        return count
    }

    mutating func comeBack() {
        for index in terminals.indices where !terminals[index].isConnected {
            terminals[index].isConnected = true
            guard !terminals[index].isActive else { continue }
            terminals[index].isActive = true
            finder.remove(terminals[index].nodeID, "it is heard again", at: at(second))
        }
    }

    func line(_ what: String, _ seed: UInt64, _ lost: Int) -> String {
        "line 8: seed \(seed) terminals 5000 \(what): lost \(lost) alerts \(raised.count) resolved \(resolved.count)"
            + " held_back \(held) cause \"\(raised.first?.story.cause ?? "")\""
    }
}
