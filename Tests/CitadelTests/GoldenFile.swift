import Foundation

@testable import Citadel

/// The reference file of M15 bars beside the checkout, and what is expected of it (`../shared/data/MANIFEST.md`).
enum GoldenFile {
    static let isThere =
        RealData.has("smc/EURUSD_15M.csv") && RealData.has("smc/swing_highs_lows_result_data.csv")
        && RealData.has("smc/liquidity_result_data.csv")

    static func rows(_ name: String) throws -> [[Substring]] {
        try String(contentsOf: RealData.file("smc/" + name), encoding: .utf8)
            .split(whereSeparator: \.isNewline).dropFirst()
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    }

    /// The bars, their times taken as UTC.
    static func bars() throws -> [Bar] {
        try rows("EURUSD_15M.csv").map { row in
            let time = row[0].split { !$0.isNumber }.compactMap { Int64($0) }
            let prices = row[1...4].compactMap { Double($0) }
            guard time.count == 6, prices.count == 4 else { throw CocoaError(.fileReadCorruptFile) }
            let seconds = days(time[0], time[1], time[2]) * 86_400 + time[3] * 3_600 + time[4] * 60 + time[5]
            return Bar(
                startMilliseconds: seconds * 1_000, open: prices[0], high: prices[1], low: prices[2],
                close: prices[3], volume: Int(row[5]) ?? 0, origin: .terminal)
        }
    }

    /// Days since 1970-01-01 (Hinnant's days_from_civil).
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// One bar as a terminal would send it.
    static func sent(_ bar: Bar) -> MarketBar {
        MarketBar(
            symbol: "EURUSD", source: "file", timeframe: .m15, startMilliseconds: bar.startMilliseconds,
            open: bar.open, high: bar.high, low: bar.low, close: bar.close)
    }

    /// An engine that decides by M15 bars and takes its levels from M15 swings alone.
    static func engine(_ change: (inout CitadelConfiguration) -> Void = { _ in }) -> CitadelEngine {
        Drawn.engine {
            $0.decidingTimeframe = .m15
            $0.origins = .swingFifteenMinute
            $0.announceWithin = .max
            change(&$0)
        }
    }

    /// Feeds bars as they close and hands over what came of each.
    static func feed(
        _ engine: inout CitadelEngine, _ bars: some Sequence<Bar>,
        _ take: (CitadelEngine, Bar, [CitadelOutput]) throws -> Void
    ) rethrows {
        var outputs: [CitadelOutput] = []
        for bar in bars {
            engine.handle(
                bar: sent(bar), now: bar.startMilliseconds + Timeframe.m15.milliseconds, into: &outputs)
            try take(engine, bar, outputs)
            outputs.removeAll(keepingCapacity: true)
        }
    }
}
