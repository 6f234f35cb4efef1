import Domain
import Fleet
import Redis
import ServiceKit
import ZeroMQ

// Who is connected, and what an earlier process knew of him.
extension TelemetryIntake {
    /// The frame's connection. Of a SUB its acceptance may still wait among the events: it happened before the frame came.
    func openDescriptor() -> Int32 {
        let descriptor = message.sourceDescriptor
        if descriptor >= 0, !engine.isOpen(descriptor) {
            for listener in listeners { if let subscriber = listener.subscriber { try? drainMonitor(subscriber) } }
        }
        return descriptor
    }

    func watch(_ listener: TelemetryListener, _ reactor: Reactor) {
        if let subscriber = listener.subscriber {
            // Watched first: a connection has to be known before what came on it.
            reactor.watch(subscriber.monitor) { [unowned self] in try drainMonitor(subscriber) }
            reactor.watch(subscriber.socket) { [unowned self] in _ = try drain(listener) }
        } else if let pull = listener.pull {
            pull.onAccepted = { [unowned self] in accepted($0, $1) }
            pull.onRefused = { [report] in report.count($0.rawValue) }
            pull.onEnded = { [unowned self] in ended($0.descriptor, $1) }
            pull.watch(on: reactor) { [unowned self] in _ = try drain(listener) }
        }
    }

    private func accepted(_ descriptor: Int32, _ address: String?) {
        believedUsers[descriptor] = nil
        engine.connectionAccepted(descriptor, isShared: address.map(NetworkAddress.isOwnMachine) ?? false)
    }

    private func ended(_ descriptor: Int32, _ end: PullListener.End) {
        let now = SystemClock.now()
        switch end {
        case .byPeer: break
        case .silent: report.count("heartbeat_disconnects")
        case .handshake:
            engine.connectionHandshakeFailed()
            report.reject("zmtp_handshake_failed")
        case .broken(let reason): report.reject(reason)
        }
        engine.connectionClosed(descriptor, at: now, into: &effects)
        finishBatch(now)
    }

    private func drainMonitor(_ subscriber: TelemetryListener.Subscriber) throws {
        let now = SystemClock.now()
        for _ in 0..<4096 {
            guard let event = try subscriber.monitor.receiveConnectionEvent(monitorMessage) else { break }
            switch event.kind {
            case .accepted: accepted(event.descriptor, PeerAddress.of(event.descriptor))
            case .handshakeFailed:
                engine.connectionHandshakeFailed()
                report.reject("zmtp_handshake_failed")
            case .disconnected, .closed:
                if event.kind == .disconnected { noteHeartbeatEnd(event.descriptor, now) }
                engine.connectionClosed(event.descriptor, at: now, into: &effects)
            case .listening, .handshakeSucceeded, .other: break
            }
        }
        finishBatch(now)
    }

    func finishBatch(_ now: Timestamp) {
        guard !effects.isEmpty else { return }
        registry.carryOut(effects, at: now, engine.standing)
        effects.removeAll(keepingCapacity: true)
    }

    /// libzmq doesn't say why a connection ended. One that was silent for longer than heartbeats may go unanswered, and
    /// that the heartbeats were on for, is counted as theirs.
    private func noteHeartbeatEnd(_ descriptor: Int32, _ now: Timestamp) {
        let heard = engine.quota.lastHeard(descriptor)
        guard heartbeatTimeout > 0, heard > 0, engine.isOpen(descriptor) else { return }
        if now.milliseconds - heard >= heartbeatTimeout { report.count("heartbeat_disconnects") }
    }

    /// A node that was registered before this process started: the registry's hash knows its server and its family.
    func lookUp(_ nodeID: String) {
        redis.send(KnownNodes.question(nodeID)) { [weak self] reply in
            guard let self, let fields = KnownNodes.fields(reply) else { return }
            restore(nodeID, fields)
        }
    }

    /// What an earlier process was told of a node.
    func restore(_ nodeID: String, _ fields: [String: String]) {
        let now = SystemClock.now()
        if let server = fields["server"] { engine.learn(server: server, broker: fields["broker"], of: nodeID, at: now) }
        engine.restoreStanding(nodeID, fields, at: now, into: &effects)
        finishBatch(now)
    }

    /// Whom the command port turned away.
    func noteRefused(_ addresses: [String: Timestamp]) {
        let now = SystemClock.now()
        engine.noteRefused(addresses, at: now, into: &effects)
        finishBatch(now)
    }
}
