import Domain
import Testing

@testable import Trading

@Suite("Caps per user and the user's day") struct RiskCapTests {
    private let opened = ["symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "open_price": "1.08510"]

    private func ready(openRisk: String = "0", dailyLoss: String = "0") -> TrackerFixture {
        var policy = TrackerFixture.policy
        policy.openRiskPercent = Amount(openRisk) ?? .zero
        policy.dailyLossPercent = Amount(dailyLoss) ?? .zero
        var fixture = TrackerFixture(policy: policy)
        fixture.engine.restore(user: User(uuid: "user_1", tier: "COMMANDER", createdAt: fixture.now))
        fixture.connect()
        fixture.moveMarket()
        return fixture
    }

    private func apply(
        _ kind: TradeReport.Kind, _ entry: String, ticket: Int64, fireID: String? = nil, _ extra: [String: String],
        _ fixture: inout TrackerFixture
    ) throws -> EventEffect {
        let event = try #require(
            fixture.event(kind, entry: entry, fireID: fireID, ticket: ticket, extra: opened.merging(extra) { $1 }))
        fixture.outputs = []
        fixture.engine.apply(
            event, entryID: "\(entry)-\(extra["seq"] ?? "1")", now: fixture.now, into: &fixture.outputs)
        return try #require(fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }.last)
    }

    @Test("open risk counts fires and positions at their stops, and says its arithmetic")
    func openRisk() throws {
        var fixture = ready(openRisk: "1")
        // 51 pips at 0.10 lots: 51.00 each; the cap is 100.00.
        #expect(fixture.fire(TrackerFixture.request("a")).first?.state == .sent)
        let denial = fixture.fire(TrackerFixture.request("b")).first?.denial
        #expect(denial?.reason == .riskExceeded)
        #expect(
            denial?.message
                == "open risk: 51.00 at stake + 51.00 of this trade = 102.00 USD; the cap is 1 % of equity 10000.00 = 100.00"
        )
        _ = try apply(.opened, "1", ticket: 5, fireID: "a", [:], &fixture)
        #expect(fixture.engine.atStake("user_1", in: "USD", now: fixture.now).money == "51.00")
        #expect(fixture.fire(TrackerFixture.request("c")).first?.denial?.reason == .riskExceeded)
        _ = try apply(.closed, "2", ticket: 5, ["profit": "-51.00"], &fixture)
        #expect(fixture.engine.atStake("user_1", in: "USD", now: fixture.now).isZero)
        #expect(fixture.fire(TrackerFixture.request("d")).first?.state == .sent)
    }

    @Test("where a cap is on nothing goes without a stop, and what has none is named beside the sums")
    func withoutStop() throws {
        for (open, daily, word) in [("1", "0", "open risk"), ("0", "1", "daily loss")] {
            var policy = TrackerFixture.policy
            policy.allowsNoStop = true
            var fixture = TrackerFixture(policy: policy)
            var user = User(uuid: "user_1", tier: "COMMANDER", createdAt: fixture.now)
            fixture.engine.restore(user: user)
            fixture.connect()
            fixture.moveMarket()
            #expect(fixture.fire(TrackerFixture.request("a", stop: nil)).first?.state == .sent)
            #expect(fixture.engine.withoutFigure("user_1") == 1)
            let opening = try apply(.opened, "1", ticket: 5, fireID: "a", [:], &fixture)
            #expect(opening.opened.first?.risk == nil && fixture.engine.withoutFigure("user_1") == 1)
            _ = try apply(.opened, "2", ticket: 6, [:], &fixture)
            #expect(fixture.engine.withoutFigure("user_1") == 2, "what nobody fired has no stop we know either")
            user.openRiskPercent = Amount(open)
            user.dailyLossPercent = Amount(daily)
            fixture.engine.restore(user: user)
            let denial = fixture.fire(TrackerFixture.request("b", stop: nil)).first?.denial
            #expect(denial?.reason == .noStop)
            #expect(denial?.message.hasPrefix("a cap of \(word) is on for this user, and what a trade without") == true)
            #expect(fixture.fire(TrackerFixture.request("c")).first?.state == .sent)
            let full = fixture.fire(TrackerFixture.request("d")).first?.denial
            #expect(full?.reason == .riskExceeded)
            #expect(full?.message.hasSuffix("= 100.00; not in it: 2 of his without a stop we know") == true)
        }
    }

    @Test("what is ended in our books without a profit counts as the loss at its stop; the terminal's word replaces it")
    func forced() throws {
        var fixture = ready()
        _ = fixture.fire(TrackerFixture.request("a"))
        _ = try apply(.opened, "1", ticket: 5, fireID: "a", [:], &fixture)
        let key = try #require(fixture.engine.positions.keys.first)
        let ended = fixture.engine.forceClose(key, profit: nil, price: nil, reason: "FORCED", now: fixture.now)
        let closed = try #require(ended)
        #expect(closed.position.profit == nil && closed.position.profitSource == "unknown")
        #expect(closed.day?.fields.contains { $0.name == "realised.USD" && $0.value == "-5100000000" } == true)
        #expect(fixture.engine.realisedToday("user_1", in: "USD", now: fixture.now).money == "-51.00")
        let name = try #require(fixture.engine.days["user_1"]?.inferred.keys.first)
        _ = try apply(.closed, "2", ticket: 5, ["event_id": name, "profit": "4.00", "correction": "1"], &fixture)
        #expect(fixture.engine.realisedToday("user_1", in: "USD", now: fixture.now).money == "4.00")
    }

    @Test("the day's loss and what is at stake stay within the cap; the next day begins anew")
    func dailyLoss() throws {
        var fixture = ready(dailyLoss: "1")
        _ = fixture.fire(TrackerFixture.request("a"))
        _ = try apply(.opened, "1", ticket: 5, fireID: "a", [:], &fixture)
        let closing = try apply(.closed, "2", ticket: 5, ["profit": "-49.50"], &fixture)
        #expect(closing.day?.startsDay == true)
        #expect(closing.day?.fields.contains { $0.name == "realised.USD" && $0.value == "-4950000000" } == true)
        let denial = fixture.fire(TrackerFixture.request("b")).first?.denial
        #expect(denial?.reason == .riskExceeded)
        #expect(denial?.message.hasPrefix("daily loss: 49.50 lost today + 0.00 at stake + 51.00 of this trade") == true)
        fixture.pass(milliseconds: 86_400_000)
        fixture.moveMarket()
        #expect(fixture.fire(TrackerFixture.request("c")).first?.state == .sent)
    }

    @Test("a user's own cap replaces the policy's; 0 takes it away")
    func overrides() {
        for (own, isLetThrough) in [(nil, false), ("0", true), ("5", true), ("0.1", false)] as [(String?, Bool)] {
            var fixture = ready(openRisk: "0.5")
            var user = User(uuid: "user_1", tier: "COMMANDER", createdAt: fixture.now)
            user.openRiskPercent = own.flatMap { Amount($0) }
            fixture.engine.restore(user: user)
            #expect((fixture.fire(TrackerFixture.request()).first?.state == .sent) == isLetThrough, "\(own ?? "none")")
        }
    }

    @Test("an inferred closing is booked once, and its correction by the difference")
    func correction() throws {
        var fixture = ready()
        _ = fixture.fire(TrackerFixture.request("a"))
        _ = try apply(.opened, "1", ticket: 5, fireID: "a", [:], &fixture)
        let inferred = ["source": "inferred", "witness": "flat", "seq": "7"]
        let closing = try apply(.closed, "2", ticket: 5, inferred, &fixture)
        #expect(closing.closed.first?.source == "inferred" && closing.closed.first?.profit == nil)
        // Nobody knows: 51 pips at 0.10 lots may be lost.
        #expect(fixture.engine.realisedToday("user_1", in: "USD", now: fixture.now).money == "-51.00")
        let real = [
            "profit": "-30.25", "profit_source": "message", "close_price": "1.08208", "correction": "1", "seq": "9",
            "source": "merged",
        ]
        let corrected = try apply(.closed, "2", ticket: 5, real, &fixture)
        #expect(corrected.closed.isEmpty && !corrected.releasesSlot && corrected.fire == nil)
        let fields = try #require(corrected.corrected.first).fields
        #expect(corrected.corrected.first?.closing?.profit == Amount("-30.25"))
        #expect(corrected.corrected.first?.isClosed == true)
        #expect(fields.contains(.init(name: "close_price", value: "1.08208")))
        #expect(fields.contains(.init(name: "source", value: "merged")))
        #expect(fixture.engine.realisedToday("user_1", in: "USD", now: fixture.now).money == "-30.25")
        _ = try apply(.closed, "2", ticket: 5, real.merging(["seq": "10"]) { $1 }, &fixture)
        #expect(fixture.engine.realisedToday("user_1", in: "USD", now: fixture.now).money == "-30.25")
    }

    @Test("a corrected opening changes figures and risk of the open position, and opens nothing")
    func correctedOpening() throws {
        var fixture = ready()
        _ = fixture.fire(TrackerFixture.request("a"))
        _ = try apply(.opened, "1", ticket: 5, fireID: "a", ["source": "inferred", "witness": "positions"], &fixture)
        let told = ["lot": "0.05", "open_price": "1.08490", "correction": "1", "seq": "3", "source": "merged"]
        let effect = try apply(.opened, "1", ticket: 5, fireID: "a", told, &fixture)
        #expect(effect.opened.isEmpty && effect.fire?.state == .filled && effect.fire?.previousState == .filled)
        let position = try #require(fixture.engine.positions.values.first)
        #expect(position.lot == Amount("0.05") && position.openPriceText == "1.08490")
        #expect(position.risk?.money == "25.50" && position.source == "merged")
        let unknown = try apply(.opened, "9", ticket: 99, told, &fixture)
        #expect(unknown.opened.isEmpty && fixture.engine.positions.count == 1)
    }

    @Test("an entry that is read again has no second effect")
    func readAgain() throws {
        var fixture = ready()
        let first = try apply(.closed, "2", ticket: 5, ["profit": "-10.00"], &fixture)
        let second = try apply(.closed, "2", ticket: 5, ["profit": "-10.00"], &fixture)
        #expect(first.day != nil && second.day == nil)
        #expect(fixture.engine.realisedToday("user_1", in: "USD", now: fixture.now).money == "-10.00")
    }

    @Test("a day is read back as it was written")
    func row() throws {
        var fixture = ready()
        _ = try apply(.closed, "1", ticket: 5, ["profit": "-10.00"], &fixture)
        _ = try apply(.closed, "2", ticket: 6, ["profit": "3.5", "source": "inferred", "currency": "EUR"], &fixture)
        let day = try #require(fixture.engine.days["user_1"])
        let row = Dictionary(uniqueKeysWithValues: day.row.map { ($0.name, $0.value) })
        #expect(UserDay(row: row) == day)
        #expect(day.realised == ["USD": Amount(-10), "EUR": Amount("3.5")])
    }
}
