import Domain
import Wire

/// The arithmetic of a lot, one line for each step, from the numbers that its row kept. Exact decimals throughout: who
/// does what the formulas say with the numbers in them comes to the results, and to the lot.
struct RiskArithmetic {
    private(set) var steps: [JSON] = []
    private let risk: JSONObject
    /// Loss of one lot with all its decimals. Rows of before kept cents: there it is computed anew where that is possible.
    private let loss: Amount?
    /// Whether that is what the instrument of today makes it.
    private let isOfInstrument: Bool
    private let hundred = Amount(100)

    /// - Parameters:
    ///   - risk: the row's field `risk`, an object of decimal numbers.
    ///   - instrument: from symbols.yaml; what it says today may not be what it said then, so it is checked.
    init(_ risk: JSONObject, stop: String?, instrument: Instrument?) {
        self.risk = risk
        func amount(_ name: String) -> Amount? { risk[name]?.text.flatMap { Amount($0) } }
        let stop = stop.flatMap { Amount($0) }
        let kept = amount("loss_per_lot")
        var product: Amount?
        if let instrument, let stop, let entry = amount("entry_price"), let rate = amount("conversion_rate") {
            product = (entry - stop).magnitude * instrument.contractSize * rate
        }
        if risk["asked"] != nil {
            isOfInstrument = product != nil && product == kept
            loss = kept
        } else {
            isOfInstrument = product != nil && product?.money == kept?.money
            loss = isOfInstrument ? product : kept
        }
        addStop(stop, instrument)
        addCap()
        addLot(instrument)
        addResult()
    }

    private func amount(_ name: String) -> Amount? { risk[name]?.text.flatMap { Amount($0) } }
    private var currency: String { risk["currency"]?.text ?? "" }

    private mutating func add(_ step: String, _ formula: String, _ result: String, _ unit: String) {
        steps.append(
            .object([
                "step": .string(step), "formula": .string(formula), "result": .number(result), "unit": .string(unit),
            ]))
    }

    private mutating func addStop(_ stop: Amount?, _ instrument: Instrument?) {
        if let entry = amount("entry_price"), let stop {
            add("distance to the stop", "|\(entry) - \(stop)|", "\((entry - stop).magnitude)", "price")
        }
        if let pips = amount("stop_pips"), pips.isPositive {
            let formula = instrument.map { "distance / \($0.pip), the pip of \($0.symbol)" } ?? "distance / pip"
            add("the stop in pips", formula, "\(pips)", "pips")
        }
        guard let loss else { return }
        add("loss of one lot at the stop", lossFormula(stop, instrument), RiskArithmetic.text(loss), currency)
    }

    /// Every decimal it has, and two at least.
    private static func text(_ amount: Amount) -> String { amount.text(minimumDecimals: 2) }

    private func lossFormula(_ stop: Amount?, _ instrument: Instrument?) -> String {
        let rate = amount("conversion_rate")
        if isOfInstrument, let instrument, let entry = amount("entry_price"), let stop, let rate {
            return "\((entry - stop).magnitude) x \(instrument.contractSize) units a lot x \(rate) to \(currency)"
        }
        return "distance x units a lot x \(rate.map { "\($0)" } ?? "rate") to \(currency)"
    }

    private mutating func addCap() {
        guard let cap = amount("cap_percent") else { return }
        let tier = amount("tier_multiplier").map { "\($0)" } ?? "?"
        let citadel = amount("citadel_multiplier").map { "\($0)" } ?? "?"
        let base = amount("base_percent").map { "\($0)" } ?? "base"
        let limit = amount("hard_cap_percent").map { "at most \($0)" } ?? "within the cap"
        add(
            "most that may be risked", "\(base) percent x \(tier) for the tier x \(citadel) for the score, \(limit)",
            "\(cap)", "percent of equity")
        guard let equity = amount("equity"), let money = (equity * cap).divided(by: hundred) else { return }
        add("the same in money", "\(RiskArithmetic.text(equity)) x \(cap) / 100", RiskArithmetic.text(money), currency)
    }

    private mutating func addLot(_ instrument: Instrument?) {
        guard let lot = amount("lot") else { return }
        let lotText = RiskArithmetic.text(lot)
        let cap = amount("cap_percent")
        // What the lots are found from: the most that may be risked, or less where less was asked for.
        var percent = cap
        if let asked = amount("asked_percent"), let cap, let equity = amount("equity") {
            let used = min(asked, cap)
            percent = used
            add("what was asked for", "\(asked) percent, at most \(cap)", "\(used)", "percent of equity")
            let money = (equity * used).divided(by: hundred) ?? .zero
            add("that in money", "\(RiskArithmetic.text(equity)) x \(used) / 100", RiskArithmetic.text(money), currency)
        }
        let most = addMost(percent, amount("lot_step") ?? instrument?.lotStep)
        add("lot", source(of: lot, most), lotText, "lots")
    }

    /// How many lots a percentage of the equity comes to; nil where that is not known.
    private mutating func addMost(_ percent: Amount?, _ step: Amount?) -> Amount? {
        guard let equity = amount("equity"), let percent, let loss, loss.isPositive,
            let money = (equity * percent).divided(by: hundred), let lots = money.divided(by: loss)
        else { return nil }
        let most = step.map { lots.roundedDown(toStep: $0) } ?? lots
        let rounding = step.map { ", rounded down to steps of \($0)" } ?? ""
        let formula = "\(RiskArithmetic.text(money)) / \(RiskArithmetic.text(loss))\(rounding)"
        add("most lots within that", formula, "\(most)", "lots")
        return most
    }

    private func source(of lot: Amount, _ most: Amount?) -> String {
        switch risk["asked"]?.text {
        case "lot":
            let asked = amount("asked_lot").map { "\($0) " } ?? ""
            return "\(asked)asked for" + (amount("lot_step").map { ", rounded down to steps of \($0)" } ?? "")
        case "risk_pct", "cap":
            if let most, lot < min(most, amount("maximum_lot") ?? most) {
                return "the most within that which the terminal can open in the three parts of a hybrid"
            }
            guard let most, let maximum = amount("maximum_lot"), maximum < most else {
                return risk["asked"]?.text == "cap" ? "as much as is allowed" : "as much as was asked for in percent"
            }
            return "\(most), at most \(maximum): the largest for this symbol"
        default:
            // A row of before says nothing of what was asked for.
            guard let most, lot >= most else { return "what was asked for: this row does not keep how" }
            return "the most that is allowed"
        }
    }

    private mutating func addResult() {
        guard let amount = amount("amount"), let lot = self.amount("lot"), let loss else { return }
        let text = RiskArithmetic.text(amount)
        add("at risk", "\(RiskArithmetic.text(lot)) x \(RiskArithmetic.text(loss))", text, currency)
        guard let percent = self.amount("percent"), let equity = self.amount("equity") else { return }
        add(
            "the same in percent", "\(text) x 100 / \(RiskArithmetic.text(equity))", RiskArithmetic.text(percent),
            "percent of equity")
    }
}
