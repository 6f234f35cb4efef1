import Testing

@testable import Citadel

@Suite("Market condition")
struct ConditionTests {
    @Test(
        "sessions by the clock of UTC",
        arguments: [
            ("2025-08-20", 0, MarketSession.tokyo), ("2025-08-20", 6, .tokyo), ("2025-08-20", 7, .london),
            ("2025-08-20", 11, .london), ("2025-08-20", 12, .overlap), ("2025-08-20", 16, .newYork),
            ("2025-08-20", 20, .newYork), ("2025-08-20", 21, .offHours), ("2025-08-20", 23, .offHours),
            ("2025-08-22", 20, .newYork), ("2025-08-22", 21, .weekend), ("2025-08-23", 12, .weekend),
            ("2025-08-24", 20, .weekend), ("2025-08-24", 21, .offHours), ("2025-08-25", 0, .tokyo),
        ])
    func sessions(date: String, hour: Int64, session: MarketSession) {
        let parts = date.split(separator: "-").compactMap { Int64($0) }
        let day = GoldenFile.days(parts[0], parts[1], parts[2])
        #expect(MarketSession.at(day * 86_400_000 + hour * 3_600_000) == session)
        #expect(MarketSession.at(day * 86_400_000 + hour * 3_600_000 + 3_599_999) == session)
    }

    @Test(
        "volatility is held against its own normal for that hour: unknown before two days, then about 1, then what it is"
    )
    func volatility() throws {
        var normal = HourlyNormal()
        func day(_ number: Int64, factor: Double, hours: Range<Int64> = 0..<20) -> Double? {
            var last: Double?
            for hour in hours {
                for five in 0..<12 {
                    // London moves three times as much as Tokyo, every day.
                    let range = (hour < 7 ? 0.0002 : 0.0006) * factor
                    let start = Drawn.start + number * 24 * Drawn.hour + hour * Drawn.hour + Int64(five) * 300_000
                    normal.add(
                        Bar(
                            startMilliseconds: start, open: 1.1, high: 1.1 + range, low: 1.1, close: 1.1, volume: 1,
                            origin: .ticks))
                    last = normal.ratio
                }
            }
            return last
        }
        #expect(day(0, factor: 1) == nil)
        #expect(day(1, factor: 1, hours: 0..<12) == nil)
        // Days 0 and 1 know the hours until noon; a day like them is normal at every hour.
        let london = try #require(day(5, factor: 1, hours: 0..<10))
        #expect(abs(london - 1) < 0.01)
        let wild = try #require(day(6, factor: 2.5, hours: 0..<10))
        #expect(wild > 2 && wild < 2.6)
    }

    @Test("a trend needs direction: a straight line is one, a walk on the spot is not, too little says nothing")
    func trend() {
        func series(_ closes: [Double]) -> TrendReading? {
            var series = BarSeries(timeframe: .m15, capacity: 100)
            for (index, close) in closes.enumerated() {
                _ = series.append(
                    finished: Bar(
                        startMilliseconds: Drawn.start + Int64(index) * 900_000, open: close, high: close, low: close,
                        close: close, volume: 1, origin: .ticks))
            }
            return series.trend
        }
        #expect(series((0..<20).map { 1.1 + Double($0) * 0.0001 }) == nil)
        #expect(series((0..<30).map { 1.1 + Double($0) * 0.0001 })?.direction == .buy)
        #expect(series((0..<30).map { 1.1 - Double($0) * 0.0001 })?.direction == .sell)
        #expect(series((0..<30).map { 1.1 + ($0 % 2 == 0 ? 0 : 0.001) })?.direction == nil)
        #expect(series([Double](repeating: 1.1, count: 30))?.direction == nil)
    }

    @Test("an unknown symbol has no condition; a fresh one is unknown in everything but the session")
    func fresh() {
        var engine = Drawn.engine()
        #expect(engine.condition(of: "EURUSD", now: Drawn.start) == nil)
        Drawn.feed(&engine, [Drawn.tick(1.1, at: Drawn.start)])
        var expected = MarketCondition(session: .tokyo)
        expected.sourceCount = 1
        #expect(engine.condition(of: "EURUSD", now: Drawn.start) == expected)
    }
}
