import Domain

@testable import Trading

/// One random history of one account: what really happened, what was told of it, and what the mesh made of that.
struct ReconciliationHistory {
    enum Message {
        case confirmation(TradeReport, hash: String)
        case look(TerminalReport)
    }

    private static let stepMilliseconds: Int64 = 5_000
    private static let activeSteps = 48
    private static let settlingSteps = 44

    let seed: UInt64
    var numbers: SeededNumbers
    var broker: ReconciliationBroker
    var mesh = ReconciliationMesh()
    var lost = 0
    var queue: [(due: Timestamp, message: Message)] = []
    var delivered: [Message] = []
    private(set) var fired: [String] = []
    var nextHash = 0
    let isTold: Bool
    var story: [String] = []
    var isSettling = false
    /// Of the last look.
    var shownMargin = Amount.zero
    /// When the account's margin was first held against our books, and what it was for what they had.
    private(set) var learnt: (at: Timestamp, margin: Amount, net: Amount, gross: Amount)?

    /// - Parameter isTold: whether ``story`` is kept: what happened, step by step.
    init(seed: UInt64, isTold: Bool = false) {
        self.seed = seed
        self.isTold = isTold
        numbers = SeededNumbers(seed: seed)
        let families = ReconciliationBroker.Family.allCases
        let family = families[numbers.below(families.count)]
        broker = ReconciliationBroker(family, using: &numbers)
    }

    var now: Timestamp { mesh.now }

    mutating func tell(_ line: String) { story.append("\(now.seconds % 10_000) \(line)") }

    func brief(_ trade: ReconciliationBroker.Trade) -> String {
        "\(trade.ticket) \(trade.direction.rawValue) \(trade.lot) at \(trade.open) [\(trade.comment ?? "")]"
    }

    mutating func tellOfState(_ what: String) {
        guard isTold else { return }
        let state = mesh.reconciler.accounts[mesh.accountKey]
        let steps = state?.steps.map { "\($0.amount)" }.joined(separator: " ") ?? ""
        let line =
            "\(what): truth \(broker.trades.map(\.ticket)), ours \(mesh.fixture.engine.positions.keys.map(\.ticket).sorted())"
            + ", balance \(broker.balance), floating \(broker.floating), steps \(steps), causes "
            + (state?.causes.map { "\($0.amount.map { "\($0)" } ?? "?")±\($0.band)" }.joined(separator: " ") ?? "")
        tell(line)
    }

    mutating func run() {
        tick()
        look()
        for step in 0..<ReconciliationHistory.activeSteps + ReconciliationHistory.settlingSteps {
            isSettling = step >= ReconciliationHistory.activeSteps
            mesh.fixture.pass(milliseconds: ReconciliationHistory.stepMilliseconds)
            if !isSettling { moveMarket() }
            tick()
            for ended in broker.triggerLevels(at: now) { tellOfEnd(ended, byCommand: false) }
            if !isSettling { act() }
            if step % 6 == 0 { look() }
            if step % 6 == 3, broker.family == .own { answerQuery() }
            deliver()
            for trade in mesh.inferred where isTold {
                tell(
                    "inferred \(trade.kind.rawValue) \(trade.key.ticket) by \(trade.witness) for \(trade.profit ?? "?")"
                )
            }
            mesh.deliverInferred(twice: numbers.isTrue(1, of: 5))
            if !isSettling, numbers.isTrue(1, of: 60) { mesh.restart() }
            mesh.advance()
            if learnt == nil, mesh.reconciler.accounts[mesh.accountKey]?.margin != nil {
                learnt = (now, shownMargin, broker.margin(of: mesh.netLots), broker.margin(of: mesh.grossLots))
            }
            if isTold { for decision in mesh.decisions { tell(decision) } }
            mesh.decisions.removeAll()
        }
        mesh.deliverInferred(twice: true)
        mesh.advance()
    }

    /// Everything that was told is told once more, and the last look is repeated.
    mutating func runAgain() {
        let again = delivered
        for message in again { take(message) }
        mesh.deliverInferred(twice: true)
        mesh.advance()
        mesh.fixture.pass(milliseconds: 1000)
        mesh.deliverInferred(twice: true)
        mesh.advance()
    }

    // MARK: - The market and the trader

    private mutating func moveMarket() {
        let isJump = numbers.isTrue(1, of: 14)
        let points = isJump ? numbers.between(-600, 600) : numbers.between(-30, 30)
        broker.bid = broker.bid + Amount(units: Int64(points) * 1000)
        // What happens between two ticks the terminal passes on is not seen here.
        if numbers.isTrue(1, of: 20) {
            let bid = broker.bid
            broker.bid = bid + Amount(units: Int64(numbers.between(-600, 600)) * 1000)
            for ended in broker.triggerLevels(at: now) { tellOfEnd(ended, byCommand: false) }
            broker.bid = bid
        }
    }

    private mutating func tick() {
        var tick = Tick(symbol: "EURUSD", bid: broker.bid, ask: broker.ask, decimals: 5)
        tick.nodeID = "NODE_1_1"
        tick.brokerSeconds = now.seconds + ReconciliationMesh.offset
        mesh.fixture.engine.tick(tick, now: now)
        mesh.reconciler.tick(tick, mesh.fixture.engine, now: now)
    }

    private mutating func act() {
        if fired.count < 4, numbers.isTrue(1, of: 7) { fire() }
        guard numbers.isTrue(1, of: 6) else { return }
        let before = broker.balance
        defer {
            if isTold, broker.balance != before {
                let list = broker.trades.map { brief($0) }.joined(separator: ", ")
                tell("trader: balance \(before) -> \(broker.balance), \(list)")
            }
        }
        let ours = broker.trades.filter(\.isOurs)
        let chosen = ours.isEmpty ? nil : ours[numbers.below(ours.count)]
        switch numbers.below(10) {
        case 0, 1:
            // A command of ours, answered.
            guard let chosen, let ended = broker.close(chosen.ticket, at: now) else { return }
            tellOfEnd(ended, byCommand: true)
        case 2, 3:
            // By hand: 2.05 says nothing.
            guard let chosen, let ended = broker.close(chosen.ticket, at: now) else { return }
            tellOfEnd(ended, byCommand: false)
        case 4:
            guard let chosen, chosen.lot > Amount(units: 2_000_000) else { return }
            _ = broker.close(chosen.ticket, lot: Amount(units: 1_000_000), at: now)
        case 5: broker.balance += Amount(numbers.between(1, 10) * (numbers.isTrue(1, of: 2) ? 100 : -100))
        case 6:
            guard let index = broker.trades.indices.randomElement(using: &numbers) else { return }
            broker.trades[index].swap = Amount(units: Int64(-numbers.between(1, 60)) * 1_000_000)
        case 7:
            let comment = numbers.isTrue(1, of: 2) ? nil : "someone_elses_very_long_trade_identifier"
            _ = broker.open(
                numbers.isTrue(1, of: 2) ? .buy : .sell, lot: Amount(units: Int64(numbers.between(1, 5)) * 1_000_000),
                comment: comment)
        case 8:
            guard let manual = broker.trades.first(where: { !$0.isOurs }) else { return }
            broker.close(manual.ticket, at: now)
        default:
            // The trader moves a stop away: we go on believing the old one.
            guard let chosen, let index = broker.trades.firstIndex(where: { $0.ticket == chosen.ticket }) else {
                return
            }
            broker.trades[index].stop = nil
        }
    }

    private mutating func fire() {
        let direction: Direction = numbers.isTrue(1, of: 2) ? .buy : .sell
        let lot = Amount(units: Int64(numbers.between(2, 20)) * 1_000_000)
        let distance = Amount(units: Int64(numbers.between(100, 700)) * 1000)
        let market = direction == .buy ? broker.ask : broker.bid
        let stop = direction == .buy ? market - distance : market + distance
        let target = direction == .buy ? market + distance : market - distance
        var name = "h\(seed)_f\(fired.count)"
        if numbers.isTrue(1, of: 2) { name = name.padding(to: Fire.maximumIDLength) }
        guard mesh.fire(name, direction, lot: lot, stop: stop, target: target) else { return }
        fired.append(name)
        switch numbers.below(12) {
        case 0: lost += 1
        case 1: tellOfRefusal(name)
        default:
            guard numbers.isTrue(1, of: 7) else {
                let trade = broker.open(
                    direction, lot: lot, stop: stop, target: target, comment: name, fireID: name)
                tellOfOpening(trade, lot: lot)
                return
            }
            let quarter = Amount(units: lot.units / 4).rounded(decimals: 2)
            let parts = [quarter, quarter, Amount(units: lot.units / 2).rounded(decimals: 2)].filter(\.isPositive)
            let trades = parts.enumerated().map { index, part in
                let comment = name + ["_P1", "_P2", "_TRAIL"][index]
                return broker.open(
                    direction, lot: part, stop: stop, target: target, comment: comment, fireID: name, part: index + 1)
            }
            if let first = trades.first { tellOfOpening(first, lot: lot) }
        }
    }
}

extension String {
    fileprivate func padding(to length: Int) -> String {
        self + String(repeating: "x", count: max(0, length - count))
    }
}
