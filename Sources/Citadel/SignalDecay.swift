/// What time and the market have done to a signal since it was submitted: plain figures, and what is left of it.
public struct SignalDecay: Sendable, Equatable, Codable {
    /// The market's distance from the entry in pips, and as a share of the distance from entry to stop (of one and a
    /// half M15 ranges where there is no stop).
    public var driftPips: Double
    public var driftShare: Double
    /// Spread and M5 range now against those at submission; 1 where either is unknown.
    public var spreadRatio: Double
    public var activityRatio: Double
    /// Levels between stop and target that were taken meanwhile.
    public var levelsTaken: Int
    /// How much of its life is over, 0 to 1.
    public var ageShare: Double
    /// 1 as submitted, down to 0: the product of what each of the above leaves.
    public var remaining: Double

    /// Drift: all up to a quarter of the stop, 0.3 from the whole stop on. Age: all up to half its life, 0.6 at its
    /// end. Spread: all up to 1.5 times, 0.7 from 4 times. Activity: all between 0.5 and 1.5 times, 0.8 from 3 times
    /// or below 0.25. Each level taken: 0.95, at most four.
    static func remaining(
        driftShare: Double, spreadRatio: Double, activityRatio: Double, levelsTaken: Int, ageShare: Double
    ) -> Double {
        var share = ramp(driftShare, from: (0.25, 1), to: (1, 0.3)) * ramp(ageShare, from: (0.5, 1), to: (1, 0.6))
        share *= ramp(spreadRatio, from: (1.5, 1), to: (4, 0.7))
        share *=
            activityRatio < 1
            ? ramp(activityRatio, from: (0.25, 0.8), to: (0.5, 1)) : ramp(activityRatio, from: (1.5, 1), to: (3, 0.8))
        for _ in 0..<min(4, max(0, levelsTaken)) { share *= 0.95 }
        return share
    }

    /// One sentence with the figures that took something; nil where they took less than can be said in numbers.
    var sentence: String? {
        var causes: [String] = []
        if driftShare > 0.25 {
            causes.append(
                "the market is \(Decimals.text(driftPips, 1)) pips (\(Decimals.text(driftShare, 2)) stops) from its entry"
            )
        }
        if ageShare > 0.5 { causes.append("\(Decimals.text(ageShare * 100, 0)) % of its time is over") }
        if spreadRatio > 1.5 { causes.append("the spread is \(Decimals.text(spreadRatio, 1)) times what it was") }
        if activityRatio > 1.5 || activityRatio < 0.5 {
            causes.append("activity is \(Decimals.text(activityRatio, 1)) times what it was")
        }
        if levelsTaken > 0 { causes.append("\(levelsTaken) level\(levelsTaken == 1 ? "" : "s") taken meanwhile") }
        // The figures are rounded: just over an edge something may be gone and none of them says so.
        guard !causes.isEmpty, remaining < 0.995 else { return nil }
        return "This signal has aged: " + causes.joined(separator: ", ")
            + "; what the chart said then counts \(Decimals.text(remaining * 100, 0)) %"
    }
}

/// One point of a signal's curve: its score from this time (milliseconds of UTC) on.
public struct CurvePoint: Sendable, Equatable, Codable {
    public var timeMilliseconds: Int64
    public var score: Double

    public init(timeMilliseconds: Int64, score: Double) {
        self.timeMilliseconds = timeMilliseconds
        self.score = score
    }
}

extension LiveSignal {
    static let maximumCurvePoints = 120

    /// Adds a point; one a minute unless it was published. When there are too many, every second of the older goes.
    mutating func mark(_ score: Double, at now: Int64, isPublished: Bool) {
        if let last = curve.last {
            let isMoved = abs(last.score - score) > 0.05
            guard isPublished || (isMoved && now - last.timeMilliseconds >= 60_000) else { return }
            guard now >= last.timeMilliseconds else { return }
        }
        curve.append(CurvePoint(timeMilliseconds: now, score: score))
        guard curve.count > Self.maximumCurvePoints else { return }
        let newest = Self.maximumCurvePoints / 6
        curve = curve.indices.filter { $0 % 2 == 0 || $0 >= curve.count - newest }.map { curve[$0] }
    }

    /// What the view leaves of the signal.
    func decay(in view: MarketView) -> SignalDecay {
        let drift = view.price.map { abs($0 - signal.entryPrice) } ?? 0
        let room = signal.stopLoss.map { abs(signal.entryPrice - $0) } ?? 1.5 * view.unit
        let life = Double(max(1, expiresMilliseconds - signal.createdMilliseconds))
        let driftShare = room > 0 ? drift / room : 0
        let spreadRatio = Self.ratio(view.spread, startSpread)
        let activityRatio = Self.ratio(view.range5, startRange)
        let ageShare = min(1, max(0, Double(view.now - signal.createdMilliseconds) / life))
        let taken = levelsTaken(in: view)
        return SignalDecay(
            driftPips: Decimals.rounded(drift / view.pip, 1), driftShare: Decimals.rounded(driftShare, 3),
            spreadRatio: Decimals.rounded(spreadRatio, 2), activityRatio: Decimals.rounded(activityRatio, 2),
            levelsTaken: taken, ageShare: Decimals.rounded(ageShare, 3),
            remaining: SignalDecay.remaining(
                driftShare: driftShare, spreadRatio: spreadRatio, activityRatio: activityRatio, levelsTaken: taken,
                ageShare: ageShare))
    }

    private static func ratio(_ now: Double?, _ then: Double?) -> Double {
        guard let now, let then, now > 0, then > 0 else { return 1 }
        return now / then
    }

    private func levelsTaken(in view: MarketView) -> Int {
        let room = 1.5 * view.unit
        let ends = [
            signal.stopLoss ?? signal.entryPrice - signal.direction.sign * room,
            signal.takeProfit ?? signal.entryPrice + signal.direction.sign * room,
        ]
        let low = min(ends[0], ends[1])
        let high = max(ends[0], ends[1])
        var count = 0
        for level in view.levels {
            guard let taken = level.taken, taken > signal.createdMilliseconds, taken <= view.now else { continue }
            if level.price > low, level.price < high { count += 1 }
        }
        return count
    }
}
