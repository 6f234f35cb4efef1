import Domain
import Journal
import Logging
import Redis
import ServiceKit
import Trading
import Wire

// How reconciliation hears, decides and is kept: its I/O.
extension PositionTrackerService {
    /// Every account is visited once in so many seconds, however many there are.
    private static let roundSeconds = 5
    /// A terminal that does not speak on the command port is looked up this often, one that can be asked is asked.
    private static let askMilliseconds: Int64 = 15_000
    private static let queryMilliseconds: Int64 = 30_000
    /// Events kept while the books are read.
    private static let mostEarly = 100_000
    /// Looks kept meanwhile, the newest: about one of each of so many terminals.
    private static let mostEarlyLooks = 10_000

    /// Called once, before the loop runs.
    func startReconciling() {
        redis.onLost.append { [unowned self] in reconciler.forgetLooks() }
        environment.reactor.every(milliseconds: 1000) { [unowned self] in reconcile() }
    }

    /// Reads the secret and tells what waits for it.
    private func tellUnsigned() {
        report.problem("witness_key", reconciliationDesk.secret.refresh())
        let waiting = reconciliationDesk.unsigned
        reconciliationDesk.unsigned = []
        for trade in waiting { tell(trade) }
    }

    private func reconcile() {
        tellUnsigned()
        guard isLoaded, store.isAvailable else { return }
        guard reconciliationDesk.isLoaded else { return loadReconciliation() }
        reconciling { reconciler.advance(to: $0, engine, into: &$1) }
        lookAtOthers()
        let written = reconciliationDesk.toShow
        reconciliationDesk.toShow = []
        for key in reconciler.takeLooked().union(written) { show(key, onlyChanged: !written.contains(key)) }
        report.gauges["questions_open"] = Int64(reconciler.questions.values.count { $0.state == .open })
        report.gauges["inferred_waiting"] = Int64(
            reconciliationDesk.receipts.undelivered + reconciliationDesk.unsigned.count)
    }

    private func reconciling(_ body: (Timestamp, inout [ReconciliationOutput]) -> Void) {
        let now = SystemClock.now()
        var outputs: [ReconciliationOutput] = []
        body(now, &outputs)
        for output in outputs { execute(output, now) }
    }

    // MARK: - What it hears

    /// A heartbeat or HELLO on the command port, once its sender is who he says.
    func witness(_ terminal: TerminalReport) {
        guard reconciliationDesk.isLoaded else {
            if reconciliationDesk.earlyLooks.count >= PositionTrackerService.mostEarlyLooks {
                reconciliationDesk.earlyLooks.removeFirst(PositionTrackerService.mostEarlyLooks / 2)
                report.count("looks_dropped", Int64(PositionTrackerService.mostEarlyLooks / 2))
            }
            reconciliationDesk.earlyLooks.append((terminal, SystemClock.now()))
            return
        }
        reconciler.hear(terminal, engine, now: SystemClock.now())
    }

    /// An event of the trade stream. A closing is told before its effect, while its position is known; the rest after.
    func reconcile(_ event: TradeEvent) {
        guard reconciliationDesk.isLoaded else {
            if reconciliationDesk.early.count < PositionTrackerService.mostEarly {
                reconciliationDesk.early.append((event, SystemClock.now()))
            }
            return
        }
        reconciling { reconciler.booked(event, engine, now: $0, into: &$1) }
    }

    /// What an effect opened and closed.
    func follow(_ effect: EventEffect) {
        for position in effect.opened { reconciler.track(position) }
        for position in effect.closed { reconciler.untrack(position) }
    }

    /// Terminals that do not speak on the command port: their figures as node-registry has them. Such as can list their
    /// positions are asked to; never 2.05, which would answer with a failed confirmation.
    private func lookAtOthers() {
        let now = SystemClock.now()
        let desk = reconciliationDesk
        if desk.round.isEmpty {
            desk.round = Array(reconciler.restless.union(reconciler.occupied))
            let seconds = PositionTrackerService.roundSeconds
            desk.perSecond = (desk.round.count + seconds - 1) / seconds
            desk.askedAt = desk.askedAt.filter { now - $0.value < PositionTrackerService.queryMilliseconds }
        }
        let turn = desk.round.suffix(desk.perSecond)
        desk.round.removeLast(turn.count)
        for key in turn {
            guard let user = reconciler.owner(ofAccount: key, engine), let terminal = engine.terminals[user],
                terminal.accountKey == key
            else { continue }
            let asked = reconciliationDesk.askedAt[key]
            if terminal.version?.lowercased() == "own", let identity = terminal.identity, terminal.isActive {
                guard asked.map({ now - $0 >= PositionTrackerService.queryMilliseconds }) ?? true else { continue }
                reconciliationDesk.askedAt[key] = now
                query(user, identity)
            } else if terminal.identity == nil {
                guard asked.map({ now - $0 >= PositionTrackerService.askMilliseconds }) ?? true else { continue }
                reconciliationDesk.askedAt[key] = now
                lookUp(terminal.nodeID)
            }
        }
    }

    private func query(_ user: String, _ identity: [UInt8]) {
        reconciliationDesk.nextQuery += 1
        let object: JSONObject = [
            "type": .string("query_positions"), "target_uuid": .string(user),
            "query_id": .string("q\(reconciliationDesk.nextQuery)"),
        ]
        let result = terminals?.send(identity: identity, userUUID: user, object.bytes) ?? .unreachable
        if result == .sent { reconciler.commanded(user, engine) }
        report.count(result == .sent ? "positions_asked" : "commands_undeliverable")
    }

    /// `node:<id>`: the last heartbeat, if it was of the present when it came.
    private func lookUp(_ nodeID: String) {
        redis.send(["HGETALL", "node:\(nodeID)"]) { [unowned self] reply in
            guard let row = reply?.dictionary, let heard = Timestamp(row: row["last_heartbeat"]) else { return }
            let latency = row["heartbeat_latency_ms"].flatMap { Int64($0) } ?? 0
            let taken = heard.adding(milliseconds: -max(0, latency))
            guard latency <= BrokerClock.currentWithinMilliseconds else { return }
            var figures = TerminalReport(node: row)
            figures.margin = row["margin"]
            figures.marginLevel = row["margin_level"]
            figures.leverage = row["leverage"]
            reconciler.hear(figures, engine, takenAt: taken, now: SystemClock.now())
        }
    }

    // MARK: - What it decides

    func execute(_ output: ReconciliationOutput, _ now: Timestamp) {
        switch output {
        case .infer(let trade): infer(trade)
        case .settle(let fireID, let state, let reason, let actor):
            decide { engine, now, outputs in
                _ = engine.settle(fireID: fireID, as: state, reason: reason, by: actor, now: now, into: &outputs)
            }
        case .ask(let question): write(question)
        case .withdraw(let identifier, let reason):
            store.write(
                .exists(key: "question:\(identifier)"),
                [["HSET", "question:\(identifier)", "state", "withdrawn", "reason", reason]])
            report.count("questions_withdrawn")
        case .write(let key): write(key)
        case .adjustLot(let key, let lot): adjust(key, lot)
        case .findFire(let fireID, _): find(fireID)
        case .audit(let event, let fields): store.audit(event, fields, now: now)
        case .count(let name): report.count(name)
        }
    }

    private func infer(_ trade: InferredTrade) {
        store.audit(
            "inferred_\(trade.kind == .opened ? "opened" : "closed")",
            [
                "position": trade.key.description, "user_uuid": trade.userUUID, "witness": trade.witness.rawValue,
                "fire_id": trade.fireID ?? "", "profit": trade.profit ?? "",
            ], now: SystemClock.now())
        tell(trade)
    }

    /// To the journal, signed, until it is answered.
    private func tell(_ trade: InferredTrade) {
        var message = trade.json
        guard let signature = reconciliationDesk.secret.signature(of: message.signedBytes) else {
            return reconciliationDesk.unsigned.append(trade)
        }
        message[JSONObject.signatureName] = .string(signature)
        reconciliationDesk.receipts.sendReliably(message) { [unowned self] reply in
            guard reply?["ok"]?.bool != true else { return }
            report.reject("inferred_refused")
            // The secret was changed under our hands: a second later both read the same again.
            if reply?["error"]?.object?["code"]?.text == "unsigned" { reconciliationDesk.unsigned.append(trade) }
            environment.log.error(
                "an inferred confirmation was refused",
                metadata: ["position": "\(trade.key)", "why": "\(reply?["error"]?.compactText ?? "no reason")"])
        }
    }

    /// Hybrid parts: the terminal reports the lot of all as its first ticket's.
    private func adjust(_ key: PositionKey, _ lot: Amount) {
        var adjusted: Position?
        decide { engine, _, _ in adjusted = engine.adjustLot(key, to: lot) }
        guard let adjusted else { return }
        store.write(.exists(key: adjusted.redisKey), [["HSET", adjusted.redisKey] + adjusted.row])
        store.audit(
            "lot_adjusted", ["position": key.description, "lot": lot.description], now: SystemClock.now())
    }

    private func find(_ fireID: String) {
        redis.send(["HGETALL", "fire:\(fireID)"]) { [unowned self] reply in
            guard let reply, reply.errorMessage == nil else { return }
            let row = reply.dictionary ?? [:]
            // Before the finding it leads to: a hybrid's further parts are its own, also after a restart of ours.
            if let fire = Fire(row: row), fire.hybrid != nil {
                decide { engine, _, _ in engine.note(hybrid: fire) }
            }
            reconciler.fireFound(fireID, userUUID: row["user_uuid"])
        }
    }
}
