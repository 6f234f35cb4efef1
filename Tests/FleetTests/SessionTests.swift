import Domain
import Fleet
import Testing

private func utc(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

@Suite struct MarketCalendarTests {
    @Test(arguments: [
        ("2026-03-08T06:59:59Z", -300), ("2026-03-08T07:00:00Z", -240), ("2026-11-01T05:59:59Z", -240),
        ("2026-11-01T06:00:00Z", -300), ("2027-03-14T07:00:00Z", -240), ("2024-02-29T12:00:00Z", -300),
        ("2000-07-04T00:00:00Z", -240), ("2028-01-01T00:00:00Z", -300),
    ])
    func newYorksSummerIsKnown(text: String, minutes: Int64) throws {
        #expect(NewYorkClock.offsetMinutes(at: try utc(text)) == minutes)
    }

    @Test(arguments: [
        // Winter: 22:00 UTC; summer: 21:00 UTC; the weekend of a change has 49 or 47 hours.
        ("2026-01-09T21:59:59Z", true), ("2026-01-09T22:00:00Z", false), ("2026-01-11T21:59:59Z", false),
        ("2026-01-11T22:00:00Z", true), ("2026-07-10T20:59:59Z", true), ("2026-07-10T21:00:00Z", false),
        ("2026-07-12T21:00:00Z", true), ("2026-10-30T21:00:00Z", false), ("2026-11-01T21:30:00Z", false),
        ("2026-11-01T22:00:00Z", true), ("2026-03-06T22:00:00Z", false), ("2026-03-08T21:00:00Z", true),
    ])
    func foreignExchangeIsOpenFromSundayToFridayAtFiveInNewYork(text: String, isOpen: Bool) throws {
        #expect(MarketCalendar.forex.isOpen(at: try utc(text)) == isOpen)
        #expect(MarketCalendar.always.isOpen(at: try utc(text)))
    }
}

@Suite struct BrokerSessionTests {
    /// Weeks of quarter hours, heard or not.
    private func teach(
        _ session: inout BrokerSession, from: Timestamp, days: Int, _ isHeard: (Timestamp) -> Bool
    ) {
        for step in 0..<(days * 192) {
            let time = from.adding(milliseconds: Int64(step) * 450_000)
            session.note(isHeard: isHeard(time), listened: 450_000, at: time)
        }
    }

    @Test func theFirstWeekIsTheCalendarsThenItsOwnFleetCounts() throws {
        var session = BrokerSession()
        let begin = try utc("2026-09-07T00:00:00Z")
        let wednesday = try utc("2026-09-16T12:00:00Z")
        let saturday = try utc("2026-09-19T12:00:00Z")
        #expect(session.learned(at: wednesday) == .unknown)
        #expect(session.expected(at: wednesday) == .open && session.expected(at: saturday) == .closed)
        #expect(!session.isSurelyOpen(at: wednesday) && session.isLikelyOpen(at: wednesday))
        // A broker of crypto: heard all week.
        teach(&session, from: begin, days: 15) { _ in true }
        #expect(session.learned(at: saturday) == .open && session.isSurelyOpen(at: saturday))
        #expect(session.learnedSlots == BrokerSession.slots)
    }

    @Test func whatWasLearnedInSummerHoldsInWinter() throws {
        var session = BrokerSession()
        teach(&session, from: try utc("2026-09-28T00:00:00Z"), days: 21) { MarketCalendar.forex.isOpen(at: $0) }
        // 21:30 UTC on a Friday is after the close in summer and before it in winter.
        #expect(session.learned(at: try utc("2026-10-23T21:30:00Z")) == .closed)
        #expect(session.learned(at: try utc("2026-11-06T21:30:00Z")) == .open)
        #expect(session.learned(at: try utc("2026-11-06T22:15:00Z")) == .closed)
        // At the very edges nobody is sure.
        #expect(!session.isSurelyOpen(at: try utc("2026-11-06T21:50:00Z")))
    }

    @Test func aHolidayDoesNotChangeAWeek() throws {
        var session = BrokerSession()
        let begin = try utc("2026-11-30T00:00:00Z")
        teach(&session, from: begin, days: 35) { time in
            let isHoliday =
                time >= begin.adding(milliseconds: 25 * 86_400_000)
                && time < begin.adding(milliseconds: 26 * 86_400_000)
            return MarketCalendar.forex.isOpen(at: time) && !isHoliday
        }
        #expect(session.learned(at: try utc("2027-01-08T12:00:00Z")) == .open)
    }

    @Test func whatNobodyListenedToTeachesNothing() throws {
        var session = BrokerSession()
        let begin = try utc("2026-09-07T00:00:00Z")
        for step in 0..<2_000 {
            session.note(isHeard: false, listened: 60_000, at: begin.adding(milliseconds: Int64(step) * 900_000))
        }
        #expect(session.learnedSlots == 0)
    }

    @Test func itIsKeptAndComesBack() throws {
        var session = BrokerSession()
        teach(&session, from: try utc("2026-09-07T00:00:00Z"), days: 16) { MarketCalendar.forex.isOpen(at: $0) }
        var copy = BrokerSession()
        #expect(copy.restore(session.text) == true)
        #expect(copy.text == session.text && copy.learnedSlots == session.learnedSlots)
        #expect(copy.restore("nonsense") == false)
        #expect(copy.restore(String(repeating: "g", count: 4 * BrokerSession.slots)) == false)
    }
}

@Suite struct FleetDriftTests {
    private func facts(ticks: Int64, heartbeats: Int64, isLive: Bool = true) -> DriftFacts {
        var facts = DriftFacts()
        facts.version = "2.05"
        facts.chartSymbol = "USDSEK"
        facts.ticksProcessed = ticks
        facts.heartbeats = heartbeats
        facts.isLive = isLive
        facts.knowsChartSymbol = true
        return facts
    }

    @Test func aChartThatStandsStillWhileItsTerminalBeatsIsFrozen() {
        var drift = FleetDrift()
        for step in 0...22 {
            let second = Double(step) * 30
            drift.note("still", facts(ticks: 7, heartbeats: Int64(step)), at: at(second))
            drift.note("ticking", facts(ticks: Int64(step), heartbeats: Int64(step)), at: at(second))
            // A closed market: no heartbeat, no tick.
            drift.note("closed", facts(ticks: 7, heartbeats: 3, isLive: step < 3), at: at(second))
        }
        #expect(drift.frozenCharts(at: at(661)).map(\.nodeID) == ["still"])
        #expect(drift.frozenCharts(at: at(661)).first?.why == "USDSEK has not ticked for 11 min")
        #expect(drift.versions == ["2.05": 3])
    }

    @Test func refusedTradingIsKnownByItsNumberUntilATradeGoesThrough() {
        var drift = FleetDrift()
        drift.note("A", facts(ticks: 1, heartbeats: 1), at: at(0))
        drift.note(trade: "A", failedWith: "Trade execution failed - Error: 4756 Result: 10019", at: at(1))
        #expect(drift.tradingDisabled().isEmpty)
        drift.note(trade: "A", failedWith: "Trade execution failed - Error: 4756 Result: 10027", at: at(2))
        #expect(drift.tradingDisabled().first?.why == "algo trading is switched off in the terminal")
        drift.note(trade: "A", failedWith: nil, at: at(3))
        #expect(drift.tradingDisabled().isEmpty)
    }

    @Test func anUnknownChartSymbolIsNamed() {
        var drift = FleetDrift()
        var unknown = facts(ticks: 1, heartbeats: 1)
        unknown.knowsChartSymbol = false
        drift.note("A", unknown, at: at(0))
        #expect(drift.wrongSymbols().first?.why.contains("USDSEK") == true)
        drift.forgetOld(at: at(700))
        #expect(drift.wrongSymbols().isEmpty)
    }
}
