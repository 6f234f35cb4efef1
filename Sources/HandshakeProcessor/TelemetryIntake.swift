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

    var engine: TelemetryEngine
    let listeners: [TelemetryListener]
    private let output: ZMQSocket
    let message = PullFrame()
    let monitorMessage = ZMQMessage()
    let report: ServiceReport
    let quarantine: Quarantine
    let registry: RegistryNotices
    let trades: TradeForwarder
    let redis: RedisLink
    let fence: AddressFence
    /// ZMTP heartbeats go unanswered for so long before libzmq ends a connection; 0 where there are none.
    let heartbeatTimeout: Int64
    var effects: [TelemetryEffect] = []
    var unknownTypes: Set<String> = []
    /// Whom quotes on a connection named last and may name until it is looked up again, by a hash with this process's own seed.
    var believedUsers: [Int32: (name: Int, until: Timestamp)] = [:]
    /// Frames to come that no quota is charged for.
    private var uncharged = 0

    init(
        _ environment: ServiceEnvironment, registry: RegistryNotices, trades: TradeForwarder, quarantine: Quarantine,
        redis: RedisLink
    ) throws {
        let configuration = environment.configuration
        let quota = TelemetryQuota(
            rate: configuration.terminalRate, burst: configuration.terminalBurst, seed: .random(in: .min ... .max))
        engine = TelemetryEngine(
            quota: quota, commandListeners: configuration.ports.commandListeners, seed: .random(in: .min ... .max))
        let interval = Int64(configuration.chosenHeartbeat)
        heartbeatTimeout = interval > 0 ? max(3 * interval, 2_000 + interval) : 0
        // A context of its own is an I/O thread of its own. One thread for both reads up to 256 terminals' messages in a
        // round and writes 8 KiB, some forty, to each subscriber: behind a busy fleet the relay would fall back.
        output = try ZMQSocket(try ZMQContext(), .publish, SocketProfile.publisher)
        report = environment.report
        self.quarantine = quarantine
        self.registry = registry
        self.trades = trades
        self.redis = redis
        fence = AddressFence(environment, redis, registry)
        try output.bind(configuration.bindEndpoint(.marketRelay))
        listeners = try configuration.ports.listeners(serving: .eaTelemetry).map {
            try TelemetryListener(environment, $0)
        }
        fence.isClear = { [unowned self] in isClear($0) }
        fence.admit = { [unowned self] in admit($0) }
        for listener in listeners { watch(listener, environment.reactor) }
    }

    /// Takes what has arrived, at the end of the process.
    func drainAll() throws {
        for listener in listeners {
            for _ in 0..<1000 {
                guard try drain(listener) == TelemetryIntake.budget || listener.pull?.isCutShort == true else { break }
            }
        }
    }

    // MARK: - Frames

    /// Takes what has arrived, a bounded number; returns how many frames that was.
    func drain(_ listener: TelemetryListener) throws -> Int {
        let startedAt = SystemClock.monotonicMilliseconds()
        var ticks: Int64 = 0
        var bars: Int64 = 0
        var taken = 0
        var now = SystemClock.now()
        var free = uncharged
        while taken < TelemetryIntake.budget, try listener.receive(into: message) {
            taken += 1
            if taken % TelemetryIntake.clockInterval == 0 { now = SystemClock.now() }
            if message.isMultipart {
                refuseMultipart()
                continue
            }
            if free > 0 {
                free -= 1
            } else if !isAffordable(&free, now) {
                continue
            }
            guard let kind = classify(now) else { continue }
            switch kind {
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
        uncharged = free
        finishBatch(now)
        let isEmpty = taken < TelemetryIntake.budget && listener.pull?.isCutShort != true
        listener.note(taken: taken, isEmpty: isEmpty, startedAt: startedAt)
        return taken
    }

    /// Whether the frame's sender may send it; decided before it is read. False: it is shed.
    ///
    /// - Parameter free: becomes how many frames after this one need not be asked about.
    private func isAffordable(_ free: inout Int, _ now: Timestamp) -> Bool {
        let (weight, next) = engine.quota.next(at: now.milliseconds)
        free = next
        guard weight > 0 else { return true }
        let descriptor = message.sourceDescriptor
        if engine.charge(descriptor, weight, at: now) { return true }
        return engine.quota.admits(message.withBytes { TelemetryRank(frame: $0) }, descriptor)
    }

    /// The oldest message that waits, as far as can be told from here, in milliseconds, and how many were taken since.
    var queue: (oldestUnread: Int64, depth: Int64) {
        let now = SystemClock.monotonicMilliseconds()
        return (
            listeners.compactMap(\.busySince).min().map { now - $0 } ?? 0,
            listeners.reduce(0) { $0 + $1.takenWhileBusy }
        )
    }

    /// What the frame is; a tick is noted with its node and its broker. Nil where it is a stranger's, who speaks for a
    /// terminal: it goes no further.
    private func classify(_ now: Timestamp) -> FrameKind? {
        let descriptor = message.sourceDescriptor
        let (kind, seen) = message.withBytes { frame -> (FrameKind?, (node: Int, notice: TelemetryEngine.Notice)?) in
            let scan = scanTelemetry(frame)
            guard scan.kind != .other else { return (.other, nil) }
            let nodeID = UnsafeBufferPointer(rebasing: frame[scan.nodeID])
            guard isOwn(UnsafeBufferPointer(rebasing: frame[scan.userUUID]), descriptor, now) else { return (nil, nil) }
            guard scan.kind == .tick else { return (isStrange(nodeID, descriptor, now) ? nil : .bar, nil) }
            let timestamp = UnsafeBufferPointer(rebasing: frame[scan.timestamp])
            if nodeID.isEmpty {
                return (.tick, engine.tick(descriptor: descriptor, timestamp: timestamp, at: now))
            }
            let seen = engine.tick(nodeID: nodeID, on: descriptor, timestamp: timestamp, at: now)
            guard let seen, seen.notice.contains(.speaker) else { return (.tick, seen) }
            guard isSpeaker(seen.node, descriptor, now) else { return (nil, nil) }
            return (.tick, engine.tick(nodeID: nodeID, timestamp: timestamp, at: now))
        }
        if let seen, !seen.notice.isEmpty { act(on: seen.notice, of: seen.node, now) }
        return kind
    }

    func act(on notice: TelemetryEngine.Notice, of node: Int, _ now: Timestamp) {
        // A stranger's quote attaches nobody.
        if notice.contains(.descriptor), isBelieved(nil, engine.nodeID(node), now) {
            engine.attach(node, to: openDescriptor(), at: now, into: &effects)
        }
        if notice.contains(.activity) { noteActivity(node, now) }
        if notice.contains(.server) { lookUp(engine.nodeID(node)) }
    }

    func relay() throws {
        let result = try message.withBytes { (bytes) throws(ZMQError) in try output.send(bytes) }
        if result != .sent { report.count("relay_refused") }
    }

    private func refuseMultipart() {
        quarantine.keep(
            reason: "multipart", detail: "EAs send one frame; this message has more", port: .eaTelemetry,
            frame: message.copyBytes())
    }
}
