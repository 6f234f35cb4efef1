import Citadel
import Domain
import Redis
import ServiceKit
import Wire

/// `levels:<symbol>`: the levels in view as JSON, written when one was born, taken, decided or touched, at most every
/// five seconds a symbol, and once an hour in any case so that a quiet weekend does not let it expire.
final class LevelStore {
    private static let pause: Int64 = 5_000
    private static let refresh: Int64 = 3_600_000
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
        let fingerprint = LevelStore.fingerprint(levels)
        if let last, last.fingerprint == fingerprint, now - last.at < LevelStore.refresh { return }
        written[symbol] = Written(fingerprint: fingerprint, at: now)
        let entries = levels.map {
            $0.entry(strength: engine.strength(of: $0, now: now), digits: summary.profile.digits)
        }
        let object: JSONObject = [
            "symbol": .string(symbol), "time": Timestamp.json(milliseconds: now), "source": .text(summary.source),
            "levels": .array(entries),
        ]
        redis.send(["SET", "levels:\(symbol)", object.compactText, "EX", LevelStore.keepSeconds]) { [weak self] reply in
            // Not written: the next round tries again.
            if reply?.text != "OK" { self?.written[symbol] = nil }
        }
        if last == nil { redis.send(["SADD", "citadel:symbols", symbol]) }
    }

    private static func fingerprint(_ levels: [LiquidityLevel]) -> Int {
        var hasher = Hasher()
        for level in levels {
            hasher.combine(level.identifier)
            hasher.combine(level.state)
            hasher.combine(level.members.count)
            hasher.combine(level.touches)
        }
        return hasher.finalize()
    }
}

/// The stream `events:sweeps`: every announced sweep, kept in memory while Redis is away.
final class SweepStore {
    private static let maximumUnwritten = 1_000
    private let redis: RedisLink
    private let report: ServiceReport
    private var unwritten: [[String]] = []

    init(redis: RedisLink, report: ServiceReport) {
        self.redis = redis
        self.report = report
    }

    var waiting: Int { unwritten.count }

    func write(_ alert: JSONObject, _ completion: @escaping (Bool) -> Void) {
        let fields = alert.fields.flatMap { [$0.name, $0.value.text ?? $0.value.compactText] }
        send(fields, completion)
    }

    func retry() {
        guard redis.isReady else { return }
        let again = unwritten
        unwritten = []
        for fields in again { send(fields) { _ in } }
    }

    private func send(_ fields: [String], _ completion: @escaping (Bool) -> Void) {
        redis.send(["XADD", "events:sweeps", "MAXLEN", "~", "10000", "*"] + fields) { [weak self] reply in
            let isWritten = reply != nil && reply?.errorMessage == nil
            if !isWritten { self?.keep(fields) }
            completion(isWritten)
        }
    }

    private func keep(_ fields: [String]) {
        guard unwritten.count < SweepStore.maximumUnwritten else { return report.count("sweeps_not_kept") }
        unwritten.append(fields)
    }
}
