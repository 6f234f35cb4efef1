public import Domain

/// Who is alive: judges each active node by its last sign of life, its connections, what its broker quotes to others,
/// and when its broker's terminals usually speak.
///
/// Terminals stand still when the market does: they send nothing for a whole weekend while all is well. So silence alone
/// is no death. A node is dead when it was silent for 60 s and either all its connections are lost, or its broker went on
/// quoting for most of that time and others of its terminals went on speaking that watch no market it does not watch:
/// where one server carries crypto and foreign exchange, the one says nothing of the other. While its market should be
/// closed more than a tenth of them, of two users, have to speak: one is no market. Silent otherwise it is
/// `stale` where its broker's week, learned from its own fleet, says that somebody should speak, else `quiet`; nobody is
/// alarmed by either. Who was not heard for a minute since nobody listened, or since a backup was restored, is one of the
/// two until he is heard: never `live`.
///
/// Silence counts only while somebody listened: from the last sign of life, or the start of those who hear it, if that
/// was later. While they are down nobody is judged. So a restart of this judge changes nothing, and a restart of the
/// listeners gives everybody 60 s to speak. Durations are taken by a clock that never steps: our own clock may be set an
/// hour forth or back, and nobody dies of it. Source: ea-wire 1.3, the contract's `liveness`.
public struct LivenessEngine: Sendable {
    /// Names of servers come from outside.
    static let mostServers = 10_000
    let settings: Settings
    var nodes: [String: Node] = [:]
    var servers: [Server] = []
    var serverIndex: [String: Int] = [:]
    private var generation: UInt64 = 0
    var previousLook: (wall: Timestamp, steady: Int64)?
    /// Since when everybody who hears terminals has been running, by the steady clock.
    private var listening: (value: Timestamp, since: Int64)?
    /// When our wall clock was stepped last: everybody has a minute from then.
    private var steppedAt: Int64 = .min / 2
    public private(set) var clockSteps = 0
    /// By how much our wall clock was stepped last, in milliseconds.
    private var lastStep: Int64 = 0
    private let calendar: @Sendable (String) -> MarketCalendar

    /// - Parameter calendar: what is known beforehand of a broker server's week.
    public init(
        settings: Settings = Settings(), calendar: @escaping @Sendable (String) -> MarketCalendar = { _ in .forex }
    ) {
        self.settings = settings
        self.calendar = calendar
    }

    public var nodeCount: Int { nodes.count }

    /// How many nodes are of each liveness.
    public func counts() -> [Liveness: Int] {
        nodes.values.reduce(into: [:]) { $0[$1.liveness, default: 0] += 1 }
    }

    public func liveness(of nodeID: String) -> Liveness? { nodes[nodeID]?.liveness }

    /// Servers of nodes that are heard now: those whose quotes should come.
    public func liveServers() -> Set<String> {
        var live: Set<String> = []
        for node in nodes.values
        where node.liveness == .live && node.server >= 0 && node.detail?.bearsWitness != false {
            live.insert(servers[node.server].name)
        }
        return live
    }

    /// When each server's newest current quote came, by the steady clock: a step of ours makes none of them old or new.
    public func quotes() -> [(server: String, at: Timestamp)] {
        servers.compactMap { server in server.quotedAt.map { (server.name, Timestamp(milliseconds: $0)) } }
    }

    /// The last step of our wall clock, where it is no older than that: by how much, and how long ago.
    public func clockStep(within milliseconds: Int64, steady: Int64) -> (milliseconds: Int64, age: Int64)? {
        let age = steady - steppedAt
        return clockSteps > 0 && age <= milliseconds ? (lastStep, max(0, age)) : nil
    }

    // MARK: - A look at everybody, once a second

    /// - Parameters:
    ///   - sightings: all active nodes with their last sign of life.
    ///   - quotes: per broker server its newest current quote.
    ///   - listeningSince: since when everybody who hears terminals has been running; nil while one of them is down.
    ///   - steady: milliseconds of a clock that never steps; nil takes `now` for one.
    public mutating func look(
        sightings: [(nodeID: String, lastSeen: Timestamp)], quotes: [(server: String, at: Timestamp)],
        listeningSince: Timestamp?, at now: Timestamp, steady given: Int64? = nil, into effects: inout [Effect]
    ) {
        let steady = given ?? now.milliseconds
        generation += 1
        let elapsed = noteClock(now, steady)
        let heardSince = listeningTime(listeningSince, now, steady)
        for index in servers.indices { servers[index].beginLook() }
        for quote in quotes { note(quote.server, quote.at, now, steady) }
        for sighting in sightings {
            var node =
                nodes[sighting.nodeID]
                ?? {
                    effects.append(.appeared(sighting.nodeID))
                    let heardAt = steady - max(0, now - sighting.lastSeen)
                    return Node(
                        lastSeen: sighting.lastSeen, heardAt: heardAt,
                        isAhead: sighting.lastSeen - now > settings.step, speakingSince: heardAt,
                        generation: generation)
                }()
            node.generation = generation
            if sighting.lastSeen != node.lastSeen { hear(&node, sighting.lastSeen, now, steady) }
            node.isAhead = node.lastSeen - now > settings.step
            judge(sighting.nodeID, &node, heardSince, now, steady, elapsed, &effects)
            nodes[sighting.nodeID] = node
        }
        if nodes.count > sightings.count { nodes = nodes.filter { $0.value.generation == generation } }
        for index in servers.indices {
            servers[index].endLook(listened: heardSince == nil ? 0 : elapsed, at: now, steady: steady)
        }
        previousLook = (now, steady)
    }

    /// The time since the last look; finds steps of the wall clock.
    private mutating func noteClock(_ now: Timestamp, _ steady: Int64) -> Int64 {
        guard let previousLook else { return 0 }
        let elapsed = max(0, steady - previousLook.steady)
        let step = (now - previousLook.wall) - elapsed
        if abs(step) > settings.step {
            lastStep = step
            steppedAt = steady
            clockSteps += 1
        }
        return elapsed
    }

    private mutating func listeningTime(_ since: Timestamp?, _ now: Timestamp, _ steady: Int64) -> Int64? {
        guard let since else { return nil }
        if listening?.value != since { listening = (since, steady - max(0, now - since)) }
        return max(listening?.since ?? steady, steppedAt)
    }

    /// What changed since the last look came after it, whatever the wall clock says; a little earlier where Redis was
    /// slow.
    private func steadyTime(_ value: Timestamp, _ now: Timestamp, _ steady: Int64) -> Int64 {
        let told = steady - max(0, now - value)
        return max(told, (previousLook?.steady ?? .min / 2) - 5_000)
    }

    private mutating func hear(_ node: inout Node, _ lastSeen: Timestamp, _ now: Timestamp, _ steady: Int64) {
        let heardAt = max(node.heardAt, steadyTime(lastSeen, now, steady))
        if heardAt > node.heardAt { node.stability.note(interval: heardAt - node.heardAt) }
        node.lastSeen = lastSeen
        speak(&node, heardAt)
    }

    /// A terminal gave a sign of life; who goes on for long enough bears witness for those that watch the same markets.
    mutating func speak(_ node: inout Node, _ heardAt: Int64) {
        if heardAt - node.heardAt > settings.pause { node.speakingSince = heardAt }
        node.heardAt = heardAt
        guard node.server >= 0, node.detail?.bearsWitness != false else { return }
        servers[node.server].isHeard = true
        guard heardAt - node.speakingSince >= settings.quoted else { return }
        servers[node.server].markets.note(
            node.group, from: node.speakingSince, to: heardAt, pause: settings.pause)
    }

    private mutating func note(_ name: String, _ at: Timestamp, _ now: Timestamp, _ steady: Int64) {
        guard let index = server(name), servers[index].lastQuote != at else { return }
        let isFirst = servers[index].lastQuote == nil
        let time = isFirst ? steady - max(0, now - at) : steadyTime(at, now, steady)
        servers[index].lastQuote = at
        guard let quotedAt = servers[index].quotedAt else {
            servers[index].quotingSince = time
            return servers[index].quotedAt = time
        }
        guard time > quotedAt else { return }
        if time - quotedAt > settings.pause { servers[index].quotingSince = time }
        servers[index].quotedAt = time
    }

    /// The place of a server's record, made where there is none; nil where there are as many as are kept.
    mutating func server(_ name: String) -> Int? {
        if let known = serverIndex[name] { return known }
        guard servers.count < LivenessEngine.mostServers else { return nil }
        servers.append(Server(name: name, session: BrokerSession(calendar: calendar(name))))
        serverIndex[name] = servers.count - 1
        return servers.count - 1
    }
}
