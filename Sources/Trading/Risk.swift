public import Domain

/// The arithmetic of one trade's risk, every number of it, so that it can be shown.
public struct RiskAssessment: Sendable, Equatable {
    public var lot: Amount
    /// Loss at the stop for one lot, in the account's currency.
    public var lossPerLot: Amount
    /// Loss at the stop, in the account's currency.
    public var amount: Amount
    public var percent: Amount
    public var capPercent: Amount
    public var equity: Amount
    public var currency: String
    public var entryPrice: Amount
    public var stopPips: Amount
    public var conversionRate: Amount
    public var tierMultiplier: Amount
    public var citadelMultiplier: Amount
    /// Whether there was a stop to compute a loss from.
    public var hasStop: Bool { lossPerLot.isPositive }
    /// What was asked for, and within which bounds the lot was found; nil in a row from before they were kept.
    public var terms: Terms?

    /// What the lot was found from, beside the numbers of the assessment itself.
    public struct Terms: Sendable, Equatable {
        public var size: RiskCalculator.Size
        /// The user's own base, or the policy's, before the multipliers.
        public var basePercent: Amount
        /// What no multiplier lifts the risk above.
        public var hardCapPercent: Amount
        public var lotStep: Amount
        public var maximumLot: Amount

        public init(
            size: RiskCalculator.Size, basePercent: Amount, hardCapPercent: Amount, lotStep: Amount, maximumLot: Amount
        ) {
            self.size = size
            self.basePercent = basePercent
            self.hardCapPercent = hardCapPercent
            self.lotStep = lotStep
            self.maximumLot = maximumLot
        }
    }

    public init(
        lot: Amount, lossPerLot: Amount, amount: Amount, percent: Amount, capPercent: Amount, equity: Amount,
        currency: String, entryPrice: Amount, stopPips: Amount, conversionRate: Amount, tierMultiplier: Amount,
        citadelMultiplier: Amount, terms: Terms? = nil
    ) {
        self.lot = lot
        self.lossPerLot = lossPerLot
        self.amount = amount
        self.percent = percent
        self.capPercent = capPercent
        self.equity = equity
        self.currency = currency
        self.entryPrice = entryPrice
        self.stopPips = stopPips
        self.conversionRate = conversionRate
        self.tierMultiplier = tierMultiplier
        self.citadelMultiplier = citadelMultiplier
        self.terms = terms
    }
}

/// Why no lot came out of it.
public struct RiskRefusal: Error, Sendable, Equatable {
    public let message: String
}

/// Turns a stop and a share of equity into lots, or a given lot into its share of equity. Exact decimals throughout.
public struct RiskCalculator: Sendable {
    public enum Size: Sendable, Equatable {
        case lot(Amount)
        case percent(Amount)
        /// As much as the cap allows.
        case cap

        /// The lot that was asked for; nil where it was to be computed.
        public var asked: Amount? { if case .lot(let lot) = self { lot } else { nil } }
    }

    public struct Input: Sendable {
        public var instrument: Instrument
        public var entry: Amount
        public var stop: Amount?
        public var equity: Amount
        public var currency: String
        public var conversionRate: Amount
        public var capPercent: Amount
        public var tierMultiplier: Amount
        public var citadelMultiplier: Amount
        public var size: Size
        /// What the cap was made of, to be shown; nil where it is a number of its own.
        public var basePercent: Amount?
        public var hardCapPercent: Amount?
    }

    public static func assess(_ input: Input) throws(RiskRefusal) -> RiskAssessment {
        let instrument = input.instrument
        guard input.equity.isPositive else {
            throw RiskRefusal(message: "the account's equity is \(input.equity.money)")
        }
        let distance = input.stop.map { (input.entry - $0).magnitude } ?? .zero
        let lossPerLot = distance * instrument.contractSize * input.conversionRate
        let hundred = Amount(100)
        let lot: Amount
        switch input.size {
        case .lot(let given):
            guard given.isPositive else { throw RiskRefusal(message: "the lot must be above 0") }
            lot = given.roundedDown(toStep: instrument.lotStep)
        case .percent, .cap:
            guard lossPerLot.isPositive else {
                throw RiskRefusal(message: "lots can't be computed from a risk without a stop; give a lot or a stop")
            }
            let wanted: Amount = if case .percent(let percent) = input.size { percent } else { input.capPercent }
            // In the order in which it is told, so that who follows the steps comes to the same lot.
            guard let money = (input.equity * min(wanted, input.capPercent)).divided(by: hundred),
                let lots = money.divided(by: lossPerLot)
            else { throw RiskRefusal(message: "lots can't be computed from this stop") }
            lot = min(lots.roundedDown(toStep: instrument.lotStep), instrument.maximumLot)
        }
        if case .lot(let given) = input.size, lot < instrument.minimumLot {
            throw RiskRefusal(
                message: "\(given) lots are below the smallest of \(instrument.minimumLot) for this symbol")
        }
        guard lot >= instrument.minimumLot else {
            throw RiskRefusal(
                message: "\(lot) lots are below the smallest of \(instrument.minimumLot): "
                    + "one smallest lot risks \((lossPerLot * instrument.minimumLot).money) \(input.currency), "
                    + "the cap is \((input.equity * input.capPercent).divided(by: hundred)?.money ?? "0.00")")
        }
        guard lot <= instrument.maximumLot else {
            throw RiskRefusal(message: "\(lot) lots are above the largest of \(instrument.maximumLot)")
        }
        let amount = lossPerLot * lot
        let percent = (amount * hundred).divided(by: input.equity) ?? .zero
        let assessment = RiskAssessment(
            lot: lot, lossPerLot: lossPerLot, amount: amount, percent: percent, capPercent: input.capPercent,
            equity: input.equity, currency: input.currency, entryPrice: input.entry,
            stopPips: distance.divided(by: instrument.pip) ?? .zero, conversionRate: input.conversionRate,
            tierMultiplier: input.tierMultiplier, citadelMultiplier: input.citadelMultiplier,
            terms: RiskAssessment.Terms(
                size: input.size, basePercent: input.basePercent ?? input.capPercent,
                hardCapPercent: input.hardCapPercent ?? input.capPercent, lotStep: instrument.lotStep,
                maximumLot: instrument.maximumLot))
        guard percent <= input.capPercent else {
            throw RiskRefusal(
                message: "\(lot) lots risk \(amount.money) \(input.currency), \(percent.money) % of equity; "
                    + "the cap is \(input.capPercent.money) %")
        }
        return assessment
    }
}

/// Profit of a position at a price, in the account's currency.
public enum Profit {
    public static func amount(
        direction: Direction, lot: Amount, open: Amount, price: Amount, contractSize: Amount, conversionRate: Amount
    ) -> Amount {
        let move = direction == .buy ? price - open : open - price
        return move * contractSize * lot * conversionRate
    }
}
