/// One symbol's history as plain values, oldest bar first; `open` is the unfinished bar.
public struct SymbolSnapshot: Sendable, Equatable, Codable {
    public struct Series: Sendable, Equatable, Codable {
        public var timeframe: Timeframe
        public var closed: [Bar]
        public var open: Bar?

        public init(timeframe: Timeframe, closed: [Bar], open: Bar? = nil) {
            self.timeframe = timeframe
            self.closed = closed
            self.open = open
        }
    }

    public var symbol: String
    public var decimals: Int
    public var usualSpread: Double
    public var spreadSamples: Int
    public var series: [Series]

    public init(symbol: String, decimals: Int, usualSpread: Double = 0, spreadSamples: Int = 0, series: [Series]) {
        self.symbol = symbol
        self.decimals = decimals
        self.usualSpread = usualSpread
        self.spreadSamples = spreadSamples
        self.series = series
    }
}

extension SymbolState {
    var snapshot: SymbolSnapshot {
        SymbolSnapshot(
            symbol: profile.symbol, decimals: profile.digits, usualSpread: usualSpread.value,
            spreadSamples: usualSpread.samples,
            series: [m1, m5, m15, h1].map {
                SymbolSnapshot.Series(timeframe: $0.timeframe, closed: $0.closed.elements, open: $0.open)
            })
    }

    /// Replays the bars in the order their ends came, so that levels and sweeps stand as they stood.
    mutating func restore(_ snapshot: SymbolSnapshot, now: Int64) {
        var bars: [(end: Int64, timeframe: Timeframe, bar: Bar)] = []
        for series in snapshot.series {
            for bar in series.closed where bar.isSound(series.timeframe, now: now) {
                bars.append((bar.startMilliseconds + series.timeframe.milliseconds, series.timeframe, bar))
            }
        }
        bars.sort { ($0.end, $0.timeframe.milliseconds) < ($1.end, $1.timeframe.milliseconds) }
        for entry in bars { _ = append(entry.bar, entry.timeframe) }
        for series in snapshot.series {
            guard let open = series.open, open.isSound(series.timeframe, now: now) else { continue }
            resume(open, series.timeframe)
        }
        finishRestoring(
            usualSpread: snapshot.usualSpread, samples: snapshot.spreadSamples, lastEnd: bars.last?.end, now: now)
    }
}

extension Bar {
    /// Refuses what a damaged store could hold: nothing of it may trap or lie in the future.
    func isSound(_ timeframe: Timeframe, now: Int64) -> Bool {
        startMilliseconds >= 0 && startMilliseconds <= now && startMilliseconds % timeframe.milliseconds == 0
            && [open, high, low, close].allSatisfy { $0 > 0 && $0 < highestPrice } && high >= low
            && usualSpread >= 0 && usualSpread < highestPrice
    }
}
