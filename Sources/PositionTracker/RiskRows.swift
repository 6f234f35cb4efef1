import Domain
import Trading
import Wire

// The arithmetic of a lot as it is kept and told: every number exact, so that whoever follows it comes to the same lot,
// and that what is read back at a start is what was computed. Where money is shown it is rounded there.

extension RiskAssessment {
    /// The arithmetic, every number of it.
    var json: JSONObject {
        func exact(_ amount: Amount) -> JSON { .number(amount.text(minimumDecimals: 2)) }
        let object: JSONObject = [
            "amount": exact(amount), "currency": .string(currency), "percent": exact(percent),
            "cap_percent": exact(capPercent), "equity": exact(equity), "entry_price": .number(entryPrice.description),
            "stop_pips": .number(stopPips.description), "loss_per_lot": exact(lossPerLot),
            "conversion_rate": .number(conversionRate.description),
            "tier_multiplier": .number(tierMultiplier.description),
            "citadel_multiplier": .number(citadelMultiplier.description), "lot": exact(lot),
        ]
        return terms.map { object.merging($0.json) } ?? object
    }

    /// Reads what ``json`` wrote. Rows of before have no terms, and money of theirs is rounded to cents.
    init?(json: JSONObject) {
        func amount(_ name: String) -> Amount? { json[name]?.text.flatMap { Amount($0) } }
        guard let amountAtRisk = amount("amount"), let currency = json["currency"]?.text, let lot = amount("lot") else {
            return nil
        }
        self.init(
            lot: lot, lossPerLot: amount("loss_per_lot") ?? .zero, amount: amountAtRisk,
            percent: amount("percent") ?? .zero, capPercent: amount("cap_percent") ?? .zero,
            equity: amount("equity") ?? .zero, currency: currency, entryPrice: amount("entry_price") ?? .zero,
            stopPips: amount("stop_pips") ?? .zero, conversionRate: amount("conversion_rate") ?? .zero,
            tierMultiplier: amount("tier_multiplier") ?? .zero,
            citadelMultiplier: amount("citadel_multiplier") ?? .zero, terms: Terms(json: json))
    }
}

extension RiskAssessment.Terms {
    fileprivate var json: JSONObject {
        var object: JSONObject = [
            "asked": .string(size.word), "base_percent": .number(basePercent.description),
            "hard_cap_percent": .number(hardCapPercent.description), "lot_step": .number(lotStep.description),
            "maximum_lot": .number(maximumLot.description),
        ]
        switch size {
        case .lot(let lot): object["asked_lot"] = .number(lot.description)
        case .percent(let percent): object["asked_percent"] = .number(percent.description)
        case .cap: break
        }
        return object
    }

    fileprivate init?(json: JSONObject) {
        func amount(_ name: String) -> Amount? { json[name]?.text.flatMap { Amount($0) } }
        guard let base = amount("base_percent"), let hardCap = amount("hard_cap_percent"),
            let step = amount("lot_step"), let maximum = amount("maximum_lot")
        else { return nil }
        let size: RiskCalculator.Size? =
            switch json["asked"]?.text {
            case "lot": amount("asked_lot").map { .lot($0) }
            case "risk_pct": amount("asked_percent").map { .percent($0) }
            case "cap": .cap
            default: nil
            }
        guard let size else { return nil }
        self.init(size: size, basePercent: base, hardCapPercent: hardCap, lotStep: step, maximumLot: maximum)
    }
}

extension RiskCalculator.Size {
    /// The request's field it came from.
    fileprivate var word: String {
        switch self {
        case .lot: "lot"
        case .percent: "risk_pct"
        case .cap: "cap"
        }
    }
}
