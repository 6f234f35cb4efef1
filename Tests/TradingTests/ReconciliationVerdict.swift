import Domain

@testable import Trading

/// What a history came to: where the mesh is certain it must be right, elsewhere it must say so.
struct ReconciliationVerdict {
    private(set) var wrong: [String] = []
    /// Uncertain at the end, and visible: an open question or an unexplained step.
    private(set) var open = 0
    /// Ended without moving the balance by a cent, beside others: no figure can show it.
    private(set) var traceless = 0
    private(set) var questions = 0

    private let broker: ReconciliationBroker
    private let mesh: ReconciliationMesh
    private let isVisible: Bool

    init(_ history: ReconciliationHistory) {
        broker = history.broker
        mesh = history.mesh
        let state = mesh.reconciler.accounts[mesh.accountKey]
        let asked = mesh.reconciler.questions.values.filter { $0.state == .open }
        questions = asked.count
        isVisible = !asked.isEmpty || state?.steps.isEmpty == false
        checkOpen()
        checkClosed()
        checkFires(history.fired)
        checkTruth()
    }

    private var isListed: Bool { broker.family != .figures }

    private mutating func uncertain(_ what: String, isTraceless: Bool = false) {
        if isVisible {
            open += 1
        } else if isTraceless {
            traceless += 1
        } else {
            wrong.append(what)
        }
    }

    /// What we say is open.
    private mutating func checkOpen() {
        for position in mesh.fixture.engine.positions.values {
            let ticket = position.key.ticket
            if let trade = broker.trades.first(where: { $0.ticket == ticket }) {
                guard trade.lot != position.lot else { continue }
                // Figures show no volumes: a part closed by hand is a step there, hybrid parts are one position.
                if isListed { wrong.append("\(ticket): lot \(position.lot), truly \(trade.lot)") }
                if !isListed, trade.part == 0 { uncertain("\(ticket): lot \(position.lot), truly \(trade.lot)") }
            } else if let ended = broker.ended.first(where: { $0.trade.ticket == ticket }) {
                if isListed {
                    wrong.append("\(ticket) is open here, truly closed")
                } else {
                    uncertain(
                        "\(ticket) is open here, truly closed for \(ended.net)", isTraceless: isTraceless)
                }
            } else {
                wrong.append("\(ticket) was never there")
            }
        }
    }

    /// What ended in silence moved the balance, all together, by no more than openings' commission may, beside others
    /// that kept the margin: no figure shows it.
    private var isTraceless: Bool {
        var moved = Amount.zero
        var band = ReconciliationMoney.rounding
        for position in mesh.fixture.engine.positions.values {
            guard let ended = broker.ended.first(where: { $0.trade.ticket == position.key.ticket }) else { continue }
            let notional = ended.trade.open * ReconciliationBroker.contract * position.lot
            // Openings of the others in the same interval may take as much.
            band += notional * ReconciliationMoney.commission * Amount(3)
            moved += ended.net
        }
        return moved.magnitude <= band
    }

    /// What we say is closed.
    private mutating func checkClosed() {
        // Without a list hybrid parts are one position: what each earned is not known.
        let hasParts = !isListed && broker.executed.values.contains { $0.count > 1 }
        for (ticket, event) in mesh.closedRows {
            if broker.trades.contains(where: { $0.ticket == ticket }) {
                wrong.append("\(ticket) is closed here by \(event.witness ?? "message"), truly open")
                continue
            }
            guard !hasParts, event.source == .inferred, let net = event.positionProfit,
                let earned = broker.earned[ticket],
                let ended = broker.ended.first(where: { $0.trade.ticket == ticket }), ended.trade.part == 0
            else { continue }
            let notional = ended.trade.open * ReconciliationBroker.contract * ended.trade.lot
            let band = notional * Amount(units: 60_000) + Amount(units: 10_000_000)
            if (net - earned).magnitude > band {
                wrong.append("\(ticket) earned \(net) here by \(event.witness ?? ""), truly \(earned)")
            }
        }
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
                let nets = tickets.compactMap { ticket in broker.ended.first { $0.trade.ticket == ticket }?.net }
                if nets.count != tickets.count || !nets.reduce(Amount.zero, +).isZero {
                    wrong.append("\(name) never executed here, truly as \(tickets)")
                } else if !tickets.isEmpty {
                    traceless += 1
                }
            case "unknown":
                let isAsked = mesh.reconciler.questions.values.contains { $0.fireID == name && $0.state == .open }
                if isAsked { open += 1 } else { wrong.append("\(name) is unknown and nobody is asked") }
            default: wrong.append("\(name) is \(state) at the end")
            }
        }
    }

    /// What is really open and ours must be in our books, or asked about.
    private mutating func checkTruth() {
        for trade in broker.trades where trade.isOurs {
            let key = PositionKey(
                server: ReconciliationMesh.server, account: ReconciliationMesh.account, ticket: trade.ticket)
            guard mesh.fixture.engine.positions[key] == nil, isListed || trade.part < 2 else { continue }
            let isUnknown = trade.fireID.flatMap { mesh.fixture.engine.fires[$0] }?.state == .unknown
            if isUnknown {
                uncertain("\(trade.ticket) is not in our books")
            } else {
                wrong.append("\(trade.ticket) (\(trade.comment ?? "")) is open at the broker, not in our books")
            }
        }
    }
}

/// What must not change when everything is told again.
struct ReconciliationSnapshot: Equatable {
    let positions: [PositionKey: Amount]
    let fires: [String: String]
    let booked: Set<String>
    let questions: [String: String]
    let steps: [BalanceStep]
    let balance: Amount?

    init(_ mesh: ReconciliationMesh) {
        positions = mesh.fixture.engine.positions.mapValues(\.lot)
        fires = mesh.fires.mapValues { $0["state"] ?? "" }
        booked = Set(mesh.booked.keys)
        questions = mesh.reconciler.questions.mapValues(\.state.rawValue)
        steps = mesh.reconciler.accounts[mesh.accountKey]?.steps ?? []
        balance = mesh.reconciler.accounts[mesh.accountKey]?.balance
    }
}
