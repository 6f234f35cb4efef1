public import Domain

// What a user has at stake, and the caps on it. Amounts are exact and in the account's currency.
extension PositionTrackerEngine {
    /// Lost if every open position and every fire that may become one ended at its stop.
    public func atStake(_ userUUID: String, in currency: String, now: Timestamp) -> Amount {
        var sum = Amount.zero
        for fireID in firesByUser[userUUID] ?? [] {
            // A fill that waits for its ticket may be a position: it is at stake like one.
            guard let risk = fires[fireID]?.risk else { continue }
            sum += converted(risk.amount, risk.currency, to: currency, of: userUUID, now)
        }
        for key in positionsByUser[userUUID] ?? [] {
            guard let position = positions[key], let risk = position.risk else { continue }
            sum += converted(risk, position.currency ?? currency, to: currency, of: userUUID, now)
        }
        return sum
    }

    /// His open positions and fires that have no stop we know: what they may lose is no figure, so no cap weighs it.
    public func withoutFigure(_ userUUID: String) -> Int {
        let fired = (firesByUser[userUUID] ?? []).count { fires[$0]?.risk?.hasStop != true }
        return fired + (positionsByUser[userUUID] ?? []).count { positions[$0]?.risk == nil }
    }

    /// Realised since the UTC day began, in one currency; negative is a loss.
    public func realisedToday(_ userUUID: String, in currency: String, now: Timestamp) -> Amount {
        guard let day = days[userUUID], day.date == UserDay.date(of: now) else { return .zero }
        return day.realised.reduce(.zero) { $0 + converted($1.value, $1.key, to: currency, of: userUUID, now) }
    }

    /// Amounts of another account's currency are converted where a quote is there; else the number itself is taken,
    /// which is nearer the truth than none.
    private func converted(
        _ amount: Amount, _ from: String, to: String, of userUUID: String, _ now: Timestamp
    ) -> Amount {
        guard from != to, let terminal = terminals[userUUID],
            let rate = quotes.conversion(
                from: from, to: to, node: terminal.nodeID, server: terminal.server ?? "", now: now)
        else { return amount }
        return amount * rate
    }

    /// Caps of one user: open risk, and the day's loss if all that is at stake were lost too.
    func checkCaps(_ risk: RiskAssessment, _ user: User, now: Timestamp) throws(Denial) {
        let openCap = user.openRiskPercent ?? policy.openRiskPercent
        let dayCap = user.dailyLossPercent ?? policy.dailyLossPercent
        guard openCap.isPositive || dayCap.isPositive else { return }
        guard risk.hasStop else {
            throw Denial(
                .noStop,
                "a cap of \(openCap.isPositive ? "open risk" : "daily loss") is on for this user, and what a trade without "
                    + "a stop may lose is no figure to hold against it: give a stop (sl)")
        }
        let stake = atStake(user.uuid, in: risk.currency, now: now)
        let after = stake + risk.amount
        let sums = "\(stake.money) at stake + \(risk.amount.money) of this trade"
        let unweighed = withoutFigure(user.uuid)
        let rest = unweighed == 0 ? "" : "; not in it: \(unweighed) of his without a stop we know"
        if openCap.isPositive, let allowed = (risk.equity * openCap).divided(by: Amount(100)), after > allowed {
            throw Denial(
                .riskExceeded,
                "open risk: \(sums) = \(after.money) \(risk.currency); the cap is \(openCap) % of equity "
                    + "\(risk.equity.money) = \(allowed.money)\(rest)")
        }
        guard dayCap.isPositive, let allowed = (risk.equity * dayCap).divided(by: Amount(100)) else { return }
        let lost = max(.zero, -realisedToday(user.uuid, in: risk.currency, now: now))
        guard lost + after > allowed else { return }
        throw Denial(
            .riskExceeded,
            "daily loss: \(lost.money) lost today + \(sums) = \((lost + after).money) \(risk.currency); the cap is "
                + "\(dayCap) % of equity \(risk.equity.money) = \(allowed.money)\(rest)")
    }

    /// What a position loses at its stop: nil where it has none that we know. Its fire's figure for the lots that were traded, else from stop and quotes.
    public func riskAtStop(_ position: Position, fire: Fire?, now: Timestamp) -> Amount? {
        if let risk = fire?.risk, risk.hasStop { return risk.lossPerLot * position.lot }
        guard let instrument = catalogue.instruments[position.canonicalSymbol],
            let stop = position.stopLoss.flatMap({ Amount($0) }), stop.isPositive,
            let rate = quotes.conversion(
                from: instrument.quoteCurrency, to: position.currency ?? "USD", node: position.nodeID,
                server: position.key.server, now: now)
        else { return nil }
        let loss = -Profit.amount(
            direction: position.direction, lot: position.lot, open: position.openPrice, price: stop,
            contractSize: instrument.contractSize, conversionRate: rate)
        return max(.zero, loss)
    }
}
