import Domain

// Quotes and bars: 2.x and 7.01 TICK, 7.01cp and 6.00 without a type, 7.00C market_data, OHLC, candle_batch.

extension Tick {
    /// A quote of any version. `brokerSeconds` is the clock the terminal stamps with: the broker's, or UTC for
    /// 6.00, 7.00C and 7.01cp. That ask is not below bid is not asked for here: it is the market's word.
    init(_ fields: EAFields) throws(EAReject) {
        let symbol = try fields.required(.symbol, fields.identifier(.symbol))
        let bid = try fields.price(.bid)
        let ask = try fields.price(.ask)
        self.init(
            symbol: symbol, bid: bid.amount, ask: ask.amount, decimals: max(decimalsMeant(bid), decimalsMeant(ask)))
        nodeID = try fields.identifier(.nodeID)
        userUUID = try fields.identifier(.userUUID)
        brokerSeconds = fields.text(.timestamp).flatMap(EATime.seconds)
    }
}

private func decimalsMeant(_ price: (amount: Amount, text: String)) -> Int {
    // With an exponent the digits written say nothing about the decimals meant.
    let hasExponent = price.text.utf8.contains { $0 | 0x20 == UInt8(ascii: "e") }
    return writtenDecimals(hasExponent ? price.amount.description : price.text)
}

extension Bar {
    init(_ fields: EAFields) throws(EAReject) {
        try self.init(
            fields, symbol: fields.required(.symbol, fields.identifier(.symbol)),
            timeframe: fields.required(.timeframe, fields.identifier(.timeframe)))
        nodeID = try fields.identifier(.nodeID)
        userUUID = try fields.identifier(.userUUID)
    }

    private init(_ fields: EAFields, symbol: String, timeframe: String) throws(EAReject) {
        let time = try fields.required(.time, fields.text(.time))
        guard let seconds = EATime.seconds(time) else {
            throw .bad("time", "is no time: \(EAReject.quote(time))", type: fields.type)
        }
        self.init(
            symbol: symbol, timeframe: timeframe, brokerSeconds: seconds, open: try fields.price(.open).amount,
            high: try fields.price(.high).amount, low: try fields.price(.low).amount,
            close: try fields.price(.close).amount)
    }

    /// 7.01's `candle_batch`: lists of bars by timeframe.
    static func batch(_ fields: EAFields) throws(EAReject) -> [Bar] {
        let symbol = try fields.required(.symbol, fields.identifier(.symbol))
        let nodeID = try fields.identifier(.nodeID)
        let userUUID = try fields.identifier(.userUUID)
        var bars: [Bar] = []
        var hasList = false
        for timeframe in [EAField.m1, .m5, .m15, .m30, .h1, .h4, .d1] {
            guard let value = fields[timeframe] else { continue }
            guard let candles = value.array else { throw .bad(timeframe.name, "is no list", type: fields.type) }
            hasList = true
            for (index, candle) in candles.enumerated() {
                var inner = EAFields(candle.object ?? [:])
                inner.type = fields.type
                do {
                    var bar = try Bar(inner, symbol: symbol, timeframe: timeframe.name)
                    bar.nodeID = nodeID
                    bar.userUUID = userUUID
                    bars.append(bar)
                } catch {
                    let place = "\(timeframe.name)[\(index)]"
                    throw EAReject(reason: error.reason, detail: "\(place): \(error.detail)", type: fields.type)
                }
            }
        }
        guard hasList else { throw .missing("M1", type: fields.type) }
        return bars
    }
}
