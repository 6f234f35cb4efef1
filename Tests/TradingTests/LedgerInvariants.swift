import Domain

@testable import Trading

extension LedgerWorld {
    /// What must hold after every single step.
    mutating func check() {
        let commanded = rows.values.filter { $0.state.isCommanded }.count
        let unaccounted = rows.values.filter { $0.state.isUnaccounted }.count
        let accounted = LedgerCounts.accounted.reduce(0) { $0 + (counters[$1] ?? 0) }
        if counters["sent", default: 0] != commanded { violations.append("sent counts \(counters), rows \(commanded)") }
        if counters["sent", default: 0] != accounted + unaccounted {
            violations.append("sent \(counters) is not \(accounted) accounted + \(unaccounted) unaccounted")
        }
        for (fireID, count) in frames where count > 1 { violations.append("\(fireID) was handed over \(count) times") }
        for (token, count) in answers where count > 1 { violations.append("request \(token) has \(count) answers") }
        let maximum = policy.tier("CAPTAIN").slots
        let contradicted = rows.values.filter(\.isContradicted)
        if counters["contradicted", default: 0] != contradicted.count {
            violations.append("contradicted counts \(counters), rows \(contradicted.count)")
        }
        // What traded although it had been settled takes its slot all the same.
        for (user, taken) in slots where taken.count > maximum + contradicted.filter({ $0.userUUID == user }).count {
            violations.append("\(user) has \(taken.count) of \(maximum) slots")
        }
        checkMoney()
    }

    /// The broker's own view: what is lost and what the open trades lose at their stops, against the caps.
    private mutating func checkMoney() {
        for user in users {
            let stake = trades.values.reduce(Amount.zero) {
                $1.isOpen && !$1.isDisowned && $1.userUUID == user ? $0 + $1.lossAtStop : $0
            }
            let openCap = (LedgerWorld.equity * policy.openRiskPercent).divided(by: Amount(100)) ?? .zero
            let dayCap = (LedgerWorld.equity * policy.dailyLossPercent).divided(by: Amount(100)) ?? .zero
            if openCap.isPositive, stake > openCap { violations.append("\(user) has \(stake) at stake of \(openCap)") }
            let surprising = trades.values.filter { $0.isDisowned && $0.userUUID == user }
            let surprise = surprising.reduce(Amount.zero) {
                $0 + max(.zero, ($1.isOpen ? .zero : $1.lossAtStop) - ($1.partProfit ?? .zero))
            }
            let worst = stake + (lost[user] ?? .zero) - surprise
            if dayCap.isPositive, worst > dayCap { violations.append("\(user) may lose \(worst) of \(dayCap) today") }
        }
    }

    /// Every answer is told, every silent end settled: nothing may be left over.
    mutating func resolveEverything(_ generator: inout SeededGenerator) -> Bool {
        redisReturns()
        guard run(&generator, deadly: false) else { return false }
        // Answers free terminals, and what waited behind them leaves: until nothing new has left.
        var told: Set<String> = []
        while told.count < frames.count {
            for fireID in frames.keys.sorted() where told.insert(fireID).inserted {
                if trades[fireID] != nil { deliver(.opened, fireID) }
                if refusedByBroker.contains(fireID) { deliver(.failed, fireID) }
            }
            fixture.pass(milliseconds: 31_000)
            fixture.engine.advance(to: fixture.now, into: &fixture.outputs)
            guard run(&generator, deadly: false) else { return false }
        }
        for (fireID, trade) in trades.sorted(by: { $0.key < $1.key }) {
            if trade.isOpen {
                trades[fireID]?.isOpen = false
                lost[trade.userUUID, default: .zero] += trade.lossAtStop
            }
            if trade.partProfit != nil { deliver(.closed, fireID, isPart: true) }
            deliver(.closed, fireID)
        }
        fixture.pass(milliseconds: 3_600_001)
        for _ in 0..<3 {
            fixture.engine.advance(to: fixture.now, into: &fixture.outputs)
            guard run(&generator, deadly: false) else { return false }
        }
        for fireID in fixture.engine.fires.keys.sorted() where trades[fireID] == nil {
            _ = fixture.engine.settle(
                fireID: fireID, as: .neverExecuted, reason: "looked", now: fixture.now, into: &fixture.outputs)
        }
        guard run(&generator, deadly: false) else { return false }
        redisReturns()
        return run(&generator, deadly: false)
    }
}
