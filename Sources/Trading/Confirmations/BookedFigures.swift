import Domain

/// What an event moved in the statistics when it was booked: kept with whatever may have to take it back.
///
/// As text it is `name=value|name=value…`, names as in ``TradeEvent/fields``, values encoded as ``KeyPart`` does.
struct BookedFigures: Sendable, Equatable {
    /// What ``StatisticsChange`` reads, and the sequence that tells which booking it was.
    private static let names: Set<String> = [
        "event_id", "seq", "kind", "user_uuid", "account", "server", "currency", "canonical_symbol", "profit_source",
        "swap", "commission", "net_profit", "orphan", "source", "received_at", "duration_s", "counted",
        "position_profit",
    ]

    let event: TradeEvent

    init(_ event: TradeEvent) { self.event = event }

    var text: String { BookedFigures.text(event.fields.filter { BookedFigures.names.contains($0.name) }) }

    init?(_ text: some StringProtocol) {
        guard let event = TradeEvent(fields: BookedFigures.fields(text)) else { return nil }
        self.event = event
    }

    static func text(_ fields: [(name: String, value: String)]) -> String {
        fields.map { "\($0.name)=\(KeyPart.encode($0.value))" }.joined(separator: "|")
    }

    static func fields(_ text: some StringProtocol) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "|") {
            guard let equals = pair.firstIndex(of: "=") else { continue }
            fields[String(pair[..<equals])] = KeyPart.decode(pair[pair.index(after: equals)...])
        }
        return fields
    }
}

/// An event whose figures may still be replaced: from a witness, or a closing whose money was estimated.
struct ProvisionalBooking: Sendable, Equatable {
    /// As it is booked now.
    var event: TradeEvent
    /// A closing from a witness: volume that terminals have told of it so far.
    var told = Amount.zero

    init(_ event: TradeEvent) { self.event = event }

    /// What a closing closed of its ticket; nil where nobody said.
    var volume: Amount? { event.lot.flatMap { Amount($0) } }

    /// Nothing of this is needed to replace it.
    private static let leftOut: Set<String> = [
        "message", "balance", "equity", "free_margin", "corrects", "durable_at", "source_port", "fingerprint",
    ]
    private static let toldName = "told"

    var text: String {
        let kept = event.fields.filter { !ProvisionalBooking.leftOut.contains($0.name) }
        return BookedFigures.text(kept + [(ProvisionalBooking.toldName, told.description)])
    }

    init?(_ text: some StringProtocol) {
        let fields = BookedFigures.fields(text)
        guard let event = TradeEvent(fields: fields) else { return nil }
        self.event = event
        told = fields[ProvisionalBooking.toldName].flatMap { Amount($0) } ?? .zero
    }
}

extension ProvisionalBooking {
    /// How far two messages of one closing may be apart on the terminal's clock, in seconds.
    private static let tolerance: Int64 = 2

    /// Whether a message may be about this part of a position, and not about another part of the same size.
    func isToldAgain(by report: TradeReport) -> Bool {
        if let price = report.closePrice.flatMap({ Amount($0) }), let own = event.closePrice.flatMap({ Amount($0) }),
            price.isPositive, own.isPositive, price != own
        {
            return false
        }
        guard let time = TerminalTime.seconds(report.closeTime ?? report.timestamp),
            let own = TerminalTime.seconds(event.brokerTime)
        else { return true }
        return abs(time - own) <= ProvisionalBooking.tolerance
    }
}
