import Domain
import Fleet
import Redis
import ServiceKit
import Wire
import ZeroMQ

/// The telemetry port and the relay: what is a tick or a bar goes on as it came, everything else is understood.
///
/// The path of a tick copies no bytes and allocates nothing; clocks, counters and texts are touched once a batch.
final class TelemetryIntake {
    /// Frames taken in one turn of the loop.
    private static let budget = 1000
    /// How many frames share one reading of the clock.
    private static let clockInterval = 250

    var engine = TelemetryEngine(seed: .random(in: .min ... .max))
    private let input: ZMQSocket
    private let output: ZMQSocket
    private let monitor: ZMQSocket
    private let message = ZMQMessage()
    private let monitorMessage = ZMQMessage()
    private let report: ServiceReport
    private let quarantine: Quarantine
    private let registry: RegistryNotices
    private let trades: TradeForwarder
    private let redis: RedisLink
    private var effects: [TelemetryEffect] = []
    private var unknownTypes: Set<String> = []

    init(
        _ environment: ServiceEnvironment, registry: RegistryNotices, trades: TradeForwarder, quarantine: Quarantine,
        redis: RedisLink
    ) throws {
        let configuration = environment.configuration
        let isPublished = configuration.ports[.eaTelemetry].socket == .sub
        let profile = SocketProfile.eaTelemetry(heartbeat: configuration.zmtpHeartbeatMilliseconds)
        input = try ZMQSocket(environment.context, isPublished ? .subscribe : .pull, profile)
        if isPublished { try input.subscribe() }
        monitor = try input.monitor(environment.context, name: PortList.Name.eaTelemetry.rawValue)
        output = try ZMQSocket(environment.context, .publish, SocketProfile.publisher)
        report = environment.report
        self.quarantine = quarantine
        self.registry = registry
        self.trades = trades
        self.redis = redis
        try output.bind(configuration.bindEndpoint(.marketRelay))
        try input.bind(configuration.bindEndpoint(.eaTelemetry))
        // Watched first: a connection has to be known before what came on it.
        environment.reactor.watch(monitor) { [unowned self] in try drainMonitor() }
        environment.reactor.watch(input) { [unowned self] in _ = try drain() }
    }

    /// Takes what has arrived, at the end of the process.
    func drainAll() throws {
        for _ in 0..<1000 where try drain() == TelemetryIntake.budget {}
    }

    // MARK: - Frames

    /// Takes what has arrived, a bounded number; returns how many frames that was.
    private func drain() throws -> Int {
        var ticks: Int64 = 0
        var bars: Int64 = 0
        var taken = 0
        var now = SystemClock.now()
        while taken < TelemetryIntake.budget, try input.receive(message) {
            taken += 1
            if taken % TelemetryIntake.clockInterval == 0 { now = SystemClock.now() }
            if message.hasMore {
                try refuseMultipart()
                continue
            }
            switch classify(now) {
            case .tick:
                ticks += 1
                try relay()
            case .bar:
                bars += 1
                try relay()
            case .other: try takeOther(now)
            }
        }
        if ticks > 0 { report.count("ticks", ticks) }
        if bars > 0 { report.count("bars", bars) }
        if taken > 0 { report.count("frames", Int64(taken)) }
        finishBatch(now)
        return taken
    }

    /// What the frame is; a tick is noted with its node and its broker.
    private func classify(_ now: Timestamp) -> FrameKind {
        let (kind, seen) = message.withBytes { frame -> (FrameKind, (node: Int, notice: TelemetryEngine.Notice)?) in
            let scan = scanTelemetry(frame)
            guard scan.kind == .tick else { return (scan.kind, nil) }
            let timestamp = UnsafeBufferPointer(rebasing: frame[scan.timestamp])
            if scan.nodeID.isEmpty {
                return (.tick, engine.tick(descriptor: message.sourceDescriptor, timestamp: timestamp, at: now))
            }
            let nodeID = UnsafeBufferPointer(rebasing: frame[scan.nodeID])
            return (.tick, engine.tick(nodeID: nodeID, timestamp: timestamp, at: now))
        }
        if let seen, !seen.notice.isEmpty { act(on: seen.notice, of: seen.node, now) }
        return kind
    }

    private func act(on notice: TelemetryEngine.Notice, of node: Int, _ now: Timestamp) {
        if notice.contains(.descriptor) {
            engine.attach(node, to: openDescriptor(), at: now, into: &effects)
        }
        if notice.contains(.activity) { registry.activity(engine.nodeID(node), at: now) }
        if notice.contains(.server) { lookUp(engine.nodeID(node)) }
    }

    private func relay() throws {
        if try output.send(message) != .sent { report.count("relay_refused") }
    }

    private func refuseMultipart() throws {
        let first = message.copyBytes()
        while message.hasMore {
            // The frames of one message arrive together.
            guard try input.receive(message) else { break }
        }
        quarantine.keep(
            reason: "multipart", detail: "EAs send one frame; this message has more", port: .eaTelemetry, frame: first)
    }

    // MARK: - Everything but ticks and bars

    private func takeOther(_ now: Timestamp) throws {
        let descriptor = openDescriptor()
        let result = message.withBytes { frame -> Result<(message: TerminalMessage, repaired: Bool), EAReject> in
            do throws(EAReject) { return .success(try EADecoder.decodeNoting(frame)) } catch { return .failure(error) }
        }
        switch result {
        case .failure(let reject): message.withBytes { quarantine.keep(reject, port: .eaTelemetry, frame: $0) }
        case .success(let decoded):
            if decoded.repaired { report.count("repaired") }
            try take(decoded.message, descriptor, now)
        }
    }

    private func take(_ decoded: TerminalMessage, _ descriptor: Int32, _ now: Timestamp) throws {
        switch decoded {
        case .tick(let tick):
            report.count("ticks")
            note(tick, descriptor, now)
            try relay()
        case .bars(let bars):
            report.count("bars", Int64(bars.count))
            try relay()
        case .report(let report): take(report, descriptor, now)
        case .disconnect(let end):
            report.count("disconnects")
            if !engine.take(end, descriptor: descriptor, at: now, into: &effects) { report.reject("unidentified") }
        case .trade, .pong:
            // 7.01 has no port for confirmations and sends its results here.
            let identity = engine.identity(descriptor)
            message.withBytes { trades.forward($0, identity: identity) }
        case .resume: refuse("unexpected_type", "resume belongs to the receipts port")
        case .unknown(let type): refuse("unknown_type:\(bounded(type))", "no message of this port has this type")
        }
    }

    private func take(_ terminal: TerminalReport, _ descriptor: Int32, _ now: Timestamp) {
        report.count("\(terminal.kind.rawValue)_frames")
        guard engine.take(terminal, descriptor: descriptor, at: now, into: &effects) else {
            // Heartbeats of 7.01 name nobody, which is no fault of theirs; an introduction has to.
            if terminal.kind == .handshake || terminal.kind == .hello {
                return refuse("missing_field", "node_id is missing, and so is the account or its server")
            }
            return report.reject("unidentified")
        }
        if terminal.kind == .handshake { registry.keep(handshake: terminal, from: message.peerAddress(), at: now) }
    }

    /// A quote in an unusual form.
    private func note(_ tick: Tick, _ descriptor: Int32, _ now: Timestamp) {
        var time = tick.brokerSeconds.map(String.init) ?? ""
        let seen = time.withUTF8 { timestamp -> (node: Int, notice: TelemetryEngine.Notice)? in
            guard var nodeID = tick.nodeID else {
                return engine.tick(descriptor: descriptor, timestamp: timestamp, at: now)
            }
            return nodeID.withUTF8 { engine.tick(nodeID: $0, timestamp: timestamp, at: now) }
        }
        if let seen, !seen.notice.isEmpty { act(on: seen.notice, of: seen.node, now) }
    }

    private func refuse(_ reason: String, _ detail: String) {
        message.withBytes { quarantine.keep(reason: reason, detail: detail, port: .eaTelemetry, frame: $0) }
    }

    /// Names come from outside: only so many distinct ones are counted by themselves.
    private func bounded(_ type: String) -> String {
        let name = String(type.prefix(40))
        guard unknownTypes.count < 50 || unknownTypes.contains(name) else { return "other" }
        unknownTypes.insert(name)
        return name
    }

    // MARK: - Connections

    /// The frame's connection. Its acceptance may still wait among the events: it happened before the frame came.
    private func openDescriptor() -> Int32 {
        let descriptor = message.sourceDescriptor
        if descriptor >= 0, !engine.isOpen(descriptor) { try? drainMonitor() }
        return descriptor
    }

    private func drainMonitor() throws {
        let now = SystemClock.now()
        for _ in 0..<4096 {
            guard let event = try monitor.receiveConnectionEvent(monitorMessage) else { break }
            switch event.kind {
            case .accepted: engine.connectionAccepted(event.descriptor)
            case .handshakeFailed:
                engine.connectionHandshakeFailed()
                report.reject("zmtp_handshake_failed")
            case .disconnected, .closed: engine.connectionClosed(event.descriptor, at: now, into: &effects)
            case .listening, .handshakeSucceeded, .other: break
            }
        }
        finishBatch(now)
    }

    private func finishBatch(_ now: Timestamp) {
        guard !effects.isEmpty else { return }
        registry.carryOut(effects, at: now)
        effects.removeAll(keepingCapacity: true)
    }

    /// A node that was registered before this process started: the registry's hash knows its server.
    private func lookUp(_ nodeID: String) {
        redis.send(["HMGET", "node:\(nodeID)", "server", "broker"]) { [weak self] reply in
            guard let self, let values = reply?.array, values.count == 2, let server = values[0].text else { return }
            engine.learn(server: server, broker: values[1].text, of: nodeID, at: SystemClock.now())
        }
    }
}
