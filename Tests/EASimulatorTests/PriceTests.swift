import Domain
import Foundation
import Testing

@testable import EASimulator

@Suite("Prices")
struct PriceTests {
    private func walk(_ names: [String], seed: UInt64) -> RandomWalk {
        RandomWalk(
            names.enumerated().map { ($0, SymbolSpecification.named($1)) }, seed: seed, historyMilliseconds: 60_000)
    }

    private func all(_ source: some QuoteSource, until model: Int64) -> [QuoteUpdate] {
        var source = source
        var updates: [QuoteUpdate] = []
        while let update = source.next(until: model) { updates.append(update) }
        return updates
    }

    @Test("a walk is the same for the same seed, whatever else walks beside it")
    func determinism() {
        let alone = all(walk(["EURUSD"], seed: 42), until: 600_000)
        let together = all(walk(["EURUSD", "XAUUSD"], seed: 42), until: 600_000).filter { $0.symbol == 0 }
        #expect(alone == together)
        #expect(alone != all(walk(["EURUSD"], seed: 43), until: 600_000))
    }

    @Test("prices stay sane for a day", arguments: ["EURUSD", "USDJPY", "XAUUSD", "US30", "USDMXN"])
    func sanity(name: String) {
        let specification = SymbolSpecification.named(name)
        let updates = all(walk([name], seed: 7), until: 86_400_000)
        let rate = Double(updates.count) / 86_460
        #expect((0.3...2.1).contains(rate))
        #expect(updates.allSatisfy { $0.ask > $0.bid && $0.bid.isPositive })
        #expect(updates.allSatisfy { $0.bid.units % SymbolSpecification.pointUnits(digits: specification.digits) == 0 })
        let middle = specification.referencePrice
        #expect(updates.allSatisfy { abs($0.bid.double - middle) < middle * 0.1 })
        #expect(Set(updates.map(\.bid)).count > 50)
    }

    @Test("bars: ten are kept, the completed one is the last but one")
    func bars() throws {
        let fresh = market([("EURUSD", "1.10", "1.11")], utcSeconds: 0)
        quote(fresh, 0, "1.12", "1.13", 30)
        quote(fresh, 0, "1.09", "1.10", 59)
        #expect(fresh.completedBar(0, .m1) == nil)
        quote(fresh, 0, "1.11", "1.12", 60)
        let bar = try #require(fresh.completedBar(0, .m1))
        #expect(bar.open == amount("1.10") && bar.high == amount("1.12") && bar.low == amount("1.09"))
        #expect(bar.close == amount("1.09") && bar.tickCount == 3 && bar.utcSeconds == 0)
        for minute in 2..<30 { quote(fresh, 0, "1.11", "1.12", Int64(minute) * 60) }
        #expect(fresh.bars(0, .m1).count == 10)
        #expect(fresh.bars(0, .m15).map(\.utcSeconds) == [0, 900])
    }

    // MARK: - Replay

    @Test(
        "every kind of line",
        arguments: [
            ("1398902400292,1.38676,1.38686", 1_398_902_400_292, false),
            ("2013-01-01 22:00:00.295000+00:00,1.38676,1.38686", 1_357_077_600_295, false),
            (
                #"{"type":"TICK","symbol":"A","bid":1.38676,"ask":1.38686,"timestamp":"2025.08.21 06:35:23"}"#,
                1_755_758_123_000, true
            ),
            (
                #"{"type":"tick","symbol":"A","bid":1.38676,"ask":1.38686,"timestamp":1755758123}"#,
                1_755_758_123_000, true
            ),
        ])
    func lines(text: String, milliseconds: Int64, isBrokerTime: Bool) throws {
        let tick = try #require(RecordedTick(line: Array(text.utf8)[...]))
        #expect(tick.bid == amount("1.38676") && tick.ask == amount("1.38686"))
        #expect(tick.milliseconds == milliseconds && tick.isBrokerTime == isBrokerTime)
    }

    @Test("headers and noise are no ticks", arguments: ["ts_ms_utc,bid,ask", "", "1,2", "5,0,1.1", "{}", "x,1.1,1.2"])
    func noise(text: String) { #expect(RecordedTick(line: Array(text.utf8)[...]) == nil) }

    private func replay(_ text: String, isOnce: Bool, longestPause: Int64? = nil) throws -> TickReplay {
        let path = FileManager.default.temporaryDirectory.path + "/ticks-\(UUID().uuidString).csv"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try TickReplay(
            path: path, indexByName: ["EURUSD": 0], symbol: "EURUSD", isOnce: isOnce, brokerOffset: 0,
            longestPause: longestPause)
    }

    @Test("a recording keeps its pace; long silences can be cut")
    func pace() throws {
        let text = "ts_ms_utc,bid,ask\n1398902400000,1.1,1.2\n1398902401500,1.1,1.2\n1398902501500,1.1,1.2"
        #expect(all(try replay(text, isOnce: true), until: 1_000_000).map(\.model) == [0, 1500, 101_500])
        let cut = all(try replay(text, isOnce: true, longestPause: 5000), until: 1_000_000)
        #expect(cut.map(\.model) == [0, 1500, 6500])
    }

    @Test("the real ticks, compressed")
    func realTicks() throws {
        let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/data").path
        guard FileManager.default.fileExists(atPath: data) else {
            print("skipped: no ../shared/data beside the checkout")
            return
        }
        let survey = try TickSurvey(path: data + "/ea_ticks_2025-08-21.jsonl.gz", symbol: "EURUSD")
        #expect(survey.symbols.count == 22)
        #expect(survey.digits["XAUUSD"] == 2 && survey.digits["EURUSD"] == 5 && survey.digits["USDJPY"] == 3)
        let euro = data + "/eurusd_oanda_2014-05-01_15_ticks.csv.gz"
        #expect(try TickSurvey(path: euro, symbol: "EURUSD").digits == ["EURUSD": 5])
        let replay = try TickReplay(
            path: euro, indexByName: ["EURUSD": 0], symbol: "EURUSD", isOnce: true, brokerOffset: 0, longestPause: nil)
        let first = all(replay, until: 10_000)
        #expect(first.map(\.bid).prefix(3) == [amount("1.38676"), amount("1.38676"), amount("1.38675")])
        #expect(first.map(\.model).prefix(4) == [0, 628, 2578, 8930])
    }

    @Test("a frozen market delivers nothing, and goes on where it stood")
    func freeze() {
        let feed = MarketFeed(
            [walk(["EURUSD"], seed: 1)], speed: 1, keepsRecordedTimes: false, wall: 1_000_000_000, monotonic: 0)
        var times: [Int64] = []
        feed.advance(monotonic: 60_000) { times.append($1) }
        let before = times.count
        feed.setFrozen(true, monotonic: 60_000)
        feed.advance(monotonic: 3_600_000) { times.append($1) }
        #expect(before > 10 && times.count == before)
        feed.setFrozen(false, monotonic: 3_600_000)
        feed.advance(monotonic: 3_620_000) { times.append($1) }
        #expect(times.count > before)
        #expect(times[before] >= 1_000_000 + 3600)
    }
}

@Suite("Scenarios")
struct ScenarioTests {
    private func actions(_ name: ScenarioName, terminals: Int, pause: Int64 = 0, until: Int64) -> [ScenarioAction] {
        var scenario = Scenario(name, terminals: terminals, period: 1000, pause: pause, seed: 3)
        return stride(from: Int64(0), through: until, by: 50).flatMap { scenario.due(elapsed: $0) }
    }

    @Test("each does what it says")
    func scenarios() {
        #expect(actions(.day, terminals: 3, until: 10_000).isEmpty)
        #expect(actions(.weekend, terminals: 3, until: 10_000) == [.freeze])
        #expect(actions(.weekend, terminals: 3, pause: 400, until: 1500) == [.freeze, .thaw])
        #expect(actions(.restart, terminals: 2, until: 1999) == [.restart(0), .restart(1)])
        #expect(actions(.switchAccount, terminals: 2, until: 1999) == [.switchAccount(0), .switchAccount(1)])
        #expect(actions(.silent, terminals: 4, until: 5000) == [.silence(0), .silence(3)])
        #expect(actions(.storm, terminals: 2, until: 1000) == [.reconnect(0), .reconnect(1)])
    }

    @Test("the demonstration wakes whom it silenced")
    func demonstration() {
        let happened = actions(.demo, terminals: 20, pause: 300, until: 40_500)
        let silenced = happened.compactMap { if case .silence(let index) = $0 { index } else { nil } }
        let woken = happened.compactMap { if case .wake(let index) = $0 { index } else { nil } }
        #expect(!silenced.isEmpty && silenced == woken)
        #expect(happened.contains { if case .restart = $0 { true } else { false } })
        #expect(happened.contains { if case .reconnect = $0 { true } else { false } })
    }
}
