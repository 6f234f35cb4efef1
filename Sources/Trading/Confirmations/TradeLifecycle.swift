public import Domain

/// One position's life from open to close as its confirmations told it: `lifecycle:<user>|<account>|<ticket>`.
public struct TradeLifecycle: Sendable, Equatable {
    public var server: String?
    public var nodeID: String?
    public var fireID: String?
    public var signalID: String?
    public var symbol: String?
    public var canonicalSymbol: String?
    public var direction: Direction?
    /// As opened; nil where the opening was not seen or did not say.
    public var lot: Amount?
    public var openPrice: String?
    public var stopLoss: String?
    public var takeProfit: String?
    public var currency: String?
    /// Nil where the opening was not seen.
    public var openedAt: Timestamp?
    public var brokerOpened: String?
    /// Its opening was told with the lot of a hybrid's three positions.
    var isHybrid = false
    public var closedVolume = Amount.zero
    /// Net profit of the closings that terminals told; nil once one of them is unknown.
    var told: Amount? = .zero
    /// What was booked and may still be corrected; nil where there never was any.
    var provisional: [ProvisionalBooking]?
    /// Nothing is left of it.
    public var isClosed = false
    /// It is in `total_trades`.
    public var isCounted = false
    /// With which profit; nil where it is not counted.
    public var counted: CountedProfit?
    /// In which scopes, where it was counted before its opening told how much of it there is: it may have been a part.
    var countedIn: String?
    /// Fingerprint and volume so far of the closings seen, the newest last.
    public var closings: [(fingerprint: String, soFar: Amount)] = []

    /// Net profit of all closings so far; nil where one of them is unknown.
    public var realised: Amount? { realised(without: nil) }

    /// The same without one of those that may still be corrected.
    func realised(without identifier: String?) -> Amount? {
        var sum = told
        for booking in provisionalClosings where booking.event.eventID != identifier {
            guard let known = sum, let net = booking.event.netProfit else { return nil }
            sum = known + net
        }
        return sum
    }

    var provisionalOpening: ProvisionalBooking? { provisional?.first { $0.event.kind == .opened } }
    var provisionalClosings: [ProvisionalBooking] { (provisional ?? []).filter { $0.event.kind == .closed } }

    /// The closing that a terminal's closing is a better word for.
    ///
    /// - Parameter volume: what it closes; nil where it closes what is left.
    func replaceable(by report: TradeReport, volume: Amount?) -> ProvisionalBooking? {
        let closings = provisionalClosings
        let witnessed = closings.filter(\.event.awaitsTerminal)
        if let volume, let same = witnessed.first(where: { $0.told.isZero && $0.volume == volume }) { return same }
        if isClosed, let last = witnessed.last(where: \.event.isFinal) { return last }
        // A terminal's own estimate gives way to nothing but its exact money.
        guard report.profit.flatMap({ Amount($0) }) != nil else { return nil }
        let estimated = closings.filter { !$0.event.awaitsTerminal }
        guard let volume else { return isClosed ? estimated.last(where: \.event.isFinal) : nil }
        let same = estimated.filter { $0.volume == volume || ($0.volume == nil && isClosed) }
        return isClosed ? same.last : same.first { $0.isToldAgain(by: report) }
    }

    /// More partial closings of one ticket than this are not told apart from repeats of the oldest.
    static let keptClosings = 64

    public init() {}

    public static func == (left: TradeLifecycle, right: TradeLifecycle) -> Bool {
        left.fields.elementsEqual(right.fields) { $0 == $1 }
    }

    /// What tells one closing of a ticket from another: volume, price, money and time, not the sender's numbering.
    static func fingerprint(_ report: TradeReport) -> String {
        var print = Fingerprint()
        for text in [
            report.lot, report.closePrice, report.profit, report.swap, report.commission,
            report.closeTime ?? report.timestamp,
        ] {
            print.add(text)
        }
        return print.text
    }

    /// Takes an event of this ticket in. Taking it twice changes nothing.
    mutating func absorb(_ event: TradeEvent) {
        switch event.kind {
        case .opened: open(event)
        case .closed: close(event)
        default: break
        }
    }

    private mutating func open(_ event: TradeEvent) {
        if event.isCorrection {
            guard let index = provisional?.firstIndex(where: { $0.event.kind == .opened }) else { return }
            provisional?.remove(at: index)
        } else if openedAt != nil {
            // Told again, it was opened when it was first told.
            return
        } else if event.source == .inferred {
            provisional = (provisional ?? []) + [ProvisionalBooking(event)]
        }
        server = event.server ?? server
        nodeID = event.nodeID ?? nodeID
        fireID = event.fireID ?? fireID
        signalID = event.signalID ?? signalID
        symbol = event.symbol ?? symbol
        canonicalSymbol = event.canonicalSymbol ?? canonicalSymbol
        direction = event.direction ?? direction
        lot = event.lot.flatMap { Amount($0) } ?? lot
        openPrice = event.openPrice ?? openPrice
        stopLoss = event.stopLoss ?? stopLoss
        takeProfit = event.takeProfit ?? takeProfit
        currency = event.currency ?? currency
        openedAt = openedAt ?? event.receivedAt
        isHybrid = isHybrid || event.tellsHybrid
        brokerOpened = event.brokerTime ?? brokerOpened
        // A part that was told before the opening was taken for all of it; the rest is still there.
        if isClosed, let lot, closedVolume.isPositive, closedVolume < lot { isClosed = false }
    }

    private mutating func close(_ event: TradeEvent) {
        guard let print = event.fingerprint, !closings.contains(where: { $0.fingerprint == print }) else { return }
        let soFar = event.closedVolume ?? closedVolume
        // The same effect in other words moves no money once more.
        let isKnown = closings.contains { $0.soFar == soFar && !soFar.isZero }
        closings.append((print, soFar))
        if closings.count > TradeLifecycle.keptClosings { closings.removeFirst() }
        if event.isCorrection { return correct(event) }
        guard !isKnown else { return }
        server = server ?? event.server
        currency = currency ?? event.currency
        closedVolume = max(closedVolume, soFar)
        isClosed = isClosed || event.isFinal
        if event.isCounted {
            isCounted = true
            countedIn = lot == nil ? event.statisticsPlace : nil
        }
        if event.isCounted || event.recounted != nil { counted = CountedProfit(event.positionProfit) }
        if event.isRevocable {
            keep(ProvisionalBooking(event))
        } else {
            tell(event.netProfit)
        }
    }

    private mutating func correct(_ event: TradeEvent) {
        guard var booking = provisional?.first(where: { $0.event.eventID == event.eventID }) else { return }
        provisional?.removeAll { $0.event.eventID == event.eventID }
        if event.isCounted || event.recounted != nil { counted = CountedProfit(event.positionProfit) }
        if event.isRevocable {
            // Terminals have told a part of it, or not what was earned: the rest may still come.
            booking.event = event
            booking.told = event.toldVolume ?? .zero
            keep(booking)
        } else {
            tell(event.netProfit)
        }
    }

    /// More than can be told apart are not kept: the oldest stays as it is booked.
    private mutating func keep(_ booking: ProvisionalBooking) {
        provisional = (provisional ?? []) + [booking]
        guard provisionalClosings.count > TradeLifecycle.keptClosings,
            let oldest = provisional?.firstIndex(where: { $0.event.kind == .closed })
        else { return }
        tell(provisional?.remove(at: oldest).event.netProfit)
    }

    private mutating func tell(_ net: Amount?) {
        if let known = told { told = net.map { known + $0 } }
    }
}
