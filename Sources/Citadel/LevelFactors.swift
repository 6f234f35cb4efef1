/// The factors that read liquidity levels. Distances are in M15 average true ranges (`MarketView.unit`).
extension Factors {
    /// A level this strong counts in full.
    private static let fullStrength = 6.0

    // MARK: stop placement

    /// A stop is safe behind a pool and in danger inside it or a hair beyond, where a sweep ends.
    ///
    /// From 7 (nothing between entry and stop) to 10 (a strong level between them) if no pool is near; falls to 1 with
    /// the strongest resting pool around it: full from the pool's inner edge to 0.15 ranges beyond its farthest member,
    /// none from 0.6 beyond or 0.5 in front. Never better than its distance from the entry allows: half a range or
    /// two spreads is 1, one and a half ranges and five spreads are 10. So a stop that moves on out of a pool, away
    /// from the entry, never loses.
    static func stopPlacement(_ trade: Trade, _ view: MarketView) -> FactorReading {
        guard let stop = trade.stop else {
            return FactorReading(2, "No stop: nothing limits the loss when liquidity is run; counted as 2.0.")
        }
        let unit = view.unit
        let side: LiquiditySide = trade.direction == .buy ? .sellSide : .buySide
        var shield = 0.0
        var penalty = 0.0
        var nearest: LiquidityLevel?
        for level in view.levels where level.side == side && (level.state == .resting || level.state == .swept) {
            let weight = min(1, view.strength(level) / fullStrength)
            // Positive beyond the farthest member, seen from the entry.
            let beyond = (stop - level.outer) * side.sign / unit
            let between = (level.price - trade.entry) * side.sign > 0
            if beyond >= 0.15, between { shield = max(shield, weight) }
            guard level.state == .resting else { continue }
            let front =
                ((min(level.anchor * side.sign, level.price * side.sign) - level.band) - stop * side.sign) / unit
            let nearness: Double
            if beyond > 0 {
                nearness = ramp(beyond, from: (0.15, 1), to: (0.6, 0))
            } else {
                nearness = ramp(front, from: (0, 1), to: (0.5, 0))
            }
            if nearness * weight > penalty {
                penalty = nearness * weight
                nearest = level
            }
        }
        let base = 7 + 3 * shield
        let distance = abs(trade.entry - stop)
        let spread = max(view.spread ?? 0, view.pip / 10)
        let noise = min(
            ramp(distance / unit, from: (0.5, 1), to: (1.5, 10)), ramp(distance / spread, from: (2, 1), to: (5, 10)))
        var score = min(base - (base - 1) * penalty, noise)
        var notes: [String] = []
        if let level = nearest {
            notes.append(
                "Stop \(view.text(stop)) lies within \(view.pips(stop - level.price)) pips of "
                    + "\(describe(level, view)), where sweeps end")
        } else if shield > 0 {
            notes.append("Stop \(view.text(stop)) lies behind a level that has to be run first")
        } else {
            notes.append("No known level shields the stop at \(view.text(stop))")
        }
        if noise < 7 {
            notes.append(
                "it is \(view.pips(distance)) pips from the entry, "
                    + "\(Decimals.text(distance / unit, 1)) M15 ranges: ordinary noise reaches it")
        }
        score = capFewBars(score, &notes, view)
        return FactorReading(score, notes.joined(separator: "; ") + ".")
    }

    // MARK: path

    /// Resting levels between entry and target stand in the way: each takes up to 8 of 9 points by strength, the later
    /// on the path the less (half at its end). Without a target two M15 ranges are assumed, and at most 6 given.
    static func levelPath(_ trade: Trade, _ view: MarketView) -> FactorReading {
        let sign = trade.direction.sign
        let target = trade.target ?? trade.entry + sign * 2 * view.unit
        let length = (target - trade.entry) * sign
        let side: LiquiditySide = trade.direction == .buy ? .buySide : .sellSide
        var blocked = 0.0
        var count = 0
        var strongest: LiquidityLevel?
        for level in view.levels where level.side == side && level.state == .resting {
            let along = (level.price - trade.entry) * sign
            guard along > 0, along < length else { continue }
            let strength = view.strength(level)
            blocked += 0.8 * strength / 10 * ramp(along / length, from: (0, 1), to: (1, 0.5))
            count += 1
            if strength > strongest.map({ view.strength($0) }) ?? -1 { strongest = level }
        }
        var score = 10 - 9 * min(1, blocked)
        var notes: [String] = []
        if let strongest {
            notes.append(
                "\(count) resting level\(count == 1 ? "" : "s") on the \(view.pips(length)) pips ahead, the strongest "
                    + describe(strongest, view) + ", \(view.pips(strongest.price - trade.entry)) pips from the entry")
        } else {
            notes.append("No known level on the \(view.pips(length)) pips ahead")
        }
        if trade.target == nil {
            score = min(score, 6)
            notes.append("no target was given, so two M15 ranges are assumed and at most 6.0 counted")
        }
        score = capFewBars(score, &notes, view)
        return FactorReading(score, notes.joined(separator: "; ") + ".")
    }

    // MARK: sweeps

    /// 6.5 where nothing was swept nearby. Up to +3.5 when the pool behind the trade was just swept (lows before a
    /// buy), down by up to 5.5 when the one ahead was, and by up to 3 while a strong pool rests untouched within one
    /// range behind the entry. A sweep counts in full for 30 minutes and within two ranges, then fades to nothing
    /// at four hours and four ranges.
    static func sweep(_ trade: Trade, _ view: MarketView) -> FactorReading {
        let behind: LiquiditySide = trade.direction == .buy ? .sellSide : .buySide
        var support = 0.0
        var against = 0.0
        var waiting = 0.0
        var supporting: LiquidityLevel?
        var opposing: LiquidityLevel?
        var pending: LiquidityLevel?
        for level in view.levels {
            let strength = view.strength(level)
            if level.state == .swept, let ended = level.ended {
                let age = Double(view.now - ended)
                let recency = ramp(age, from: (1_800_000, 1), to: (Double(view.configuration.retireAfter), 0))
                let nearness = ramp(abs(level.price - trade.entry) / view.unit, from: (2, 1), to: (4, 0))
                let weight = min(1, strength / fullStrength) * recency * nearness
                if level.side == behind, weight > support {
                    support = weight
                    supporting = level
                } else if level.side != behind, weight > against {
                    against = weight
                    opposing = level
                }
            } else if level.state == .resting, level.side == behind {
                let distance = (level.price - trade.entry) * behind.sign / view.unit
                guard distance >= 0 else { continue }
                let weight = strength / 10 * ramp(distance, from: (0.5, 1), to: (1, 0))
                if weight > waiting {
                    waiting = weight
                    pending = level
                }
            }
        }
        var score = 6.5 + 3.5 * support - 5.5 * against - 3 * waiting
        var notes: [String] = []
        if let supporting { notes.append("Swept behind the trade: \(describe(supporting, view))") }
        if let opposing { notes.append("Swept ahead, price turned against the trade: \(describe(opposing, view))") }
        if let pending {
            notes.append(
                "Not yet swept, \(view.pips(pending.price - trade.entry)) pips behind the entry: "
                    + describe(pending, view)
            )
        }
        if notes.isEmpty { notes.append("No sweep of the last four hours nearby") }
        if view.isStale {
            score = min(score, unknownCap)
            notes.append("the last quote is old, so counted as at most 3.0")
        }
        score = capFewBars(score, &notes, view)
        return FactorReading(score, notes.joined(separator: "; ") + ".")
    }

    // MARK: words

    private static func capFewBars(_ score: Double, _ notes: inout [String], _ view: MarketView) -> Double {
        guard view.hasFewBars else { return score }
        notes.append(
            "only \(view.bars5) of \(view.configuration.minimumBars) M5 bars known, so counted as at most 3.0")
        return min(score, unknownCap)
    }

    private static func describe(_ level: LiquidityLevel, _ view: MarketView) -> String {
        let what =
            level.members.count > 1
            ? "a pool of \(level.members.count) \(level.side == .buySide ? "highs" : "lows")"
            : level.origins.contains(.previousDay)
                ? "the previous day's \(level.side == .buySide ? "high" : "low")"
                : level.members.isEmpty ? "the round number" : "the swing \(level.side == .buySide ? "high" : "low")"
        return "\(what) at \(view.text(level.price)) (strength \(Decimals.text(view.strength(level), 1)))"
    }
}
