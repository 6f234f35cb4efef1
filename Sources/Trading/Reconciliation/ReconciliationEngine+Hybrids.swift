import Domain

// The first position of a hybrid, which its terminal reports with the lot of all three.
extension ReconciliationEngine {
    /// What of its lot can be its own ticket's: not what its fire's other parts have, in the list or in our books. All of
    /// it where it stands for nothing but itself.
    func leftToFirst(_ position: Position, _ state: AccountState, _ tracker: PositionTrackerEngine) -> Amount {
        guard position.standsForParts, let fireID = position.fireID else { return position.lot }
        let found = state.theirs.filter { part in
            state.strangers[part.ticket] != nil && part.direction == position.direction
                && tracker.catalogue.canonical(part.symbol ?? "") == position.canonicalSymbol
                && part.fireID.map { ReconciliationEngine.matches($0, fireID) } == true
        }
        let listed = found.reduce(Amount.zero) { $0 + ($1.volume.flatMap { Amount($0) } ?? .zero) }
        let booked = (ours[state.key] ?? []).compactMap { tracker.positions[$0] }.filter {
            $0.key != position.key && $0.hybridPart != nil && $0.fireID == fireID
        }
        return booked.reduce(position.lot - listed) { $0 - $1.openedLot }
    }
}
