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

    /// The `citadel` object of a published signal.
    var citadel: JSONObject {
        var object: JSONObject = [
            "symbol": .string(symbol), "risk_level": .string(riskLevel.rawValue),
            "recommendation": .string(recommendation), "factors": factorsJSON, "insights": insightsJSON,
            "confidence": Figure.json(confidence), "stale": .bool(stale),
        ]
        if let decay { object.append("decay", .object(decay.document)) }
        return object
    }
}

extension SignalDecay {
    /// What time and the market have done to a signal; `remaining` 1 (as submitted) to 0.
    var document: JSONObject {
        [
            "drift_pips": Figure.json(driftPips), "drift_share": Figure.json(driftShare),
            "spread_ratio": Figure.json(spreadRatio), "activity_ratio": Figure.json(activityRatio),
            "levels_taken": .integer(levelsTaken), "age_share": Figure.json(ageShare),
            "remaining": Figure.json(Figure.rounded(remaining, 3)),
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
            "evidence": .object(evidence.document(level: level)),
        ]
    }
}

extension SweepEvidence {
    /// Why it is a sweep: prices in quote currency, distances in pips, `bars` of `timeframe` from pierce to close back.
    func document(level: Double) -> JSONObject {
        [
            "level": Figure.json(level), "outer": Figure.json(Figure.rounded(outer, 8)),
            "threshold": Figure.json(Figure.rounded(threshold, 8)),
            "pierced_at": Timestamp.json(milliseconds: piercedMilliseconds), "pierce_pips": Figure.json(piercePips),
            "close_back": Figure.json(Figure.rounded(closeBack, 8)), "close_back_pips": Figure.json(closeBackPips),
            "bars": .integer(bars), "timeframe": .string(timeframe.rawValue),
        ]
    }
}

extension ManipulationEvent {
    /// What looks like somebody's hand, in words.
    private var message: String {
        let what =
            switch kind {
            case .activitySpike: "ticks came far faster than usual, price ran and came back"
            case .spreadBlowout: "the spread is many times its usual size"
            case .outlyingQuote: "one broker prints a price nobody else has"
            }
        return "\(symbol): \(what) (\(source))"
    }

    /// One entry of `levels:<symbol>`'s condition; prices in quote currency, `measured` and `usual` in the kind's unit.
    var entry: JSONObject {
        [
            "kind": .string(kind.rawValue), "source": .string(source), "price": Figure.json(price),
            "reference": Figure.json(reference), "measured": Figure.json(Figure.rounded(measured, 2)),
            "usual": Figure.json(Figure.rounded(usual, 2)), "began": Timestamp.json(milliseconds: beganMilliseconds),
            "time": Timestamp.json(milliseconds: timeMilliseconds),
        ]
    }

    /// The alert: `time` for people, `timestamp` in seconds of UTC as in a sweep's.
    var alert: JSONObject {
        var alert: JSONObject = ["type": .string("manipulation"), "symbol": .string(symbol)]
        for field in entry.fields { alert.append(field.name, field.value) }
        alert.append("timestamp", .integer(timeMilliseconds / 1000))
        alert.append("message", .string(message))
        return alert
    }
}

extension MarketCondition {
    /// The `condition` of `levels:<symbol>`; null where something is not known.
    var document: JSONObject {
        [
            "regime": .string(regime.rawValue), "trend_direction": .text(trendDirection?.rawValue),
            "volatility_ratio": volatilityRatio.map { Figure.json($0) } ?? .null, "session": .string(session.rawValue),
            "spread_ratio": spreadRatio.map { Figure.json($0) } ?? .null, "source_count": .integer(sourceCount),
            "sources_agree": .bool(sourcesAgree), "manipulation": .array(manipulation.map { .object($0.entry) }),
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
