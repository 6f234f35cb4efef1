/// Turns the sources' clocks into ours: when a price is due, and which time its quote carries. One thread owns it.
final class MarketFeed {
    /// A round handles at most so many prices, so that a hasty replay can't starve the timers.
    static let mostPerRound = 20_000

    private var sources: [any QuoteSource]
    private let speed: Double
    private let keepsRecordedTimes: Bool
    /// The wall clock and the monotonic clock at the start, in milliseconds.
    private let startWall: Int64
    private let startMonotonic: Int64
    private var frozen: Int64 = 0
    private var frozenSince: Int64?

    /// - Parameters:
    ///   - speed: source milliseconds in one of ours.
    ///   - keepsRecordedTimes: quotes carry the recording's time instead of the present one.
    init(_ sources: [any QuoteSource], speed: Double, keepsRecordedTimes: Bool, wall: Int64, monotonic: Int64) {
        self.sources = sources
        self.speed = speed
        self.keepsRecordedTimes = keepsRecordedTimes
        startWall = wall
        startMonotonic = monotonic
    }

    var isFrozen: Bool { frozenSince != nil }

    /// The market closes: no quotes, and afterwards prices go on where they stood.
    func setFrozen(_ isFrozen: Bool, monotonic: Int64) {
        if let since = frozenSince, !isFrozen {
            frozen += monotonic - since
            frozenSince = nil
        } else if frozenSince == nil && isFrozen {
            frozenSince = monotonic
        }
    }

    /// Delivers every price that is due, with the seconds its quote carries.
    ///
    /// - Parameter limit: how many at most; what is due beyond comes in the next call.
    func advance(
        monotonic: Int64, limit: Int = mostPerRound,
        deliver: (_ update: QuoteUpdate, _ utcSeconds: Int64) throws -> Void
    ) rethrows {
        guard frozenSince == nil else { return }
        let elapsed = Double(monotonic - startMonotonic - frozen) * speed
        let model = Int64(min(elapsed, 1e15))
        var count = 0
        for index in sources.indices {
            while count < limit, let update = sources[index].next(until: model) {
                count += 1
                let present = startWall + frozen + Int64(Double(update.model) / speed)
                let milliseconds = keepsRecordedTimes ? update.recordedUTC ?? present : present
                try deliver(update, milliseconds / 1000)
            }
        }
    }
}
