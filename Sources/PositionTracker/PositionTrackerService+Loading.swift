import Domain
import Logging
import Redis
import ServiceKit
import Trading

extension PositionTrackerService {
    /// Redis has everything the journal has: load it the first time, afterwards look for what was reserved without our
    /// hearing of it.
    func redisIsBack() {
        guard !isLoaded else { return reloadFires() }
        var loaded = LoadedState()
        // The place in the node stream is taken before the nodes are read, so that nothing falls in between.
        redis.send(["XREVRANGE", "events:nodes", "+", "-", "COUNT", "1"]) { reply in
            loaded.lastNodeEvent = reply?.array?.first?.array?.first?.text ?? "0"
        }
        redis.send(["HGETALL", TrackerScripts.stateKey]) { reply in loaded.state = reply?.dictionary ?? [:] }
        redis.send(["HGETALL", "ledger"]) { reply in loaded.counts = reply?.dictionary ?? [:] }
        redis.send(["HGETALL", PositionTrackerService.earlyClosesKey]) { reply in
            loaded.earlyCloses = reply?.dictionary ?? [:]
        }
        redis.send(["HGETALL", "brake"]) { reply in loaded.brakes = reply?.dictionary ?? [:] }
        redis.send(["HGETALL", PositionTrackerService.addressesKey]) { reply in
            loaded.addresses = reply.flatMap { AddressListScript.list($0) }
        }
        loadConflicts()
        func each(_ list: [String], key: @escaping (String) -> String, _ keep: @escaping (String, Row) -> Void) {
            redis.send(list) { [redis] reply in
                for name in reply?.texts ?? [] {
                    redis.send(["HGETALL", key(name)]) { reply in
                        if let fields = reply?.dictionary, !fields.isEmpty { keep(name, Row(fields: fields)) }
                    }
                }
            }
        }
        each(["SMEMBERS", "users"], key: { "user:\($0)" }) { loaded.users[$0] = $1 }
        each(["SMEMBERS", "user_days"], key: { "user_day:\($0)" }) { loaded.days[$0] = $1 }
        each(["SMEMBERS", "active_nodes"], key: { "node:\($0)" }) { loaded.nodes[$0] = $1 }
        each(["SMEMBERS", "active_nodes"], key: { PositionTrackerService.identityKey($0) }) {
            loaded.identities[$0] = $1
        }
        each(["SMEMBERS", "all_open_positions"], key: { "position:\($0)" }) { loaded.openPositions[$0] = $1 }
        each(["SMEMBERS", "open_fires"], key: { "fire:\($0)" }) { loaded.openFires[$0] = $1 }
        each(["ZREVRANGE", TrackerStore.settledKey, "0", "9999"], key: { "fire:\($0)" }) {
            loaded.settledFires[$0] = $1
        }
        if let last = store.missedRows.lastRank {
            each(["ZREVRANGE", "fires", "0", last], key: { "fire:\($0)" }) { loaded.fires[$0] = $1 }
            each(["ZREVRANGE", "closed_positions", "0", last], key: { "position:\($0)" }) {
                loaded.closedPositions[$0] = $1
            }
        }
        // Replies come in order: lists are in at the first of these, rows at the second, what rows name at the third.
        redis.send(["PING"]) { [redis] _ in
            redis.send(["PING"]) { [redis] _ in
                for user in loaded.slotHolders {
                    redis.send(["HGETALL", "slots:\(user)"]) { reply in loaded.slots[user] = reply?.dictionary ?? [:] }
                }
                for key in loaded.endedKeys {
                    redis.send(["PEXPIRETIME", key]) { reply in loaded.expiries[key] = reply?.integer }
                }
                redis.send(["PING"]) { [unowned self] reply in
                    guard reply != nil, !isLoaded else { return }
                    guard let addresses = loaded.addresses else { return loadAgain() }
                    take(loaded, addresses)
                }
            }
        }
    }

    /// Nobody is heard before it is known from where: a list that Redis will not read is asked for again.
    private func loadAgain() {
        report.problem(
            "addresses", "Redis does not say '\(PositionTrackerService.addressesKey)': no terminal is heard")
        environment.reactor.after(milliseconds: 1000) { [unowned self] in
            if redis.isReady, !isLoaded { redisIsBack() }
        }
    }

    private func take(_ loaded: LoadedState, _ addresses: [String: String]) {
        report.problem("addresses", nil)
        store.restoreEvents(loaded.state)
        for row in loaded.users.values { if let user = User(row: row.fields) { engine.restore(user: user) } }
        // Before the nodes: what a terminal is believed by rests on it.
        for (user, address) in addresses where user != TerminalAddressBook.marker {
            engine.restore(address: address, user: user)
        }
        for row in loaded.days.values { if let day = UserDay(row: row.fields) { engine.restore(day: day) } }
        for row in loaded.nodes.values {
            engine.nodeChanged(TerminalReport(node: row.fields), isActive: row.fields["status"] == "active")
            if let node = row.fields["node_id"] { engine.nodeSpeaks(node, from: row.fields["peer_address"]) }
        }
        engine.forgetStrangers()
        for (node, row) in loaded.identities where loaded.nodes[node]?.fields["status"] == "active" {
            restoreIdentity(row.fields)
        }
        for row in loaded.openPositions.values {
            if let position = Position(row: row.fields), position.state == .open { engine.restore(position: position) }
        }
        restoreEarlyCloses(loaded.earlyCloses)
        for row in loaded.settledFires.values { if let fire = Fire(row: row.fields) { engine.restore(settled: fire) } }
        for (name, text) in loaded.brakes { restoreBrake(name, text) }
        // Before anything is decided from it: decisions come behind it in the journal.
        store.release(snapshot: loaded.snapshot.records)
        store.keep(loaded.unarchived)
        for (_, row) in loaded.openFires.sorted(by: { $0.key < $1.key }) { restoreFire(row.fields) }
        isLoaded = true
        environment.log.info(
            "loaded",
            metadata: [
                "positions": "\(engine.positions.count)", "fires": "\(engine.fires.count)",
                "terminals": "\(engine.terminals.count)",
            ])
        readStreams(loaded.lastNodeEvent)
    }

    private func readStreams(_ lastNodeEvent: String) {
        readers = [
            StreamReader(
                address: redis.address, stream: TrackerStore.streamName, group: TrackerStore.groupName,
                reactor: environment.reactor, log: environment.log,
                // What waits for the disk and for Redis is bounded, and nothing is applied that a failing disk may never
                // get: the rest waits in the stream, where it costs no memory and is given again once, not at each return.
                while: { [store] in store.journal.takesNew && store.waiting < TrackerStore.mostUnconfirmed }
            ) { [unowned self] entries in take(entries) },
            StreamReader(
                address: redis.address, stream: "events:nodes", group: nil, after: lastNodeEvent,
                reactor: environment.reactor, log: environment.log
            ) { [unowned self] entries in for entry in entries { nodeEvent(entry.fields) } },
        ]
    }

    private func take(_ entries: [StreamReader.Entry]) {
        var done: [String] = []
        for entry in entries {
            guard let event = TradeEvent(fields: entry.fields) else {
                report.reject("unreadable_trade_event")
                done.append(entry.identifier)
                continue
            }
            let place = EventPlace(
                journal: entry.fields["journal"] ?? "", sequence: event.sequence, eventID: event.eventID,
                entry: entry.identifier)
            guard store.begin(place) else {
                report.count("trade_events_known")
                done.append(entry.identifier)
                continue
            }
            report.count("trade_events")
            if event.kind == .closed { reconcile(event) }
            decide { $0.apply(event, entryID: entry.identifier, now: $1, into: &$2) }
            if event.kind != .closed { reconcile(event) }
        }
        if !done.isEmpty { store.acknowledge(done) }
    }

    private func nodeEvent(_ fields: [String: String]) {
        let ended: Set<String> = ["replaced", "disconnected", "timeout"]
        let event = fields["event"] ?? ""
        guard event != "connection" else { return }
        guard event != "conflict", event != "conflict_cleared" else { return }
        engine.nodeChanged(TerminalReport(node: fields), isActive: !ended.contains(event), now: SystemClock.now())
        if !ended.contains(event), let node = fields["node_id"] {
            engine.nodeSpeaks(node, from: fields["peer_address"])
        }
    }

    /// Rows whose story was not over, including such as we meant to reserve when Redis went away.
    private func reloadFires() {
        redis.send(["SMEMBERS", "open_fires"]) { [unowned self] reply in
            for fireID in reply?.texts ?? [] where engine.fires[fireID] == nil {
                redis.send(["HGETALL", "fire:\(fireID)"]) { [unowned self] reply in
                    if let row = reply?.dictionary { restoreFire(row) }
                }
            }
        }
    }

    private func restoreFire(_ row: [String: String]) {
        guard let fire = Fire(row: row) else { return }
        decide { $0.restore(fire: fire, now: $1, into: &$2) }
    }

    private func restoreBrake(_ name: String, _ text: String) {
        let parts = text.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard let scope = BrakeScope(name), parts.count == 3, let state = BrakeState(rawValue: parts[0]),
            let at = Timestamp(row: parts[1])
        else { return report.reject("unreadable_brake") }
        engine.restore(brake: scope, Brakes.Setting(state: state, reason: parts[2], setAt: at))
    }
}
