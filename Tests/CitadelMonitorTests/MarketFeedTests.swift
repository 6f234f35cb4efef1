import Citadel
import Domain
import Testing
import Wire

@testable import CitadelMonitor

@Suite("Market feed")
struct MarketFeedTests {
    private func later(_ milliseconds: Int64) -> Timestamp { Fixture.now.adding(milliseconds: milliseconds) }

    @Test("a registered terminal's quote belongs to its server, in UTC and under the canonical name")
    func known() {
        let verdict = Fixture.feed().accept(Fixture.tick("EURUSD.r"), now: Fixture.now)
        #expect(
            verdict
                == .use(
                    MarketTick(
                        symbol: "EURUSD", source: "Broker-Live", timeMilliseconds: Fixture.now.milliseconds,
                        bid: 1.085, ask: 1.0851, decimals: 5)))
    }

    @Test("an unknown terminal is held out until its registration is overdue, then it is a source of its own")
    func unknown() {
        let feed = Fixture.feed()
        func source(_ now: Timestamp) -> String? {
            guard case .use(let tick) = feed.accept(Fixture.tick(node: "NODE_9", at: now), now: now) else { return nil }
            return tick.source
        }
        #expect(source(Fixture.now) == nil && source(later(4_000)) == nil)
        #expect(source(later(5_000)) == "unknown:NODE_9")
        feed.assign(node: "NODE_9", user: nil, server: "Other-Live")
        #expect(source(later(6_000)) == "Other-Live")
        feed.forget(node: "NODE_9", user: nil)
        #expect(source(later(7_000)) == nil)
        #expect(feed.held[.unknownNode] == 3)
    }

    @Test("a message without a node is placed by its user; one without either is nobody's")
    func users() {
        let feed = Fixture.feed()
        let tick = Fixture.tick(node: nil, user: "USER_1")
        guard case .use(let quote) = feed.accept(tick, now: Fixture.now) else {
            Issue.record("not used")
            return
        }
        #expect(quote.source == "Broker-Live")
        #expect(feed.accept(Fixture.tick(node: nil), now: Fixture.now) == .hold(.unknownNode))
        // The user's next terminal is elsewhere; the old one's end does not take that away.
        feed.assign(node: "NODE_2", user: "USER_1", server: "Other-Live")
        feed.forget(node: "NODE_1", user: "USER_1")
        guard case .use(let next) = feed.accept(tick, now: Fixture.now) else {
            Issue.record("not used")
            return
        }
        #expect(next.source == "Other-Live")
    }

    @Test("old quotes are counted and never the present")
    func stale() {
        let feed = Fixture.feed()
        #expect(feed.accept(Fixture.tick(), now: Fixture.now) != .hold(.stale))
        #expect(feed.accept(Fixture.tick(behind: 3600), now: Fixture.now) == .hold(.stale))
        #expect(feed.accept(Fixture.tick(behind: 86_400 * 2), now: Fixture.now) == .hold(.stale))
        var timeless = Fixture.tick()
        timeless.brokerSeconds = nil
        #expect(feed.accept(timeless, now: Fixture.now) == .hold(.withoutTime))
        #expect(feed.held[.stale] == 2)
    }

    @Test("a clock known from before keeps an hour-old first quote from passing as another zone")
    func primed() {
        let plain = Fixture.feed()
        #expect(plain.accept(Fixture.tick(behind: 3600), now: Fixture.now) != .hold(.stale))
        let primed = Fixture.feed()
        primed.prime(server: "Broker-Live", offset: Fixture.brokerOffset * 1000 - 100, now: Fixture.now)
        #expect(primed.accept(Fixture.tick(behind: 3600), now: Fixture.now) == .hold(.stale))
        #expect(primed.accept(Fixture.tick(), now: Fixture.now) != .hold(.stale))
    }

    @Test("of two terminals of one broker the later quote counts, symbol by symbol")
    func behind() {
        let feed = Fixture.feed()
        feed.assign(node: "NODE_2", user: nil, server: "Broker-Live")
        #expect(feed.accept(Fixture.tick(), now: Fixture.now) != .hold(.behind))
        #expect(feed.accept(Fixture.tick(node: "NODE_2", behind: 1), now: Fixture.now) == .hold(.behind))
        #expect(feed.accept(Fixture.tick("XAUUSD", node: "NODE_2", behind: 1), now: Fixture.now) != .hold(.behind))
        #expect(feed.accept(Fixture.tick(node: "NODE_2"), now: Fixture.now) != .hold(.behind))
    }

    @Test("junk symbols leave room for the configured ones")
    func symbolLimit() {
        let feed = Fixture.feed(unconfigured: 2)
        for name in ["JUNKA", "JUNKB"] {
            #expect(feed.accept(Fixture.tick(name), now: Fixture.now) != .hold(.symbolLimit))
        }
        #expect(feed.accept(Fixture.tick("JUNKC"), now: Fixture.now) == .hold(.symbolLimit))
        #expect(feed.accept(Fixture.tick("EURUSD"), now: Fixture.now) != .hold(.symbolLimit))
        #expect(feed.isKnown("JUNKA") && !feed.isKnown("JUNKC") && feed.isKnown("XAUUSD"))
    }

    @Test("bars wait for the broker's clock and move to UTC with it")
    func bars() {
        let feed = Fixture.feed()
        let minute = (Fixture.now.seconds / 60 - 1) * 60
        func bar(_ timeframe: String) -> Domain.Bar {
            let price = Amount("1.085") ?? .zero
            var bar = Domain.Bar(
                symbol: "EURUSD", timeframe: timeframe, brokerSeconds: minute + Fixture.brokerOffset, open: price,
                high: price, low: price, close: price)
            bar.nodeID = "NODE_1"
            return bar
        }
        #expect(feed.accept(bar("M1"), now: Fixture.now) == .hold(.barWithoutClock))
        _ = feed.accept(Fixture.tick(), now: Fixture.now)
        guard case .use(let used) = feed.accept(bar("m1"), now: Fixture.now) else {
            Issue.record("not used")
            return
        }
        #expect(used.startMilliseconds == minute * 1000 && used.timeframe == .m1 && used.source == "Broker-Live")
        #expect(feed.accept(bar("M30"), now: Fixture.now) == .hold(.barOtherTimeframe))
        #expect(feed.accept(bar("M1"), now: later(61_000)) == .hold(.barWithoutClock))
    }

    @Test("a broker whose clock is off by minutes still quotes the present")
    func oddClock() {
        let feed = Fixture.feed()
        func time(_ now: Timestamp) -> Int64? {
            guard case .use(let tick) = feed.accept(Fixture.tick(behind: 400, at: now), now: now) else { return nil }
            return tick.timeMilliseconds
        }
        #expect(time(Fixture.now) == nil)
        let now = later(20_000)
        #expect(time(now) == now.milliseconds)
    }

    @Test("frames of the relay: quotes and bars of any dialect, and what is neither")
    func frames() {
        func read(_ text: String) -> RelayFrame { Array(text.utf8).withUnsafeBufferPointer { RelayFrame($0) } }
        guard
            case .tick(let tick) = read(
                #"{"type":"TICK","node_id":"N","user_uuid":"U","symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp":"2025.09.15 19:39:23"}"#
            )
        else {
            Issue.record("no tick")
            return
        }
        #expect(tick.nodeID == "N" && tick.brokerSeconds == 1_757_965_163)
        if case .tick = read("TICK EURUSD 1.1 1.2") {} else { Issue.record("no tick in words") }
        if case .bars = read(
            #"{"type":"OHLC","symbol":"EURUSD","timeframe":"M1","time":1757965140,"open":1,"high":2,"low":1,"close":2}"#
        ) {
        } else {
            Issue.record("no bar")
        }
        #expect(read("HEARTBEAT") == .other)
        if case .refused = read("{\"type\":\"TICK\"") {} else { Issue.record("not refused") }
    }
}
