public import Domain

/// Margin per traded value. Its height is the broker's affair; that it stays is what tells of our positions.
public struct MarginRate: Sendable, Equatable {
    /// The symbols it is learnt for: each may need another margin.
    public let symbols: String
    /// Where opposite positions need margin only for their difference; nil where nothing is left of them.
    public let net: Amount?
    /// Where each needs its own.
    public let gross: Amount

    public init(symbols: String, net: Amount?, gross: Amount) {
        self.symbols = symbols
        self.net = net
        self.gross = gross
    }

    /// A price moves less than this between two looks; 0.01 of a lot is more in up to a whole one.
    static let band = Amount(units: 1_000_000)

    func fits(_ other: MarginRate) -> Bool {
        MarginRate.agree(net, other.net) || MarginRate.agree(gross, other.gross)
    }

    private static func agree(_ left: Amount?, _ right: Amount?) -> Bool {
        guard let left, let right else { return false }
        return (left - right).magnitude <= max(left, right) * band
    }
}

extension AccountState {
    /// An operator looked: what the margin is now is right.
    mutating func acceptMargin() {
        margin = nil
        unfitting = nil
    }
}

// Margin tells of volume what the unrealised money cannot: an end without profit, a part, a trade by hand.
extension ReconciliationEngine {
    mutating func compareMargin(
        _ margin: Amount?, _ level: Amount?, _ equity: Amount, _ positions: [Position], _ state: inout AccountState,
        _ tracker: PositionTrackerEngine, now: Timestamp
    ) {
        let shown = margin ?? level.flatMap { $0.isZero ? .zero : (equity * Amount(100)).divided(by: $0) }
        margins[state.key] = shown
        // What was opened a moment ago may not be in it, and an account that looks flat is another rule's.
        guard proves(state), let shown, !positions.isEmpty, state.flatLooks == 0,
            positions.count == (ours[state.key] ?? []).count,
            let rate = rate(shown, positions, ReconciliationMoney(tracker: tracker, now: now))
        else { return state.unfitting = nil }
        let fits =
            shown.isZero ? rate.net == nil : state.margin.map { $0.symbols != rate.symbols || $0.fits(rate) } ?? true
        guard fits else {
            let before = state.unfitting
            state.unfitting = LookCount(
                count: min((before?.count ?? 0) + 1, ReconciliationEngine.looksForCertainty),
                since: before?.since ?? state.lookedAt ?? now)
            return
        }
        if !shown.isZero { state.margin = rate }
        state.unfitting = nil
    }

    /// Whether the last look's margin is what these positions need. Where it was not learnt for their symbols nothing speaks
    /// against it.
    func isMargin(of positions: [Position], _ state: AccountState, _ money: ReconciliationMoney) -> Bool {
        guard proves(state), !positions.isEmpty, let learnt = state.margin, let shown = margins[state.key],
            let rate = rate(shown, positions, money), rate.symbols == learnt.symbols
        else { return true }
        return shown.isZero ? rate.net == nil : learnt.fits(rate)
    }

    private func rate(_ margin: Amount, _ positions: [Position], _ money: ReconciliationMoney) -> MarginRate? {
        var sums: [String: Amount] = [:]
        var gross = Amount.zero
        for position in positions {
            guard let notional = money.notional(position) else { return nil }
            gross += notional
            sums[position.canonicalSymbol, default: .zero] += position.direction == .buy ? notional : -notional
        }
        // Two of opposite directions opened at different prices leave a remainder of no volume.
        let net = sums.values.reduce(Amount.zero) { $0 + $1.magnitude }
        guard let each = margin.divided(by: gross) else { return nil }
        let isBalanced = net <= gross * MarginRate.band
        return MarginRate(
            symbols: sums.keys.sorted().joined(separator: " "), net: isBalanced ? nil : margin.divided(by: net),
            gross: each)
    }

    /// Asks once where the margin has not been that of our books for several looks.
    mutating func judgeMargin(_ state: AccountState, now: Timestamp, into outputs: inout [ReconciliationOutput]) {
        let subject = "margin"
        guard let unfitting = state.unfitting, state.witness == .figures else {
            return withdraw(.ghost, subject, state, "the margin is that of our books again", into: &outputs)
        }
        guard unfitting.count >= ReconciliationEngine.looksForCertainty else { return }
        var question = ReconciliationQuestion(
            .ghost, about: subject, server: state.server, account: state.account, userUUID: state.userUUID,
            text: "the account's margin is not what our positions need: a trade by hand, or one of ours is closed, "
                + "whole or in part",
            evidence: [("since", String(unfitting.since.milliseconds))], askedAt: now)
        question.nodeID = state.nodeID
        question.currency = state.currency
        put(question, into: &outputs)
    }
}
