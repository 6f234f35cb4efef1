import Domain

// Answers to a fire: a position that was opened, or none.

extension ConfirmationEngine {
    mutating func open(_ confirmation: Confirmation, _ context: ConfirmationContext, _ party: Party) -> TradeEvent {
        let report = confirmation.report
        let fire = fire(confirmation, context, party)
        var identifier = EventIdentity.frame(confirmation)
        var isPositionKnown = false
        var booked: ProvisionalBooking?
        if let ticket = report.ticket, let account = party.account, party.isNamed {
            identifier = EventIdentity.opened(user: party.user, account: account, ticket: ticket)
            let known = lifecycle(party, ticket, context)
            isPositionKnown = known != nil || !context.positions.isEmpty
            if !report.isInferred { booked = known?.provisionalOpening }
        } else if let fireID = report.fireID ?? fire?.identifier, fire?.isInferred != true {
            identifier = EventIdentity.fire(user: party.user, fireID: fireID)
        }
        var event = event(identifier, .opened, confirmation, party)
        complete(&event, fire, confirmation)
        event.brokerTime = report.openTime ?? report.timestamp
        event.isOrphan = fire == nil && !isPositionKnown
        if let booked {
            // Known only by what it corrects is not known.
            event.isOrphan = fire == nil
            event.correct(booked.event)
        }
        return event
    }

    mutating func fail(_ confirmation: Confirmation, _ context: ConfirmationContext, _ party: Party) -> TradeEvent {
        let report = confirmation.report
        let fire = fire(confirmation, context, party)
        var identifier = EventIdentity.frame(confirmation)
        if let ticket = report.ticket, let account = party.account, party.isNamed {
            identifier = EventIdentity.attempt(confirmation, user: party.user, account: account, ticket: ticket)
        } else if let fireID = report.fireID ?? fire?.identifier, fire?.isInferred != true {
            identifier = EventIdentity.fire(user: party.user, fireID: fireID)
        }
        var event = event(identifier, .failed, confirmation, party)
        complete(&event, fire, confirmation)
        event.isOrphan = fire == nil
        return event
    }

    /// What the fire's row adds to a message that leaves it out: 2.05 names neither symbol nor direction nor stops.
    private func complete(_ event: inout TradeEvent, _ fire: JoinedFire?, _ confirmation: Confirmation) {
        if let fire {
            let row = fire.row
            event.fireID = fire.identifier
            event.isInferred = fire.isInferred
            event.signalID = row["signal_id"] ?? (event.signalID == fire.identifier ? nil : event.signalID)
            event.symbol = event.symbol ?? row["symbol"]
            event.direction = event.direction ?? row["direction"].flatMap { Direction(wire: $0) }
            event.lot = event.lot ?? row["lot"]
            event.stopLoss = event.stopLoss ?? row["sl"]
            event.takeProfit = event.takeProfit ?? row["tp"]
            event.nodeID = event.nodeID ?? row["node_id"]
            if let deadline = row["expires_at"].flatMap({ Int64($0) }), deadline > 0 {
                event.isLate = confirmation.receivedAt.milliseconds > deadline
            }
        }
        event.canonicalSymbol = event.symbol.map { catalogue.canonical($0) }
    }

    struct JoinedFire {
        let identifier: String
        let row: [String: String]
        let isInferred: Bool
    }

    /// The fire a message answers: the one it names, if that is this user's, else the oldest one outstanding.
    private mutating func fire(
        _ confirmation: Confirmation, _ context: ConfirmationContext, _ party: Party
    ) -> JoinedFire? {
        let report = confirmation.report
        if let named = report.fireID ?? report.signalID {
            guard !context.fire.isEmpty, isOwn(context.fire, party) else { return nil }
            return JoinedFire(identifier: named, row: context.fire, isInferred: false)
        }
        guard ConfirmationQuestion.mayAnswerFire(report) else { return nil }
        let rows = context.outstandingFires.filter { isCandidate($0, report, party) }
        let inOrder = rows.sorted { left, right in
            let (first, second) = (Int64(left["sent_at"] ?? "") ?? .max, Int64(right["sent_at"] ?? "") ?? .max)
            return first != second ? first < second : (left["fire_id"] ?? "") < (right["fire_id"] ?? "")
        }
        for row in inOrder {
            if let identifier = row["fire_id"], answeredFires[identifier] == nil {
                return JoinedFire(identifier: identifier, row: row, isInferred: true)
            }
        }
        return nil
    }

    /// A terminal can't answer for another user's.
    private func isOwn(_ fire: [String: String], _ party: Party) -> Bool {
        party.user == Party.unknownUser || fire["user_uuid"] == nil || fire["user_uuid"] == party.user
    }

    private func isCandidate(_ fire: [String: String], _ report: TradeReport, _ party: Party) -> Bool {
        // What has not been handed to the terminal can't have been answered by it.
        guard let state = fire["state"], ["sending", "sent", "unknown"].contains(state), isOwn(fire, party) else {
            return false
        }
        if let node = report.nodeID, let other = fire["node_id"], node != other { return false }
        if let symbol = report.symbol, let other = fire["symbol"] {
            return catalogue.canonical(symbol) == catalogue.canonical(other)
        }
        return true
    }
}
