/// The factor that reads where the stop lies. Distances are in M15 average true ranges (`MarketView.unit`, "ranges").
extension Factors {
    /// A level this strong counts in full.
    static let fullStrength = 4.0
    /// A stop this far beyond a pool's farthest member is still where a sweep ends; from `behindCrowd` on it is not.
    private static let sweepReach = 0.15
    private static let behindCrowd = 0.6
    private static let inFront = 0.5

    /// What one level does to a stop: `danger` 0 to 1, `shields` where it has to be run before the stop.
    private struct Influence {
        var danger: Double
        var shields: Bool
    }

    /// A stop is safe behind a pool and in danger inside it or a hair beyond, where a sweep ends.
    ///
    /// From 5.5 (nothing between entry and stop) to 10 (a strong level between them) if no pool is near; falls to 1 with
    /// the strongest resting pool around it: full from the pool's inner edge to 0.15 ranges beyond its farthest member,
    /// none from 0.6 beyond or 0.5 in front. Never better than its distance from the entry allows: half a range or
    /// two spreads is 1, one and a half ranges and five spreads are 10. So a stop that moves on out of a pool, away
    /// from the entry, never loses. No stop at all: 1. Unknown (few bars, an old quote): at most 3.
    static func stopPlacement(_ trade: Trade, _ view: MarketView) -> FactorReading {
        guard let stop = trade.stop else {
            return FactorReading(1, "No stop: nothing limits the loss when liquidity is run; counted as 1.0.")
        }
        let side: LiquiditySide = trade.direction == .buy ? .sellSide : .buySide
        var shield = 0.0
        var shielding: LiquidityLevel?
        var penalty = 0.0
        var nearest: (level: LiquidityLevel, danger: Double)?
        // By place: copying every level of the book costs more than looking at it.
        for place in view.levels.indices where view.levels[place].side == side {
            guard view.levels[place].state == .resting || view.levels[place].state == .swept else { continue }
            let level = view.levels[place]
            let weight = min(1, view.strength(level) / fullStrength)
            let influence = influence(of: level, on: stop, entry: trade.entry, unit: view.unit)
            if influence.shields, weight > shield {
                shield = weight
                shielding = level
            }
            if level.state == .resting, influence.danger * weight > penalty {
                penalty = influence.danger * weight
                nearest = (level, influence.danger)
            }
        }
        let base = 5.5 + 4.5 * shield
        let distance = abs(trade.entry - stop)
        let noise = noiseBound(distance, view)
        var score = min(base - (base - 1) * penalty, noise)
        var notes = Notes(". ")
        if let nearest {
            notes.append(crowdSentence(stop, nearest.level, nearest.danger, side, view))
        } else if let shielding {
            notes.append(
                "Your stop at \(view.text(stop)) is behind \(describeWithEdge(shielding, view)), which has to go first")
        }
        if noise < 7 {
            notes.append(
                (notes.isEmpty ? "Your stop at \(view.text(stop))" : "It")
                    + " is \(view.pips(distance)) pips from the entry, \(Decimals.text(distance / view.unit, 1)) M15 "
                    + "ranges: ordinary noise reaches that")
        }
        score = capUnknown(score, &notes, "Your stop at \(view.text(stop))", view)
        guard notes.isEmpty else { return FactorReading(score, notes.sentence) }
        return FactorReading(
            score, "No known level lies between the entry and your stop at \(view.text(stop)): nothing shields it.",
            isFiller: true)
    }

    private static func influence(
        of level: LiquidityLevel, on stop: Double, entry: Double, unit: Double
    ) -> Influence {
        let sign = level.side.sign
        // Positive beyond the farthest member, seen from the entry.
        let beyond = (stop - level.outer) * sign / unit
        let shields = beyond >= sweepReach && (level.price - entry) * sign > 0
        if beyond > 0 {
            return Influence(danger: ramp(beyond, from: (sweepReach, 1), to: (behindCrowd, 0)), shields: shields)
        }
        let front = (innerEdge(level) - stop) * sign / unit
        return Influence(danger: ramp(front, from: (0, 1), to: (inFront, 0)), shields: shields)
    }

    /// Where the pool begins, seen from the entry.
    private static func innerEdge(_ level: LiquidityLevel) -> Double {
        let sign = level.side.sign
        return (min(level.anchor * sign, level.price * sign) - level.band) * sign
    }

    /// Half a range or two spreads: 1. One and a half ranges and five spreads: 10.
    private static func noiseBound(_ distance: Double, _ view: MarketView) -> Double {
        let spread = max(view.spread ?? 0, view.pip / 10)
        return min(
            ramp(distance / view.unit, from: (0.5, 1), to: (1.5, 10)),
            ramp(distance / spread, from: (2, 1), to: (5, 10)))
    }

    /// "Your stop at 1.0832 sits 1.2 pips under three equal lows at 1.0833: the next sweep will likely reach it. Below
    /// 1.0826 it is behind the crowd." How likely it says by `danger`; a distance is told with the price it counts from.
    private static func crowdSentence(
        _ stop: Double, _ level: LiquidityLevel, _ danger: Double, _ side: LiquiditySide, _ view: MarketView
    ) -> String {
        let sign = side.sign
        let beyond = (stop - level.outer) * sign
        let front = (innerEdge(level) - stop) * sign
        let place: String
        let what = describeWithEdge(level, view)
        let under = side == .sellSide ? "under" : "above"
        if beyond > 0 {
            place =
                "\(view.pips(beyond)) pips \(under) \(what): "
                + (danger >= 0.5 ? "the next sweep will likely reach it" : "a deep sweep can still reach it")
        } else if front > 0 {
            place =
                "\(view.pips(front)) pips in front of \(describe(level, view)), whose crowd begins at "
                + "\(view.text(innerEdge(level))): "
                + (danger >= 0.5
                    ? "price is drawn there and takes it on the way" : "price drawn there may take it on the way")
        } else {
            place = "in the crowd of \(what): when those orders go, yours goes with them"
        }
        let free = behindTheCrowd(level, side, view)
        return "Your stop at \(view.text(stop)) sits \(place). \(side == .sellSide ? "Below" : "Above") "
            + "\(view.text(free)) it is behind the crowd"
    }

    /// The nearest price beyond `level` that no other resting pool endangers much.
    private static func behindTheCrowd(_ level: LiquidityLevel, _ side: LiquiditySide, _ view: MarketView) -> Double {
        let sign = side.sign
        var free = level.outer + sign * behindCrowd * view.unit
        for _ in 0..<6 {
            let next = view.levels.first { other in
                guard other.side == side, other.state == .resting, (other.outer - level.outer) * sign > 0 else {
                    return false
                }
                let weight = min(1, view.strength(other) / fullStrength)
                return influence(of: other, on: free, entry: free, unit: view.unit).danger * weight > 0.25
            }
            guard let next else { break }
            free = next.outer + sign * behindCrowd * view.unit
        }
        return free
    }

    // MARK: words

    /// What rests on levels is unknown with too little history, and while the last quote is old. `subject` is what the
    /// sentence is about, where it is the only one.
    static func capUnknown(
        _ score: Double, _ notes: inout Notes, _ subject: String, _ view: MarketView
    ) -> Double {
        let isAlone = notes.isEmpty
        if view.hasFewBars {
            notes.append(
                (isAlone ? subject + ": only" : "Only")
                    + " \(view.bars5) of \(view.configuration.minimumBars) M5 bars are known, so counted as at most 3.0"
            )
        } else if view.isStale {
            notes.append((isAlone ? subject + ": the" : "The") + " last quote is old, so counted as at most 3.0")
        } else {
            return score
        }
        return min(score, unknownCap)
    }

    private static let sessionWords: [(origin: LevelOrigins, words: String)] = [
        (.newYorkSession, "the New York session's"), (.londonSession, "the London session's"),
        (.tokyoSession, "the Tokyo session's"),
    ]
    private static let numberWords = ["two", "three", "four", "five", "six", "seven", "eight", "nine"]

    /// As `describe`, and the farthest member where the mean is not there: distances beyond a pool count from it.
    private static func describeWithEdge(_ level: LiquidityLevel, _ view: MarketView) -> String {
        let outer = view.text(level.outer)
        guard outer != view.text(level.price) else { return describe(level, view) }
        return describe(level, view) + " (the \(level.side == .buySide ? "highest" : "lowest") at \(outer))"
    }

    /// "three equal lows at 1.0833", "the previous day's high at 1.0912", "the swing low at …", "the round number …".
    static func describe(_ level: LiquidityLevel, _ view: MarketView) -> String {
        let one = level.side == .buySide ? "high" : "low"
        let count = level.members.count
        let what: String
        if count > 1 {
            what = (count - 2 < numberWords.count ? numberWords[count - 2] : "\(count)") + " equal \(one)s"
        } else if level.origins.contains(.previousDay) {
            what = "the previous day's \(one)"
        } else if let session = sessionWords.first(where: { level.origins.contains($0.origin) }) {
            what = "\(session.words) \(one)"
        } else if level.members.isEmpty {
            what = "the round number"
        } else {
            what = "the swing \(one)"
        }
        return "\(what) at \(view.text(level.price))"
    }
}
