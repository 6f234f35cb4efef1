import Citadel
import Domain
import Redis
import ServiceKit
import Wire

/// `levels:<symbol>`: the levels in view and the market's condition as JSON.
///
/// Written when a level was born, taken, decided or touched, or when the regime, the session, the sources or suspicious
/// events changed, at most every five seconds a symbol; and once a minute in any case, because the ratios move with
/// every quote, and so that a quiet weekend does not let it expire.
final class LevelStore {
    private static let pause: Int64 = 5_000
    private static let refresh: Int64 = 60_000
    private static let keepSeconds = "86400"

    private struct Written {
        var fingerprint: Int
        var at: Int64
    }

    private let redis: RedisLink
    private var written: [String: Written] = [:]

    init(redis: RedisLink) { self.redis = redis }

    func save(_ summary: SymbolSummary, _ engine: CitadelEngine, now: Int64) {
        let symbol = summary.profile.symbol
        guard redis.isReady else { return }
        let last = written[symbol]
        if let last, now - last.at < LevelStore.pause { return }
        let levels = engine.levels(of: symbol)
        let condition = engine.condition(of: symbol, now: now)
        let fingerprint = LevelStore.fingerprint(levels, condition)
        if let last, last.fingerprint == fingerprint, now - last.at < LevelStore.refresh { return }
        written[symbol] = Written(fingerprint: fingerprint, at: now)
        let entries = levels.map {
            $0.entry(strength: engine.strength(of: $0, now: now), digits: summary.profile.digits)
        }
        let object: JSONObject = [
            "symbol": .string(symbol), "time": Timestamp.json(milliseconds: now), "source": .text(summary.source),
            "levels": .array(entries),
            "condition": condition.map { .object($0.document) } ?? .null,
        ]
        redis.send(["SET", "levels:\(symbol)", object.compactText, "EX", LevelStore.keepSeconds]) { [weak self] reply in
            // Not written: the next round tries again.
            if reply?.text != "OK" { self?.written[symbol] = nil }
        }
        if last == nil { redis.send(["SADD", "citadel:symbols", symbol]) }
    }

    private static func fingerprint(_ levels: [LiquidityLevel], _ condition: MarketCondition?) -> Int {
        var hasher = Hasher()
        // What moves with every quote (the ratios) waits for something that does not.
        hasher.combine(condition?.regime)
        hasher.combine(condition?.trendDirection)
        hasher.combine(condition?.session)
        hasher.combine(condition?.sourceCount)
        hasher.combine(condition?.sourcesAgree)
        hasher.combine(condition?.manipulation.last?.timeMilliseconds)
        for level in levels {
            hasher.combine(level.identifier)
            hasher.combine(level.state)
            hasher.combine(level.members.count)
            hasher.combine(level.touches)
        }
        return hasher.finalize()
    }
}
