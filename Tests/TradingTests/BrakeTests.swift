import Domain
import Testing

@testable import Trading

@Suite("The brake") struct BrakeTests {
    private func ready(minimum: Int = 10) -> TrackerFixture {
        var policy = TrackerFixture.policy
        policy.automaticBrake = AutomaticBrake(
            windowMilliseconds: 60_000, minimum: minimum, share: Amount("0.5") ?? .zero)
        var fixture = TrackerFixture(policy: policy)
        fixture.engine.restore(user: User(uuid: "user_1", tier: "COMMANDER", createdAt: fixture.now))
        fixture.connect()
        fixture.moveMarket()
        return fixture
    }

    /// Fires and lets the terminal answer, or nobody.
    private func trade(_ name: String, _ kind: TradeReport.Kind?, _ fixture: inout TrackerFixture) throws {
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request(name, lot: "0.01"))
        let extra = ["symbol": "EURUSD", "direction": "BUY", "lot": "0.01", "open_price": "1.08510"]
        if let kind {
            let event = try #require(
                fixture.event(
                    kind, entry: name, fireID: name, ticket: kind == .opened ? Int64(name.count * 1000) : nil,
                    extra: extra))
            fixture.engine.apply(event, entryID: name, now: fixture.now, into: &fixture.outputs)
        } else {
            fixture.engine.advance(to: fixture.now.adding(milliseconds: 31_000), into: &fixture.outputs)
        }
    }

    @Test("too many unknown or rejected outcomes in a window set it to REDUCING by itself, said and audited")
    func automatic() throws {
        var fixture = ready()
        for number in 0..<5 { try trade("good-\(number)", .opened, &fixture) }
        for number in 0..<4 { try trade("bad-\(number)", .failed, &fixture) }
        #expect(fixture.engine.brakes.settings.isEmpty, "nine outcomes say nothing")
        try trade("silent", nil, &fixture)
        let setting = try #require(fixture.engine.brakes.settings[.all])
        #expect(setting.state == .reducing)
        #expect(setting.reason == "automatic: 5 of 10 outcomes in 60 s were bad: 1 unknown, 4 rejected")
        #expect(fixture.engine.automaticBrakeReason == setting.reason)
        let written = fixture.outputs.contains { if case .writeBrake(.all, setting) = $0 { true } else { false } }
        let audited = fixture.outputs.contains {
            if case .audit("brake", let fields) = $0 { fields["by"] == "position-tracker" } else { false }
        }
        #expect(written && audited)
        fixture.moveMarket()
        #expect(fixture.fire(TrackerFixture.request("next")).first?.denial?.reason == .reducingOnly)
    }

    @Test("fewer bad ones than the share, and old ones, do nothing")
    func notAutomatic() throws {
        var fixture = ready()
        for number in 0..<8 { try trade("good-\(number)", .opened, &fixture) }
        for number in 0..<4 { try trade("bad-\(number)", .failed, &fixture) }
        #expect(fixture.engine.brakes.settings.isEmpty)
        fixture.pass(milliseconds: 61_000)
        for number in 0..<4 { try trade("later-\(number)", .failed, &fixture) }
        #expect(fixture.engine.brakes.settings.isEmpty, "what lies outside the window is forgotten")
    }

    @Test("lifted it stays lifted until there is new evidence; a brake set by hand is never loosened")
    func lifting() throws {
        var fixture = ready(minimum: 2)
        for number in 0..<2 { try trade("bad-\(number)", .failed, &fixture) }
        #expect(fixture.engine.brakes.settings[.all]?.state == .reducing)
        _ = fixture.engine.set(
            brake: .all, to: .active, reason: "broker is back", now: fixture.now, into: &fixture.outputs)
        try trade("one", .failed, &fixture)
        #expect(fixture.engine.brakes.settings.isEmpty)
        _ = fixture.engine.set(brake: .all, to: .halted, reason: "stop", now: fixture.now, into: &fixture.outputs)
        try trade("two", .failed, &fixture)
        #expect(fixture.engine.brakes.settings[.all]?.state == .halted)
    }

    @Test("REDUCING lets closes through, HALTED stops them too unless somebody says force")
    func closes() throws {
        for scope in [BrakeScope.all, .user("user_1"), .broker(TrackerFixture.server), .symbol("EURUSD")] {
            var fixture = ready(minimum: 0)
            try trade("open", .opened, &fixture)
            let ticket = try #require(fixture.engine.positions.keys.first?.ticket)
            _ = fixture.engine.set(
                brake: scope, to: .reducing, reason: "news", now: fixture.now, into: &fixture.outputs)
            #expect(
                fixture.engine.close(ticket: ticket, of: "user_1", now: fixture.now, into: &fixture.outputs).commands
                    == 1)
            _ = fixture.engine.set(brake: scope, to: .halted, reason: "stop", now: fixture.now, into: &fixture.outputs)
            var sent: [TrackerOutput] = []
            let one = fixture.engine.close(ticket: ticket, of: "user_1", now: fixture.now, into: &sent)
            let all = fixture.engine.closeAll(of: "user_1", now: fixture.now, into: &sent)
            let symbol = fixture.engine.closeAll(symbol: "EURUSD", now: fixture.now, into: &sent)
            #expect(([one, all] + symbol).allSatisfy { $0.denial?.reason == .halted && $0.commands == 0 })
            #expect(!sent.contains { if case .send = $0 { true } else { false } })
            #expect(one.denial?.message.contains("force") == true)
            let forced = fixture.engine.close(
                ticket: ticket, of: "user_1", force: true, now: fixture.now, into: &fixture.outputs)
            #expect(forced.denial == nil && forced.commands == 1)
            #expect(
                fixture.engine.closeAll(of: "user_1", force: true, now: fixture.now, into: &fixture.outputs).commands
                    == 1)
        }
    }

    @Test("what our own restart made unknown is no evidence against brokers")
    func restart() throws {
        var before = ready(minimum: 2)
        _ = before.fire(TrackerFixture.request("x"))
        var row = try #require(before.engine.fires["x"])
        row.state = .sending
        var after = ready(minimum: 1)
        after.engine.restore(fire: row, now: after.now, into: &after.outputs)
        #expect(after.engine.fires["x"]?.state == .unknown)
        #expect(after.engine.brakes.settings.isEmpty)
    }

    @Test("a fire that waits in the queue does not pass a brake set meanwhile")
    func queued() throws {
        var fixture = ready()
        _ = fixture.fire(TrackerFixture.request("a"))
        _ = fixture.fire(TrackerFixture.request("b"))
        let covered = fixture.engine.set(
            brake: .user("user_1"), to: .reducing, reason: "stop", now: fixture.now, into: &fixture.outputs)
        #expect(covered == 1)
        fixture.outputs = []
        let answer = try #require(
            fixture.event(.failed, entry: "1", fireID: "a", extra: ["message": "no money"]))
        fixture.engine.apply(answer, entryID: "1-0", now: fixture.now, into: &fixture.outputs)
        #expect(fixture.sentFires.isEmpty && fixture.engine.fires.isEmpty)
    }
}
