public import Domain

/// One message for one outlet.
public struct Delivery: Sendable, Equatable {
    public let number: Int64
    public let outlet: String
    /// The alert it is about.
    public let alertID: String
    /// What is sent, as the outlet wants it.
    public let body: String
    public let createdAt: Timestamp
    public var attempts = 0

    public init(number: Int64, outlet: String, alertID: String, body: String, createdAt: Timestamp) {
        self.number = number
        self.outlet = outlet
        self.alertID = alertID
        self.body = body
        self.createdAt = createdAt
    }
}

/// What became of an attempt.
public enum DeliveryResult: Sendable, Equatable {
    case accepted(String)
    /// Worth another attempt; not before so many milliseconds, where the other side said so.
    case failed(String, retryAfter: Int64?)
    /// Will never be taken: the message itself is wrong, or we are not let in.
    case refused(String)

    public var words: String {
        switch self {
        case .accepted(let words), .refused(let words): words
        case .failed(let words, _): words
        }
    }
}

/// What waits for one outlet: in order, one at a time, again and again with growing pauses until it is taken.
///
/// Pauses double from `firstPause` to `longestPause`, each shortened at random by up to half, so that many meshes don't
/// come back at the same moment. Bounded: the oldest go when there is no more room. A value; the caller sends.
public struct DeliveryQueue: Sendable {
    public struct Settings: Sendable {
        public var firstPause: Int64 = 1_000
        public var longestPause: Int64 = 300_000
        public var limit = 1_000
        /// Older than this a message is no news.
        public var maximumAge: Int64 = 86_400_000
        public init() {}
    }

    public let outlet: String
    private let settings: Settings
    public private(set) var waiting: [Delivery] = []
    private var isSending = false
    private var notBefore = Timestamp(milliseconds: .min / 2)
    private var failuresInARow = 0
    private var random: any RandomNumberGenerator & Sendable
    public private(set) var delivered: Int64 = 0
    public private(set) var dropped: Int64 = 0
    public private(set) var refused: Int64 = 0
    public private(set) var lastProblem: String?

    public init(
        outlet: String, settings: Settings = Settings(),
        random: some RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.outlet = outlet
        self.settings = settings
        self.random = random
    }

    /// Takes a message in; returns the numbers of those that had to go for it.
    public mutating func add(_ delivery: Delivery) -> [Int64] {
        waiting.append(delivery)
        var gone: [Int64] = []
        while waiting.count > settings.limit {
            // The first may be on its way.
            gone.append(waiting.remove(at: isSending ? 1 : 0).number)
        }
        dropped += Int64(gone.count)
        return gone
    }

    /// The message to send now, if any; also the numbers of those that are too old. `steady` never steps.
    public mutating func next(at now: Timestamp, steady: Timestamp) -> (send: Delivery?, expired: [Int64]) {
        guard !isSending else { return (nil, []) }
        var expired: [Int64] = []
        while let first = waiting.first, now - first.createdAt > settings.maximumAge {
            expired.append(first.number)
            waiting.removeFirst()
        }
        dropped += Int64(expired.count)
        guard !waiting.isEmpty, steady >= notBefore else { return (nil, expired) }
        isSending = true
        waiting[0].attempts += 1
        return (waiting[0], expired)
    }

    /// What became of the message that was sent; returns its number where it is done with.
    public mutating func finish(_ number: Int64, _ result: DeliveryResult, steady: Timestamp) -> Int64? {
        guard isSending, let first = waiting.first, first.number == number else { return nil }
        isSending = false
        switch result {
        case .accepted:
            failuresInARow = 0
            lastProblem = nil
            delivered += 1
        case .refused(let words):
            // The next one may be taken; but one after the other without a pause would be a flood.
            lastProblem = words
            refused += 1
            notBefore = steady.adding(milliseconds: settings.firstPause)
        case .failed(let words, let retryAfter):
            lastProblem = words
            failuresInARow += 1
            notBefore = steady.adding(milliseconds: max(pause(), min(retryAfter ?? 0, 3_600_000)))
            return nil
        }
        waiting.removeFirst()
        return number
    }

    private mutating func pause() -> Int64 {
        let doublings = min(failuresInARow - 1, 30)
        let whole = min(settings.longestPause, settings.firstPause << Int64(max(0, doublings)))
        return whole - Int64.random(in: 0...(whole / 2), using: &random)
    }
}
