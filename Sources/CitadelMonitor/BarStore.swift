import Citadel
import Domain
import Redis
import ServiceKit
import Wire

/// Bars in Redis: `bars:<symbol>:<timeframe>` is a list, one JSON array per closed bar, oldest first;
/// `bars:<symbol>:open` holds the unfinished bars and what is usual, refreshed each minute and at the end.
///
/// Appending what closed is all a restart needs, and costs a hundred bytes where whole snapshots would cost megabytes.
/// The script adds only bars newer than the last one there, so that writing twice is writing once.
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

    private let redis: RedisLink
    private let script: RedisScript
    private let report: ServiceReport
    private let kept: [Timeframe: Int]
    /// Symbols some bar of which Redis did not confirm.
    private var behind: Set<String> = []

    init(redis: RedisLink, script: RedisScript, report: ServiceReport, kept: [Timeframe: Int]) {
        self.redis = redis
        self.script = script
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
        push([bar], symbol, timeframe)
    }

    private func push(_ bars: [Citadel.Bar], _ symbol: String, _ timeframe: Timeframe) {
        guard !bars.isEmpty else { return }
        redis.run(
            script, keys: [BarStore.key(symbol, timeframe)],
            [String(kept[timeframe] ?? 300), BarStore.keepSeconds] + bars.map(BarText.text)
        ) { [unowned self] reply in
            if reply?.integer == 1 { return }
            behind.insert(symbol)
            if let message = reply?.errorMessage { report.problem("bars", message) }
        }
    }

    /// Writes the whole history of one symbol that is behind, when Redis is there.
    func catchUp(_ engine: CitadelEngine) {
        guard redis.isReady, let symbol = behind.first else { return }
        behind.remove(symbol)
        report.problem("bars", nil)
        guard let snapshot = engine.snapshot(of: symbol) else { return }
        for series in snapshot.series { push(series.closed, symbol, series.timeframe) }
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

/// One bar as `[start_ms,open,high,low,close,ticks,"origin"]`; prices are middle prices, shortest exact text.
enum BarText {
    static func json(_ bar: Citadel.Bar) -> JSON {
        .array([
            .integer(bar.startMilliseconds), Figure.json(bar.open), Figure.json(bar.high), Figure.json(bar.low),
            Figure.json(bar.close), .integer(bar.volume), .string(bar.origin.rawValue),
        ])
    }

    static func text(_ bar: Citadel.Bar) -> String { json(bar).compactText }

    static func bar(_ text: String) -> Citadel.Bar? { (try? JSON(text)).flatMap { bar($0) } }

    static func bar(_ json: JSON) -> Citadel.Bar? {
        guard let parts = json.array, parts.count == 7, let start = parts[0].text.flatMap({ Int64($0) }),
            let volume = parts[5].text.flatMap({ Int($0) }),
            let origin = parts[6].text.flatMap(BarOrigin.init(rawValue:))
        else { return nil }
        let prices = parts[1...4].compactMap { $0.text.flatMap { Double($0) } }
        guard prices.count == 4 else { return nil }
        return Citadel.Bar(
            startMilliseconds: start, open: prices[0], high: prices[1], low: prices[2], close: prices[3],
            volume: volume, origin: origin)
    }
}
