import Domain
import Redis
import Logging
import ServiceKit
import Trading

extension PositionTrackerService {
    /// Redis answers: load what it has the first time; afterwards write what it did not confirm.
    func redisIsBack() {
        store.resend()
        guard !isLoaded else { return reloadFires() }
        // The place in the node stream is taken before the nodes are read, so that nothing falls in between.
        redis.send(["XREVRANGE", "events:nodes", "+", "-", "COUNT", "1"]) { [unowned self] reply in
            let last = reply?.array?.first?.array?.first?.text ?? "0"
            loadUsers()
            loadNodes()
            loadPositions()
            reloadFires()
            redis.send(["HGETALL", "brake"]) { [unowned self] reply in
                for (name, text) in reply?.dictionary ?? [:] { restoreBrake(name, text) }
            }
            // Replies come in order: this one is behind all the others.
            redis.send(["PING"]) { [unowned self] reply in
                guard reply != nil else { return }
                afterSecondRound(last)
            }
        }
    }

    /// Lists were read in the first round and their rows asked for: their replies are in when this one is.
    private func afterSecondRound(_ lastNodeEvent: String) {
        redis.send(["PING"]) { [unowned self] reply in
            guard reply != nil, !isLoaded else { return }
            isLoaded = true
            environment.log.info(
                "loaded",
                metadata: [
                    "positions": "\(engine.positions.count)", "fires": "\(engine.fires.count)",
                    "terminals": "\(engine.terminals.count)",
                ])
            readers = [
                StreamReader(
                    address: redis.address, stream: TrackerStore.streamName, group: TrackerStore.groupName,
                    reactor: environment.reactor, log: environment.log
                ) { [unowned self] entries in take(entries) },
                StreamReader(
                    address: redis.address, stream: "events:nodes", group: nil, after: lastNodeEvent,
                    reactor: environment.reactor, log: environment.log
                ) { [unowned self] entries in for entry in entries { nodeEvent(entry.fields) } },
            ]
        }
    }

    private func take(_ entries: [StreamReader.Entry]) {
        for entry in entries {
            guard let event = TradeEvent(fields: entry.fields) else {
                report.reject("unreadable_trade_event")
                store.write(.entry(entry.identifier), [])
                continue
            }
            report.count("trade_events")
            decide { $0.apply(event, entryID: entry.identifier, now: $1, into: &$2) }
        }
    }

    private func nodeEvent(_ fields: [String: String]) {
        let ended: Set<String> = ["replaced", "disconnected", "timeout"]
        let event = fields["event"] ?? ""
        guard event != "connection" else { return }
        engine.nodeChanged(TerminalReport(node: fields), isActive: !ended.contains(event))
    }

    private func each(_ list: [String], key: @escaping (String) -> String, _ body: @escaping ([String: String]) -> Void)
    {
        redis.send(list) { [unowned self] reply in
            for name in reply?.texts ?? [] {
                redis.send(["HGETALL", key(name)]) { reply in
                    if let row = reply?.dictionary, !row.isEmpty { body(row) }
                }
            }
        }
    }

    private func loadUsers() {
        each(["SMEMBERS", "users"], key: { "user:\($0)" }) { [unowned self] row in
            if let user = User(row: row) { engine.restore(user: user) }
        }
    }

    private func loadNodes() {
        each(["SMEMBERS", "active_nodes"], key: { "node:\($0)" }) { [unowned self] row in
            engine.nodeChanged(TerminalReport(node: row), isActive: row["status"] == "active")
        }
    }

    private func loadPositions() {
        each(["SMEMBERS", "all_open_positions"], key: { "position:\($0)" }) { [unowned self] row in
            if let position = Position(row: row), position.state == .open { engine.restore(position: position) }
        }
    }

    /// Rows whose story was not over, including such as we meant to reserve when Redis went away.
    private func reloadFires() {
        each(["SMEMBERS", "open_fires"], key: { "fire:\($0)" }) { [unowned self] row in
            guard let fire = Fire(row: row) else { return }
            decide { $0.restore(fire: fire, now: $1, into: &$2) }
        }
    }

    private func restoreBrake(_ name: String, _ text: String) {
        let parts = text.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard let scope = BrakeScope(name), parts.count == 3, let state = BrakeState(rawValue: parts[0]),
            let at = Timestamp(row: parts[1])
        else { return report.reject("unreadable_brake") }
        engine.restore(brake: scope, Brakes.Setting(state: state, reason: parts[2], setAt: at))
    }
}
