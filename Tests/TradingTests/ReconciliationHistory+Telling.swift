import Domain

@testable import Trading

// What terminal and broker tell, and how it arrives: lost, late, twice, out of order.
extension ReconciliationHistory {
    func base(_ kind: TradeReport.Kind) -> TradeReport {
        var report = TradeReport(kind: kind)
        report.userUUID = ReconciliationMesh.user
        report.nodeID = "NODE_1_1"
        report.account = ReconciliationMesh.account
        report.currency = "USD"
        report.timestamp = Timestamp.brokerText(seconds: now.seconds + ReconciliationMesh.offset)
        if broker.family != .own { report.balance = broker.balance.money }
        return report
    }

    mutating func tellOfOpening(_ trade: ReconciliationBroker.Trade, lot: Amount) {
        var report = base(.opened)
        report.fireID = trade.fireID
        report.ticket = trade.ticket
        report.openPrice = trade.open.text(minimumDecimals: 5)
        report.lot = lot.text(minimumDecimals: 2)
        if broker.family == .own { report.openTime = report.timestamp }
        send(report)
    }

    mutating func tellOfRefusal(_ name: String) {
        var report = base(.failed)
        report.fireID = name
        report.message = "Trade execution failed - Error: 4756 Result: 10019"
        send(report)
    }

    /// 2.05 tells only of what it was told to close.
    mutating func tellOfEnd(_ ended: ReconciliationBroker.Ended, byCommand: Bool) {
        if isTold { tell("ended \(brief(ended.trade)) for \(ended.net) by \(byCommand ? "command" : "hand or level")") }
        guard ended.trade.isOurs else { return }
        var report = base(.closed)
        report.ticket = ended.trade.ticket
        switch broker.family {
        case .figures:
            guard byCommand else {
                lost += 1
                return
            }
            report.lot = ended.trade.lot.text(minimumDecimals: 2)
            report.message = "Position closed successfully"
        case .positions:
            report.account = nil
            report.nodeID = nil
            report.timestamp = nil
            report.balance = nil
            report.profit = ended.net.money
            report.reason = byCommand ? "MANUAL" : "SL_HIT"
        case .own:
            report.lot = ended.trade.lot.text(minimumDecimals: 2)
            report.profit = ended.net.money
            report.closeTime = report.timestamp
        }
        send(report)
    }

    mutating func send(_ report: TradeReport) {
        nextHash += 1
        if isTold { tell("says \(report.kind.rawValue) \(report.ticket ?? 0) \(report.fireID ?? "")") }
        let message = Message.confirmation(report, hash: "c\(nextHash)")
        guard !numbers.isTrue(1, of: 7) else {
            lost += 1
            return
        }
        for _ in 0..<(numbers.isTrue(1, of: 8) ? 2 : 1) {
            let delay = numbers.isTrue(1, of: 4) ? numbers.between(5, 70) : 0
            queue.append((now.adding(milliseconds: Int64(delay) * 1000), message))
        }
    }

    mutating func look() {
        var report = TerminalReport(kind: .heartbeat)
        report.userUUID = ReconciliationMesh.user
        report.account = ReconciliationMesh.account
        report.currency = "USD"
        report.leverage = String(broker.leverage)
        report.balance = broker.balance.money
        report.equity = (broker.balance + broker.floating).money
        if broker.family == .positions {
            report.timestamp = String(now.seconds)
            list(into: &report, limit: 10)
        } else {
            report.margin = broker.margin.money
            report.timestamp = Timestamp.brokerText(seconds: now.seconds + ReconciliationMesh.offset)
        }
        if !isSettling, numbers.isTrue(1, of: 10) { return }
        shownMargin = broker.margin
        let isLate = !isSettling && numbers.isTrue(1, of: 12)
        let delay = isLate ? Int64(numbers.between(15, 70)) * 1000 : 0
        queue.append((now.adding(milliseconds: delay), .look(report)))
        if numbers.isTrue(1, of: 12) { queue.append((now.adding(milliseconds: delay), .look(report))) }
    }

    mutating func answerQuery() {
        var report = TerminalReport(kind: .heartbeat)
        report.userUUID = ReconciliationMesh.user
        report.account = ReconciliationMesh.account
        report.balance = broker.balance.money
        report.equity = (broker.balance + broker.floating).money
        report.timestamp = Timestamp.brokerText(seconds: now.seconds + ReconciliationMesh.offset)
        report.queryID = "q1"
        list(into: &report, limit: .max)
        guard isSettling || !numbers.isTrue(1, of: 8) else { return }
        queue.append((now, .look(report)))
    }

    func list(into report: inout TerminalReport, limit: Int) {
        report.openPositionCount = broker.trades.count
        report.openPositions = broker.trades.prefix(limit).map { trade in
            var item = WitnessedPosition(ticket: trade.ticket)
            item.fireID = trade.comment
            item.symbol = "EURUSD"
            item.direction = trade.direction
            item.volume = trade.lot.text(minimumDecimals: 2)
            item.openPrice = trade.open.text(minimumDecimals: 5)
            item.profit = broker.profit(trade).money
            return item
        }
    }

    mutating func deliver() {
        let moment = now
        let due = queue.filter { $0.due <= moment }
        queue.removeAll { $0.due <= moment }
        for entry in due.shuffled(using: &numbers) {
            delivered.append(entry.message)
            take(entry.message)
        }
    }

    mutating func take(_ message: Message) {
        switch message {
        case .confirmation(let report, let hash):
            mesh.confirm(report, hash: hash)
            if isTold {
                tellOfState(
                    "told \(report.kind.rawValue) \(report.ticket ?? 0) \(report.fireID ?? "") of \(report.timestamp ?? "")"
                )
            }
        case .look(let report):
            mesh.hear(report)
            if isTold { tellOfState("look of \(report.timestamp ?? "") balance \(report.balance ?? "")") }
        }
    }
}
