import Citadel
import Domain
import Wire

/// The forms of a replay's lines; a sweep looks as it does on the port `citadel-alerts`.
enum ReplayDocuments {
    static func time(_ milliseconds: Int64) -> JSON { .string(Timestamp(milliseconds: milliseconds).description) }

    static func rounded(_ value: Double, _ digits: Int) -> Double {
        let scale = (0..<min(max(digits, 0), 8)).reduce(1.0) { product, _ in product * 10 }
        return (value * scale).rounded() / scale
    }

    static func number(_ value: Double) -> JSON { value.isFinite ? .number("\(value)") : .null }

    /// Middle prices carry the dust of a division; no broker quotes more than eight decimals.
    static func price(_ value: Double) -> JSON { number((value * 1e8).rounded() / 1e8) }

    static func sweep(_ sweep: LiquiditySweep) -> JSONObject {
        [
            "type": .string("liquidity_sweep"), "symbol": .string(sweep.symbol), "side": .string(sweep.side.rawValue),
            "sweep_type": .string(sweep.kind.rawValue), "level": number(sweep.level),
            "extreme": number(sweep.extreme), "price": number(sweep.level),
            "zone_strength": number(sweep.zoneStrength), "time": time(sweep.timeMilliseconds),
            "timestamp": .integer(sweep.timeMilliseconds / 1000), "members": .integer(sweep.members),
            "origins": .array(sweep.origins.names.map(JSON.string)), "evidence": .object(evidence(sweep)),
        ]
    }

    private static func evidence(_ sweep: LiquiditySweep) -> JSONObject {
        let evidence = sweep.evidence
        return [
            "level": number(sweep.level), "outer": number(evidence.outer), "threshold": number(evidence.threshold),
            "pierced_at": time(evidence.piercedMilliseconds), "pierce_pips": number(evidence.piercePips),
            "close_back": number(evidence.closeBack), "close_back_pips": number(evidence.closeBackPips),
            "bars": .integer(evidence.bars), "timeframe": .string(evidence.timeframe.rawValue),
        ]
    }

    static func manipulation(_ event: ManipulationEvent) -> JSONObject {
        [
            "type": .string("manipulation"), "symbol": .string(event.symbol), "kind": .string(event.kind.rawValue),
            "source": .string(event.source), "price": price(event.price), "reference": price(event.reference),
            "measured": number(event.measured), "usual": number(event.usual), "began": time(event.beganMilliseconds),
            "time": time(event.timeMilliseconds), "timestamp": .integer(event.timeMilliseconds / 1000),
        ]
    }

    static func switched(_ symbol: String, _ from: String, _ to: String, _ now: Int64) -> JSONObject {
        [
            "type": .string("source_switched"), "symbol": .string(symbol), "from": .string(from), "to": .string(to),
            "time": time(now),
        ]
    }

    static func change(_ change: LevelChange, strength: Double, digits: Int) -> JSONObject {
        var object: JSONObject = [
            "type": .string("level_\(change.kind.rawValue)"), "id": .integer(change.level.identifier),
            "time": time(change.timeMilliseconds),
        ]
        for field in level(change.level, change.symbol, strength: strength, digits: digits).fields
        where field.name != "type" {
            object.append(field.name, field.value)
        }
        return object
    }

    static func score(_ score: ProtectionScore, _ query: ProtectionQuery) -> JSONObject {
        var contributions = JSONObject()
        for factor in score.factors { contributions.append(factor.name.rawValue, number(factor.contribution)) }
        return [
            "type": .string("score"), "symbol": .string(score.symbol), "time": time(score.timestampMilliseconds),
            "direction": .string(score.direction.rawValue), "entry_price": number(score.entryPrice),
            "stop_loss": query.stopLoss.map(number) ?? .null, "take_profit": query.takeProfit.map(number) ?? .null,
            "protection_score": number(score.protectionScore), "risk_level": .string(score.riskLevel.rawValue),
            "confidence": number(score.confidence), "stale": .bool(score.stale),
            "contributions": .object(contributions),
        ]
    }

    static func condition(_ condition: MarketCondition) -> JSONObject {
        [
            "regime": .string(condition.regime.rawValue),
            "trend_direction": condition.trendDirection.map { .string($0.rawValue) } ?? .null,
            "volatility_ratio": condition.volatilityRatio.map(number) ?? .null,
            "spread_ratio": condition.spreadRatio.map(number) ?? .null,
            "session": .string(condition.session.rawValue), "sources": .integer(condition.sourceCount),
            "sources_agree": .bool(condition.sourcesAgree),
        ]
    }

    static func bar(_ bar: Citadel.Bar, _ symbol: String, _ timeframe: Timeframe) -> JSONObject {
        [
            "type": .string("bar"), "symbol": .string(symbol), "timeframe": .string(timeframe.rawValue),
            "time": time(bar.startMilliseconds), "timestamp": .integer(bar.startMilliseconds / 1000),
            "open": price(bar.open), "high": price(bar.high), "low": price(bar.low), "close": price(bar.close),
            "ticks": .integer(bar.volume),
        ]
    }

    static func level(_ level: LiquidityLevel, _ symbol: String, strength: Double, digits: Int) -> JSONObject {
        func rounded(_ value: Double) -> JSON { number(Self.rounded(value, digits)) }
        var object: JSONObject = [
            "type": .string("level"), "symbol": .string(symbol), "price": rounded(level.price),
            "side": .string(level.side.rawValue), "state": .string(level.state.rawValue),
            "strength": number(strength), "members": .integer(max(1, level.members.count)),
            "touches": .integer(level.touches), "origins": .array(level.origins.names.map(JSON.string)),
            "born": time(level.born),
        ]
        if let taken = level.taken { object.append("taken", time(taken)) }
        if let extreme = level.extreme { object.append("extreme", rounded(extreme)) }
        if let ended = level.ended { object.append("ended", time(ended)) }
        return object
    }
}
