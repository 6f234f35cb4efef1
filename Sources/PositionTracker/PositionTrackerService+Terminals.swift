import Domain
import Logging
import ServiceKit
import Trading
import Wire

extension PositionTrackerService {
    /// How often it is looked whether a connection that was asked has answered.
    private static let fenceMilliseconds: Int64 = 250

    func startFencing() {
        terminals?.opened = { [unowned self] link, identity in
            engine.opened(link, identity: identity, now: SystemClock.now())
        }
        terminals?.alive = { [unowned self] link in
            decide { engine, now, outputs in engine.alive(link, now: now, into: &outputs) }
        }
        terminals?.linkOfUser = { [unowned self] user in engine.terminals[user]?.link?.number }
        terminals?.pullOfUser = { [unowned self] user in engine.pullLink(of: user) }
        terminals?.pullOpened = { [unowned self] link, owner in
            engine.pullOpened(link, owner: owner, now: SystemClock.now())
        }
        terminals?.pullLost = { [unowned self] link in engine.pullLost(link.number) }
        environment.reactor.every(milliseconds: 1_000) { [unowned self] in
            decide { engine, now, outputs in engine.judgePulls(now: now, into: &outputs) }
        }
        environment.reactor.every(milliseconds: PositionTrackerService.fenceMilliseconds) { [unowned self] in
            decide { engine, now, outputs in engine.advanceIdentities(to: now, into: &outputs) }
        }
        environment.reactor.every(milliseconds: 10_000) { [unowned self] in keepConflicts() }
        environment.reactor.every(milliseconds: 5_000) { [unowned self] in
            keepAddresses()
            keepBoundAccounts()
        }
    }

    /// A frame of a terminal on the command port.
    func hear(_ identity: [UInt8], _ payload: [UInt8], _ number: Int32) {
        do throws(EAReject) {
            let message = try EADecoder.decode(payload)
            guard case .report(let terminal) = message, terminal.kind == .hello || terminal.kind == .heartbeat else {
                // Counted by type, as far as the quarantine bounds a stranger's words.
                if case .unknown(let type) = message {
                    return refuse("unknown_type:\(type.prefix(32))", "no message of this port has this type", payload)
                }
                return refuse("wrong_port", "only HELLO and HEARTBEAT come here", payload)
            }
            hear(terminal, identity, number)
        } catch {
            quarantine.keep(reason: error.reason, detail: error.detail, port: .eaCommands, frame: payload)
        }
    }

    func refuse(_ reason: String, _ detail: String, _ frame: [UInt8]) {
        quarantine.keep(reason: reason, detail: detail, port: .eaCommands, frame: frame)
    }

    private func hear(_ heard: TerminalReport, _ identity: [UInt8], _ number: Int32) {
        var terminal = heard
        // 2.06H names only its user here: its node is the one that user's terminal shook hands as.
        terminal.nodeID = heard.nodeID ?? heard.userUUID.flatMap { engine.terminals[$0]?.nodeID }
        guard let node = terminal.nodeID, let user = terminal.userUUID else {
            return report.reject("no_identity")
        }
        let verdict = quota.take(
            number, user: user, node: node, isHello: terminal.kind == .hello, now: SystemClock.monotonicMilliseconds())
        if case .refused(let reason) = verdict { return report.reject(reason) }
        report.count(terminal.kind == .hello ? "hellos" : "heartbeats")
        let address = terminals?.peerAddress(of: number)
        let link = address.map { TerminalLink(number: number, address: $0) }
        var conflict: String?
        decide { engine, now, outputs in
            conflict = engine.heard(terminal, identity: identity, on: link, now: now, into: &outputs)
        }
        if let conflict {
            report.reject("identity_conflict")
            // A stranger may repeat this as often as he likes: one line in ten seconds says enough.
            let now = SystemClock.monotonicMilliseconds()
            if now - lastConflictLine >= 10_000 {
                lastConflictLine = now
                environment.log.warning("a terminal's identity is in doubt", metadata: ["why": "\(conflict)"])
            }
            // One of several who are there under one identity is seen, never fired at; a stranger is not even that.
            guard isSharing(terminal.userUUID, link) else { return }
        } else {
            witness(terminal)
        }
        nodeOfDescriptor[number] = node
        var object = terminal.registryFields
        object["received_at"] = .integer(SystemClock.now().milliseconds)
        object["peer_address"] = .text(address)
        if conflict == nil, address != nil { object["believed"] = .bool(true) }
        if terminal.kind == .hello {
            object["type"] = .string("register")
            object["via"] = .string("hello")
            registry.sendReliably(object)
        } else {
            object["type"] = .string("heartbeat")
            object["activity"] = .string("heartbeat")
            registry.send(object, timeout: 2000) { _ in }
        }
    }

    private func isSharing(_ user: String?, _ link: TerminalLink?) -> Bool {
        guard let terminal = user.flatMap({ engine.terminals[$0] }) else { return false }
        return terminal.conflict?.kind == .sharedIdentity && (terminal.link == nil || terminal.link == link)
    }

    func connectionLost(_ number: Int32) {
        quota.ended(number)
        // Its address does not matter any more: numbers are unique.
        let link = TerminalLink(number: number, address: "")
        decide { engine, now, outputs in engine.lost(link, now: now, into: &outputs) }
        guard let node = nodeOfDescriptor.removeValue(forKey: number) else { return }
        registry.sendReliably([
            "type": .string("connection"), "node_id": .string(node), "port": .string("ea-commands"),
            "state": .string("lost"), "at": .integer(SystemClock.now().milliseconds),
        ])
    }
}

extension TerminalReport {
    /// The report as node-registry takes it.
    var registryFields: JSONObject {
        var object = JSONObject()
        func add(_ name: String, _ value: String?) { if let value { object.append(name, .string(value)) } }
        add("node_id", nodeID)
        add("user_uuid", userUUID)
        add("account", account)
        add("server", server)
        add("broker", broker)
        add("terminal", terminal)
        add("currency", currency)
        add("balance", balance)
        add("equity", equity)
        add("margin", margin)
        add("free_margin", freeMargin)
        add("margin_level", marginLevel)
        add("leverage", leverage)
        add("version", version)
        add("ticks_processed", ticksProcessed)
        add("broker_time", timestamp)
        return object
    }
}
