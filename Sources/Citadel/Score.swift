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
    case timeframes
    case spread
    case volatility
    case entryDrift = "entry_drift"
    case sourceQuality = "source_quality"
    case session

    /// Kept, because the compiler's own would make a new array at each use, and an answer uses it often.
    public static let allCases: [FactorName] = [
        .stopPlacement, .levelPath, .sweep, .timeframes, .spread, .volatility, .entryDrift, .sourceQuality, .session,
    ]

    var percent: Int {
        switch self {
        case .stopPlacement: 40
        case .levelPath: 16
        case .sweep: 14
        case .timeframes: 12
        case .spread: 6
        case .volatility: 5
        case .entryDrift: 3
        case .sourceQuality: 2
        case .session: 2
        }
    }

    /// The word for people.
    var words: String {
        switch self {
        case .stopPlacement: "stop placement"
        case .levelPath: "the path to the target"
        case .sweep: "sweeps nearby"
        case .timeframes: "the timeframes"
        case .spread: "spread"
        case .volatility: "volatility"
        case .entryDrift: "distance from the market"
        case .sourceQuality: "data quality"
        case .session: "the session"
        }
    }
}

/// One factor of an answer: `score` 1.0 to 10.0, `weight` 0 to 1, `contribution` what it gives to the
/// final score (its score times its weight, up to 0.029 more or less, because the final score has one decimal).
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

    public init(
        price: Double, side: LiquiditySide, state: LevelState, strength: Double, distancePips: Double, members: Int,
        origins: [String]
    ) {
        self.price = price
        self.side = side
        self.state = state
        self.strength = strength
        self.distancePips = distancePips
        self.members = members
        self.origins = origins
    }
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
    /// For each insight the factor it explains; nil where it is about the whole answer.
    public var insightFactors: [FactorName?] = []
    /// 0 to 1: how much the engine knows, not how good the trade is.
    public var confidence: Double
    /// No quote of the last minute was there to judge by.
    public var stale: Bool
    public var levels: [NearLevel]
    /// For a followed signal what has become of it; nil for a plain question.
    public var decay: SignalDecay?
    public var timestampMilliseconds: Int64
}

extension ProtectionScore {
    /// As it was encoded; an answer of an earlier version does not say which factor a sentence belongs to.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        symbol = try values.decode(String.self, forKey: .symbol)
        entryPrice = try values.decode(Double.self, forKey: .entryPrice)
        direction = try values.decode(TradeDirection.self, forKey: .direction)
        directionAssumed = try values.decode(Bool.self, forKey: .directionAssumed)
        protectionScore = try values.decode(Double.self, forKey: .protectionScore)
        riskLevel = try values.decode(RiskLevel.self, forKey: .riskLevel)
        recommendation = try values.decode(String.self, forKey: .recommendation)
        factors = try values.decode([ScoreFactor].self, forKey: .factors)
        insights = try values.decode([String].self, forKey: .insights)
        insightFactors = try values.decodeIfPresent([FactorName?].self, forKey: .insightFactors) ?? []
        confidence = try values.decode(Double.self, forKey: .confidence)
        stale = try values.decode(Bool.self, forKey: .stale)
        levels = try values.decode([NearLevel].self, forKey: .levels)
        decay = try values.decodeIfPresent(SignalDecay.self, forKey: .decay)
        timestampMilliseconds = try values.decode(Int64.self, forKey: .timestampMilliseconds)
    }
}
