import Domain
import Testing

@testable import Trading

@Suite("Hybrid fires") struct HybridFireTests {
    private static let plan = HybridPlan(first: 10, second: 20, trail: 15)

    private func request(_ lot: String?) -> FireRequest {
        var request = TrackerFixture.request(lot: lot)
        request.hybrid = HybridFireTests.plan
        return request
    }

    @Test(
        "a lot is parted as the terminal does it: a quarter, a quarter, and what is left",
        arguments: [
            ("0.40", "0.10 0.10 0.20"), ("0.10", "0.03 0.03 0.04"), ("0.05", "0.01 0.01 0.03"),
            ("0.03", "0.01 0.01 0.01"), ("0.02", "0.01 0.01 0.00"), ("0.01", "0.00 0.00 0.01"),
            ("1.13", "0.28 0.28 0.57"),
        ])
    func parts(lot: String, expected: String) throws {
        let lots = HybridPlan.lots(of: try #require(Amount(lot)))
        #expect(lots.map { $0.text(minimumDecimals: 2) }.joined(separator: " ") == expected)
    }

    @Test("a lot counts as one that can be parted exactly where three tradable parts add up to it")
    func partable() throws {
        let small = TrackerFixture.forex("EURUSD", 5, "0.0001", "USD")
        for hundredths in 1...500 {
            let lot = Amount(units: Int64(hundredths) * 1_000_000)
            #expect(HybridPlan.lots(of: lot).reduce(.zero, +) == lot)
            #expect(HybridPlan.isPartable(lot, small) == (hundredths >= 3), "\(lot)")
        }
        var tenths = small
        tenths.lotStep = try #require(Amount("0.1"))
        tenths.minimumLot = tenths.lotStep
        let good = (1...40).filter { HybridPlan.isPartable(Amount(units: Int64($0) * 10_000_000), tenths) }
        #expect(good == [4, 8, 12, 16, 20, 24, 28, 32, 36, 40])
        var fine = small
        fine.lotStep = try #require(Amount("0.001"))
        #expect(!HybridPlan.isPartable(try #require(Amount("0.125")), fine), "two decimals are all the terminal keeps")
    }

    @Test("2.05 and 2.06H get it with its plan, and the answer says its parts", arguments: ["2.05", "2.06H"])
    func sends(version: String) throws {
        var fixture = TrackerFixture(version: version)
        let answer = try #require(fixture.fire(request("0.30")).first)
        #expect(answer.state == .sent && answer.hybrid == HybridFireTests.plan)
        #expect(fixture.sentFires.map(\.hybrid) == [HybridFireTests.plan])
        #expect(fixture.sentFires.map(\.lot) == [Amount("0.30")])
    }

    @Test(
        "any other family is denied, and never opens a plain trade of it",
        arguments: ["2.02", "2.01", "7.01", "own", "3.0", nil])
    func otherFamilies(version: String?) throws {
        var fixture = TrackerFixture(version: version)
        let answer = try #require(fixture.fire(request("0.40")).first)
        #expect(answer.denial?.reason == .hybridUnsupported)
        #expect(answer.denial?.message.contains("2.06H") == true)
        #expect(fixture.sentFires.isEmpty && fixture.engine.fires.isEmpty)
        let rows = fixture.outputs.compactMap { if case .recordDenial(let fire) = $0 { fire } else { nil } }
        #expect(rows.map(\.hybrid) == [HybridFireTests.plan], "the denied row says what was asked for")
    }

    @Test("a lot whose parts can't be traded is denied with the lots that can")
    func unpartable() throws {
        var fixture = TrackerFixture(version: "2.05")
        let answer = try #require(fixture.fire(request("0.02")).first)
        #expect(answer.denial?.reason == .riskExceeded)
        let message = try #require(answer.denial?.message)
        #expect(message.contains("0.01 + 0.01 + 0.00") && message.contains("0.03 can"), "\(message)")
        #expect(fixture.sentFires.isEmpty)
        #expect(fixture.fire(TrackerFixture.request(lot: "0.02")).first?.state == .sent, "plain it leaves")
    }

    @Test("a lot that is to be computed is the largest that can be parted within the risk")
    func computed() throws {
        let input = RiskCalculator.Input(
            instrument: TrackerFixture.instrument("GER40", .index, 1, "1", "1", "USD"), entry: Amount(20_000),
            stop: Amount(19_900), equity: Amount(10_000), currency: "USD", conversionRate: Amount(1),
            capPercent: Amount(1), tierMultiplier: Amount(1), citadelMultiplier: Amount(1), size: .cap)
        var tenths = input
        tenths.instrument.lotStep = try #require(Amount("0.1"))
        tenths.instrument.minimumLot = tenths.instrument.lotStep
        tenths.equity = Amount(7_000)
        let whole = try RiskCalculator.assess(tenths)
        #expect(whole.lot == Amount("0.7"))
        let parted = try TrackerFixture(version: "2.05").engine.parted(whole, tenths)
        #expect(parted.lot == Amount("0.4"), "0.7 would be 0.18 + 0.18 + 0.34, of which none is a step")
        #expect(parted.amount == Amount(40))
        #expect(parted.terms?.size == .cap, "nobody asked for that lot")
        tenths.size = .lot(try #require(Amount("0.7")))
        #expect(throws: Denial.self) { try TrackerFixture(version: "2.05").engine.parted(whole, tenths) }
    }

    /// Tells of an opening of `f1`; returns the position it became.
    private func opened(
        _ ticket: Int64, _ lot: String, _ source: String, _ fixture: inout TrackerFixture
    ) throws -> Position {
        let extra = [
            "symbol": "EURUSD", "direction": "BUY", "lot": lot, "open_price": "1.08510", "source": source,
            "witness": "positions",
        ]
        fixture.outputs = []
        let event = try #require(
            fixture.event(.opened, entry: "\(ticket)", fireID: "f1", ticket: ticket, extra: extra))
        fixture.engine.apply(event, entryID: "\(ticket)-0", now: fixture.now, into: &fixture.outputs)
        let effects = fixture.outputs.compactMap { if case .apply(let effect) = $0 { effect } else { nil } }
        return try #require(effects.first?.opened.first)
    }

    @Test(
        "parts that a list shows are the fire's, and hold no slot; a copy of a plain fire is an orphan as ever",
        arguments: [true, false])
    func parts(isHybrid: Bool) throws {
        var fixture = TrackerFixture(version: "2.06H")
        let asked = isHybrid ? request("0.20") : TrackerFixture.request(lot: "0.20")
        #expect(fixture.fire(asked).first?.state == .sent)
        let first = try opened(5, "0.20", "message", &fixture)
        #expect(first.hybridPart == (isHybrid ? .first : nil) && first.takesSlot && first.slotField == "f1")
        #expect((first.takeProfit == nil) == isHybrid, "a hybrid's command has a target that nobody reads")
        let second = try opened(6, "0.05", "inferred", &fixture)
        #expect(second.hybridPart == (isHybrid ? .further : nil))
        #expect(second.fireID == (isHybrid ? "f1" : nil) && second.isOrphan == !isHybrid && !second.takesSlot)
        #expect(second.stopLoss == (isHybrid ? "1.08" : nil))
        #expect(second.slotField == second.key.description, "its end frees nobody's slot")
        let told = try opened(7, "0.05", "message", &fixture)
        #expect(told.isOrphan, "only a witness can say whose part it is")
    }
}
