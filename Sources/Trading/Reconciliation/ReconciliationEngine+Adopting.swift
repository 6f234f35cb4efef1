import Domain

// Whose a listed position is that our books do not have.
extension ReconciliationEngine {
    /// Listed, and not in our books: ours if its comment says so and nothing speaks against it.
    mutating func adopt(
        _ witness: WitnessedPosition, _ state: AccountState, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        guard let comment = witness.fireID, let look = state.strangers[witness.ticket],
            state.closed[witness.ticket] == nil, let lookedAt = state.listTakenAt
        else { return }
        switch owner(of: comment, state, tracker) {
        case .fire(let fire):
            guard fits(witness, fire, tracker) else { return }
            let sent = fire.times[.sending] ?? fire.createdAt
            let isPast =
                fire.state == .unknown || fire.state == .filled
                || fire.state == .sent && now - sent > ReconciliationEngine.answerMilliseconds
            guard isPast, lookedAt > sent else { return }
            // Of hybrid parts the first stands for the fire: the others are found when it is in the books.
            let first = state.theirs.filter { part in
                state.strangers[part.ticket] != nil
                    && part.fireID.map { ReconciliationEngine.matches($0, fire.fireID) } == true
            }.map(\.ticket).min()
            guard first == witness.ticket else { return }
            infer(opening(witness, fire.fireID, fire, state), now: now, into: &outputs)
        case .position(let fireID, let sibling):
            guard look.count >= ReconciliationEngine.looksForCertainty,
                tracker.catalogue.canonical(witness.symbol ?? "") == sibling.canonicalSymbol
            else { return }
            infer(opening(witness, fireID, nil, state), now: now, into: &outputs)
        case .ended(let fireID):
            guard look.count >= ReconciliationEngine.looksForCertainty else { return }
            infer(opening(witness, fireID, nil, state), now: now, into: &outputs)
        case .unheardOf(let name):
            guard foundFires.count < ReconciliationEngine.maximumAccounts else { return }
            outputs.append(.findFire(fireID: name, accountKey: state.key))
        case .nobody: break
        }
    }

    /// Whose a comment is.
    enum Owner {
        /// A fire whose story is not over.
        case fire(Fire)
        /// A fire that has a position of this account already: a part, or it was executed twice.
        case position(String, Position)
        /// A fire of this user that ended.
        case ended(String)
        /// Nobody has looked yet for a fire of that name.
        case unheardOf(String)
        case nobody
    }

    func owner(of comment: String, _ state: AccountState, _ tracker: PositionTrackerEngine) -> Owner {
        let fires = tracker.fires.values.filter {
            $0.userUUID == state.userUUID && $0.account == state.account && $0.server == state.server
                && ReconciliationEngine.matches(comment, $0.fireID)
        }
        // Two that the comment may mean are none.
        if fires.count == 1, let fire = fires.first { return .fire(fire) }
        if fires.count > 1 { return .nobody }
        let positions = (ours[state.key] ?? []).compactMap { tracker.positions[$0] }
        if let position = positions.first(where: { $0.fireID.map { ReconciliationEngine.matches(comment, $0) } == true }
        ),
            let fireID = position.fireID
        {
            return .position(fireID, position)
        }
        for name in ReconciliationEngine.names(in: comment) {
            guard let found = foundFires[name] else { return .unheardOf(name) }
            if found.userUUID == state.userUUID { return .ended(name) }
        }
        return .nobody
    }

    /// What a comment may name: itself, and without the suffix of a hybrid's part, whole or cut.
    static func names(in comment: String) -> [String] {
        var names = [comment]
        for whole in partSuffixes {
            for length in stride(from: whole.count, to: 0, by: -1) {
                guard comment.hasSuffix(whole.prefix(length)), comment.count > length else { continue }
                let name = String(comment.dropLast(length))
                if !names.contains(name) { names.append(name) }
                break
            }
        }
        return names.filter { Fire.isValidID($0) }
    }

    /// Whether an order's comment is that fire's: the whole id, or what MT5 kept of a longer one.
    static func matches(_ comment: String, _ fireID: String) -> Bool {
        if comment == fireID { return true }
        // Hybrid parts have a suffix, itself cut with the rest.
        if comment.hasPrefix(fireID), partSuffixes.contains(where: { $0.hasPrefix(comment.dropFirst(fireID.count)) }) {
            return true
        }
        return comment.utf8.count >= commentLength - 1 && comment.utf8.count < fireID.utf8.count
            && fireID.hasPrefix(comment)
    }

    /// Anybody may write a comment: symbol and direction must be the fire's too.
    private func fits(_ witness: WitnessedPosition, _ fire: Fire, _ tracker: PositionTrackerEngine) -> Bool {
        guard let symbol = witness.symbol, tracker.catalogue.canonical(symbol) == fire.canonicalSymbol,
            witness.direction == fire.direction, witness.openPrice != nil, witness.volume != nil
        else { return false }
        return fire.ticket == nil || fire.ticket == witness.ticket
    }

    private func opening(
        _ witness: WitnessedPosition, _ fireID: String, _ fire: Fire?, _ state: AccountState
    ) -> InferredTrade {
        var trade = InferredTrade(
            .opened, state.positionKey(witness.ticket), userUUID: state.userUUID, witness: .positions)
        trade.nodeID = state.nodeID
        trade.symbol = witness.symbol ?? fire?.symbol
        trade.direction = witness.direction ?? fire?.direction
        trade.volume = witness.volume.flatMap { Amount($0) } ?? fire?.lot
        trade.price = witness.openPrice
        trade.fireID = fireID
        trade.currency = state.currency
        return trade
    }

    /// The ledger's answer to ``ReconciliationOutput/findFire(fireID:accountKey:)``; nil where nobody fired it.
    public mutating func fireFound(_ fireID: String, userUUID: String?) {
        foundFires[fireID] = FoundFire(userUUID: userUUID)
    }
}
