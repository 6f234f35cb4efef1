import Citadel
import Domain
import Testing
import Wire

@testable import CitadelMonitor

@Suite("What is kept")
struct StoreTests {
    @Test("a bar survives as text to the last bit")
    func bars() throws {
        let bar = Citadel.Bar(
            startMilliseconds: 1_757_965_140_000, open: 1.3869150000000001, high: 1.4, low: 1.0 / 3, close: 1.1,
            volume: 43, origin: .terminal)
        let text = BarText.text(bar)
        #expect(text.hasPrefix("[1757965140000,1.3869150000000001,"))
        #expect(BarText.bar(text) == bar)
        var quoted = bar
        quoted.usualSpread = 0.00013
        #expect(BarText.text(quoted).hasSuffix(",0.00013]") && BarText.bar(BarText.text(quoted)) == quoted)
    }

    @Test(
        "damaged bars are none",
        arguments: [
            "", "[]", "[1,2,3]", #"[1,2,3,4,5,6,"who"]"#, #"["x",1,1,1,1,1,"ticks"]"#, #"[1,1,1,1,1,1,"ticks","nan"]"#,
            #"[1,1,1,1,1,1,"ticks",-1]"#, #"[1,1,1,1,1,1,"ticks",1,1]"#,
        ])
    func damaged(text: String) { #expect(BarText.bar(text) == nil) }

    @Test("a symbol comes back from its lists and its open bars")
    func snapshot() throws {
        let bar = Citadel.Bar(
            startMilliseconds: 300_000, open: 1, high: 2, low: 1, close: 2, volume: 3, origin: .ticks)
        let open = #"{"decimals":3,"usual_spread":0.01,"spread_samples":70,"open":{"M5":[600000,2,2,2,2,1,"ticks"]}}"#
        let snapshot = try #require(
            BarStore.snapshot(symbol: "USDJPY", lists: [.m5: [BarText.text(bar), "junk"]], open: open))
        #expect(snapshot.decimals == 3 && snapshot.usualSpread == 0.01 && snapshot.spreadSamples == 70)
        let series = try #require(snapshot.series.first { $0.timeframe == .m5 })
        #expect(series.closed == [bar] && series.open?.startMilliseconds == 600_000)
        #expect(BarStore.snapshot(symbol: "USDJPY", lists: [:], open: nil) == nil)
    }

    @Test("what is sent waits for what was to be recorded before, in the order of the calls")
    func outbox() {
        let outbox = Outbox()
        var delivered: [String] = []
        var first: ((Bool) -> Void)?
        var second: ((Bool) -> Void)?
        outbox.add(recording: { first = $0 }) { delivered.append("first \($0)") }
        outbox.add(recording: { second = $0 }) { delivered.append("second \($0)") }
        outbox.add(recording: nil) { delivered.append("third \($0)") }
        second?(false)
        #expect(delivered.isEmpty && outbox.waiting == 3)
        first?(true)
        #expect(delivered == ["first true", "second false", "third true"] && outbox.waiting == 0)
        // Answers that come twice or late change nothing.
        first?(false)
        #expect(delivered.count == 3)
    }

    @Test("a delivery that adds keeps the order")
    func reentrant() {
        let outbox = Outbox()
        var delivered: [Int] = []
        outbox.add(recording: nil) { _ in
            outbox.add(recording: nil) { _ in delivered.append(2) }
            delivered.append(1)
        }
        #expect(delivered == [1, 2])
    }

    @Test("the sweep alert has the contract's fields")
    func alert() throws {
        var engine = CitadelEngine(instruments: [:])
        var outputs: [CitadelOutput] = []
        for tick in Sweep.ticks { engine.handle(tick, now: tick.timeMilliseconds, into: &outputs) }
        let sweep = try #require(outputs.compactMap { if case .sweep(let sweep) = $0 { sweep } else { nil } }.first)
        let alert = sweep.alert
        #expect(alert["type"] == .string("liquidity_sweep") && alert["price"] == alert["level"])
        let time = try #require(alert["time"]?.text.flatMap { Timestamp(rfc3339: $0) })
        #expect(alert["timestamp"] == .integer(time.seconds) && time.milliseconds == sweep.timeMilliseconds)
        let evidence = try #require(alert["evidence"]?.object)
        #expect(evidence["level"] == alert["level"] && evidence["timeframe"] == .string("M5"))
        #expect(evidence["bars"] == .integer(sweep.evidence.bars) && evidence["pierced_at"]?.text?.isEmpty == false)
        #expect(alert["side"]?.text == sweep.side.rawValue && alert["extreme"]?.text == "\(sweep.extreme)")
    }
}

/// One clear high, a run above it, and a close back: a sweep that a chart reader would see.
private enum Sweep {
    static let points: [(minute: Int, price: Double)] = [
        (0, 1.1000), (30, 1.1005), (60, 1.1000), (90, 1.10052), (120, 1.10003), (150, 1.10049), (180, 1.10001),
        (210, 1.1040), (250, 1.1020), (300, 1.1020), (311, 1.1045), (313, 1.1030), (330, 1.1025),
    ]

    static var ticks: [MarketTick] {
        zip(points, points.dropFirst()).flatMap { from, to in
            (0..<((to.minute - from.minute) * 6)).map { step in
                let share = Double(step) / Double((to.minute - from.minute) * 6)
                let price = from.price + (to.price - from.price) * share
                return MarketTick(
                    symbol: "EURUSD", source: "S",
                    timeMilliseconds: 1_755_648_000_000 + Int64(from.minute) * 60_000 + Int64(step) * 10_000,
                    bid: price - 0.00005, ask: price + 0.00005, decimals: 5)
            }
        }
    }
}
