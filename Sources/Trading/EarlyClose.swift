public import Domain

/// A closing whose opening has not been heard: a crash or a reconnection may bring the two in the wrong order.
///
/// Kept until the opening comes, a day at most, so that the position does not then stay open for ever.
public struct EarlyClose: Sendable, Equatable {
    public let key: PositionKey
    public var closedAt: Timestamp
    /// Volume closed so far, where the messages say it.
    public var lot: Amount { closings.lot }
    /// Whether nothing of the position is left.
    public var isFinal: Bool
    public var price: String?
    public var closings = Closings()
    public var reason: String?
    public var source: String?

    /// 2.x closes tickets only as a whole, and says so in these words. Source: ea-wire 2.
    private static let wholeTicketMessage = "Position closed successfully"

    public init(key: PositionKey, closedAt: Timestamp, isFinal: Bool) {
        self.key = key
        self.closedAt = closedAt
        self.isFinal = isFinal
    }

    /// The closings of which nobody knew the money, with what each may have lost at most at the position's stop.
    func unknownLosses(of position: Position) -> [(closing: Closing, amount: Amount)] {
        guard let risk = position.risk else { return [] }
        return closings.list.filter { $0.profit == nil }.map { closing in
            let lot = closing.lot.map { min($0, position.lot) } ?? position.lot
            return (closing, (risk * lot).divided(by: position.lot) ?? risk)
        }
    }

    init(_ event: TradeEvent, key: PositionKey, after earlier: EarlyClose?) {
        // Without an opening every closing looks like the last; a stated volume is held against the opening's when it comes.
        let says = event.lot.flatMap { Amount($0) }
        let isWhole = event.isFinal && (says == nil || event.message == EarlyClose.wholeTicketMessage)
        self.init(key: key, closedAt: event.receivedAt, isFinal: isWhole || earlier?.isFinal == true)
        closings = earlier?.closings ?? Closings()
        closings.put(Closing(event))
        price = event.closePrice
        reason = event.reason
        source = event.isFromWitness ? event.source.rawValue : nil
    }
}

extension PositionTrackerEngine {
    private static let earlyCloseMilliseconds: Int64 = 86_400_000
    private static let earlyCloseLimit = 20_000

    /// Remembers a closing of a position nobody here has opened yet.
    mutating func remember(early event: TradeEvent, _ key: PositionKey, into outputs: inout [TrackerOutput]) {
        if earlyCloses[key] == nil, earlyCloses.count >= PositionTrackerEngine.earlyCloseLimit {
            // A stranger's flood must not keep out the honest one that comes after it: a tenth goes, the oldest first.
            let order = earlyCloses.values.sorted { ($0.closedAt, $0.key.ticket) < ($1.closedAt, $1.key.ticket) }
            for old in order.prefix(PositionTrackerEngine.earlyCloseLimit / 10) {
                outputs.append(.count("early_closes_dropped"))
                forget(early: old.key, into: &outputs)
            }
        }
        let close = EarlyClose(event, key: key, after: earlyCloses[key])
        earlyCloses[key] = close
        // Before the event is acknowledged: written twice it is the same.
        outputs.append(.rememberEarlyClose(close))
    }

    /// Lets go of those whose opening did not come within a day; looked at every ten minutes.
    mutating func forgetOldEarlyCloses(_ now: Timestamp, into outputs: inout [TrackerOutput]) {
        guard now >= nextEarlyLook else { return }
        nextEarlyLook = now.adding(milliseconds: 600_000)
        let limit = now.adding(milliseconds: -PositionTrackerEngine.earlyCloseMilliseconds)
        let old = earlyCloses.values.filter { $0.closedAt < limit }.map(\.key)
        for key in old.sorted(by: { $0.description < $1.description }) { forget(early: key, into: &outputs) }
    }

    mutating func forget(early key: PositionKey, into outputs: inout [TrackerOutput]) {
        guard earlyCloses.removeValue(forKey: key) != nil else { return }
        outputs.append(.forgetEarlyClose(key))
    }

    public mutating func restore(early close: EarlyClose) { earlyCloses[close.key] = close }

    /// Ends a position that is only now heard to have been opened.
    func end(_ position: inout Position, by close: EarlyClose) {
        position.state = .closed
        position.closedAt = max(close.closedAt, position.openedAt)
        position.closePrice = close.price
        position.closings = close.closings
        position.profit = close.closings.profit?.text(minimumDecimals: 2)
        position.profitSource = close.closings.source
        position.closeReason = close.reason
        position.source = close.source ?? position.source
    }
}

// A closing that names a fire whose own answer was lost proves that the fire was filled.
extension PositionTrackerEngine {
    mutating func unansweredFire(of event: TradeEvent) -> Fire? {
        guard let key = event.positionKey, positions[key] == nil, let fireID = event.fireID,
            let fire = settled[fireID] ?? fires[fireID],
            fire.state.isUnaccounted || fire.state == .filled || fire.canBeContradicted,
            event.userUUID == fire.userUUID,
            // Proven by an earlier closing of it: this one ends nothing that is open.
            fire.ticket != key.ticket || earlyCloses[key] == nil
        else { return nil }
        return fire
    }

    /// Fills the fire with the closing's ticket and ends its position in the same step. The closing stays remembered, for
    /// the case that the lost answer comes after all: until then the figures of the opening are those of the command. Returns the user whose terminal is free again.
    mutating func closeUnanswered(
        _ event: TradeEvent, _ fire: Fire, _ effect: inout EventEffect, _ now: Timestamp,
        into outputs: inout [TrackerOutput]
    ) -> String? {
        guard let key = event.positionKey else { return nil }
        remember(early: event, key, into: &outputs)
        outputs.append(.count("fires_proven_by_close"))
        var opening = event
        opening.kind = .opened
        // It may say less of the opening than the command did.
        opening.symbol = event.symbol ?? fire.symbol
        opening.direction = fire.direction
        opening.lot = fire.lot.description
        let told = event.openPrice.flatMap { Amount($0) }?.isPositive == true ? event.openPrice : nil
        opening.openPrice = told ?? fire.risk?.entryPrice.description
        opening.isOrphan = false
        // When it was opened nobody heard; not before it left, and what it was asked to be it was from then on.
        opening.receivedAt = min(fire.times[.sent] ?? fire.times[.sending] ?? event.receivedAt, event.receivedAt)
        let freed = answer(opening, .filled, provenBy: event, &effect, now, into: &outputs)
        open(opening, fire: effect.fire, &effect, now, into: &outputs)
        return freed
    }
}
