import Citadel
import Domain
import Wire

/// Rounding for what is shown; the engine rounds its own answers.
enum Figure {
    private static let powers: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]

    static func rounded(_ value: Double, _ digits: Int) -> Double {
        let scale = powers[min(max(digits, 0), 8)]
        let scaled = (value * scale).rounded()
        return scaled.isFinite ? scaled / scale : value
    }

    /// The shortest text that reads back as the same number; null for what is none.
    static func json(_ value: Double) -> JSON { value.isFinite ? .number("\(value)") : .null }
}

extension Timestamp {
    /// RFC 3339 as JSON text.
    static func json(milliseconds: Int64) -> JSON { .string(Timestamp(milliseconds: milliseconds).description) }
}

extension ProtectionScore {
    /// Factor name -> score 1 to 10, weight 0 to 1, contribution; the contributions add up to the score.
    var factorsJSON: JSON {
        var object = JSONObject()
        for factor in factors {
            object.append(
                factor.name.rawValue,
                .object([
                    "score": Figure.json(factor.score), "weight": Figure.json(factor.weight),
                    "contribution": Figure.json(factor.contribution),
                ]))
        }
        return .object(object)
    }

    var insightsJSON: JSON { .array(insights.map(JSON.string)) }

    private var levelsJSON: JSON {
        .array(
            levels.map { level in
                .object([
                    "price": Figure.json(level.price), "side": .string(level.side.rawValue),
                    "state": .string(level.state.rawValue), "strength": Figure.json(level.strength),
                    "distance_pips": Figure.json(level.distancePips), "members": .integer(level.members),
                    "origins": .array(level.origins.map(JSON.string)),
                ])
            })
    }

    /// The answer to a query, as the contract's section 2 has it.
    ///
    /// - Parameters:
    ///   - symbol: as the client spelled it.
    ///   - entry: as the client wrote it, or the market's price.
    func reply(symbol asked: String, entry: WrittenPrice) -> JSONObject {
        var object: JSONObject = [
            "symbol": .string(asked), "entry_price": .number(entry.text), "direction": .string(direction.rawValue),
            "direction_assumed": .bool(directionAssumed), "protection_score": Figure.json(protectionScore),
            "risk_level": .string(riskLevel.rawValue), "recommendation": .string(recommendation),
            "factors": factorsJSON, "insights": insightsJSON, "confidence": Figure.json(confidence),
            "stale": .bool(stale), "levels": levelsJSON,
            "timestamp": Timestamp.json(milliseconds: timestampMilliseconds),
        ]
        if asked != symbol { object.append("canonical_symbol", .string(symbol)) }
        return object
    }

    /// The `citadel` object of a published signal.
    var citadel: JSONObject {
        [
            "symbol": .string(symbol), "risk_level": .string(riskLevel.rawValue),
            "recommendation": .string(recommendation), "factors": factorsJSON, "insights": insightsJSON,
            "confidence": Figure.json(confidence), "stale": .bool(stale),
        ]
    }
}

extension LiquiditySweep {
    /// The alert: `time` for people, `timestamp` in seconds of UTC as subscribers have always read it.
    var alert: JSONObject {
        [
            "type": .string("liquidity_sweep"), "symbol": .string(symbol), "side": .string(side.rawValue),
            "sweep_type": .string(kind.rawValue), "level": Figure.json(level), "extreme": Figure.json(extreme),
            "price": Figure.json(level), "zone_strength": Figure.json(zoneStrength),
            "time": Timestamp.json(milliseconds: timeMilliseconds), "timestamp": .integer(timeMilliseconds / 1000),
            "members": .integer(members), "origins": .array(origins.names.map(JSON.string)),
        ]
    }
}

extension LiquidityLevel {
    /// One entry of `levels:<symbol>`.
    func entry(strength: Double, digits: Int) -> JSON {
        var object: JSONObject = [
            "price": Figure.json(Figure.rounded(price, digits)), "side": .string(side.rawValue),
            "state": .string(state.rawValue), "strength": Figure.json(strength),
            "outer": Figure.json(Figure.rounded(outer, digits)),
            "members": .integer(max(1, members.count)), "touches": .integer(touches),
            "origins": .array(origins.names.map(JSON.string)), "born": Timestamp.json(milliseconds: born),
        ]
        if let taken { object.append("taken", Timestamp.json(milliseconds: taken)) }
        if let extreme { object.append("extreme", Figure.json(Figure.rounded(extreme, digits))) }
        if let ended { object.append("ended", Timestamp.json(milliseconds: ended)) }
        return .object(object)
    }
}
