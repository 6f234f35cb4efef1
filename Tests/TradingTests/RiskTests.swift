import Domain
import Testing

@testable import Trading

@Suite("Risk and profit") struct RiskTests {
    @Test(
        "profit in a USD account, by hand",
        arguments: [
            // symbol, direction, lot, open, price, conversion of the quote currency, expected
            ("EURUSD", Direction.buy, "0.10", "1.08510", "1.08610", "1", "10.00"),
            ("EURUSD", .sell, "0.10", "1.08510", "1.08610", "1", "-10.00"),
            ("USDJPY", .buy, "1.00", "150.000", "150.300", "0.00666223", "199.87"),
            ("XAUUSD", .buy, "0.05", "2400.30", "2410.30", "1", "50.00"),
            ("XAGUSD", .sell, "0.02", "28.500", "28.250", "1", "25.00"),
            ("GER40", .buy, "2", "18000.0", "18010.5", "1.085", "22.78"),
        ])
    func profit(
        _ symbol: String, _ direction: Direction, _ lot: String, _ open: String, _ price: String, _ rate: String,
        _ expected: String
    ) throws {
        let instrument = try #require(TrackerFixture.catalogue.instruments[symbol])
        let profit = Profit.amount(
            direction: direction, lot: try #require(Amount(lot)), open: try #require(Amount(open)),
            price: try #require(Amount(price)), contractSize: instrument.contractSize,
            conversionRate: try #require(Amount(rate)))
        #expect(profit.money == expected)
    }

    private func input(_ size: RiskCalculator.Size, cap: String = "1.0", stop: String = "1.08010") throws
        -> RiskCalculator.Input
    {
        RiskCalculator.Input(
            instrument: try #require(TrackerFixture.catalogue.instruments["EURUSD"]),
            entry: try #require(Amount("1.08510")), stop: Amount(stop), equity: Amount(10_000),
            currency: "USD", conversionRate: Amount(1), capPercent: try #require(Amount(cap)),
            tierMultiplier: Amount(1), citadelMultiplier: Amount(1), size: size)
    }

    @Test("one percent of 10,000 on a stop of 50 pips is 0.20 lots")
    func lotsFromPercent() throws {
        let assessment = try RiskCalculator.assess(input(.percent(Amount(1))))
        #expect(assessment.lot.text(minimumDecimals: 2) == "0.20")
        #expect(assessment.amount.money == "100.00")
        #expect(assessment.stopPips == Amount(50))
    }

    @Test("lots are rounded down to the step, never up over the cap")
    func roundsDown() throws {
        let assessment = try RiskCalculator.assess(input(.percent(Amount(1)), stop: "1.07777"))
        #expect(assessment.lot.text(minimumDecimals: 2) == "0.13")
        #expect(assessment.percent <= Amount(1))
    }

    @Test("the lot that MT5 rejected, 0.09447600000000202, becomes 0.09")
    func lotStep() throws {
        let lot = try #require(Amount("0.09447600000000202"))
        #expect(try RiskCalculator.assess(input(.lot(lot))).lot.text(minimumDecimals: 2) == "0.09")
    }

    @Test("a stop too wide for the smallest lot is refused with the arithmetic")
    func tooWide() throws {
        var wide = try input(.cap, cap: "0.01")
        wide.equity = Amount(100)
        #expect(throws: RiskRefusal.self) { try RiskCalculator.assess(wide) }
    }

    @Test("the cap is the smaller of two percent and base times tier times CITADEL")
    func cap() {
        let policy = TrackerFixture.policy
        let now = Timestamp(milliseconds: 0)
        func cap(_ tier: String, _ score: String?) -> String {
            let user = User(uuid: "u", tier: tier, createdAt: now)
            return policy.percentCap(user: user, score: score.flatMap { Amount($0) }).description
        }
        #expect(cap("RECRUIT", "7") == "1")
        #expect(cap("RECRUIT", "8") == "1.25")
        #expect(cap("RECRUIT", "5.9") == "0.75")
        #expect(cap("RECRUIT", nil) == "0.5")
        #expect(cap("COMMANDER", "9") == "2")
        #expect(cap("COMMANDER", "3.9") == "1")
    }

    @Test("random sizes never pass the cap, and lots are multiples of the step")
    func property() throws {
        let seed: UInt64 = 20_261_121
        print("RiskTests seed \(seed)")
        var generator = SeededGenerator(state: seed)
        for _ in 0..<5000 {
            let pips = Int64.random(in: 1...900, using: &generator)
            let stop = Amount(units: 108_510_000 - pips * 10_000)
            let cap = Amount(units: Int64.random(in: 1_000_000...200_000_000, using: &generator))
            var input = try input(.percent(Amount(units: Int64.random(in: 1...500_000_000, using: &generator))))
            input.stop = stop
            input.capPercent = cap
            input.equity = Amount(units: Int64.random(in: 1_000_000_000...10_000_000_000_000, using: &generator))
            guard let assessment = try? RiskCalculator.assess(input) else { continue }
            #expect(assessment.percent <= cap)
            #expect(assessment.lot.units % 1_000_000 == 0)
            #expect(assessment.lot.isPositive)
        }
    }
}

/// A small generator whose seed can be printed and given again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
