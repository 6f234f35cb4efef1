import Domain

// Ends of positions, whole or in part, and what they earned.

extension ConfirmationEngine {
    mutating func close(_ confirmation: Confirmation, _ context: ConfirmationContext, _ party: Party) -> TradeEvent {
        let report = confirmation.report
        guard let ticket = report.ticket ?? context.ticket, let account = party.account, party.isNamed else {
            return closeWithoutPosition(confirmation, context, party)
        }
        let position = context.positions.first { $0["ticket"] == String(ticket) }
        let lifecycle = lifecycle(party, ticket, context)
        var step = ClosingStep(report, lifecycle, position)
        step.leaveParts(of: position, report, lifecycle)
        let identifier = EventIdentity.closed(user: party.user, account: account, ticket: ticket, soFar: step.soFar)
        var event = event(identifier, .closed, confirmation, party)
        event.ticket = ticket
        join(&event, lifecycle, position, confirmation, party)
        event.lot = report.lot ?? step.volume?.description ?? event.lot
        event.closedVolume = step.soFar
        event.isFinal = step.isFinal
        event.isCounted = step.replaces?.event.isCounted ?? (step.isFinal && lifecycle?.isCounted != true)
        event.fingerprint = TradeLifecycle.fingerprint(report)
        // Known only by what it corrects is not known.
        let isUnknown = lifecycle == nil || (step.replaces != nil && lifecycle?.openedAt == nil)
        event.isOrphan = isUnknown && position == nil
        earn(&event, confirmation, context, position, lifecycle)
        if let booking = step.replaces {
            var booked = booking.event
            // As it is counted now: another part of the position may have been corrected since.
            if booked.isCounted, let counted = lifecycle?.counted { booked.positionProfit = counted.profit }
            event.correct(booked)
            event.take(moneyOf: booking)
            if booked.awaitsTerminal { event.toldVolume = step.volume.map { booking.told + $0 } }
        }
        countPosition(&event, lifecycle, step)
        return event
    }

    /// The profit of the position as a whole, where it is counted with this closing or was with another one.
    private func countPosition(
        _ event: inout TradeEvent, _ lifecycle: TradeLifecycle?, _ step: ClosingStep
    ) {
        let replaced = step.replaces
        if !event.isCounted {
            guard let lifecycle, lifecycle.isCounted else { return }
            // A part that was told before the opening was counted as the whole: the end puts that right.
            let isEnd = event.isFinal && lifecycle.countedIn == event.statisticsPlace
            guard replaced != nil || isEnd else { return }
            event.recounted = lifecycle.counted ?? CountedProfit(lifecycle.realised)
        }
        let before = lifecycle == nil ? .zero : lifecycle?.realised(without: replaced?.event.eventID)
        if let before, let net = event.netProfit { event.positionProfit = before + net }
        let name = event.eventID
        let isOthersOpen = lifecycle?.provisionalClosings.contains { $0.event.eventID != name } ?? false
        event.isRevisable = isOthersOpen || step.mayBePart
    }

    /// `close_all`: one closing for each position the account had open, or one row where none is known.
    mutating func closeAll(_ confirmation: Confirmation, _ context: ConfirmationContext, _ party: Party) -> [TradeEvent]
    {
        let remembered = party.account.flatMap { accounts[Party.accountName(user: party.user, account: $0)] }
        var tickets = Set(context.positions.compactMap { $0["ticket"].flatMap { Int64($0) } })
        tickets.formUnion(remembered?.open ?? [])
        tickets.subtract(remembered?.closed ?? [])
        guard !tickets.isEmpty, party.isNamed else {
            var event = event(EventIdentity.frame(confirmation), .closedAll, confirmation, party)
            event.isOrphan = true
            return [event]
        }
        return tickets.sorted().map { ticket in
            var one = confirmation
            one.report.kind = .closed
            one.report.ticket = ticket
            // The lots of all together say nothing of one.
            one.report.lot = nil
            let event = close(one, context, party)
            // The next one's balance step has to know of this one.
            absorb([event])
            return event
        }
    }

    /// A closing nobody can name: booked, shown as an orphan, and counted as a closed position.
    private mutating func closeWithoutPosition(
        _ confirmation: Confirmation, _ context: ConfirmationContext, _ party: Party
    ) -> TradeEvent {
        let report = confirmation.report
        var identifier = EventIdentity.frame(confirmation)
        if report.ticket == nil, let fireID = report.fireID {
            identifier = EventIdentity.fireClosed(user: party.user, fireID: fireID)
        }
        var event = event(identifier, .closed, confirmation, party)
        join(&event, nil, nil, confirmation, party)
        event.closedVolume = report.lot.flatMap { Amount($0) } ?? .zero
        event.isFinal = true
        event.isCounted = true
        event.fingerprint = TradeLifecycle.fingerprint(report)
        event.isOrphan = true
        earn(&event, confirmation, context, nil, nil)
        event.positionProfit = event.netProfit
        return event
    }

    /// What opening and tracker know and the message leaves out.
    private func join(
        _ event: inout TradeEvent, _ lifecycle: TradeLifecycle?, _ position: [String: String]?,
        _ confirmation: Confirmation, _ party: Party
    ) {
        let report = confirmation.report
        event.fireID = event.fireID ?? lifecycle?.fireID ?? position?["fire_id"]
        event.signalID = event.signalID ?? lifecycle?.signalID
        event.server = report.server ?? lifecycle?.server ?? party.server ?? position?["server"]
        event.currency = report.currency ?? lifecycle?.currency ?? event.currency ?? position?["currency"]
        event.symbol = event.symbol ?? lifecycle?.symbol ?? position?["symbol"]
        event.canonicalSymbol = event.symbol.map { catalogue.canonical($0) }
        event.direction =
            event.direction ?? lifecycle?.direction ?? position?["direction"].flatMap { Direction(wire: $0) }
        event.openPrice = event.openPrice ?? lifecycle?.openPrice ?? position?["open_price"]
        event.stopLoss = event.stopLoss ?? lifecycle?.stopLoss ?? position?["sl"]
        event.takeProfit = event.takeProfit ?? lifecycle?.takeProfit ?? position?["tp"]
        event.lot = event.lot ?? lifecycle?.lot?.description ?? position?["lot"]
        event.duration = duration(confirmation, lifecycle, position)
    }

    /// On the broker's clock where both ends are on it, else between the two arrivals.
    private func duration(
        _ confirmation: Confirmation, _ lifecycle: TradeLifecycle?, _ position: [String: String]?
    ) -> Int64? {
        let report = confirmation.report
        let start = TerminalTime.seconds(report.openTime ?? lifecycle?.brokerOpened)
        let end = TerminalTime.seconds(report.closeTime ?? report.timestamp)
        if let start, let end, end >= start { return end - start }
        let opened = lifecycle?.openedAt?.milliseconds ?? position?["opened_at"].flatMap { Int64($0) }
        guard let opened, opened > 0, confirmation.receivedAt.milliseconds >= opened else { return nil }
        return (confirmation.receivedAt.milliseconds - opened) / 1000
    }

    // MARK: - Money

    private static let nearZero = Amount(units: 5_000_000)

    private mutating func earn(
        _ event: inout TradeEvent, _ confirmation: Confirmation, _ context: ConfirmationContext,
        _ position: [String: String]?, _ lifecycle: TradeLifecycle?
    ) {
        let report = confirmation.report
        if let text = report.profit, let profit = Amount(text) {
            event.profit = text
            event.profitSource = ConfirmationEngine.source(ofProfitIn: report)
            event.swap = report.swap
            event.commission = report.commission
            let extras = [report.swap, report.commission].compactMap { $0.flatMap { Amount($0) } }
            event.netProfit = extras.reduce(profit, +)
            return
        }
        guard !report.isInferred else {
            // A witness that could have told the money would have.
            event.profitSource = .unknown
            return
        }
        let isOpen = position?["state"] != "closed"
        let estimate = isOpen ? position?["current_pnl"].flatMap { Amount($0) } : nil
        if let step = balanceStep(event, confirmation, context, lifecycle, estimate) {
            event.profit = step.text(minimumDecimals: 2)
            event.profitSource = .balanceStep
            event.netProfit = step
        } else if let estimate, event.isFinal {
            event.profit = estimate.text(minimumDecimals: 2)
            event.profitSource = .quote
            event.netProfit = estimate
            event.closePrice = event.closePrice ?? position?["current_price"]
        } else {
            event.profitSource = .unknown
        }
    }

    /// A witness knows money only by the balance, an operator by looking.
    private static func source(ofProfitIn report: TradeReport) -> TradeEvent.ProfitSource {
        guard report.isInferred else { return .message }
        return report.witness == TradeEvent.ProfitSource.operator.rawValue ? .operator : .balanceStep
    }

    /// How the balance moved, where nothing but this closing can have moved it; nil where that is not certain.
    private mutating func balanceStep(
        _ event: TradeEvent, _ confirmation: Confirmation, _ context: ConfirmationContext,
        _ lifecycle: TradeLifecycle?, _ estimate: Amount?
    ) -> Amount? {
        guard let account = event.account, let ticket = event.ticket,
            let after = confirmation.report.balance.flatMap({ Amount($0) }), lifecycle?.isClosed != true
        else { return nil }
        let memory = accounts[Party.accountName(user: event.userUUID, account: account)] ?? AccountMemory()
        var open = Set(context.openTickets).union(memory.open).subtracting(memory.closed)
        if lifecycle != nil { open.insert(ticket) }
        guard open == [ticket], let before = memory.balance(before: confirmation.receivedAt, node: context.node)
        else { return nil }
        let step = after - before
        guard let estimate else {
            // A balance that has not moved may just not have been updated: without a quote nobody can tell.
            return step.isZero ? nil : step
        }
        if step.isZero { return estimate.magnitude <= ConfirmationEngine.nearZero ? step : nil }
        // A deposit or a silent stop beside it: the quote is nearer to the truth then.
        let tolerance = estimate.magnitude * Amount(units: 50_000_000) + before.magnitude * Amount(units: 100_000)
        return (step - estimate).magnitude <= tolerance + ConfirmationEngine.nearZero ? step : nil
    }
}
