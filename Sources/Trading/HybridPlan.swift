public import Domain

/// A fire in three parts, as 2.05 and 2.06H know it: a quarter with a near target, a quarter with a farther one, the rest
/// without a target, to be trailed. Source: ea-wire 2.
public struct HybridPlan: Sendable, Equatable {
    /// What the terminals read of a number: five characters. The bound keeps a sell's target above nothing.
    public static let pips = 1...10_000
    /// Percent of the lot in each of the first two parts; the terminal reads none.
    public static let share = 25

    /// Distance of the first part's target from its opening, in what the terminal takes for a pip.
    public let first: Int
    public let second: Int
    /// Distance of the trail.
    public let trail: Int

    public init(first: Int, second: Int, trail: Int) {
        self.first = first
        self.second = second
        self.trail = trail
    }

    private static let hundredth = Amount.unitsPerOne / 100

    /// The lots the terminal makes of one: a quarter, a quarter and what is left, each rounded to two decimals.
    public static func lots(of lot: Amount) -> [Amount] {
        let quarter = lot.units / 4
        return parts(lot, quarter: (quarter + hundredth / 2) / hundredth * hundredth)
    }

    private static func parts(_ lot: Amount, quarter: Int64) -> [Amount] {
        let left = max(0, lot.units - 2 * quarter)
        let rest = (left + hundredth / 2) / hundredth * hundredth
        return [Amount(units: quarter), Amount(units: quarter), Amount(units: rest)]
    }

    /// Whether the terminal makes three tradable parts of it that add up to it, whichever way its binary fractions round a
    /// quarter that lies in the middle of two hundredths.
    public static func isPartable(_ lot: Amount, _ instrument: Instrument) -> Bool {
        let quarter = lot.units / 4
        let down = quarter / hundredth * hundredth
        let isBetween = lot.units % 4 == 0 && quarter - down == hundredth / 2
        let ways = isBetween ? [parts(lot, quarter: down), lots(of: lot)] : [lots(of: lot)]
        return ways.allSatisfy { way in
            way.reduce(.zero, +) == lot
                && way.allSatisfy { $0 >= instrument.minimumLot && $0.roundedDown(toStep: instrument.lotStep) == $0 }
        }
    }

    /// The nearest lots beside one that can't be parted: the next below it and the next above.
    public static func nearest(_ lot: Amount, _ instrument: Instrument) -> (below: Amount?, above: Amount?) {
        guard instrument.lotStep.isPositive else { return (nil, nil) }
        var below: Amount?
        var above: Amount?
        let start = lot.roundedDown(toStep: instrument.lotStep)
        for count in 1...400 where below == nil || above == nil {
            let distance = Amount(count) * instrument.lotStep
            if below == nil, (start - distance).isPositive, isPartable(start - distance, instrument) {
                below = start - distance
            }
            let next = start + distance
            if above == nil, next <= instrument.maximumLot, isPartable(next, instrument) { above = next }
        }
        return (below, above)
    }
}

extension PositionTrackerEngine {
    /// Only these read `hybrid`; any other opens one plain trade of it, or none.
    func checkHybrid(_ terminal: Terminal) throws(Denial) {
        guard terminal.family != .v205, terminal.family != .v206H else { return }
        let version = terminal.version.map { "an EA \($0)" } ?? "an EA of a version that is not known yet"
        throw Denial(
            .hybridUnsupported,
            "\(terminal.nodeID) is \(version), which knows no hybrid fires: 2.05 and 2.06H do; fire it without 'hybrid'"
        )
    }

    /// The assessment of a lot that the terminal can part. One that was given must be such a lot; one that is to be
    /// computed is the largest not above what the risk allows.
    func parted(
        _ assessment: RiskAssessment, _ input: RiskCalculator.Input
    ) throws(Denial) -> RiskAssessment {
        let lot = assessment.lot
        let instrument = input.instrument
        guard !HybridPlan.isPartable(lot, instrument) else { return assessment }
        let nearest = HybridPlan.nearest(lot, instrument)
        if input.size.asked == nil, let below = nearest.below {
            var smaller = input
            smaller.size = .lot(below)
            do throws(RiskRefusal) {
                var smallest = try RiskCalculator.assess(smaller)
                // Nobody asked for this lot: what was asked for stays what it was.
                smallest.terms?.size = input.size
                return smallest
            } catch {
                throw Denial(.riskExceeded, error.message)
            }
        }
        let parts = HybridPlan.lots(of: lot).map { $0.text(minimumDecimals: 2) }.joined(separator: " + ")
        let working = [nearest.below, nearest.above].compactMap { $0?.text(minimumDecimals: 2) }
        throw Denial(
            .riskExceeded,
            "\(lot) lots can't be fired as a hybrid: the terminal makes \(parts) of them, and each part must be at least "
                + "\(instrument.minimumLot), a multiple of \(instrument.lotStep), and all of them the whole; "
                + (working.isEmpty ? "none near it can" : "\(working.joined(separator: " or ")) can"))
    }
}
