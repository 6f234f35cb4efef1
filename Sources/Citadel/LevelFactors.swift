/// The factors that read levels ahead of the trade and sweeps around it. Distances are in M15 average true ranges
/// (`MarketView.unit`, "ranges"); the stop has a file of its own.
extension Factors {
    // MARK: path

    /// Resting levels between entry and target stand in the way: each takes up to 8 of 9 points by strength, the later
    /// on the path the less (half at its end). Where the market has already gone a part of the way from the entry to the
    /// target, that part is lost: a quarter is fine, all of it is 1. Without a target two M15 ranges are assumed, and at
    /// most 6 given. Whether the target is worth it: see `capReward`.
    static func levelPath(_ trade: Trade, _ view: MarketView) -> FactorReading {
        let sign = trade.direction.sign
        let target = trade.target ?? trade.entry + sign * 2 * view.unit
        let length = (target - trade.entry) * sign
        let side: LiquiditySide = trade.direction == .buy ? .buySide : .sellSide
        var blocked = 0.0
        var count = 0
        var strongest: LiquidityLevel?
        var most = -1.0
        for place in view.levels.indices where view.levels[place].side == side {
            guard view.levels[place].state == .resting else { continue }
            let along = (view.levels[place].price - trade.entry) * sign
            guard along > 0, along < length else { continue }
            let strength = view.strength(view.levels[place])
            blocked += 0.8 * strength / 10 * ramp(along / length, from: (0, 1), to: (1, 0.5))
            count += 1
            if strength > most {
                most = strength
                strongest = view.levels[place]
            }
        }
        var score = 10 - 9 * min(1, blocked)
        var notes = Notes(". ")
        if let strongest {
            notes.append(
                "\(count) level\(count == 1 ? "" : "s") of resting orders on the \(view.pips(length)) pips to the "
                    + "target; the strongest, \(describe(strongest, view)), is "
                    + "\(view.pips(strongest.price - trade.entry)) pips away: price may turn there, short of the target"
            )
        }
        if let price = view.price, !view.isStale {
            let gone = (price - trade.entry) * sign / length
            if gone > 0.25 {
                score = min(score, ramp(gone, from: (0.25, 10), to: (1, 1)))
                // Whether the entry is a limit order still to be filled or a trade too late, nobody says: true of both.
                notes.append(
                    "Price is already \(Decimals.text(min(1, gone) * 100, 0)) % of the way from your entry to the target: at "
                        + "the market only the rest is left, and a limit order fills only if price comes back")
            }
        }
        if trade.target == nil {
            score = min(score, 6)
            notes.append("No target was given: two M15 ranges are assumed and at most 6.0 counted")
        }
        score = capReward(score, &notes, trade, view)
        score = capUnknown(score, &notes, "The path to the target", view)
        return FactorReading(score, notes.sentence)
    }

    /// A path so short that nothing can stand in its way is no protection: a target three usual spreads away is fine,
    /// one spread is 1; a fifth of the risk is fine, a twentieth of it at most 3. So is a risk without a stop, which
    /// must not be better off than a bad one.
    private static func capReward(
        _ score: Double, _ notes: inout Notes, _ trade: Trade, _ view: MarketView
    ) -> Double {
        var score = score
        let reward = trade.target.map { abs($0 - trade.entry) }
        if let reward {
            let spread = max(view.usualSpread ?? view.spread ?? 0, view.pip / 10)
            let most = ramp(reward / spread, from: (1, 1), to: (3, 10))
            if most < 9.95 {
                score = min(score, most)
                notes.append(
                    "The target is \(view.pips(reward)) pips away, \(Decimals.text(reward / spread, 1)) times the spread "
                        + "of \(view.pips(spread)) pips: little is left of it, so counted as at most \(Decimals.text(most, 1))"
                )
            }
        }
        guard let stop = trade.stop else {
            if score > unknownCap {
                notes.append("Without a stop there is no risk to set the target against: counted as at most 3.0")
            }
            return min(score, unknownCap)
        }
        let risk = abs(trade.entry - stop)
        guard let reward, risk > 0 else { return score }
        let most = ramp(reward / risk, from: (0.05, unknownCap), to: (0.2, 10))
        if most < 9.95 {
            score = min(score, most)
            notes.append(
                "The target is \(view.pips(reward)) pips away, the stop \(view.pips(risk)): one loss takes "
                    + "\(Decimals.text(risk / reward, 0)) such gains, so counted as at most \(Decimals.text(most, 1))")
        }
        return score
    }

    // MARK: sweeps

    /// The strongest of what bears on a trade, with its weight 0 to 1.
    private struct Strongest {
        var weight = 0.0
        var level: LiquidityLevel?
        /// The level where it weighs enough to be worth a sentence.
        var told: LiquidityLevel? { weight >= 0.1 ? level : nil }

        mutating func offer(_ weight: Double, _ level: LiquidityLevel) {
            guard weight > self.weight else { return }
            self.weight = weight
            self.level = level
        }
    }

    /// 5.5 where nothing was swept nearby. Up to +4.5 when the pool behind the trade was just swept (lows before a buy)
    /// and the stop lies beyond that sweep's extreme (else a quarter of it: the same low can be run again), down by up
    /// to 4.5 when the one ahead was, and by up to 3 while a strong pool rests untouched within one range behind the
    /// entry. A sweep counts in full for 30 minutes and within two ranges, then fades to nothing at four hours and
    /// four ranges.
    static func sweep(_ trade: Trade, _ view: MarketView) -> FactorReading {
        let behind: LiquiditySide = trade.direction == .buy ? .sellSide : .buySide
        var support = Strongest()
        var against = Strongest()
        var waiting = Strongest()
        for place in view.levels.indices {
            let state = view.levels[place].state
            guard state == .swept || (state == .resting && view.levels[place].side == behind) else { continue }
            let level = view.levels[place]
            if level.state == .swept, let ended = level.ended {
                let recency = ramp(
                    Double(view.now - ended), from: (1_800_000, 1), to: (Double(view.configuration.retireAfter), 0))
                let nearness = ramp(abs(level.price - trade.entry) / view.unit, from: (2, 1), to: (4, 0))
                let weight = min(1, view.strength(level) / fullStrength) * recency * nearness
                if level.side == behind {
                    support.offer(weight * (isStopBeyond(level, trade) ? 1 : 0.25), level)
                } else {
                    against.offer(weight, level)
                }
            } else if level.state == .resting, level.side == behind {
                let distance = (level.price - trade.entry) * behind.sign / view.unit
                guard distance >= 0 else { continue }
                waiting.offer(view.strength(level) / 10 * ramp(distance, from: (0.5, 1), to: (1, 0)), level)
            }
        }
        var score = 5.5 + 4.5 * support.weight - 4.5 * against.weight - 3 * waiting.weight
        var notes = Notes(". ")
        if let level = support.told {
            let what = "\(capitalized(describe(level, view))) swept \(age(level, view))"
            if isStopBeyond(level, trade) {
                notes.append("\(what) and price turned this way: those stops are gone")
            } else {
                notes.append("\(what) in your favour, but your stop is not beyond its extreme: a second run takes it")
            }
        }
        if let level = against.told {
            notes.append(
                "\(capitalized(describe(level, view))) swept \(age(level, view)): price turned against this trade")
        }
        if let level = waiting.told {
            notes.append(
                "\(capitalized(describe(level, view))), \(view.pips(level.price - trade.entry)) pips behind the entry, "
                    + "not swept yet: price may fetch those orders first")
        }
        score = capUnknown(score, &notes, "Sweeps nearby", view)
        guard notes.isEmpty else { return FactorReading(score, notes.sentence) }
        return FactorReading(score, "No sweep of weight nearby in the last four hours.", isFiller: true)
    }

    private static func isStopBeyond(_ level: LiquidityLevel, _ trade: Trade) -> Bool {
        guard let stop = trade.stop else { return false }
        return (stop - (level.extreme ?? level.outer)) * level.side.sign > 0
    }

    private static func age(_ level: LiquidityLevel, _ view: MarketView) -> String {
        let minutes = max(0, view.now - (level.ended ?? view.now)) / 60_000
        if minutes == 0 { return "just now" }
        return minutes < 100 ? "\(minutes) min ago" : "\(Decimals.text(Double(minutes) / 60, 1)) h ago"
    }

    private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
