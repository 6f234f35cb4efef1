import Domain

// The three positions of a hybrid fire: whose a part is, and which of them holds the fire's slot.
extension Position {
    /// Whether a terminal told of it with the lot of all three, and no list has shown yet what of that is its own.
    var standsForParts: Bool {
        hybridPart == .first && source != TradeEvent.Source.inferred.rawValue && lot + closings.lot == openedLot
    }

    /// Another lot than was thought, and the risk that goes with it.
    mutating func take(lot: Amount) {
        risk = risk.flatMap { ($0 * lot).divided(by: self.lot) }
        self.lot = lot
    }
}

extension PositionTrackerEngine {
    /// What a part that a witness found has from the rest of its fire.
    struct HybridKin {
        let fireID: String
        let stopLoss: String?
    }

    /// Remembers a hybrid that traded: a part that is found after its first position ended is its own all the same.
    public mutating func note(hybrid fire: Fire) {
        guard fire.hybrid != nil, fire.state == .filled || fire.isContradicted else { return }
        hybrids[fire.fireID] = fire
    }

    /// The hybrid fire that a witness names for a position it found in the same account, in its symbol and direction.
    mutating func hybridKin(of event: TradeEvent, _ position: Position) -> HybridKin? {
        guard event.isFromWitness, let fireID = event.fireID else { return nil }
        let key = position.key
        if let open = hybridParts(of: fireID, position.userUUID, key).first {
            guard open.canonicalSymbol == position.canonicalSymbol, open.direction == position.direction else {
                return nil
            }
            return HybridKin(fireID: fireID, stopLoss: open.stopLoss)
        }
        guard let fire = hybrids[fireID], fire.userUUID == position.userUUID,
            PositionKey.accountKey(server: fire.server, account: fire.account) == key.accountKey,
            fire.canonicalSymbol == position.canonicalSymbol, fire.direction == position.direction
        else { return nil }
        return HybridKin(fireID: fireID, stopLoss: fire.stopLoss)
    }

    /// A further part where another one holds the fire's slot: else the slot is this one's, whatever ended before.
    func partOfKin(_ kin: HybridKin, _ position: Position) -> Position.HybridPart {
        hybridParts(of: kin.fireID, position.userUUID, position.key).contains { $0.hybridPart == .first }
            ? .further : .first
    }

    /// The slot of a hybrid's first position goes to another that is open, and the one that ends frees nobody's; nil
    /// where no other is open.
    mutating func passSlot(of ended: inout Position) -> Position? {
        guard ended.hybridPart == .first, let fireID = ended.fireID,
            var heir = hybridParts(of: fireID, ended.userUUID, ended.key).first
        else { return nil }
        heir.hybridPart = .first
        positions[heir.key] = heir
        ended.hybridPart = .further
        return heir
    }

    /// Whether a closing message ends a position. The first ticket of a hybrid that stands for parts ends with all its
    /// lots; one of which a list showed its own lots ends with these, whatever the terminal once told.
    func isEnd(_ event: TradeEvent, of position: Position) -> Bool {
        guard position.hybridPart != nil, let closed = event.lot.flatMap({ Amount($0) }), closed.isPositive,
            !event.isFromWitness
        else { return event.isFinal }
        if position.standsForParts { return event.isFinal && closed >= position.lot }
        return event.isFinal || closed >= position.lot
    }

    /// Whether all that is open of a user, or may open, is in that symbol.
    func hasNothing(of user: String, beside canonical: String) -> Bool {
        let isPositionElsewhere = (positionsByUser[user] ?? []).contains {
            positions[$0].map { $0.canonicalSymbol != canonical } ?? false
        }
        let isFireElsewhere = (firesByUser[user] ?? []).contains {
            fires[$0].map { $0.canonicalSymbol != canonical && $0.state != .reserved } ?? false
        }
        return !isPositionElsewhere && !isFireElsewhere
    }

    /// Open positions of a hybrid fire in one account but that one, the lowest ticket first.
    private func hybridParts(of fireID: String, _ user: String, _ key: PositionKey) -> [Position] {
        (positionsByUser[user] ?? []).compactMap { positions[$0] }.filter {
            $0.hybridPart != nil && $0.fireID == fireID && $0.key != key && $0.key.accountKey == key.accountKey
        }.sorted { $0.key.ticket < $1.key.ticket }
    }
}
