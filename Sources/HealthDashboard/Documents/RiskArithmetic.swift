import Domain
import Wire

/// The arithmetic of a lot, one line for each step, from the numbers that its row kept. Exact decimals throughout.
struct RiskArithmetic {
    private(set) var steps: [JSON] = []
    private let risk: JSONObject
    /// Loss of one lot with all its decimals, where it can be computed anew; the row keeps cents.
    private let exactLoss: Amount?
    private let hundred = Amount(100)

    /// - Parameters:
    ///   - risk: the row's field `risk`, an object of decimal numbers.
    ///   - instrument: from symbols.yaml; what it says today may not be what it said then, so it is checked.
    init(_ risk: JSONObject, stop: String?, instrument: Instrument?) {
        self.risk = risk
        func amount(_ name: String) -> Amount? { risk[name]?.text.flatMap { Amount($0) } }
        let stop = stop.flatMap { Amount($0) }
        if let instrument, let stop, let entry = amount("entry_price"), let rate = amount("conversion_rate") {
            let product = (entry - stop).magnitude * instrument.contractSize * rate
            exactLoss = product.money == amount("loss_per_lot")?.money ? product : nil
        } else {
            exactLoss = nil
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
        guard let loss = amount("loss_per_lot") else { return }
        add("loss of one lot at the stop", lossFormula(stop, instrument), loss.money, currency)
    }

    private func lossFormula(_ stop: Amount?, _ instrument: Instrument?) -> String {
        let rate = amount("conversion_rate")
        if exactLoss != nil, let instrument, let entry = amount("entry_price"), let stop, let rate {
            return "\((entry - stop).magnitude) x \(instrument.contractSize) units a lot x \(rate) to \(currency)"
        }
        return "distance x units a lot x \(rate.map { "\($0)" } ?? "rate") to \(currency)"
    }

    private mutating func addCap() {
        guard let cap = amount("cap_percent") else { return }
        let tier = amount("tier_multiplier").map { "\($0)" } ?? "?"
        let citadel = amount("citadel_multiplier").map { "\($0)" } ?? "?"
        add(
            "most that may be risked", "base percent x \(tier) for the tier x \(citadel) for the score, within the cap",
            "\(cap)", "percent of equity")
        guard let equity = amount("equity"), let money = (equity * cap).divided(by: hundred) else { return }
        add("the same in money", "\(equity.money) x \(cap) / 100", money.money, currency)
    }

    private mutating func addLot(_ instrument: Instrument?) {
        guard let lot = amount("lot") else { return }
        if let equity = amount("equity"), let cap = amount("cap_percent"),
            let loss = exactLoss ?? amount("loss_per_lot"), loss.isPositive,
            let money = (equity * cap).divided(by: hundred), let lots = money.divided(by: loss)
        {
            let most = instrument.map { lots.roundedDown(toStep: $0.lotStep) } ?? lots
            let rounding = instrument.map { ", rounded down to steps of \($0.lotStep)" } ?? ""
            add("most lots within that", "\(money.money) / \(loss.money)\(rounding)", "\(most)", "lots")
            let how = lot < most ? "as asked for, less than the most" : "the most that is allowed"
            return add("lot", how, lot.text(minimumDecimals: 2), "lots")
        }
        add("lot", "as asked for", lot.text(minimumDecimals: 2), "lots")
    }

    private mutating func addResult() {
        guard let amount = amount("amount"), let lot = self.amount("lot"), let loss = self.amount("loss_per_lot") else {
            return
        }
        add("at risk", "\(lot.text(minimumDecimals: 2)) x \(loss.money)", amount.money, currency)
        guard let percent = self.amount("percent"), let equity = self.amount("equity") else { return }
        add("the same in percent", "\(amount.money) x 100 / \(equity.money)", percent.money, "percent of equity")
    }
}
