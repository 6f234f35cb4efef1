import Domain

@testable import Trading

/// Logger, tracker and reconciliation together, as the services wire them, without I/O.
struct ReconciliationMesh {
    static let user = "user_1"
    static let server = TrackerFixture.server
    static let account = "16"
    static let offset: Int64 = 10_800

    var fixture: TrackerFixture
    var logger = ConfirmationEngine(catalogue: TrackerFixture.catalogue, memory: 64)
    var reconciler = ReconciliationEngine()
    /// What Redis has: rows by key.
    var fires: [String: [String: String]] = [:]
    var lifecycles: [Int64: [String: String]] = [:]
    var booked: [String: TradeEvent.Source] = [:]
    var closedRows: [Int64: TradeEvent] = [:]
    /// Inferred trades on their way through the journal.
    var inferred: [InferredTrade] = []
    var sequence: UInt64 = 0
    var counts = Counts()
    /// What reconciliation decided, for a story.
    var decisions: [String] = []
    var nodeHeartbeat: (balance: String, at: Timestamp)?

    struct Counts {
        var events = 0
        var inferred = 0
        var merged = 0
        var doubles = 0
    }

    init() {
        var policy = TrackerFixture.policy
        policy.outstandingPerTerminal = 5
        fixture = TrackerFixture(policy: policy)
        var leader = User(uuid: ReconciliationMesh.user, tier: "COMMANDER", createdAt: fixture.now)
        leader.isRegistered = true
        fixture.engine.restore(user: leader)
        fixture.connect(ReconciliationMesh.user)
        fixture.moveMarket()
    }

    var now: Timestamp { fixture.now }
    var accountKey: String {
        PositionKey.accountKey(server: ReconciliationMesh.server, account: ReconciliationMesh.account)
    }

    /// What our books have, opposite directions against each other, and each for itself.
    var netLots: Amount {
        fixture.engine.positions.values.reduce(.zero) { $0 + ($1.direction == .buy ? $1.lot : -$1.lot) }
    }
    var grossLots: Amount { fixture.engine.positions.values.reduce(.zero) { $0 + $1.lot } }

    // MARK: - Firing

    /// Fires; whether the command left.
    mutating func fire(
        _ identifier: String, _ direction: Direction, lot: Amount, stop: Amount, target: Amount,
        hybrid: HybridPlan? = nil
    ) -> Bool {
        var request = FireRequest(
            fireID: identifier, target: .user(ReconciliationMesh.user), symbol: "EURUSD", direction: direction)
        request.stopLoss = stop
        request.takeProfit = target
        request.size = .lot(lot)
        request.hybrid = hybrid
        let isSent = fixture.fire(request).first?.state == .sent
        if isSent, let fire = fixture.engine.fires[identifier] {
            fires[identifier] = [
                "fire_id": identifier, "user_uuid": fire.userUUID, "node_id": fire.nodeID, "symbol": fire.symbol,
                "direction": fire.direction.rawValue, "lot": fire.lot.description, "sl": fire.stopLoss ?? "",
                "tp": fire.takeProfit ?? "", "state": "sent", "server": fire.server, "account": fire.account,
                "expires_at": String(fire.expiresAt.milliseconds), "sent_at": String(now.milliseconds),
            ]
        }
        return isSent
    }

    // MARK: - Confirmations

    mutating func confirm(_ report: TradeReport, hash: String) {
        sequence += 1
        let confirmation = Confirmation(
            sequence: sequence, receivedAt: now, sourcePort: "ea-confirmations", frameHash: hash, report: report)
        let events = logger.decide(confirmation, context(report))
        for event in events { book(event) }
    }

    private func context(_ report: TradeReport) -> ConfirmationContext {
        var context = ConfirmationContext()
        context.userUUID = report.userUUID
        context.account = report.account ?? ReconciliationMesh.account
        context.server = report.server ?? ReconciliationMesh.server
        context.node = ["node_id": "NODE_1_1", "currency": "USD"]
        if let heard = nodeHeartbeat {
            context.node["balance"] = heard.balance
            context.node["last_heartbeat"] = String(heard.at.milliseconds)
        }
        if let fireID = report.fireID { context.fire = fires[fireID] ?? [:] }
        context.lifecycles = lifecycles
        let open = fixture.engine.positions.values.sorted { $0.key.ticket < $1.key.ticket }
        context.openTickets = open.map(\.key.ticket)
        let wanted = report.kind == .closedAll ? open : open.filter { $0.key.ticket == report.ticket }
        context.positions = wanted.map { position in
            var row = [
                "ticket": String(position.key.ticket), "state": "open", "lot": position.lot.description,
                "direction": position.direction.rawValue, "symbol": position.symbol, "server": position.key.server,
                "open_price": position.openPriceText, "opened_at": String(position.openedAt.milliseconds),
            ]
            row["current_pnl"] = position.currentProfit?.money
            row["fire_id"] = position.fireID
            return row
        }
        return context
    }

    /// As the logger's script and stream do: what is booked is booked once, a correction replaces an inferred one.
    private mutating func book(_ event: TradeEvent) {
        if let source = booked[event.eventID] {
            guard event.isCorrection, source == .inferred else {
                counts.doubles += 1
                return
            }
            booked[event.eventID] = .merged
            counts.merged += 1
        } else {
            booked[event.eventID] = event.source
            counts.events += 1
            if event.source == .inferred { counts.inferred += 1 }
        }
        if let (_, lifecycle) = logger.lifecycle(after: event), let ticket = event.ticket {
            lifecycles[ticket] = Dictionary(lifecycle.fields.map { ($0.name, $0.value) }) { $1 }
        }
        if event.kind == .closed, event.isFinal, let ticket = event.ticket { closedRows[ticket] = event }
        take(event)
    }

    /// The trade stream: the tracker applies, reconciliation learns.
    private mutating func take(_ event: TradeEvent) {
        var outputs: [ReconciliationOutput] = []
        if event.kind == .closed { reconciler.booked(event, fixture.engine, now: now, into: &outputs) }
        var effects: [TrackerOutput] = []
        fixture.engine.apply(event, entryID: "\(event.sequence)-\(event.eventID)", now: now, into: &effects)
        for effect in effects {
            guard case .apply(let change) = effect else { continue }
            for position in change.opened { reconciler.track(position) }
            for position in change.closed { reconciler.untrack(position) }
            if let fire = change.fire { fires[fire.fireID]?["state"] = fire.state.rawValue }
        }
        if event.kind != .closed { reconciler.booked(event, fixture.engine, now: now, into: &outputs) }
        execute(outputs)
    }

    // MARK: - Reconciliation

    mutating func hear(_ report: TerminalReport) {
        var effects: [TrackerOutput] = []
        var report = report
        report.nodeID = report.nodeID ?? "NODE_1_1"
        _ = fixture.engine.heard(report, identity: Array("user_".utf8), now: now, into: &effects)
        reconciler.hear(report, fixture.engine, now: now)
        if let balance = report.balance { nodeHeartbeat = (balance, now) }
    }

    /// A second passes for tracker and reconciliation.
    mutating func advance() {
        var effects: [TrackerOutput] = []
        fixture.engine.advance(to: now, into: &effects)
        for effect in effects {
            if case .move(let fire, _) = effect { fires[fire.fireID]?["state"] = fire.state.rawValue }
        }
        var outputs: [ReconciliationOutput] = []
        reconciler.advance(to: now, fixture.engine, into: &outputs)
        execute(outputs)
    }

    private mutating func execute(_ outputs: [ReconciliationOutput]) {
        for output in outputs {
            switch output {
            case .infer(let trade): inferred.append(trade)
            case .settle(let fireID, let state, let reason, let actor):
                decisions.append("settled \(fireID) \(state.rawValue): \(reason)")
                var effects: [TrackerOutput] = []
                _ = fixture.engine.settle(
                    fireID: fireID, as: state, reason: reason, by: actor, now: now, into: &effects)
                fires[fireID]?["state"] = state.rawValue
            case .adjustLot(let key, let lot): _ = fixture.engine.adjustLot(key, to: lot)
            case .findFire(let fireID, _):
                reconciler.fireFound(fireID, userUUID: fires[fireID]?["user_uuid"])
            case .ask(let question): decisions.append("asked \(question.identifier)")
            case .withdraw(let identifier, let reason): decisions.append("withdrew \(identifier): \(reason)")
            case .write, .audit, .count: break
            }
        }
    }

    /// Inferred trades reach the journal; told twice they are one.
    mutating func deliverInferred(twice: Bool) {
        let waiting = inferred
        inferred = []
        for trade in waiting {
            let report = trade.report
            let hash = "i\(trade.key.ticket)\(trade.kind.rawValue)\(trade.profit ?? "")\(trade.closeTime ?? "")"
            confirm(report, hash: hash)
            if twice { confirm(report, hash: hash) }
        }
    }

    /// Both processes end and begin again with what Redis has.
    mutating func restart() {
        logger = ConfirmationEngine(catalogue: TrackerFixture.catalogue, memory: 64)
        var fresh = ReconciliationEngine()
        for state in reconciler.accounts.values { fresh.restore(state) }
        for question in reconciler.questions.values { fresh.restore(question) }
        reconciler = fresh
    }
}

extension InferredTrade {
    /// As `Wire` reads what the service writes.
    var report: TradeReport {
        var report = TradeReport(kind: kind == .opened ? .opened : .closed)
        report.source = "inferred"
        report.witness = witness.rawValue
        report.userUUID = userUUID
        report.nodeID = nodeID
        report.account = key.account
        report.server = key.server
        report.ticket = key.ticket
        report.symbol = symbol
        report.direction = direction
        report.lot = volume?.description
        report.volumeLeft = volumeLeft?.description
        if kind == .opened { report.openPrice = price } else { report.closePrice = price }
        report.profit = profit
        report.reason = reason
        report.fireID = fireID
        report.currency = currency
        report.closeTime = closeTime
        return report
    }
}
