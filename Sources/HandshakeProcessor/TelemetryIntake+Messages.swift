import Domain
import Fleet
import ServiceKit
import Wire
import ZeroMQ

// Everything but ticks and bars.
extension TelemetryIntake {
    func takeOther(_ now: Timestamp) throws {
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
            guard isOwn(tick, now) else { return }
            report.count("ticks")
            note(tick, descriptor, now)
            try relay()
        case .bars(let bars):
            guard areOwn(bars, now) else { return }
            report.count("bars", Int64(bars.count))
            try relay()
        case .report(let report): take(report, descriptor, now)
        case .disconnect(let end):
            report.count("disconnects")
            guard isBelieved(end.userUUID, end.nodeID, now) else { return }
            if !engine.take(end, descriptor: descriptor, peer: message.peerAddress(), at: now, into: &effects) {
                report.reject("unidentified")
            }
        case .trade(let trade) where trade.userUUID != nil && !TelemetryIntake.isOwnMachine(message.peerAddress()):
            // Who names a user has a port for it, where it is known from where that user speaks.
            refuse("wrong_port", "confirmations that name a user go to ea-confirmations or ea-receipts")
        case .trade, .pong:
            // 7.01 has no port for confirmations and sends its results here.
            let identity = engine.identity(descriptor)
            // Handed on, it comes from this machine, where names are believed: who is nobody here stays nobody there.
            guard identity != nil || TelemetryIntake.isOwnMachine(message.peerAddress()) else {
                return refuse("unidentified", "results come on the connection on which the terminal introduced itself")
            }
            message.withBytes { trades.forward($0, from: descriptor, identity: identity) }
        case .resume: refuse("unexpected_type", "resume belongs to the receipts port")
        case .unknown(let type): refuse("unknown_type:\(bounded(type))", "no message of this port has this type")
        }
    }

    private static func isOwnMachine(_ address: String?) -> Bool { address.map(NetworkAddress.isOwnMachine) ?? false }

    private func take(_ terminal: TerminalReport, _ descriptor: Int32, _ now: Timestamp) {
        report.count("\(terminal.kind.rawValue)_frames")
        guard isBelieved(terminal.userUUID, terminal.nodeID ?? engine.nodeID(ofAccountIn: terminal), now) else {
            if terminal.kind == .handshake, let peer = message.peerAddress() {
                fence.keep(AddressFence.Refused(report: terminal, descriptor: descriptor, peer: peer, at: now))
            }
            return
        }
        guard engine.take(terminal, descriptor: descriptor, peer: message.peerAddress(), at: now, into: &effects) else {
            // Heartbeats of 7.01 name nobody, which is no fault of theirs; an introduction has to.
            if terminal.kind == .handshake || terminal.kind == .hello {
                return refuse("missing_field", "node_id is missing, and so is the account or its server")
            }
            return report.reject("unidentified")
        }
        if terminal.kind == .handshake { registry.keep(handshake: terminal, from: message.peerAddress(), at: now) }
    }

    /// Whether the message comes from where the terminal speaks; if not it is noted, and nothing else.
    func isBelieved(_ user: String?, _ node: String?, _ now: Timestamp) -> Bool {
        let peer = message.peerAddress()
        let owner = node.flatMap { engine.standing($0)?.userUUID }
        let home = node.flatMap { engine.home(of: $0, besides: peer) }
        guard let why = fence.objection(claimed: user, owner: owner, from: peer, home: home) else { return true }
        fence.refuse(node: node, user: user ?? owner, peer: peer, why: why, at: now)
        return false
    }

    /// Whether nothing is held any more against an introduction that was refused, on a connection that is still that one.
    func isClear(_ refused: AddressFence.Refused) -> Bool {
        let node = refused.report.nodeID ?? engine.nodeID(ofAccountIn: refused.report)
        let owner = node.flatMap { engine.standing($0)?.userUUID }
        let home = node.flatMap { engine.home(of: $0, besides: refused.peer) }
        guard PeerAddress.of(refused.descriptor).map({ NetworkAddress.isSameHost($0, refused.peer) }) ?? false else {
            return false
        }
        return fence.objection(claimed: refused.report.userUUID, owner: owner, from: refused.peer, home: home) == nil
    }

    /// An introduction that was refused turned out to be the terminal's own.
    func admit(_ refused: AddressFence.Refused) {
        report.count("introductions_admitted")
        _ = engine.take(
            refused.report, descriptor: refused.descriptor, peer: refused.peer, at: refused.at, into: &effects)
        registry.keep(handshake: refused.report, from: refused.peer, at: refused.at)
        finishBatch(refused.at)
    }

    /// Prices of a node come. A stranger's say nothing of its life; the terminal's own next ones do.
    func noteActivity(_ node: Int, _ now: Timestamp) {
        let nodeID = engine.nodeID(node)
        guard isBelieved(nil, nodeID, now) else { return engine.awaitActivity(node, at: now) }
        registry.activity(nodeID, from: message.peerAddress(), at: now)
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
}
