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
    public var closedVolume = Amount.zero
    /// Net profit of the closings that terminals told; nil once one of them is unknown.
    var told: Amount? = .zero
    /// What was booked from a witness and may still be told by a terminal; nil where there never was any.
    var inferred: [InferredBooking]?
    /// Nothing is left of it.
    public var isClosed = false
    /// It is in `total_trades`.
    public var isCounted = false
    /// Fingerprint and volume so far of the closings seen, the newest last.
    public var closings: [(fingerprint: String, soFar: Amount)] = []

    /// Net profit of all closings so far; nil where one of them is unknown.
    public var realised: Amount? { realised(without: nil) }

    /// The same without one of the inferred ones.
    func realised(without identifier: String?) -> Amount? {
        var sum = told
        for booking in inferred ?? [] where booking.event.kind == .closed && booking.event.eventID != identifier {
            guard let known = sum, let net = booking.event.netProfit else { return nil }
            sum = known + net
        }
        return sum
    }

    var inferredOpening: InferredBooking? { inferred?.first { $0.event.kind == .opened } }

    /// The inferred closing that a terminal's closing is the word for.
    func inferredClosing(volume: Amount?, isWhole: Bool) -> InferredBooking? {
        let closings = (inferred ?? []).filter { $0.event.kind == .closed }
        if let volume, !isWhole, let same = closings.first(where: { $0.told.isZero && $0.volume == volume }) {
            return same
        }
        return isClosed ? closings.last { $0.event.isFinal } : nil
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
            guard let index = inferred?.firstIndex(where: { $0.event.kind == .opened }) else { return }
            inferred?.remove(at: index)
        } else if openedAt != nil {
            // Told again, it was opened when it was first told.
            return
        } else if event.source == .inferred {
            inferred = (inferred ?? []) + [InferredBooking(event)]
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
        brokerOpened = event.brokerTime ?? brokerOpened
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
        isCounted = isCounted || event.isCounted
        if event.source == .inferred {
            inferred = (inferred ?? []) + [InferredBooking(event)]
        } else {
            tell(event.netProfit)
        }
    }

    private mutating func correct(_ event: TradeEvent) {
        guard var booking = inferred?.first(where: { $0.event.eventID == event.eventID }) else { return }
        inferred?.removeAll { $0.event.eventID == event.eventID }
        if event.isRevocable {
            // A part of it: the rest may still be told.
            booking.event = event
            booking.told = event.toldVolume ?? .zero
            inferred = (inferred ?? []) + [booking]
        } else {
            tell(event.netProfit)
        }
    }

    private mutating func tell(_ net: Amount?) {
        if let known = told { told = net.map { known + $0 } }
    }
}

extension TradeLifecycle {
    /// Name and text of each field, as the hash has them. Sums are units of 10^-8.
    public var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { fields.append((name, value)) }
        }
        add("server", server)
        add("node_id", nodeID)
        add("fire_id", fireID)
        add("signal_id", signalID)
        add("symbol", symbol)
        add("canonical_symbol", canonicalSymbol)
        add("direction", direction?.rawValue)
        add("lot", lot?.description)
        add("open_price", openPrice)
        add("sl", stopLoss)
        add("tp", takeProfit)
        add("currency", currency)
        add("opened_at", openedAt.map { String($0.milliseconds) })
        add("broker_opened", brokerOpened)
        add("closed_volume", closedVolume.description)
        add("realised", realised.map { String($0.units) } ?? "unknown")
        add("closed", isClosed ? "1" : "0")
        add("counted", isCounted ? "1" : "0")
        add("closings", closings.map { "\($0.fingerprint):\($0.soFar.units)" }.joined(separator: ","))
        if let inferred {
            // Written also when nothing is left of it: fields of a hash do not go by themselves.
            add("inferred", inferred.isEmpty ? "none" : inferred.map(\.text).joined(separator: "\n"))
            add("told", told.map { String($0.units) } ?? "unknown")
        }
        return fields
    }

    /// Reads the hash; nil where it is empty.
    public init?(fields: [String: String]) {
        guard !fields.isEmpty else { return nil }
        self.init()
        server = fields["server"]
        nodeID = fields["node_id"]
        fireID = fields["fire_id"]
        signalID = fields["signal_id"]
        symbol = fields["symbol"]
        canonicalSymbol = fields["canonical_symbol"]
        direction = fields["direction"].flatMap(Direction.init(rawValue:))
        lot = fields["lot"].flatMap { Amount($0) }
        openPrice = fields["open_price"]
        stopLoss = fields["sl"]
        takeProfit = fields["tp"]
        currency = fields["currency"]
        openedAt = fields["opened_at"].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
        brokerOpened = fields["broker_opened"]
        closedVolume = fields["closed_volume"].flatMap { Amount($0) } ?? .zero
        told = (fields["told"] ?? fields["realised"]).flatMap { Int64($0) }.map { Amount(units: $0) }
        if let text = fields["inferred"] {
            inferred = text.split(separator: "\n").compactMap { InferredBooking($0) }
        }
        isClosed = fields["closed"] == "1"
        isCounted = fields["counted"] == "1"
        closings = (fields["closings"] ?? "").split(separator: ",").compactMap { pair in
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let units = Int64(parts[1]) else { return nil }
            return (String(parts[0]), Amount(units: units))
        }
    }
}
