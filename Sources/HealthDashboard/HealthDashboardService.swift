import Domain
import Foundation
import Logging
import Redis
import ServiceKit
import Wire

/// Wiring: a reader on the loop publishes snapshots of the mesh; Hummingbird's threads answer from them.
final class HealthDashboardService: MeshService {
    private let configuration: MeshConfiguration
    private let report: ServiceReport
    private let board = SnapshotBoard()
    private let desk = ErrandDesk()
    private let hub = EventHub()
    private let token: AccessToken
    private let reader: MeshReader
    private let clerk: Clerk
    private let server: Server
    private let events: StreamReader
    private let system: SystemProbe
    private let systemClockStart = SystemClock.now()

    private var isListening = false
    private var published = Snapshot()
    private var listening: Set<Int> = []
    private var status = SystemStatus()
    private var exits: [ServiceName: ExitRecord] = [:]
    private var beats = 0
    private let history: History
    private var gauge = HistoryGauge()
    private var histograms = StageHistograms()
    private var summarised: Int64 = 0
    private var unsummarised: Set<Part> = [.nodes, .positions]

    init(_ environment: ServiceEnvironment) throws {
        configuration = environment.configuration
        report = environment.report
        let port = configuration.ports[.health].port
        token = AccessToken(path: configuration.tokenFile)
        system = SystemProbe(directory: configuration.varDirectory)
        let link = environment.makeRedisLink()
        reader = MeshReader(link: link)
        history = History(link: link)
        // A brake that was answered with an error must not be set later, when somebody has thought better of it.
        let orders = try RequestClient(
            context: environment.context, endpoint: configuration.connectEndpoint(.orders),
            reactor: environment.reactor, report: report, queuesWhileAway: false)
        clerk = Clerk(
            desk: desk, link: link, orders: orders, board: board, instruments: environment.instruments,
            reactor: environment.reactor)
        events = StreamReader(
            address: configuration.redis, stream: "events:nodes", group: nil, reactor: environment.reactor,
            log: environment.log
        ) { [reader] entries in
            for entry in entries { if let node = entry.fields["node_id"] { reader.nodeChanged(node) } }
        }
        server = Server(
            port: port, responder: Responder(board: board, desk: desk, hub: hub, token: token), log: environment.log)
        wire(environment, port: port)
        server.start()
    }

    private func wire(_ environment: ServiceEnvironment, port: Int) {
        let reactor = environment.reactor
        let log = environment.log
        reactor.watch(descriptor: { [server] in server.changed.descriptor }) { [unowned self] in
            server.changed.drain()
            switch server.state {
            case .starting: break
            case .running: isListening = true
            case .failed(let why): HealthDashboardService.end(port: port, why: why)
            }
        }
        reader.onCycle = { [unowned self] isComplete, parts in
            if isComplete {
                published.readAt = SystemClock.now()
                published.readMonotonic = SystemClock.monotonicMilliseconds()
                reader.fill(&published)
                summarise(parts)
            }
            publish(parts)
        }
        reactor.every(milliseconds: 200) { [unowned self] in reader.beginIfUrgent() }
        reactor.every(milliseconds: 1000) { [unowned self] in beat() }
        reactor.every(milliseconds: 15_000) { [hub] in hub.beat() }
        if let problem = token.refresh() {
            log.warning("the access token can't be used", metadata: ["why": "\(problem)"])
        }
        beat()
    }

    /// A port that is taken is a mistake of the configuration, said in one line.
    private static func end(port: Int, why: String) -> Never {
        let reason = why.contains("Address already in use") ? "another process listens there" : why
        StandardError.write(
            line: "health-dashboard: can't serve HTTP on 127.0.0.1:\(port): \(reason). See 'health' in ports.yaml.")
        exit(ExitStatus.configuration)
    }

    private func beat() {
        if beats % 2 == 0 {
            listening = PortProbe.listening()
            for name in ServiceName.startOrder {
                exits[name] = ExitRecord.read(directory: configuration.runDirectory, service: name)
            }
        }
        beats += 1
        status = system.look()
        reader.begin()
        // What waits for an outcome grows older without anything being different.
        publish(FireLedger(published, now: SystemClock.now()).unaccounted > 0 ? [.health, .fires] : [.health])
        // Of what is not known now nothing is drawn: the gap in the picture is the truth.
        if published.redis.isReady, published.readAt != nil {
            history.take(gauge.sample(published, now: SystemClock.now()))
        }
    }

    /// Sums over thousands of terminals are worked out at most once a second.
    private func summarise(_ parts: Set<Part>) {
        unsummarised.formUnion(parts)
        if parts.contains(.fires) { histograms.take(published.fires) }
        published.stages = histograms
        if unsummarised.remove(.positions) != nil { published.summarise([.positions]) }
        let now = SystemClock.monotonicMilliseconds()
        guard unsummarised.contains(.nodes), now - summarised >= 1000 else { return }
        summarised = now
        unsummarised = []
        published.summarise([.nodes])
    }

    /// Puts together what was read and what is seen here, and tells the listeners what is different.
    private func publish(_ parts: Set<Part>) {
        let now = SystemClock.now()
        published.startedAt = systemClockStart
        published.isDemo = configuration.isDemo
        published.publishedAt = now
        published.publishedMonotonic = SystemClock.monotonicMilliseconds()
        published.ports = configuration.ports.entries
        published.listening = listening
        published.system = status
        published.redis.address = "\(configuration.redis)"
        // Started by the mesh, its address comes in the environment either way.
        let own = RedisAddress(host: "127.0.0.1", port: configuration.ports[.state].port)
        published.redis.isOwn = configuration.redis == own
        published.redis.state = redisState
        published.services = ServiceName.startOrder.map { name in
            ServiceStatus(name, report: fields(of: name, now), exits: exits[name] ?? ExitRecord(), now: now)
        }
        let before = published.judgement
        published.history = history.rings
        published.judgement = Judgement(published, now: now)
        var changes = parts
        if published.judgement != before { changes.insert(.health) }
        if !changes.isEmpty { published.version += 1 }
        for part in changes { published.partVersions[part] = published.version }
        board.publish(published)
        if !changes.isEmpty { hub.publish(changes, version: published.version) }
    }

    private var redisState: RedisStatus.State {
        switch reader.link.state {
        case .ready: reader.link.isStalled ? .stalled : .ready
        case .unsafe: .unsafe
        case .away, .connecting: .away
        }
    }

    /// Of itself the dashboard knows without Redis that it runs.
    private func fields(of name: ServiceName, _ now: Timestamp) -> [String: String] {
        var fields = reader.report(of: name)
        guard name == .healthDashboard else { return fields }
        fields["updated_at"] = String(now.milliseconds)
        fields["pid"] = String(ProcessInfo.processInfo.processIdentifier)
        fields["version"] = MeshVersion.current
        fields["started_at"] = String(report.startedAt.milliseconds)
        fields["problems"] = report.problems.sortedObject { .string($0) }.compactText
        fields["state"] = !report.isReady ? "starting" : reader.link.isReady ? "ready" : "degraded"
        return fields
    }

    var isReady: Bool { isListening && reader.link.isReady && published.readAt != nil }

    func refreshReport() {
        report.problem("redis", reader.link.isReady ? nil : "Redis does not answer; what is shown is not of now")
        report.problem("token", token.refresh())
        report.set("redis_error_replies", reader.errorReplies)
        report.gauges["listeners"] = Int64(hub.count)
        report.gauges["nodes_known"] = Int64(published.nodes.count)
    }

    func drain() {
        hub.close()
        desk.close()
        server.stop(milliseconds: 1500)
    }
}
