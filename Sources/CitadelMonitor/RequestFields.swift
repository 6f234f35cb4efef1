import Citadel
import Domain
import Wire

/// A price as it was written and as the engine takes it.
struct WrittenPrice: Equatable {
    /// The sender's own decimal text.
    let text: String
    let value: Double
}

/// The fields of a query or a signal, under their names of today and those of older producers.
///
/// Numbers may come as text. Null, an empty text and 0 mean that a price is absent. Errors name the field.
struct RequestFields {
    let object: JSONObject

    init(_ object: JSONObject) { self.object = object }

    /// The first of the names that holds a price above or below 0.
    func price(_ names: [String]) throws(QueryError) -> WrittenPrice? {
        for name in names {
            guard let value = object[name], value != .null, value != .string("") else { continue }
            guard let text = value.text, let amount = Amount(text), JSON.isNumber(text) else {
                throw QueryError(code: "bad_\(names[0])", message: "\(name) must be a number, or absent")
            }
            if !amount.isZero { return WrittenPrice(text: text, value: amount.double) }
        }
        return nil
    }

    /// A text of 1 to `limit` bytes without control characters.
    func text(_ names: [String], limit: Int) throws(QueryError) -> String? {
        for name in names {
            guard let value = object[name], value != .null, value != .string("") else { continue }
            guard let text = value.text, text.utf8.count <= limit, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else {
                throw QueryError(
                    code: "bad_\(names[0])", message: "\(name) must be a text of 1 to \(limit) characters")
            }
            return text
        }
        return nil
    }

    func direction() throws(QueryError) -> TradeDirection? {
        guard let text = try text(["direction", "side"], limit: 16) else { return nil }
        guard let direction = Direction(wire: text) else {
            throw QueryError(code: "bad_direction", message: "direction must be BUY or SELL")
        }
        return direction == .buy ? .buy : .sell
    }

    /// RFC 3339, the same without a zone (read as UTC), or an epoch in seconds or milliseconds.
    func time(_ names: [String]) throws(QueryError) -> (moment: Timestamp, hasZone: Bool)? {
        for name in names {
            guard let value = object[name], value != .null, value != .string("") else { continue }
            if let text = value.text, let moment = RequestFields.moment(text) { return moment }
            throw QueryError(
                code: "bad_\(names[0])",
                message: "\(name) must be RFC 3339 (2025-09-15T16:39:23Z) or an epoch in seconds or milliseconds")
        }
        return nil
    }

    private static func moment(_ text: String) -> (moment: Timestamp, hasZone: Bool)? {
        if let time = Timestamp(rfc3339: text) { return (time, true) }
        if let time = Timestamp(rfc3339: text + "Z") { return (time, false) }
        guard JSON.isNumber(text), let number = Double(text), number >= 1, number < 1e14 else { return nil }
        // No signal was made in milliseconds before 1973, so a smaller number is seconds.
        return (Timestamp(milliseconds: Int64(number < 1e11 ? number * 1000 : number)), true)
    }
}
