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

/// The live signals, in order of submission. Bounded; iteration is by sequence, so that outputs are deterministic.
struct SignalBook: Sendable {
    struct Entry: Sendable {
        var live: LiveSignal
        var nextScoring: Int64
    }

    /// The prices at which some signal of a symbol ends.
    struct Watch: Sendable {
        var sequences: [Int] = []
        /// A bid at or below the first, an ask at or above the second, touches some signal's stop.
        var highestBuyStop = -Double.infinity
        var lowestSellStop = Double.infinity
        /// A bid at or above the first, an ask at or below the second, reaches some signal's target.
        var lowestBuyTarget = Double.infinity
        var highestSellTarget = -Double.infinity

        mutating func add(_ signal: TradingSignal, _ sequence: Int) {
            sequences.append(sequence)
            switch signal.direction {
            case .buy:
                if let stop = signal.stopLoss { highestBuyStop = max(highestBuyStop, stop) }
                if let target = signal.takeProfit { lowestBuyTarget = min(lowestBuyTarget, target) }
            case .sell:
                if let stop = signal.stopLoss { lowestSellStop = min(lowestSellStop, stop) }
                if let target = signal.takeProfit { highestSellTarget = max(highestSellTarget, target) }
            }
        }

        func isTouched(bid: Double, ask: Double) -> Bool {
            bid <= highestBuyStop || ask >= lowestSellStop || bid >= lowestBuyTarget || ask <= highestSellTarget
        }
    }

    private(set) var entries: [Int: Entry] = [:]
    private var sequenceByIdentifier: [String: Int] = [:]
    private(set) var order: [Int] = []
    private(set) var watches: [String: Watch] = [:]
    private var nextSequence = 1
    private var cursor = 0
    private(set) var nextExpiry = Int64.max
    /// How the last signals ended, so that a late repetition of one is not taken for a new one.
    private var endings: [String: SignalUpdate.Kind] = [:]
    private var endingOrder = RingBuffer<String>(capacity: endingsKept)
    private static let endingsKept = 10_000

    var count: Int { entries.count }
    var live: [LiveSignal] { order.compactMap { entries[$0]?.live } }

    func live(_ identifier: String) -> LiveSignal? {
        sequenceByIdentifier[identifier].flatMap { entries[$0]?.live }
    }

    func ending(_ identifier: String) -> SignalUpdate.Kind? { endings[identifier] }

    mutating func insert(_ live: LiveSignal, nextScoring: Int64) {
        let sequence = nextSequence
        nextSequence += 1
        entries[sequence] = Entry(live: live, nextScoring: nextScoring)
        sequenceByIdentifier[live.signal.signalIdentifier] = sequence
        order.append(sequence)
        watches[live.signal.symbol, default: Watch()].add(live.signal, sequence)
        nextExpiry = min(nextExpiry, live.expiresMilliseconds)
    }

    mutating func update(_ sequence: Int, _ change: (inout Entry) -> Void) {
        guard var entry = entries[sequence] else { return }
        change(&entry)
        entries[sequence] = entry
    }

    func expired(at now: Int64) -> [Int] {
        guard now >= nextExpiry else { return [] }
        return order.filter { (entries[$0]?.live.expiresMilliseconds ?? .max) <= now }
    }

    /// The sequences due for scoring, at most `limit`, going round fairly.
    mutating func due(at now: Int64, limit: Int) -> [Int] {
        var found: [Int] = []
        let total = order.count
        guard total > 0, limit > 0 else { return found }
        var looked = 0
        while looked < total, found.count < limit {
            if cursor >= total { cursor = 0 }
            let sequence = order[cursor]
            cursor += 1
            looked += 1
            if let entry = entries[sequence], entry.nextScoring <= now { found.append(sequence) }
        }
        return found
    }

    /// Forgets ended signals, remembering how they ended.
    mutating func remove(_ ended: [(sequence: Int, kind: SignalUpdate.Kind)]) {
        guard !ended.isEmpty else { return }
        var symbols: Set<String> = []
        for (sequence, kind) in ended {
            guard let entry = entries.removeValue(forKey: sequence) else { continue }
            let identifier = entry.live.signal.signalIdentifier
            sequenceByIdentifier[identifier] = nil
            symbols.insert(entry.live.signal.symbol)
            remember(identifier, kind)
        }
        order.removeAll { entries[$0] == nil }
        nextExpiry = order.reduce(Int64.max) { min($0, entries[$1]?.live.expiresMilliseconds ?? .max) }
        for symbol in symbols {
            var watch = Watch()
            for sequence in watches[symbol]?.sequences ?? [] {
                if let entry = entries[sequence] { watch.add(entry.live.signal, sequence) }
            }
            watches[symbol] = watch.sequences.isEmpty ? nil : watch
        }
    }

    private mutating func remember(_ identifier: String, _ kind: SignalUpdate.Kind) {
        if endingOrder.count == endingOrder.capacity, endingOrder.count > 0 { endings[endingOrder[0]] = nil }
        endingOrder.append(identifier)
        endings[identifier] = kind
    }
}
