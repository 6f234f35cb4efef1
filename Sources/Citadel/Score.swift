/// A question: how well protected is this trade against what usually hunts it? Prices in quote currency.
public struct ProtectionQuery: Sendable, Equatable {
    public var symbol: String
    public var entryPrice: Double
    public var direction: TradeDirection?
    public var stopLoss: Double?
    public var takeProfit: Double?
    public var signalIdentifier: String?

    public init(
        symbol: String, entryPrice: Double, direction: TradeDirection? = nil, stopLoss: Double? = nil,
        takeProfit: Double? = nil, signalIdentifier: String? = nil
    ) {
        self.symbol = symbol
        self.entryPrice = entryPrice
        self.direction = direction
        self.stopLoss = stopLoss
        self.takeProfit = takeProfit
        self.signalIdentifier = signalIdentifier
    }
}

/// Why a query or signal got no score. `code` is snake_case and stable, `message` says what to do about it.
public struct QueryError: Error, Sendable, Equatable {
    public var code: String
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// The five standings; raw values are the contract's words.
public enum RiskLevel: String, Sendable, Codable, CaseIterable {
    case fortress = "FORTRESS"
    case protected = "PROTECTED"
    case caution = "CAUTION"
    case highRisk = "HIGH_RISK"
    case danger = "DANGER"

    public init(score: Double) {
        switch score {
        case 8...: self = .fortress
        case 6...: self = .protected
        case 4...: self = .caution
        case 2...: self = .highRisk
        default: self = .danger
        }
    }
}

/// The factors of a score and their weights in percent (together 100); raw values are the names in answers.
public enum FactorName: String, Sendable, Codable, CaseIterable {
    case stopPlacement = "stop_placement"
    case levelPath = "level_path"
    case sweep
    case spread
    case volatility
    case entryDrift = "entry_drift"
    case sourceQuality = "source_quality"
    case session

    var percent: Int {
        switch self {
        case .stopPlacement: 22
        case .levelPath: 18
        case .sweep: 14
        case .spread: 12
        case .volatility: 10
        case .entryDrift: 10
        case .sourceQuality: 9
        case .session: 5
        }
    }

    /// The word for people.
    var words: String {
        switch self {
        case .stopPlacement: "stop placement"
        case .levelPath: "the path to the target"
        case .sweep: "sweeps nearby"
        case .spread: "spread"
        case .volatility: "volatility"
        case .entryDrift: "distance from the market"
        case .sourceQuality: "data quality"
        case .session: "the session"
        }
    }
}

/// One factor of an answer: `score` 1.0 to 10.0, `weight` 0 to 1, `contribution` in hundredths of the final score.
public struct ScoreFactor: Sendable, Equatable, Codable {
    public var name: FactorName
    public var score: Double
    public var weight: Double
    public var contribution: Double
}

/// A level near the entry, as an answer shows it; `distancePips` is negative below the entry.
public struct NearLevel: Sendable, Equatable, Codable {
    public var price: Double
    public var side: LiquiditySide
    public var state: LevelState
    public var strength: Double
    public var distancePips: Double
    public var members: Int
    public var origins: [String]
}

/// The answer. `protectionScore` is 1.0 to 10.0 with one decimal and equals the sum of the factors' contributions.
public struct ProtectionScore: Sendable, Equatable, Codable {
    public var symbol: String
    public var entryPrice: Double
    /// The side that was scored; where the query named none, the side its stop or target shows, else the worse one.
    public var direction: TradeDirection
    public var directionAssumed: Bool
    public var protectionScore: Double
    public var riskLevel: RiskLevel
    public var recommendation: String
    /// In the order of `FactorName`.
    public var factors: [ScoreFactor]
    public var insights: [String]
    /// 0 to 1: how much the engine knows, not how good the trade is.
    public var confidence: Double
    /// No quote of the last minute was there to judge by.
    public var stale: Bool
    public var levels: [NearLevel]
    public var timestampMilliseconds: Int64
}

/// Turns factor readings into a score whose parts add up.
enum ScoreSum {
    /// `tenths` are the factor scores times ten, in the order of `FactorName`. All in integers: the total is the
    /// weighted mean rounded to a tenth, the contributions are hundredths by largest remainder, so that they add up
    /// exactly and a better factor never lowers the total.
    static func add(_ tenths: [Int]) -> (totalTenths: Int, hundredths: [Int]) {
        let names = FactorName.allCases
        let thousandths = zip(names, tenths).map { $0.percent * $1 }
        let exact = thousandths.reduce(0, +)
        let total = (exact + 50) / 100
        var hundredths = thousandths.map { $0 / 10 }
        var missing = total * 10 - hundredths.reduce(0, +)
        let byRemainder = names.indices.sorted {
            (thousandths[$0] % 10, -$0) > (thousandths[$1] % 10, -$1)
        }
        var turn = 0
        while missing != 0 {
            let place =
                missing > 0 ? byRemainder[turn % names.count] : byRemainder[names.count - 1 - turn % names.count]
            hundredths[place] += missing > 0 ? 1 : -1
            missing += missing > 0 ? -1 : 1
            turn += 1
        }
        return (total, hundredths)
    }
}

/// Scores a query against what is known of its symbol. Pure: the same view and query give the same answer.
enum Scorer {
    static func score(_ query: ProtectionQuery, in view: MarketView) throws(QueryError) -> ProtectionScore {
        try check(query, view)
        if let direction = query.direction {
            return answer(query, direction, assumed: nil, view)
        }
        if let stop = query.stopLoss {
            let direction: TradeDirection = stop < query.entryPrice ? .buy : .sell
            return answer(query, direction, assumed: Insights.directionFromStop(direction, view, stop), view)
        }
        if let target = query.takeProfit {
            let direction: TradeDirection = target > query.entryPrice ? .buy : .sell
            return answer(query, direction, assumed: Insights.directionFromTarget(direction, view, target), view)
        }
        let buy = readings(query, .buy, view)
        let sell = readings(query, .sell, view)
        let buyTotal = ScoreSum.add(buy.map(\.tenths)).totalTenths
        let sellTotal = ScoreSum.add(sell.map(\.tenths)).totalTenths
        let worse: TradeDirection = sellTotal < buyTotal ? .sell : .buy
        return answer(
            query, worse, assumed: Insights.worseDirection(worse, buyTenths: buyTotal, sellTenths: sellTotal), view,
            readings: worse == .buy ? buy : sell)
    }

    /// What no market could make sense of; also used for signals.
    static func check(_ query: ProtectionQuery, _ view: MarketView) throws(QueryError) {
        guard query.entryPrice > 0, query.entryPrice < highestPrice else {
            throw QueryError(code: "bad_entry_price", message: "entry_price must be a positive number")
        }
        if let price = view.price, abs(query.entryPrice / price - 1) > 0.5 {
            throw QueryError(
                code: "entry_far_from_market",
                message: "entry_price is more than 50 % away from \(view.text(price)); check symbol and price")
        }
        for (name, value) in [("stop_loss", query.stopLoss), ("take_profit", query.takeProfit)] {
            guard let value else { continue }
            guard value > 0, value < highestPrice else {
                throw QueryError(code: "bad_\(name)", message: "\(name) must be a positive number, or absent")
            }
            if value == query.entryPrice {
                throw QueryError(code: "bad_\(name)", message: "\(name) equals entry_price")
            }
        }
        let impliedByStop = query.stopLoss.map { $0 < query.entryPrice ? TradeDirection.buy : .sell }
        guard let direction = query.direction ?? impliedByStop else { return }
        if let stop = query.stopLoss, (query.entryPrice - stop) * direction.sign < 0 {
            throw QueryError(
                code: "stop_wrong_side",
                message:
                    "a \(direction.rawValue) needs its stop_loss \(direction == .buy ? "below" : "above") the entry")
        }
        if let target = query.takeProfit, (target - query.entryPrice) * direction.sign < 0 {
            throw QueryError(
                code: "target_wrong_side",
                message: "a \(direction.rawValue) needs its take_profit "
                    + "\(direction == .buy ? "above" : "below") the entry")
        }
    }

    static func readings(
        _ query: ProtectionQuery, _ direction: TradeDirection, _ view: MarketView
    ) -> [FactorReading] {
        let trade = Trade(
            direction: direction, entry: query.entryPrice, stop: query.stopLoss, target: query.takeProfit)
        return FactorName.allCases.map { Factors.read($0, trade, view) }
    }

    private static func answer(
        _ query: ProtectionQuery, _ direction: TradeDirection, assumed: String?, _ view: MarketView,
        readings given: [FactorReading]? = nil
    ) -> ProtectionScore {
        let readings = given ?? Self.readings(query, direction, view)
        let sum = ScoreSum.add(readings.map(\.tenths))
        let score = Double(sum.totalTenths) / 10
        let factors = zip(FactorName.allCases, zip(readings, sum.hundredths)).map { name, parts in
            ScoreFactor(
                name: name, score: Double(parts.0.tenths) / 10, weight: Double(name.percent) / 100,
                contribution: Double(parts.1) / 100)
        }
        let risk = RiskLevel(score: score)
        let weakest = factors.max { $0.weight * (10 - $0.score) < $1.weight * (10 - $1.score) }
        return ProtectionScore(
            symbol: query.symbol, entryPrice: query.entryPrice, direction: direction,
            directionAssumed: query.direction == nil, protectionScore: score, riskLevel: risk,
            recommendation: Insights.recommendation(risk, weakest: weakest, stale: view.isStale), factors: factors,
            insights: Insights.sentences(assumed: assumed, readings: readings, view), confidence: view.confidence,
            stale: view.isStale, levels: view.nearest(to: query.entryPrice), timestampMilliseconds: view.now)
    }
}
