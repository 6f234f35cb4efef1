import Domain

/// Which part of a position one closing message closes.
struct ClosingStep {
    /// What this message closes; nil where neither message nor opening says.
    var volume: Amount?
    /// What is closed of the ticket with it.
    var soFar: Amount
    var isFinal: Bool
    /// It states a volume, and nobody has said of how much: what looks like the end may be a part.
    var mayBePart = false
    /// The same closing was booked from a witness, or with estimated money.
    var replaces: ProvisionalBooking?

    /// 2.x can close tickets only as a whole, and says so in these words. Source: ea-wire 2.
    private static let wholeTicketMessage = "Position closed successfully"

    init(_ report: TradeReport, _ lifecycle: TradeLifecycle?, _ position: [String: String]?) {
        let said = report.lot.flatMap { Amount($0) }.map(\.magnitude)
        // `lot` of the tracker's row is what is left, of which `before` is gone already.
        let row = position?["opened_lot"] ?? position?["lot"]
        let lot = lifecycle?.lot ?? row.flatMap { Amount($0) }
        let before = lifecycle?.closedVolume ?? .zero
        let isWhole = said == nil || report.message == ClosingStep.wholeTicketMessage
        let print = TradeLifecycle.fingerprint(report)
        if let repeated = lifecycle?.closings.last(where: { $0.fingerprint == print }) {
            (volume, soFar, isFinal) = (said, repeated.soFar, lifecycle?.isClosed ?? true)
        } else if !report.isInferred, let booked = lifecycle?.replaceable(by: report, volume: isWhole ? nil : said) {
            // What terminals have told of it in full they tell again, with the money.
            let left = booked.event.awaitsTerminal ? booked.volume.map { $0 - booked.told } : booked.volume
            volume = isWhole ? left : said
            soFar = booked.event.closedVolume ?? before
            isFinal = booked.event.isFinal
            replaces = booked
        } else if let lifecycle, lifecycle.isClosed, isWhole || lifecycle.lot != nil {
            // It is closed already: another dialect's word for the same end.
            (volume, soFar, isFinal) = (said, lifecycle.closedVolume, true)
        } else if let lot {
            let left = lot - before
            isFinal = isWhole || (said ?? left) >= left
            volume = isFinal ? left : said
            soFar = isFinal ? max(lot, before) : before + (said ?? .zero)
        } else {
            // The opening was not seen: what is closed is all there is, as far as anybody knows.
            (volume, soFar, isFinal) = (said, before + (said ?? .zero), true)
            mayBePart = !isWhole
        }
    }
}

extension TradeEvent {
    /// Makes this the better word for what was told first: same name, and what it leaves out is kept.
    mutating func correct(_ booked: TradeEvent) {
        eventID = booked.eventID
        isCorrection = true
        source = booked.source == .message ? .message : .merged
        witness = booked.witness
        corrects = BookedFigures(booked).text
        fireID = fireID ?? booked.fireID
        signalID = signalID ?? booked.signalID
        nodeID = nodeID ?? booked.nodeID
        server = server ?? booked.server
        currency = currency ?? booked.currency
        symbol = symbol ?? booked.symbol
        canonicalSymbol = canonicalSymbol ?? booked.canonicalSymbol
        direction = direction ?? booked.direction
        openPrice = openPrice ?? booked.openPrice
        closePrice = closePrice ?? booked.closePrice
        stopLoss = stopLoss ?? booked.stopLoss
        takeProfit = takeProfit ?? booked.takeProfit
        reason = reason ?? booked.reason
        duration = duration ?? booked.duration
        isOrphan = isOrphan && booked.isOrphan
        // A closing told in parts stays the closing of the whole.
        lot = kind == .closed ? booked.lot ?? lot : lot ?? booked.lot
    }

    /// A terminal that does not say what was earned leaves the witness' figure; parts told one by one add up.
    mutating func take(moneyOf booking: ProvisionalBooking) {
        let booked = booking.event
        guard profitSource == .message, let own = profit.flatMap({ Amount($0) }) else {
            guard booked.netProfit != nil || netProfit == nil else { return }
            (profit, profitSource, netProfit) = (booked.profit, booked.profitSource, booked.netProfit)
            (swap, commission) = (booked.swap, booked.commission)
            return
        }
        guard booked.awaitsTerminal, !booking.told.isZero, booked.profitSource == .message, let net = netProfit,
            let before = booked.netProfit
        else { return }
        netProfit = before + net
        profit = TradeEvent.sum(booked.profit, own.description)
        swap = TradeEvent.sum(booked.swap, swap)
        commission = TradeEvent.sum(booked.commission, commission)
    }

    private static func sum(_ left: String?, _ right: String?) -> String? {
        guard let one = left.flatMap({ Amount($0) }) else { return right }
        guard let other = right.flatMap({ Amount($0) }) else { return left }
        return (one + other).text(minimumDecimals: 2)
    }
}
