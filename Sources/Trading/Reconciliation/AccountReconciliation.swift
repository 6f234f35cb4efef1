public import Domain

/// One account as both sides have it: the three lists, with age and money.
public struct AccountReconciliation: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// Both have it, or nothing the witness shows speaks against it.
        case matched
        /// Ours, and the witness does not have it: a slot that may be leaked.
        case ghost
        /// At the broker without any id: opened by hand.
        case manual
        /// At the broker with an id nobody here gave.
        case foreign
        /// At the broker with one of our ids, and not in our books.
        case orphan
    }

    public struct Item: Sendable, Equatable {
        /// Nil where only the figures tell that something is there.
        public var ticket: Int64?
        public var fireID: String?
        public var symbol: String?
        public var direction: Direction?
        public var lot: String?
        public var openPrice: String?
        public var since: Timestamp
        /// Unrealised, decimal text; nil where nobody says it.
        public var money: String?
        public var kind: Kind
    }

    public var state: AccountState
    public var matched: [Item] = []
    public var onlyOurs: [Item] = []
    public var onlyTheirs: [Item] = []
}

extension ReconciliationEngine {
    /// The lists of one account now; nil for an account nobody has shown or filled.
    public func reconciliation(
        _ key: String, _ tracker: PositionTrackerEngine, now: Timestamp
    ) -> AccountReconciliation? {
        guard let state = accounts[key] else { return nil }
        var result = AccountReconciliation(state: state)
        let inQuestion = Set(questions(of: key).filter { $0.state == .open }.compactMap(\.ticket))
        let positions = (ours[key] ?? []).compactMap { tracker.positions[$0] }.sorted { $0.key.ticket < $1.key.ticket }
        for position in positions {
            let ticket = position.key.ticket
            let isAsked = inQuestion.contains(ticket)
            let isFlat = state.flatLooks > 0 && state.lookedAt.map { position.openedAt < $0 } ?? false
            let isGhost = state.missing[ticket] != nil || isFlat || isAsked
            let item = AccountReconciliation.Item(
                ticket: ticket, fireID: position.fireID, symbol: position.symbol, direction: position.direction,
                lot: position.lot.text(minimumDecimals: 2), openPrice: position.openPriceText,
                since: position.openedAt, money: position.currentProfit?.money, kind: isGhost ? .ghost : .matched)
            if isGhost { result.onlyOurs.append(item) } else { result.matched.append(item) }
        }
        let known = Set(positions.map(\.key.ticket))
        for witness in state.theirs where !known.contains(witness.ticket) {
            guard let look = state.strangers[witness.ticket] else { continue }
            result.onlyTheirs.append(
                AccountReconciliation.Item(
                    ticket: witness.ticket, fireID: witness.fireID, symbol: witness.symbol,
                    direction: witness.direction, lot: witness.volume, openPrice: witness.openPrice,
                    since: look.since, money: witness.profit, kind: kind(of: witness, state, tracker)))
        }
        if let mismatch = state.mismatch, mismatch.count >= ReconciliationEngine.looksForCertainty {
            result.onlyTheirs.append(
                AccountReconciliation.Item(since: mismatch.since, money: mismatch.volume?.money, kind: .foreign))
        } else if let unfitting = state.unfitting, unfitting.count >= ReconciliationEngine.looksForCertainty {
            result.onlyTheirs.append(AccountReconciliation.Item(since: unfitting.since, kind: .foreign))
        } else if state.hasExposure, let since = state.lookedAt {
            result.onlyTheirs.append(
                AccountReconciliation.Item(since: since, money: state.floating?.money, kind: .foreign))
        }
        return result
    }

    private func kind(
        of witness: WitnessedPosition, _ state: AccountState, _ tracker: PositionTrackerEngine
    ) -> AccountReconciliation.Kind {
        guard let comment = witness.fireID else { return .manual }
        if state.closed[witness.ticket] != nil { return .orphan }
        return switch owner(of: comment, state, tracker) {
        case .fire, .position, .ended: .orphan
        case .unheardOf, .nobody: .foreign
        }
    }
}

extension PositionTrackerEngine {
    /// Hybrid parts: the terminal reported the lot of all as its first ticket's. Returns the position as it is.
    public mutating func adjustLot(_ key: PositionKey, to lot: Amount) -> Position? {
        guard var position = positions[key], lot.isPositive, lot < position.lot else { return nil }
        position.take(lot: lot)
        positions[key] = position
        return position
    }
}
