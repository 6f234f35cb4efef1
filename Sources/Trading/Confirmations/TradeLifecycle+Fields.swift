import Domain

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
        add("counted_profit", counted?.text)
        add("closings", closings.map { "\($0.fingerprint):\($0.soFar.units)" }.joined(separator: ","))
        if let provisional {
            // Written also when nothing is left of it: fields of a hash do not go by themselves.
            add("provisional", provisional.isEmpty ? "none" : provisional.map(\.text).joined(separator: "\n"))
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
        if let text = fields["provisional"] {
            provisional = text.split(separator: "\n").compactMap { ProvisionalBooking($0) }
        }
        isClosed = fields["closed"] == "1"
        isCounted = fields["counted"] == "1"
        counted = fields["counted_profit"].map { CountedProfit($0) }
        closings = (fields["closings"] ?? "").split(separator: ",").compactMap { pair in
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let units = Int64(parts[1]) else { return nil }
            return (String(parts[0]), Amount(units: units))
        }
    }
}
