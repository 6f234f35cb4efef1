import Citadel
import Wire

/// A query of the port `citadel-queries` as it was asked: everything but the symbol may be absent.
struct ProtectionRequest: Equatable {
    /// As the client spells it.
    var symbol: String?
    var entry: WrittenPrice?
    var direction: TradeDirection?
    var stopLoss: Double?
    var takeProfit: Double?
    var signalIdentifier: String?

    init(_ object: JSONObject) throws(QueryError) {
        let fields = RequestFields(object)
        symbol = try fields.text(["symbol", "pair"], limit: 32)
        entry = try fields.price(["entry_price", "entry"])
        direction = try fields.direction()
        stopLoss = try fields.price(["stop_loss", "sl"])?.value
        takeProfit = try fields.price(["take_profit", "tp"])?.value
        signalIdentifier = try fields.text(["signal_id"], limit: 128)
    }

    /// What the query leaves out is taken from the live signal it names, unless it is about another symbol.
    ///
    /// `fields` are the signal's as its sender wrote them; `canonical` gives a spelling's canonical symbol.
    mutating func fill(from signal: TradingSignal, fields: JSONObject, canonical: (String) -> String) {
        guard symbol == nil || symbol.map(canonical) == signal.symbol else { return }
        symbol = symbol ?? fields["symbol"]?.text ?? signal.symbol
        direction = direction ?? signal.direction
        stopLoss = stopLoss ?? signal.stopLoss
        takeProfit = takeProfit ?? signal.takeProfit
        let text = fields["entry_price"]?.text ?? "\(signal.entryPrice)"
        entry = entry ?? WrittenPrice(text: text, value: signal.entryPrice)
    }
}

/// The market's price of a symbol for a trade that names none.
struct MarketPrice: Equatable {
    let bid: Double
    let ask: Double
    let digits: Int

    init?(_ summary: SymbolSummary) {
        guard let bid = summary.bid, let ask = summary.ask else { return nil }
        self.bid = bid
        self.ask = ask
        digits = summary.profile.digits
    }

    /// A buy opens at the ask, a sell at the bid; without a direction the middle.
    func entry(_ direction: TradeDirection?) -> WrittenPrice {
        let price =
            switch direction {
            case .buy: ask
            case .sell: bid
            case nil: Figure.rounded((bid + ask) / 2, digits)
            }
        return WrittenPrice(text: "\(price)", value: price)
    }
}
