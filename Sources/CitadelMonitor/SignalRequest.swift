import Citadel
import Domain
import Wire

/// A signal as it came to the port `signal-intake`: what the engine scores, and the fields that are published.
struct SignalRequest: Equatable {
    /// With the canonical symbol and a definite end.
    let signal: TradingSignal
    /// The sender's fields in the sender's order and number texts; missing canonical names stand behind them.
    let fields: JSONObject

    /// A signal is a handful of values; an object of thousands of names is something else.
    private static let maximumFields = 256
    static let maximumLifetime: Int64 = 7 * 86_400_000
    /// Ours to say; what a sender put there is not passed on.
    private static let reserved: Set<String> = [
        "request_id", "protection_score", "citadel", "update", "update_reason", "updated_at",
    ]

    /// - Parameters:
    ///   - lifetime: of a signal without an end, milliseconds.
    ///   - feed: which symbols are known, and their canonical names.
    ///   - price: the market's price of a canonical symbol.
    init(
        _ object: JSONObject, now: Timestamp, lifetime: Int64, feed: MarketFeed, price: (String) -> MarketPrice?
    ) throws(QueryError) {
        guard object.fields.count <= SignalRequest.maximumFields else {
            throw QueryError(
                code: "too_many_fields", message: "a signal has at most \(SignalRequest.maximumFields) fields")
        }
        let reader = RequestFields(object)
        let identifier = try SignalRequest.identifier(object)
        guard let asked = try reader.text(["symbol", "pair"], limit: 32) else {
            throw QueryError(code: "bad_symbol", message: "symbol is missing")
        }
        let symbol = feed.canonical(asked)
        guard feed.isKnown(symbol) else {
            throw QueryError(
                code: "unknown_symbol", message: "no terminal quotes this symbol and symbols.yaml does not name it")
        }
        guard let direction = try reader.direction() else {
            throw QueryError(code: "bad_direction", message: "direction must be BUY or SELL")
        }
        guard let entry = try reader.price(["entry_price", "entry"]) ?? price(symbol)?.entry(direction) else {
            throw QueryError(
                code: "bad_entry_price", message: "entry_price is missing and no quote of the symbol is known; send it")
        }
        let stop = try reader.price(["stop_loss", "sl"])
        let target = try reader.price(["take_profit", "tp"])
        let created = min(try reader.time(["timestamp", "created_at"])?.moment ?? now, now)
        let end = try reader.time(["expires_at", "expires_at_ms"])
        let expires = end?.moment ?? created.adding(milliseconds: lifetime)
        guard expires - now <= SignalRequest.maximumLifetime else {
            throw QueryError(
                code: "bad_expires_at", message: "expires_at is more than 7 days ahead; a signal lives 7 days at most")
        }
        let confidence = object["confidence"]?.text.flatMap { Amount($0)?.double }
        signal = TradingSignal(
            signalIdentifier: identifier, symbol: symbol, direction: direction, entryPrice: entry.value,
            stopLoss: stop?.value, takeProfit: target?.value, confidence: confidence,
            createdMilliseconds: created.milliseconds, expiresMilliseconds: expires.milliseconds)
        var fields = SignalRequest.passedThrough(object)
        func fill(_ name: String, _ price: WrittenPrice?) {
            guard let price, fields[name]?.text != price.text else { return }
            fields[name] = .number(price.text)
        }
        fields["symbol"] = .string(asked)
        fields["direction"] = .string(direction.rawValue)
        fill("entry_price", entry)
        fill("stop_loss", stop)
        fill("take_profit", target)
        if (fields["timestamp"] ?? .null) == .null { fields["timestamp"] = .string(created.description) }
        // What a subscriber could not read without guessing a zone is written out.
        if end == nil || end?.hasZone == false || (fields["expires_at"] ?? .null) == .null {
            fields["expires_at"] = .string(expires.description)
        }
        self.fields = fields
    }

    private static func identifier(_ object: JSONObject) throws(QueryError) -> String {
        let text = object["signal_id"]?.text ?? ""
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw QueryError(
                code: "bad_signal_id", message: "signal_id must have 1 to 64 printable ASCII characters without spaces")
        }
        return text
    }

    /// The sender's fields without those that are ours; of a repeated name the first, as everywhere.
    private static func passedThrough(_ object: JSONObject) -> JSONObject {
        var seen = reserved
        var fields = JSONObject()
        for field in object.fields where seen.insert(field.name).inserted { fields.append(field.name, field.value) }
        return fields
    }
}
