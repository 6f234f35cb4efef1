import Domain

@testable import Trading

/// What a history came to: where the mesh is certain it must be right, elsewhere it must say so.
struct ReconciliationVerdict {
    private(set) var wrong: [String] = []
    /// Uncertain at the end, and visible: a question or an unexplained step about just this.
    private(set) var open = 0
    /// Every figure the terminal shows is that of our books: nobody could tell the difference.
    private(set) var traceless = 0
    /// Right to within the band of a level: something by hand lies in the same step.
    private(set) var shared = 0
    /// Closed, and its money said to be unknown.
    private(set) var moneyUnknown = 0
    private(set) var questions = 0

    private let broker: ReconciliationBroker
    private let mesh: ReconciliationMesh
    private let state: AccountState?
    private let asked: [ReconciliationQuestion]
    private let learnt: (at: Timestamp, margin: Amount, net: Amount, gross: Amount)?

    init(_ history: ReconciliationHistory) {
        broker = history.broker
        mesh = history.mesh
        learnt = history.learnt
        state = mesh.reconciler.accounts[mesh.accountKey]
        asked = mesh.reconciler.questions.values.filter { $0.state == .open }
        questions = asked.count
        checkOpen()
        checkClosed()
        checkFires(history.fired)
        checkTruth()
    }

    /// 2.06H cuts its list at ten.
    private var isListed: Bool {
        broker.family == .own || broker.family == .positions && broker.trades.count < 10
    }

    // MARK: - What may differ

    /// Whether an operator who reads what is shown comes to this ticket: a question about it, or about the account's
    /// figures, or an unexplained step in which it was closed.
    private func isShown(_ ticket: Int64) -> Bool {
        let slack = AccountState.slackMilliseconds
        let moments = broker.closings[ticket] ?? []
        // A question about another ticket is none about this one.
        return asked.contains { $0.ticket == ticket || $0.kind == .ghost && $0.ticket == nil }
            || (state?.steps ?? []).contains { step in
                moments.contains {
                    step.after.adding(milliseconds: -slack) < $0 && $0 <= step.at.adding(milliseconds: slack)
                }
            }
    }

    private mutating func uncertain(_ ticket: Int64, _ what: String) {
        if isShown(ticket) {
            open += 1
        } else if isTraceless(ticket) {
            traceless += 1
        } else {
            wrong.append(what)
        }
    }

    /// Whether margin and unrealised money are, within the bands the page states, those of our books; and no step of
    /// the balance is left.
    private func isTraceless(_ ticket: Int64) -> Bool {
        guard !isListed else { return false }
        var floating = Amount.zero
        var band = ReconciliationMoney.rounding
        for position in mesh.fixture.engine.positions.values {
            let isBuy = position.direction == .buy
            floating += Profit.amount(
                direction: position.direction, lot: position.lot, open: position.openPrice,
                price: isBuy ? broker.bid : broker.ask, contractSize: ReconciliationBroker.contract,
                conversionRate: Amount(1))
            band +=
                position.openPrice * ReconciliationBroker.contract * position.lot * Amount(units: 60_000)
                + ReconciliationMoney.rounding
        }
        return (floating - broker.floating).magnitude <= band && isMarginTraceless(ticket)
    }

    /// No terminal says what margin a trade needs: the first look that shows one is believed.
    private func isMarginTraceless(_ ticket: Int64) -> Bool {
        guard let learnt, broker.leverage <= 5_000 else { return true }
        if let end = broker.closings[ticket]?.last, end <= learnt.at { return true }
        func fits(_ lots: Amount, _ then: Amount) -> Bool {
            guard let due = (learnt.margin * broker.margin(of: lots)).divided(by: then) else { return false }
            return (due - broker.margin).magnitude <= max(due, broker.margin) * MarginRate.band
        }
        return fits(mesh.netLots, learnt.net) || fits(mesh.grossLots, learnt.gross)
    }

    // MARK: - Positions

    /// What we say is open.
    private mutating func checkOpen() {
        for position in mesh.fixture.engine.positions.values {
            let ticket = position.key.ticket
            if let trade = broker.trades.first(where: { $0.ticket == ticket }) {
                guard trade.lot != position.lot else { continue }
                let what = "\(ticket): lot \(position.lot), truly \(trade.lot)"
                // Without a list hybrid parts are one position.
                if isListed { wrong.append(what) } else if trade.part == 0 { uncertain(ticket, what) }
            } else if let ended = broker.ended.first(where: { $0.trade.ticket == ticket }) {
                let what = "\(ticket) is open here, truly closed for \(ended.net)"
                if isListed { wrong.append(what) } else { uncertain(ticket, what) }
            } else {
                wrong.append("\(ticket) was never there")
            }
        }
    }

    /// What we say is closed, and what it earned.
    private mutating func checkClosed() {
        for (ticket, event) in mesh.closedRows {
            if broker.trades.contains(where: { $0.ticket == ticket }) {
                wrong.append("\(ticket) is closed here by \(event.witness ?? "message"), truly open")
                continue
            }
            guard event.source == .inferred, let ended = broker.ended.first(where: { $0.trade.ticket == ticket })
            else { continue }
            guard let net = event.netProfit else {
                moneyUnknown += 1
                continue
            }
            let truths = [ended.net, broker.earned[ticket] ?? ended.net, wholeFire(ended.trade)]
            if truths.contains(net) { continue }
            let band =
                ended.trade.open * ReconciliationBroker.contract * ended.trade.lot * Amount(units: 60_000)
                + ReconciliationMoney.rounding
            if truths.contains(where: { (net - $0).magnitude <= band }) {
                shared += 1
            } else {
                wrong.append("\(ticket) earned \(net) here by \(event.witness ?? ""), truly \(ended.net)")
            }
        }
    }

    /// What all hybrid parts of a trade earned: without a list they are one position.
    private func wholeFire(_ trade: ReconciliationBroker.Trade) -> Amount {
        let tickets = trade.fireID.flatMap { broker.executed[$0] } ?? [trade.ticket]
        return tickets.reduce(.zero) { $0 + (broker.earned[$1] ?? .zero) }
    }

    private mutating func checkFires(_ fired: [String]) {
        for name in fired {
            let tickets = broker.executed[name] ?? []
            let state = mesh.fixture.engine.fires[name]?.state.rawValue ?? mesh.fires[name]?["state"] ?? "gone"
            switch state {
            case "filled":
                if tickets.isEmpty { wrong.append("\(name) is filled here, never executed") }
            case "rejected":
                if !tickets.isEmpty { wrong.append("\(name) is rejected here, executed as \(tickets)") }
            case "never_executed":
                let isOver = tickets.allSatisfy { ticket in broker.ended.contains { $0.trade.ticket == ticket } }
                let moved = tickets.reduce(Amount.zero) { $0 + (broker.moved[$1] ?? .zero) }
                // Opened and closed between two looks, and the balance is to the cent what it was.
                if !isOver || !moved.isZero {
                    wrong.append("\(name) never executed here, truly as \(tickets)")
                } else if !tickets.isEmpty {
                    traceless += 1
                }
            case "unknown":
                if asked.contains(where: { $0.fireID == name }) {
                    open += 1
                } else {
                    wrong.append("\(name) is unknown and nobody is asked")
                }
            default: wrong.append("\(name) is \(state) at the end")
            }
        }
    }

    /// What is really open and ours must be in our books, or asked about.
    private mutating func checkTruth() {
        for trade in broker.trades where trade.isOurs {
            let key = PositionKey(
                server: ReconciliationMesh.server, account: ReconciliationMesh.account, ticket: trade.ticket)
            guard mesh.fixture.engine.positions[key] == nil else { continue }
            let what = "\(trade.ticket) (\(trade.comment ?? "")) is open at the broker, not in our books"
            let isAsked = asked.contains { $0.fireID != nil && $0.fireID == trade.fireID }
            if isAsked {
                open += 1
            } else if isListed || trade.part < 2 {
                wrong.append(what)
            } else {
                checkPart(trade, what)
            }
        }
    }

    /// The second and third hybrid part where no list names them: in the first one's position, or seen as exposure.
    private mutating func checkPart(_ trade: ReconciliationBroker.Trade, _ what: String) {
        let first = trade.fireID.flatMap { broker.executed[$0]?.first } ?? trade.ticket
        let isInFirst = mesh.fixture.engine.positions.keys.contains { $0.ticket == first }
        if isInFirst { return }
        let shown = mesh.reconciler.reconciliation(mesh.accountKey, mesh.fixture.engine, now: mesh.now)
        if shown?.onlyTheirs.isEmpty == false || isShown(first) {
            open += 1
        } else if isTraceless(first) {
            traceless += 1
        } else {
            wrong.append(what)
        }
    }
}

/// What must not change when everything is told again.
struct ReconciliationSnapshot: Equatable {
    let positions: [PositionKey: Amount]
    let fires: [String: String]
    /// Who told of each effect, and what each closed position earned.
    let booked: [String: TradeEvent.Source]
    let earned: [Int64: Amount?]
    let questions: [String: String]
    let steps: [BalanceStep]
    let balance: Amount?

    init(_ mesh: ReconciliationMesh) {
        positions = mesh.fixture.engine.positions.mapValues(\.lot)
        fires = mesh.fires.mapValues { $0["state"] ?? "" }
        booked = mesh.booked
        earned = mesh.closedRows.mapValues(\.netProfit)
        questions = mesh.reconciler.questions.mapValues(\.state.rawValue)
        steps = mesh.reconciler.accounts[mesh.accountKey]?.steps ?? []
        balance = mesh.reconciler.accounts[mesh.accountKey]?.balance
    }
}
