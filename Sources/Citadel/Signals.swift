/// A trade idea an engine submitted. Times in milliseconds of UTC, prices in quote currency; a signal without
/// `expiresMilliseconds` lives for an hour (`CitadelConfiguration.signalLifetime`).
public struct TradingSignal: Sendable, Equatable, Codable {
    public var signalIdentifier: String
    public var symbol: String
    public var direction: TradeDirection
    public var entryPrice: Double
    public var stopLoss: Double?
    public var takeProfit: Double?
    /// The submitting engine's own confidence, passed through.
    public var confidence: Double?
    public var createdMilliseconds: Int64
    public var expiresMilliseconds: Int64?

    public init(
        signalIdentifier: String, symbol: String, direction: TradeDirection, entryPrice: Double,
        stopLoss: Double? = nil, takeProfit: Double? = nil, confidence: Double? = nil, createdMilliseconds: Int64,
        expiresMilliseconds: Int64? = nil
    ) {
        self.signalIdentifier = signalIdentifier
        self.symbol = symbol
        self.direction = direction
        self.entryPrice = entryPrice
        self.stopLoss = stopLoss
        self.takeProfit = takeProfit
        self.confidence = confidence
        self.createdMilliseconds = createdMilliseconds
        self.expiresMilliseconds = expiresMilliseconds
    }

    var query: ProtectionQuery {
        ProtectionQuery(
            symbol: symbol, entryPrice: entryPrice, direction: direction, stopLoss: stopLoss, takeProfit: takeProfit,
            signalIdentifier: signalIdentifier)
    }
}

/// A signal being followed: the answer it was given and where it stands now.
public struct LiveSignal: Sendable, Equatable, Codable {
    public var signal: TradingSignal
    public var answer: ProtectionScore
    /// The last published score, its risk level and its contributions in the order of `FactorName`.
    public var score: Double
    public var riskLevel: RiskLevel
    public var contributions: [Double]
    public var expiresMilliseconds: Int64
    /// Spread (price distance) and M5 average true range at submission; nil where unknown then.
    public var startSpread: Double?
    public var startRange: Double?
    /// How the score went, oldest first, at most `maximumCurvePoints`; kept beside the rest, not in it.
    public var curve: [CurvePoint] = []

    private enum CodingKeys: String, CodingKey {
        case signal, answer, score, riskLevel, contributions, expiresMilliseconds, startSpread, startRange
    }

    public init(
        signal: TradingSignal, answer: ProtectionScore, expiresMilliseconds: Int64, startSpread: Double? = nil,
        startRange: Double? = nil
    ) {
        self.signal = signal
        self.answer = answer
        self.expiresMilliseconds = expiresMilliseconds
        self.startSpread = startSpread
        self.startRange = startRange
        score = answer.protectionScore
        riskLevel = answer.riskLevel
        contributions = answer.factors.map(\.contribution)
        curve = [CurvePoint(timeMilliseconds: answer.timestampMilliseconds, score: answer.protectionScore)]
    }
}

/// A change of a live signal's standing, to be published; `expired` and `invalidated` end it.
public struct SignalUpdate: Sendable, Equatable {
    public enum Kind: String, Sendable { case decay, expired, invalidated }

    public var signal: TradingSignal
    public var update: Kind
    public var score: Double
    public var riskLevel: RiskLevel
    /// The fresh answer behind a `decay`; nil at an end.
    public var answer: ProtectionScore?
    public var reason: String
    public var timeMilliseconds: Int64
}
