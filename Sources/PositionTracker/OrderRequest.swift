import Domain
import Trading
import Wire

/// A request that can't be read: a stable code and what to do about it.
struct OrderError: Error {
    let code: String
    let message: String

    static func missing(_ field: String) -> OrderError {
        OrderError(code: "missing_field", message: "'\(field)' is missing")
    }

    static func bad(_ field: String, _ why: String) -> OrderError {
        OrderError(code: "bad_value", message: "'\(field)' \(why)")
    }
}

/// Reads fields of a request on port `orders`, with errors a person can act on.
struct OrderFields {
    let object: JSONObject

    func text(_ name: String, maximum: Int = 128) throws(OrderError) -> String {
        guard let text = try optionalText(name, maximum: maximum) else { throw .missing(name) }
        return text
    }

    func optionalText(_ name: String, maximum: Int = 128) throws(OrderError) -> String? {
        guard let value = object[name], value != .null else { return nil }
        guard let text = value.text else { throw .bad(name, "must be text") }
        guard (1...maximum).contains(text.utf8.count) else { throw .bad(name, "must have 1 to \(maximum) characters") }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw .bad(name, "must not contain control characters")
        }
        return text
    }

    /// A name that becomes part of keys and of lists: what it may consist of is refused by name, not by surprise.
    func identifier(_ name: String) throws(OrderError) -> String {
        let text = try text(name)
        try OrderFields.check(identifier: text, name)
        return text
    }

    func optionalIdentifier(_ name: String) throws(OrderError) -> String? {
        guard let text = try optionalText(name) else { return nil }
        try OrderFields.check(identifier: text, name)
        return text
    }

    static func check(identifier text: String, _ name: String) throws(OrderError) {
        // Blanks within and letters of any language are what terminals do send, and pass. Source: ea-wire 1.1.
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "|") }), !text.hasPrefix(" "),
            !text.hasSuffix(" ")
        else {
            throw .bad(
                name, "must have no control characters, no blank at either end and no '|', which parts names in keys")
        }
    }

    /// Who asks, for the audit trail.
    func actor() throws(OrderError) -> String { try optionalText("by", else: "operator") ?? "operator" }

    func optionalText(_ name: String, else fallback: String?) throws(OrderError) -> String? {
        guard let text = try optionalText(name) else { return fallback }
        return text
    }

    func amount(_ name: String) throws(OrderError) -> Amount? {
        guard let value = object[name], value != .null else { return nil }
        guard let text = value.text, let amount = Amount(text) else { throw .bad(name, "must be a decimal number") }
        guard !amount.isNegative else { throw .bad(name, "must not be below 0") }
        return amount
    }

    /// The first of two spellings that is there.
    func amount(_ name: String, or alias: String) throws(OrderError) -> Amount? {
        if let amount = try amount(name) { return amount }
        return try amount(alias)
    }

    /// A percentage from 0 to 100, or the word `default`, which takes a user's own value away.
    func percentage(_ name: String, else current: Amount?) throws(OrderError) -> Amount? {
        if object[name]?.text == "default" { return nil }
        guard let percent = try amount(name) else { return current }
        guard percent <= Amount(100) else { throw .bad(name, "must be from 0 (off) to 100 percent, or 'default'") }
        return percent
    }

    func integer(_ name: String) throws(OrderError) -> Int64? {
        guard let value = object[name], value != .null else { return nil }
        guard let text = value.text, let number = Int64(text) else { throw .bad(name, "must be a whole number") }
        return number
    }

    func flag(_ name: String) throws(OrderError) -> Bool {
        guard let value = object[name], value != .null else { return false }
        guard let flag = value.bool else { throw .bad(name, "must be true or false") }
        return flag
    }
}

extension FireRequest {
    /// Reads a `fire` request; what it leaves open may come from a live signal.
    init(_ fields: OrderFields, signal: (String) throws(OrderError) -> SignalBoard.Entry?) throws(OrderError) {
        let target = try FireRequest.target(fields)
        let isMany: Bool = if case .user = target { false } else { true }
        let fireID = try fields.text("fire_id")
        let maximum = isMany ? Fire.maximumBatchIDLength : Fire.maximumIDLength
        guard Fire.isValidID(fireID, maximum: maximum) else {
            throw .bad("fire_id", "must be 1 to \(maximum) of A-Z a-z 0-9 _ . -")
        }
        let signalID = try fields.optionalIdentifier("signal_id")
        let symbol = try fields.optionalText("symbol", maximum: 64)
        var live: SignalBoard.Entry?
        if symbol == nil, let signalID { live = try signal(signalID) }
        guard let symbol = symbol ?? live?.symbol else { throw .missing("symbol") }
        var directionText = try fields.optionalText("direction")
        if directionText == nil { directionText = try fields.optionalText("side") }
        if let directionText, Direction(wire: directionText) == nil {
            throw .bad("direction", "must be BUY or SELL, not '\(directionText)'")
        }
        guard let direction = directionText.flatMap({ Direction(wire: $0) }) ?? live?.direction else {
            throw .missing("direction")
        }
        let lot = try fields.amount("lot")
        let percent = try fields.amount("risk_pct")
        if lot != nil, percent != nil { throw .bad("lot", "and 'risk_pct' exclude each other") }
        // Neither means as much as the cap allows. A nought is no such wish: who computed one must not get a full position.
        let remedy = "must be above 0; leave it out for as much as the risk cap allows"
        if let lot, !lot.isPositive { throw .bad("lot", remedy) }
        if let percent, !percent.isPositive { throw .bad("risk_pct", remedy) }
        let size: RiskCalculator.Size = lot.map { .lot($0) } ?? percent.map { .percent($0) } ?? .cap
        self.init(fireID: fireID, target: target, symbol: symbol, direction: direction, size: size)
        let entryPrice = try fields.amount("entry")
        entry = entryPrice?.isZero == true ? nil : entryPrice
        stopLoss = try fields.amount("sl", or: "stop_loss") ?? live?.stopLoss
        takeProfit = try fields.amount("tp", or: "take_profit") ?? live?.takeProfit
        hybrid = try fields.hybrid()
        self.signalID = signalID
        signalAt = live?.publishedAt
        if let milliseconds = try fields.integer("expires_at_ms") { expiresAt = Timestamp(milliseconds: milliseconds) }
    }

    static let maximumTargets = 10_000

    private static func target(_ fields: OrderFields) throws(OrderError) -> Target {
        if let list = fields.object["user_uuid"]?.array {
            let users = list.compactMap(\.text)
            guard users.count == list.count, !users.isEmpty, users.count <= maximumTargets else {
                throw .bad("user_uuid", "as a list must name 1 to \(maximumTargets) users")
            }
            guard Set(users).count == users.count else { throw .bad("user_uuid", "names a user twice") }
            for user in users { try OrderFields.check(identifier: user, "user_uuid") }
            return .users(users)
        }
        if let user = try fields.optionalIdentifier("user_uuid") { return .user(user) }
        if let tier = try fields.optionalText("tier") { return .tier(tier.uppercased()) }
        if try fields.flag("all") { return .all }
        throw .missing("user_uuid")
    }
}
