import Domain
import Testing

@testable import Trading

@Suite("Positions") struct PositionTests {
    private func opened(_ fixture: inout TrackerFixture, symbol: String, price: String, lot: String = "0.10") throws {
        let event = try #require(
            fixture.event(
                .opened, entry: "1-1", fireID: "f1", ticket: 77,
                extra: ["symbol": symbol, "direction": "BUY", "lot": lot, "open_price": price]))
        fixture.engine.apply(event, entryID: "1-1", now: fixture.now, into: &fixture.outputs)
    }

    private func key(_ fixture: TrackerFixture) -> PositionKey {
        PositionKey(server: TrackerFixture.server, account: "16", ticket: 77)
    }

    @Test("unrealised profit, its highest and its lowest follow the quotes")
    func follows() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        try opened(&fixture, symbol: "EURUSD", price: "1.08510")
        for (bid, expected) in [("1.08610", "10.00"), ("1.08310", "-20.00"), ("1.08510", "0.00")] {
            fixture.pass(milliseconds: 1000)
            fixture.tick("EURUSD", bid, "1.08700")
            #expect(fixture.engine.positions[key(fixture)]?.currentProfit?.money == expected)
        }
        let position = try #require(fixture.engine.positions[key(fixture)])
        #expect(position.maximumProfit?.money == "10.00")
        #expect(position.maximumLoss?.money == "-20.00")
    }

    @Test("a cross is converted by the same broker's quotes: EURJPY into USD")
    func converts() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        try opened(&fixture, symbol: "EURJPY", price: "162.750", lot: "1.00")
        fixture.pass(milliseconds: 1000)
        fixture.tick("EURJPY", "163.750", "163.770")
        // 1.000 yen x 100,000 = 100,000 JPY at USDJPY 150.010 (what dollars are bought at).
        #expect(fixture.engine.positions[key(fixture)]?.currentProfit?.money == "666.62")
    }

    @Test("without a conversion rate the profit is unknown, not zero")
    func unknownRate() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.pass(milliseconds: 1000)
        fixture.tick("EURJPY", "162.750", "162.770")
        try opened(&fixture, symbol: "EURJPY", price: "162.750")
        fixture.pass(milliseconds: 1000)
        fixture.tick("EURJPY", "163.750", "163.770")
        #expect(fixture.engine.positions[key(fixture)]?.currentPrice != nil)
        #expect(fixture.engine.positions[key(fixture)]?.currentProfit == nil)
    }

    @Test("a close ends the position with its profit and its source, once")
    func closes() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        try opened(&fixture, symbol: "EURUSD", price: "1.08510")
        fixture.pass(milliseconds: 5000)
        let close = try #require(
            fixture.event(
                .closed, entry: "1-2", ticket: 77, extra: ["profit": "12.30", "profit_source": "balance_step"]))
        fixture.outputs = []
        fixture.engine.apply(close, entryID: "1-2", now: fixture.now, into: &fixture.outputs)
        let effects = fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }
        let closed = try #require(effects.first?.closed.first)
        #expect(closed.profit == "12.30" && closed.profitSource == "balance_step" && closed.slotField == "f1")
        #expect(closed.closedAt.map { $0 - closed.openedAt } == 5000)
        #expect(fixture.engine.positions.isEmpty)
        fixture.outputs = []
        fixture.engine.apply(close, entryID: "1-3", now: fixture.now, into: &fixture.outputs)
        let again = fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }
        #expect(again.map(\.closed.count) == [0], "a repeated event is acknowledged and changes nothing")
    }

    @Test("a partial close leaves the rest open, in its slot")
    func partialClose() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        try opened(&fixture, symbol: "EURUSD", price: "1.08510")
        fixture.outputs = []
        let part = try #require(
            fixture.event(.closed, entry: "1-2", ticket: 77, extra: ["lot": "0.04", "final": "0", "profit": "1.00"]))
        fixture.engine.apply(part, entryID: "1-2", now: fixture.now, into: &fixture.outputs)
        let effects = fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }
        #expect(effects.map(\.closed.count) == [0])
        #expect(effects.first?.reduced.map { $0.lot.text(minimumDecimals: 2) } == ["0.06"])
        #expect(fixture.engine.positions[key(fixture)]?.lot == Amount("0.06"))
    }

    @Test("a failed confirmation gives the slot back")
    func failed() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        fixture.outputs = []
        let event = try #require(fixture.event(.failed, entry: "1-1", fireID: "f1", extra: ["message": "no money"]))
        fixture.engine.apply(event, entryID: "1-1", now: fixture.now, into: &fixture.outputs)
        let effects = fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }
        #expect(effects.map(\.releasesSlot) == [true])
        #expect(effects.map(\.fire?.state) == [.rejected])
        #expect(fixture.engine.positions.isEmpty)
    }

    @Test("another user's terminal can't answer a fire")
    func foreignAnswer() throws {
        var fixture = TrackerFixture()
        fixture.connect()
        fixture.moveMarket()
        _ = fixture.fire(TrackerFixture.request())
        let forged = try #require(fixture.event(.failed, entry: "1-1", fireID: "f1", user: "stranger"))
        fixture.engine.apply(forged, entryID: "1-1", now: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.fires["f1"]?.state == .sent)
    }

    @Test("random days: one fire outstanding, none sent twice, slots never above the tier")
    func property() throws {
        let seed: UInt64 = 7_191_872
        print("PositionTests seed \(seed)")
        var generator = SeededGenerator(state: seed)
        for _ in 0..<200 { try randomDay(&generator) }
    }

    private func randomDay(_ generator: inout SeededGenerator) throws {
        var fixture = TrackerFixture()
        var slots: Set<String> = []
        var sent: [String: Int] = [:]
        var rows: Set<String> = []
        fixture.connect()
        fixture.moveMarket()
        var handled = 0
        func settle(_ fixture: inout TrackerFixture) {
            while handled < fixture.outputs.count {
                let output = fixture.outputs[handled]
                handled += 1
                switch output {
                case .requestScore(let token, _):
                    fixture.engine.scoreAnswered(token: token, score: nil, now: fixture.now, into: &fixture.outputs)
                case .reserve(let fire, let maximum):
                    let result: ReservationResult =
                        rows.contains(fire.fireID)
                        ? .duplicate(state: "x")
                        : slots.count >= maximum
                            ? .noSlot(slotsUsed: slots.count) : .reserved(slotsUsed: slots.count + 1)
                    if case .reserved = result {
                        slots.insert(fire.fireID)
                        rows.insert(fire.fireID)
                    }
                    fixture.engine.reservationAnswered(
                        fireID: fire.fireID, result, now: fixture.now, into: &fixture.outputs)
                case .send(_, _, .fire(let fire)):
                    sent[fire.fireID, default: 0] += 1
                    fixture.engine.commandHandedOver(
                        fireID: fire.fireID, .sent, now: fixture.now, into: &fixture.outputs)
                case .move(let fire, let releases):
                    if releases { slots.remove(fire.fireID) }
                    if fire.state == .sending {
                        fixture.engine.moveAnswered(
                            fireID: fire.fireID, isDone: true, now: fixture.now, into: &fixture.outputs)
                    }
                case .apply(let effect):
                    if effect.releasesSlot, let fire = effect.fire { slots.remove(fire.fireID) }
                    for position in effect.closed { slots.remove(position.slotField) }
                default: break
                }
            }
        }
        for step in 0..<60 {
            fixture.pass(milliseconds: Int64.random(in: 100...3000, using: &generator))
            fixture.tick("EURUSD", "1.08500", "1.08510")
            let fireID = "f\(Int.random(in: 0..<20, using: &generator))"
            switch Int.random(in: 0..<5, using: &generator) {
            case 0, 1:
                fixture.engine.fire(
                    TrackerFixture.request(fireID), token: step, now: fixture.now, into: &fixture.outputs)
            case 2:
                let extra = ["symbol": "EURUSD", "direction": "BUY", "lot": "0.10", "open_price": "1.08510"]
                let ticket = Int64(step + 1)
                if let event = fixture.event(.opened, entry: "\(step)-1", fireID: fireID, ticket: ticket, extra: extra)
                {
                    fixture.engine.apply(event, entryID: "\(step)-1", now: fixture.now, into: &fixture.outputs)
                }
            case 3:
                let ticket = fixture.engine.positions.keys.map(\.ticket).min()
                if let event = fixture.event(.closed, entry: "\(step)-2", ticket: ticket ?? 0) {
                    fixture.engine.apply(event, entryID: "\(step)-2", now: fixture.now, into: &fixture.outputs)
                }
            default: fixture.engine.advance(to: fixture.now, into: &fixture.outputs)
            }
            settle(&fixture)
            let outstanding = fixture.engine.fires.values.filter { $0.state.isOutstanding }
            #expect(outstanding.count <= 1)
            #expect(slots.count <= 1)
        }
        #expect(sent.values.allSatisfy { $0 == 1 })
    }
}
