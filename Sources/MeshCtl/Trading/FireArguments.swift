import ArgumentParser
import Domain
import Wire

/// Whom a fire is for: exactly one of the three.
struct FireTarget: ParsableArguments {
    @Option(help: "A user's UUID; repeat it for several.") var user: [String] = []
    @Option(help: "Everybody of this tier.") var tier: String?
    @Flag(help: "Everybody.") var all = false

    func validate() throws {
        let ways = (user.isEmpty ? 0 : 1) + (tier == nil ? 0 : 1) + (all ? 1 : 0)
        guard ways == 1 else { throw ValidationError("say for whom: one of --user, --tier or --all") }
        guard Set(user).count == user.count else { throw ValidationError("--user names somebody twice") }
    }

    var fields: JSONObject {
        if let tier { return ["tier": .string(tier)] }
        if all { return ["all": .bool(true)] }
        return ["user_uuid": user.count == 1 ? .string(user[0]) : .array(user.map { .string($0) })]
    }
}

/// What is to be traded.
struct FireOrder: ParsableArguments {
    @Option(help: "The instrument, by its canonical name or the broker's.") var symbol: String?
    @Option(help: "BUY or SELL.", transform: { try FireOrder.direction($0) }) var direction: String?
    @Option(help: "Stop loss, a price.") var sl: DecimalArgument?
    @Option(help: "Take profit, a price.") var tp: DecimalArgument?
    @Option(help: "Lots; checked against the user's risk.") var lot: DecimalArgument?
    @Option(help: "Percent of equity to risk: the lots follow from the stop.") var riskPct: DecimalArgument?
    @Option(
        help: ArgumentHelp(
            "In three parts of 25, 25 and 50 percent (2.05, 2.06H): pips of the first target, of the second and of the "
                + "trail, as 8,12,8.", valueName: "first,second,trail"),
        transform: { try FireOrder.hybrid($0) }) var hybrid: JSONObject?
    @Option(help: "Take symbol, direction, stop and target from this live signal.") var signalID: String?
    @Option(help: "Your own id, up to 31 of A-Z a-z 0-9 _ . - (24 for many users); one is made up otherwise.")
    var fireID: String?
    @Option(help: "Seconds after which it must not trade any more.") var expiresIn: Int?

    private static func direction(_ text: String) throws -> String {
        let word = text.uppercased()
        guard word == "BUY" || word == "SELL" else { throw ValidationError("--direction is BUY or SELL") }
        return word
    }

    /// Whole numbers; position-tracker judges what they may be.
    private static func hybrid(_ text: String) throws -> JSONObject {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let first = numbers[0], let second = numbers[1], let trail = numbers[2] else {
            throw ValidationError("--hybrid is three whole numbers of pips with commas between them, as 8,12,8")
        }
        return [
            "enabled": .bool(true), "partial1": .object(["trigger": .integer(first)]),
            "partial2": .object(["trigger": .integer(second)]), "trail": .object(["distance": .integer(trail)]),
        ]
    }

    func validate() throws {
        guard signalID != nil || (symbol != nil && direction != nil) else {
            throw ValidationError("say what: --symbol and --direction, or --signal-id")
        }
        guard lot == nil || riskPct == nil else { throw ValidationError("--lot and --risk-pct exclude each other") }
        guard expiresIn.map({ (1...86_400).contains($0) }) ?? true else {
            throw ValidationError("--expires-in must be 1 to 86400 seconds")
        }
    }

    func fields(now: Timestamp) -> JSONObject {
        var fields = JSONObject()
        if let symbol { fields.append("symbol", .string(symbol)) }
        if let direction { fields.append("direction", .string(direction)) }
        if let sl { fields.append("sl", sl.json) }
        if let tp { fields.append("tp", tp.json) }
        if let lot { fields.append("lot", lot.json) }
        if let riskPct { fields.append("risk_pct", riskPct.json) }
        if let hybrid { fields.append("hybrid", .object(hybrid)) }
        if let signalID { fields.append("signal_id", .string(signalID)) }
        if let expiresIn {
            let end = now.adding(milliseconds: Int64(expiresIn) * 1000)
            fields.append("expires_at_ms", .integer(end.milliseconds))
        }
        return fields
    }
}
