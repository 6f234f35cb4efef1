import Domain
import Logging
import ServiceKit
import Trading
import Wire

extension PositionTrackerService {
    /// A frame of a terminal on the command port.
    func hear(_ identity: [UInt8], _ payload: [UInt8], _ descriptor: Int32) {
        do throws(EAReject) {
            let message = try EADecoder.decode(payload)
            guard case .report(let terminal) = message, terminal.kind == .hello || terminal.kind == .heartbeat else {
                // Counted by type, as far as the quarantine bounds a stranger's words.
                if case .unknown(let type) = message {
                    return refuse("unknown_type:\(type.prefix(32))", "no message of this port has this type", payload)
                }
                return refuse("wrong_port", "only HELLO and HEARTBEAT come here", payload)
            }
            hear(terminal, identity, descriptor)
        } catch {
            quarantine.keep(reason: error.reason, detail: error.detail, port: .eaCommands, frame: payload)
        }
    }

    func refuse(_ reason: String, _ detail: String, _ frame: [UInt8]) {
        quarantine.keep(reason: reason, detail: detail, port: .eaCommands, frame: frame)
    }

    private func hear(_ heard: TerminalReport, _ identity: [UInt8], _ descriptor: Int32) {
        var terminal = heard
        // 2.06H names only its user here: its node is the one that user's terminal shook hands as.
        terminal.nodeID = heard.nodeID ?? heard.userUUID.flatMap { engine.terminals[$0]?.nodeID }
        guard let node = terminal.nodeID, terminal.userUUID != nil else {
            return report.reject("no_identity")
        }
        report.count(terminal.kind == .hello ? "hellos" : "heartbeats")
        var conflict: String?
        decide { engine, now, outputs in
            conflict = engine.heard(terminal, identity: identity, now: now, into: &outputs)
        }
        if let conflict {
            report.reject("identity_conflict")
            // A stranger may repeat this as often as he likes: one line in ten seconds says enough.
            let now = SystemClock.monotonicMilliseconds()
            if now - lastConflictLine >= 10_000 {
                lastConflictLine = now
                environment.log.warning("a terminal's identity is in doubt", metadata: ["why": "\(conflict)"])
            }
            return
        }
        witness(terminal)
        if descriptor >= 0 { nodeOfDescriptor[descriptor] = node }
        var object = terminal.registryFields
        object["received_at"] = .integer(SystemClock.now().milliseconds)
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

    func connectionLost(_ descriptor: Int32) {
        guard let node = nodeOfDescriptor.removeValue(forKey: descriptor) else { return }
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
