import Domain
import Trading
import Wire

// `hybrid` of a fire: as it is asked for, as the terminal reads it, as the ledger keeps it. Source: ea-wire 2.

extension OrderFields {
    private static let hybridShape =
        #"looks like {"enabled":true,"partial1":{"trigger":8},"partial2":{"trigger":12},"trail":{"distance":8}}"#
    private static let known: Set<String> = ["enabled", "partial1", "partial2", "p1", "p2", "partials", "trail"]

    /// Nil where it is absent or says `"enabled": false`. What the terminals can't do is refused: they would leave it out
    /// without a word, and trade.
    func hybrid() throws(OrderError) -> HybridPlan? {
        guard let value = object["hybrid"], value != .null else { return nil }
        guard let fields = value.object else {
            throw .bad("hybrid", "must be an object; it \(OrderFields.hybridShape)")
        }
        guard let isEnabled = fields["enabled"]?.bool else { throw .bad("hybrid.enabled", "must be true or false") }
        guard isEnabled else { return nil }
        if let stranger = fields.fields.first(where: { !OrderFields.known.contains($0.name) }) {
            let name = stranger.name.prefix(32)
            throw .bad("hybrid", "has '\(name)', which no terminal does; it \(OrderFields.hybridShape)")
        }
        let partials = try partials(fields)
        let first = try part(partials[0], "hybrid.partial1")
        let second = try part(partials[1], "hybrid.partial2")
        guard second > first else {
            throw .bad("hybrid.partial2", "must have its trigger beyond the first part's \(first), not at \(second)")
        }
        guard let trail = fields["trail"]?.object, trail.fields.allSatisfy({ $0.name == "distance" }) else {
            throw .bad("hybrid.trail", "must be an object with 'distance' alone; hybrid \(OrderFields.hybridShape)")
        }
        return HybridPlan(
            first: first, second: second, trail: try pips(trail["distance"], "hybrid.trail.distance"))
    }

    /// The first two parts: by their names, by their short names, or as a list.
    private func partials(_ fields: JSONObject) throws(OrderError) -> [JSONObject] {
        let shapes = [
            [fields["partial1"], fields["partial2"]], [fields["p1"], fields["p2"]],
            fields["partials"].map { list in list.array.map { $0.map(Optional.some) } ?? [list] } ?? [],
        ].filter { shape in shape.contains { $0 != nil } }
        guard shapes.count == 1, shapes[0].count == 2 else {
            throw .bad("hybrid", "must have two parts with a target each; it \(OrderFields.hybridShape)")
        }
        let objects = shapes[0].compactMap { $0?.object }
        guard objects.count == 2 else {
            throw .bad("hybrid", "must have two parts with a target each; it \(OrderFields.hybridShape)")
        }
        return objects
    }

    private func part(_ fields: JSONObject, _ name: String) throws(OrderError) -> Int {
        if let stranger = fields.fields.first(where: { $0.name != "trigger" && $0.name != "percent" }) {
            let other = stranger.name.prefix(32)
            throw .bad(name, "has '\(other)', which no terminal does: it may have 'trigger' and 'percent'")
        }
        if let percent = fields["percent"], percent.text.flatMap({ Amount($0) }) != Amount(HybridPlan.share) {
            throw .bad("\(name).percent", "can only be \(HybridPlan.share): the terminals part a lot 25, 25 and 50")
        }
        return try pips(fields["trigger"], "\(name).trigger")
    }

    /// The terminals read whole numbers.
    private func pips(_ value: JSON?, _ name: String) throws(OrderError) -> Int {
        guard let value, value != .null else { throw .missing(name) }
        let range = HybridPlan.pips
        guard let number = value.text.flatMap({ Amount($0) }), number.roundedDown(toStep: Amount(1)) == number,
            case let whole = Int(number.units / Amount.unitsPerOne), range.contains(whole)
        else { throw .bad(name, "must be a whole number of pips from \(range.lowerBound) to \(range.upperBound)") }
        return whole
    }
}

extension HybridPlan {
    /// As a command carries it: the terminal looks for `"hybrid":{"enabled":true` without a space, takes the first two
    /// `"trigger":` and the first `"distance":` behind it, and reads no `percent`.
    var command: JSONObject { text(lots: nil) }

    /// As the ledger keeps it, with the lots the terminal makes of the whole; none where no lot was computed.
    func row(lot: Amount) -> JSONObject { text(lots: lot.isPositive ? HybridPlan.lots(of: lot) : nil) }

    private func text(lots: [Amount]?) -> JSONObject {
        func part(_ name: String, _ pips: Int, _ index: Int, share: Int? = nil) -> JSON {
            var object: JSONObject = [name: .integer(pips)]
            if let share { object.append("percent", .integer(share)) }
            if let lots { object.append("lot", .number(lots[index].text(minimumDecimals: 2))) }
            return .object(object)
        }
        return [
            "enabled": .bool(true), "partial1": part("trigger", first, 0, share: HybridPlan.share),
            "partial2": part("trigger", second, 1, share: HybridPlan.share), "trail": part("distance", trail, 2),
        ]
    }

    /// Reads what ``row(lot:)`` wrote.
    init?(row: String?) {
        guard let fields = row.flatMap({ try? JSON($0) })?.object else { return nil }
        func pips(_ part: String, _ name: String) -> Int? { fields[part]?.object?[name]?.text.flatMap { Int($0) } }
        guard let first = pips("partial1", "trigger"), let second = pips("partial2", "trigger"),
            let trail = pips("trail", "distance")
        else { return nil }
        self.init(first: first, second: second, trail: trail)
    }
}
