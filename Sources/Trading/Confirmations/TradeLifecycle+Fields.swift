import Domain

extension TradeLifecycle {
    /// Name and text of each field, as the hash has them. Sums are units of 10^-8.
    public var fields: [(name: String, value: String)] {
        var row = RowFields()
        row.add("server", server)
        row.add("node_id", nodeID)
        row.add("fire_id", fireID)
        row.add("signal_id", signalID)
        row.add("symbol", symbol)
        row.add("canonical_symbol", canonicalSymbol)
        row.add("direction", direction?.rawValue)
        row.add("lot", lot?.description)
        row.add("open_price", openPrice)
        row.add("sl", stopLoss)
        row.add("tp", takeProfit)
        row.add("currency", currency)
        row.add("opened_at", openedAt)
        row.add("broker_opened", brokerOpened)
        if isHybrid { row.add("hybrid", "1") }
        row.add("closed_volume", closedVolume.description)
        row.add("realised", realised.map { String($0.units) } ?? "unknown")
        row.add("closed", isClosed)
        row.add("counted", isCounted)
        row.add("counted_profit", counted?.text)
        row.add("counted_in", countedIn)
        row.add("closings", closings.map { "\($0.fingerprint):\($0.soFar.units)" }.joined(separator: ","))
        if let provisional {
            // Written also when nothing is left of it: fields of a hash do not go by themselves.
            row.add("provisional", provisional.isEmpty ? "none" : provisional.map(\.text).joined(separator: "\n"))
            row.add("told", told.map { String($0.units) } ?? "unknown")
        }
        return row.list
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
        direction = fields.direction("direction")
        lot = fields.amount("lot")
        openPrice = fields["open_price"]
        stopLoss = fields["sl"]
        takeProfit = fields["tp"]
        currency = fields["currency"]
        openedAt = fields.moment("opened_at")
        brokerOpened = fields["broker_opened"]
        isHybrid = fields["hybrid"] == "1"
        closedVolume = fields.amount("closed_volume") ?? .zero
        told = (fields["told"] ?? fields["realised"]).flatMap { Int64($0) }.map { Amount(units: $0) }
        if let text = fields["provisional"] {
            provisional = text.split(separator: "\n").compactMap { ProvisionalBooking($0) }
        }
        isClosed = fields.isSet("closed")
        isCounted = fields.isSet("counted")
        counted = fields["counted_profit"].map { CountedProfit($0) }
        countedIn = fields["counted_in"]
        closings = (fields["closings"] ?? "").split(separator: ",").compactMap { pair in
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let units = Int64(parts[1]) else { return nil }
            return (String(parts[0]), Amount(units: units))
        }
    }
}
