import Domain
import Testing
import Wire

@testable import HealthDashboard
@testable import PositionTracker
@testable import Trading

extension SeededGenerator {
    fileprivate mutating func amount(_ range: ClosedRange<Int64>, decimals: Int) -> Amount {
        let step = (0..<(8 - decimals)).reduce(Int64(1)) { value, _ in value * 10 }
        return Amount(units: Int64.random(in: range, using: &self) * step)
    }
}

/// What somebody does who has only the text: the numbers of a formula, and the arithmetic its words say.
private struct Reader {
    let steps: [String: JSONObject]

    init(_ steps: [JSON]) {
        self.steps = Dictionary(
            steps.compactMap { step in step.object.map { ($0["step"]?.text ?? "", $0) } }
        ) { first, _ in first }
    }

    func formula(_ step: String) -> String { steps[step]?["formula"]?.text ?? "" }
    func result(_ step: String) -> Amount? { steps[step]?["result"]?.text.flatMap { Amount($0) } }

    func numbers(_ step: String) throws -> [Amount] {
        let text = try #require(steps[step], "there is no step '\(step)'")["formula"]?.text ?? ""
        return text.split { !($0.isNumber || $0 == ".") }.compactMap { Amount(String($0)) }
    }

    /// The lot, from nothing but the numbers that are shown; every result on the way there is compared.
    func lot() throws -> Amount {
        let distance = try numbers("distance to the stop")
        #expect((distance[0] - distance[1]).magnitude == result("distance to the stop"))
        let loss = try numbers("loss of one lot at the stop")
        #expect(loss[0] == result("distance to the stop"))
        #expect(loss[0] * loss[1] * loss[2] == result("loss of one lot at the stop"))
        let most = try numbers("most that may be risked")
        #expect(min(most[0] * most[1] * most[2], most[3]) == result("most that may be risked"))
        try expectMoney("the same in money", of: "most that may be risked")
        let lots = try numbers("most lots within that")
        #expect(lots[1] == result("loss of one lot at the stop"))
        #expect(lots[0].divided(by: lots[1])?.roundedDown(toStep: lots[2]) == result("most lots within that"))
        if steps["what was asked for"] != nil {
            let asked = try numbers("what was asked for")
            #expect(min(asked[0], asked[1]) == result("what was asked for"))
            #expect(asked[1] == result("most that may be risked"))
            try expectMoney("that in money", of: "what was asked for")
            #expect(lots[0] == result("that in money"))
        } else {
            #expect(lots[0] == result("the same in money"))
        }
        let found = try numbers("lot")
        let lot: Amount =
            if formula("lot").contains("asked for, rounded down") {
                found[0].roundedDown(toStep: found[1])
            } else if found.count == 2 {
                min(found[0], found[1])
            } else {
                try #require(result("most lots within that"))
            }
        let risk = try numbers("at risk")
        #expect(risk[0] == lot && risk[0] * risk[1] == result("at risk"))
        let percent = try numbers("the same in percent")
        #expect(percent[0] == result("at risk"))
        #expect((percent[0] * percent[1]).divided(by: percent[2]) == result("the same in percent"))
        return lot
    }

    private func expectMoney(_ step: String, of percent: String) throws {
        let money = try numbers(step)
        #expect(money[1] == result(percent))
        #expect((money[0] * money[1]).divided(by: money[2]) == result(step))
    }
}

@Suite("The arithmetic of a lot") struct RiskArithmeticTests {
    private func instrument(step: String = "0.01", maximum: Amount = Amount(100)) -> Instrument {
        let step = Amount(step) ?? .zero
        return Instrument(
            symbol: "EURUSD", kind: .forex, digits: 5, pip: Amount(units: 10_000), contractSize: Amount(100_000),
            quoteCurrency: "USD", lotStep: step, minimumLot: step, maximumLot: maximum)
    }

    private func input(_ size: RiskCalculator.Size, _ instrument: Instrument) throws -> RiskCalculator.Input {
        // CORPORAL, protected: 1 x 1.1 x 1.25 = 1.375 percent.
        RiskCalculator.Input(
            instrument: instrument, entry: try #require(Amount("1.0851")), stop: Amount("1.0841"),
            equity: Amount(10_000), currency: "USD", conversionRate: Amount(1),
            capPercent: try #require(Amount("1.375")), tierMultiplier: try #require(Amount("1.1")),
            citadelMultiplier: try #require(Amount("1.25")), size: size, basePercent: Amount(1),
            hardCapPercent: Amount(2))
    }

    private func shown(_ assessment: RiskAssessment, _ stop: Amount?, _ instrument: Instrument) -> [JSON] {
        // As it comes to the dashboard: through the row's text.
        let text = JSON.object(assessment.json).compactText
        guard let risk = (try? JSON(text))?.object else { return [] }
        return RiskArithmetic(risk, stop: stop?.description, instrument: instrument).steps
    }

    @Test("three decimals of a percentage are kept: the most is the lot, and nobody is said to have asked for less")
    func threeDecimals() throws {
        let instrument = instrument()
        let given = try input(.cap, instrument)
        let assessment = try RiskCalculator.assess(given)
        #expect(assessment.lot.description == "1.37")
        let reader = Reader(shown(assessment, given.stop, instrument))
        let most = "1 percent x 1.1 for the tier x 1.25 for the score, at most 2"
        #expect(reader.formula("most that may be risked") == most)
        #expect(reader.formula("the same in money") == "10000.00 x 1.375 / 100")
        #expect(reader.result("the same in money")?.description == "137.5")
        #expect(reader.result("most lots within that")?.description == "1.37")
        #expect(reader.formula("lot") == "as much as is allowed")
        #expect(try reader.lot() == assessment.lot)
    }

    @Test("a percentage that was asked for, a lot that was, and one cut at the largest are each told as what they are")
    func asked() throws {
        let instrument = instrument()
        func reader(_ size: RiskCalculator.Size, _ instrument: Instrument) throws -> Reader {
            let given = try input(size, instrument)
            return Reader(shown(try RiskCalculator.assess(given), given.stop, instrument))
        }
        let percent = try reader(.percent(try #require(Amount("0.5"))), instrument)
        #expect(percent.formula("what was asked for") == "0.5 percent, at most 1.375")
        #expect(percent.formula("lot") == "as much as was asked for in percent")
        #expect(try percent.lot().description == "0.5")
        let lot = try reader(.lot(try #require(Amount("0.129"))), instrument)
        #expect(lot.formula("lot") == "0.129 asked for, rounded down to steps of 0.01")
        #expect(try lot.lot().description == "0.12")
        let cut = try reader(.cap, self.instrument(maximum: Amount(1)))
        #expect(cut.formula("lot") == "1.37, at most 1: the largest for this symbol")
        #expect(try cut.lot() == Amount(1))
    }

    @Test("in a currency of small units nothing becomes 0, also not when it is read back")
    func smallUnits() throws {
        let instrument = instrument(step: "0.00001")
        var given = try input(.cap, instrument)
        given.equity = try #require(Amount("0.05"))
        given.currency = "BTC"
        given.conversionRate = try #require(Amount("0.00001"))
        let assessment = try RiskCalculator.assess(given)
        #expect(assessment.amount.isPositive && assessment.amount.money == "0.00")
        let object = try #require(try JSON(JSON.object(assessment.json).compactText).object)
        #expect(RiskAssessment(json: object) == assessment)
        #expect(try Reader(shown(assessment, given.stop, instrument)).lot() == assessment.lot)
    }

    @Test("a row from before the terms were kept is read, and claims nothing of what was asked for")
    func oldRow() throws {
        let text =
            #"{"amount":50.00,"currency":"USD","percent":0.50,"cap_percent":1.38,"equity":10000.00,"entry_price":1.085,"stop_pips":50,"loss_per_lot":500.00,"conversion_rate":1,"tier_multiplier":1.1,"citadel_multiplier":1.25,"lot":0.10}"#
        let object = try #require(try JSON(text).object)
        let read = try #require(RiskAssessment(json: object))
        #expect(read.terms == nil && read.amount == Amount(50) && read.lossPerLot == Amount(500))
        let reader = Reader(RiskArithmetic(object, stop: "1.08", instrument: instrument()).steps)
        #expect(reader.formula("lot") == "what was asked for: this row does not keep how")
        #expect(reader.formula("most that may be risked").hasSuffix("for the score, within the cap"))
    }

    @Test("random tiers, equities, stops and steps: from the numbers that are shown the lot comes out, digit for digit")
    func property() throws {
        let seed: UInt64 = 20_261_121
        print("RiskArithmeticTests seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        var counts: [String: Int] = [:]
        for _ in 0..<4000 {
            let steps = ["0.001", "0.01", "0.02", "0.1", "1"]
            let instrument = instrument(
                step: steps[Int.random(in: 0..<steps.count, using: &numbers)],
                maximum: numbers.amount(1...200, decimals: 0))
            var policy = RiskPolicy(
                tiers: [Tier(name: "T", slots: 1, multiplier: numbers.amount(50...300, decimals: 2))],
                defaultTier: "T", basePercent: numbers.amount(1...4000, decimals: 3),
                capPercent: numbers.amount(1...5000, decimals: 3),
                citadel: [(.zero, numbers.amount(10...200, decimals: 2))])
            policy.perUserPerMinute = 0
            var user = User(uuid: "u", tier: "T", createdAt: Timestamp(milliseconds: 0))
            if Bool.random(using: &numbers) { user.riskPercent = numbers.amount(1...3000, decimals: 3) }
            let entry = numbers.amount(50_000...200_000, decimals: 5)
            let stop = entry - numbers.amount(1...9000, decimals: 5)
            let size: RiskCalculator.Size =
                switch Int.random(in: 0..<3, using: &numbers) {
                case 0: .lot(numbers.amount(1...50_000, decimals: 4))
                case 1: .percent(numbers.amount(1...50_000, decimals: 4))
                default: .cap
                }
            let given = RiskCalculator.Input(
                instrument: instrument, entry: entry, stop: stop, equity: numbers.amount(1...900_000_000, decimals: 3),
                currency: "USD", conversionRate: numbers.amount(1...300_000_000, decimals: 8),
                capPercent: policy.percentCap(user: user, score: nil), tierMultiplier: policy.tier("T").multiplier,
                citadelMultiplier: policy.citadelMultiplier(nil), size: size, basePercent: policy.base(of: user),
                hardCapPercent: policy.capPercent)
            guard let assessment = try? RiskCalculator.assess(given) else {
                counts["refused", default: 0] += 1
                continue
            }
            let reader = Reader(shown(assessment, stop, instrument))
            #expect(try reader.lot() == assessment.lot, "\(given)")
            #expect(reader.result("lot") == assessment.lot)
            counts[reader.steps["lot"]?["formula"]?.text?.filter { !$0.isNumber && $0 != "." } ?? "?", default: 0] += 1
        }
        print("RiskArithmeticTests: \(counts.sorted { $0.key < $1.key }.map { "\($0.value) x '\($0.key)'" })")
        // Every way a lot is found was met, often.
        #expect(counts.count == 5 && counts.values.allSatisfy { $0 >= 20 })
    }
}
