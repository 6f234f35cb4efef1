import Citadel
import Domain
import Redis
import ServiceKit
import Wire

/// Bars in Redis: `bars:<symbol>:<timeframe>` is a list, one JSON array per closed bar, oldest first;
/// `bars:<symbol>:open` holds the unfinished bars and what is usual, refreshed each minute and at the end.
///
/// Appending what closed is all a restart needs, and costs a hundred bytes where whole snapshots would cost megabytes.
/// The scripts do the same when they run twice: one adds only bars newer than the last one there, the other replaces a
/// whole history, when some of it came late or Redis missed some.
final class BarStore {
    /// Longer than a weekend: what was known on Friday is there on Monday.
    static let keepSeconds = "604800"

    static func makeScript() -> RedisScript {
        RedisScript(
            name: "push_bars",
            source: """
                local last = redis.call('LINDEX', KEYS[1], -1)
                local known = last and tonumber(string.match(last, '%d+')) or -1
                for i = 3, #ARGV do
                  local start = tonumber(string.match(ARGV[i], '%d+'))
                  if start > known then
                    redis.call('RPUSH', KEYS[1], ARGV[i])
                    known = start
                  end
                end
                redis.call('LTRIM', KEYS[1], -tonumber(ARGV[1]), -1)
                redis.call('EXPIRE', KEYS[1], ARGV[2])
                return 1
                """)
    }

    /// Writes a history whole; what is stored from before its first bar stays.
    static func makeReplacingScript() -> RedisScript {
        RedisScript(
            name: "replace_bars",
            source: """
                local first = tonumber(string.match(ARGV[3], '%d+'))
                local stored = redis.call('LRANGE', KEYS[1], 0, -1)
                redis.call('DEL', KEYS[1])
                for _, bar in ipairs(stored) do
                  local start = tonumber(string.match(bar, '%d+'))
                  if start and start < first then redis.call('RPUSH', KEYS[1], bar) end
                end
                for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
                redis.call('LTRIM', KEYS[1], -tonumber(ARGV[1]), -1)
                redis.call('EXPIRE', KEYS[1], ARGV[2])
                return 1
                """)
    }

    private let redis: RedisLink
    private let script: RedisScript
    private let replacing: RedisScript
    private let report: ServiceReport
    private let kept: [Timeframe: Int]
    /// Symbols some bar of which Redis did not confirm.
    private var behind: Set<String> = []

    init(
        redis: RedisLink, script: RedisScript, replacing: RedisScript, report: ServiceReport, kept: [Timeframe: Int]
    ) {
        self.redis = redis
        self.script = script
        self.replacing = replacing
        self.report = report
        self.kept = kept
    }

    var waiting: Int { behind.count }

    static func key(_ symbol: String, _ timeframe: Timeframe) -> String { "bars:\(symbol):\(timeframe.rawValue)" }
    static func openKey(_ symbol: String) -> String { "bars:\(symbol):open" }

    func append(_ bar: Citadel.Bar, symbol: String, _ timeframe: Timeframe) {
        // A list that lacks bars would take later ones and never the missing: then all go together.
        guard redis.isReady, !behind.contains(symbol) else {
            behind.insert(symbol)
            return
        }
        redis.run(
            script, keys: [BarStore.key(symbol, timeframe)],
            [String(kept[timeframe] ?? 300), BarStore.keepSeconds, BarText.text(bar)]
        ) { [unowned self] in settle(symbol, $0) }
    }

    private func settle(_ symbol: String, _ reply: RedisValue?) {
        if reply?.integer == 1 { return }
        behind.insert(symbol)
        if let message = reply?.errorMessage { report.problem("bars", message) }
    }

    /// The lists of this symbol lack bars that lie before their last one: they are written whole, one symbol at a time.
    func replace(_ symbol: String) { behind.insert(symbol) }

    /// Writes the whole history of one symbol that is behind, when Redis is there.
    func catchUp(_ engine: CitadelEngine) {
        guard redis.isReady, let symbol = behind.first else { return }
        behind.remove(symbol)
        report.problem("bars", nil)
        guard let snapshot = engine.snapshot(of: symbol) else { return }
        for series in snapshot.series where !series.closed.isEmpty {
            redis.run(
                replacing, keys: [BarStore.key(symbol, series.timeframe)],
                [String(kept[series.timeframe] ?? 300), BarStore.keepSeconds] + series.closed.map(BarText.text)
            ) { [unowned self] in settle(symbol, $0) }
        }
        saveOpen(snapshot)
    }

    func saveOpen(_ snapshot: SymbolSnapshot) {
        var open = JSONObject()
        for series in snapshot.series {
            if let bar = series.open { open.append(series.timeframe.rawValue, BarText.json(bar)) }
        }
        let object: JSONObject = [
            "decimals": .integer(snapshot.decimals), "usual_spread": Figure.json(snapshot.usualSpread),
            "spread_samples": .integer(snapshot.spreadSamples), "open": .object(open),
        ]
        redis.send(["SET", BarStore.openKey(snapshot.symbol), object.compactText, "EX", BarStore.keepSeconds])
        redis.send(["SADD", "citadel:symbols", snapshot.symbol])
    }

    /// What an earlier run left of a symbol, from the four lists and the open bars; nil where there is nothing.
    static func snapshot(symbol: String, lists: [Timeframe: [String]], open text: String?) -> SymbolSnapshot? {
        let object = text.flatMap { try? JSON($0) }?.object
        let open = object?["open"]?.object
        let series = Timeframe.allCases.map { timeframe in
            SymbolSnapshot.Series(
                timeframe: timeframe, closed: (lists[timeframe] ?? []).compactMap(BarText.bar),
                open: open?[timeframe.rawValue].flatMap(BarText.bar))
        }
        guard series.contains(where: { !$0.closed.isEmpty || $0.open != nil }) else { return nil }
        return SymbolSnapshot(
            symbol: symbol, decimals: object?["decimals"]?.text.flatMap { Int($0) } ?? 5,
            usualSpread: object?["usual_spread"]?.text.flatMap { Double($0) } ?? 0,
            spreadSamples: object?["spread_samples"]?.text.flatMap { Int($0) } ?? 0, series: series)
    }
}

/// One bar as `[start_ms,open,high,low,close,ticks,"origin",usual_spread]`; prices are middle prices, shortest exact
/// text; without the last value where the spread was not known.
enum BarText {
    static func json(_ bar: Citadel.Bar) -> JSON {
        var parts: [JSON] = [
            .integer(bar.startMilliseconds), Figure.json(bar.open), Figure.json(bar.high), Figure.json(bar.low),
            Figure.json(bar.close), .integer(bar.volume), .string(bar.origin.rawValue),
        ]
        if bar.usualSpread > 0 { parts.append(Figure.json(bar.usualSpread)) }
        return .array(parts)
    }

    static func text(_ bar: Citadel.Bar) -> String { json(bar).compactText }

    static func bar(_ text: String) -> Citadel.Bar? { (try? JSON(text)).flatMap { bar($0) } }

    static func bar(_ json: JSON) -> Citadel.Bar? {
        guard let parts = json.array, (7...8).contains(parts.count), let start = parts[0].text.flatMap({ Int64($0) }),
            let volume = parts[5].text.flatMap({ Int($0) }),
            let origin = parts[6].text.flatMap(BarOrigin.init(rawValue:))
        else { return nil }
        let prices = parts[1...4].compactMap { $0.text.flatMap { Double($0) } }
        let spread = parts.count > 7 ? parts[7].text.flatMap { Double($0) } : 0
        guard prices.count == 4, let spread, spread.isFinite, spread >= 0 else { return nil }
        return Citadel.Bar(
            startMilliseconds: start, open: prices[0], high: prices[1], low: prices[2], close: prices[3],
            volume: volume, origin: origin,
            usualSpread: spread)
    }
}
