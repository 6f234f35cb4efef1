public import Domain

/// How much each connection of the telemetry port may send: a bucket of messages that fills at a sustained rate.
///
/// An EA has a connection of its own, so that a connection's share is a terminal's; one that carries several terminals
/// (a gateway) has as many shares, to a limit. Over it a terminal is shed, never blocked, since EAs send blocking: ticks
/// first, then bars, then reports; what is said of trades never.
///
/// Asking libzmq for a frame's connection costs as much as half a tick. So as long as nobody is near his quota only
/// one frame in sixteen, drawn at random, is charged, for sixteen. One owner; times are UTC milliseconds.
public struct TelemetryQuota: Sendable {
    /// What was shed, by rank.
    public struct Shed: Sendable, Equatable {
        public var ticks: Int64 = 0
        public var bars: Int64 = 0
        public var reports: Int64 = 0

        public init(ticks: Int64 = 0, bars: Int64 = 0, reports: Int64 = 0) {
            (self.ticks, self.bars, self.reports) = (ticks, bars, reports)
        }

        public var total: Int64 { ticks + bars + reports }
    }

    struct Bucket: Sendable {
        /// Below 0 where nobody has spoken yet.
        var tokens: Double = -1
        var refilledAt: Int64 = 0
        var heardAt: Int64 = 0
        var shed = Shed()
        var isBreaching = false
    }

    static let sampleWeight = 16
    private static let uncharged = 1_000
    static let mostShares = 64
    /// How long every frame is charged after somebody came near his quota.
    static let alertMilliseconds: Int64 = 2_000
    private static let highestDescriptor = 1 << 20
    /// Messages a second that all may send together before each is held to its own rate.
    static let spareRate: Double = 5_000_000
    /// While few are connected a terminal may send so many times its rate, and never more.
    static let mostTimesRate: Double = 40
    /// With so many terminals on it a connection is a gateway's, which only the others' presence limits.
    static let gatewayShares = 16

    /// Messages a second that a terminal may always send; 0 is no limit.
    public let rate: Double
    /// What a connection may send beyond its terminals' rates while few share the port.
    private var spare: Double = TelemetryQuota.spareRate
    /// Messages it may send at once.
    public let burst: Double
    /// Kept for bars and reports, beyond the burst.
    private let reserve: Double
    /// What charging by samples may be wrong by: seven standard deviations at the smallest burst.
    private let margin: Double
    private var buckets: [Bucket] = []
    private var breaching: [Int32] = []
    private var alertUntil: Int64 = .min
    private var random: UInt64

    public init(rate: Int = 0, burst: Int = 10_000, seed: UInt64 = 1) {
        self.rate = Double(rate)
        self.burst = Double(burst)
        reserve = Double(burst) / 10
        margin = Double(burst) / 4
        random = seed | 1
    }

    /// For how many messages the next frame is charged, 0 for none, and how many after it aren't charged at all.
    public mutating func next(at now: Int64) -> (weight: Int, free: Int) {
        guard rate > 0 else { return (0, TelemetryQuota.uncharged) }
        if now < alertUntil { return (1, 0) }
        // xorshift64: 0 to 30, 15 on average, so that no rhythm of the senders is met.
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return (TelemetryQuota.sampleWeight, Int(truncatingIfNeeded: random % 31))
    }

    /// Charges a connection; false where so little is left that the frame's rank has to decide: ``admits(_:_:)``.
    ///
    /// - Parameter shares: how many terminals speak there.
    public mutating func charge(_ descriptor: Int32, _ weight: Int, shares: Int, at now: Int64) -> Bool {
        guard let place = reach(descriptor) else { return true }
        buckets[place].heardAt = now
        refill(place, shares, now)
        if buckets[place].tokens < burst / 2 { alertUntil = now + TelemetryQuota.alertMilliseconds }
        guard buckets[place].tokens > reserve + Double(weight) else { return false }
        buckets[place].tokens -= Double(weight)
        return true
    }

    /// Whether a frame goes through where little is left; what doesn't is counted.
    public mutating func admits(_ rank: TelemetryRank, _ descriptor: Int32) -> Bool {
        guard let place = reach(descriptor) else { return true }
        let needed: Double =
            switch rank {
            case .tick: reserve
            case .bar: reserve / 2
            case .report, .trade: 0
            }
        if rank == .trade || buckets[place].tokens > needed {
            buckets[place].tokens = max(0, buckets[place].tokens - 1)
            return true
        }
        switch rank {
        case .tick: buckets[place].shed.ticks += 1
        case .bar: buckets[place].shed.bars += 1
        case .report, .trade: buckets[place].shed.reports += 1
        }
        if !buckets[place].isBreaching {
            buckets[place].isBreaching = true
            breaching.append(descriptor)
        }
        return false
    }

    /// So many share the port now.
    public mutating func share(among connections: Int64) {
        spare = TelemetryQuota.spareRate / Double(max(1, connections))
    }

    /// Messages a second that a connection with so many terminals may send for long at present.
    func rateNow(shares: Int) -> Double {
        let all = Double(shares)
        guard shares < TelemetryQuota.gatewayShares else { return max(rate * all, spare) }
        return max(rate * all, min(spare, rate * TelemetryQuota.mostTimesRate * all))
    }

    /// A new connection begins with a full bucket, whoever had its descriptor before.
    public mutating func begin(_ descriptor: Int32) {
        guard let place = reach(descriptor) else { return }
        buckets[place].tokens = -1
        buckets[place].heardAt = 0
    }

    /// A connection spoke: not every frame is charged, and of one that speaks seldom perhaps none.
    mutating func hear(_ descriptor: Int32, at now: Int64) {
        if let place = reach(descriptor) { buckets[place].heardAt = now }
    }

    /// About when a connection last spoke; 0 where it never did.
    public func lastHeard(_ descriptor: Int32) -> Int64 {
        guard descriptor >= 0, Int(descriptor) < buckets.count else { return 0 }
        return buckets[Int(descriptor)].heardAt
    }

    /// Connections that were shed since the last call, and what.
    public mutating func takeBreaches() -> [(descriptor: Int32, shed: Shed)] {
        guard !breaching.isEmpty else { return [] }
        let result = breaching.map { ($0, buckets[Int($0)].shed) }
        for descriptor in breaching {
            buckets[Int(descriptor)].shed = Shed()
            buckets[Int(descriptor)].isBreaching = false
        }
        breaching.removeAll(keepingCapacity: true)
        return result
    }

    private mutating func refill(_ place: Int, _ shares: Int, _ now: Int64) {
        let shares = max(1, min(shares, TelemetryQuota.mostShares))
        let capacity = burst * Double(shares) + margin + reserve
        if buckets[place].tokens < 0 {
            buckets[place].tokens = burst + margin + reserve
        } else if now > buckets[place].refilledAt {
            let earned = Double(now - buckets[place].refilledAt) * rateNow(shares: shares) / 1000
            buckets[place].tokens = min(capacity, buckets[place].tokens + earned)
        }
        // A clock that was set back must not stop the filling.
        buckets[place].refilledAt = now
    }

    private mutating func reach(_ descriptor: Int32) -> Int? {
        guard descriptor >= 0, descriptor < TelemetryQuota.highestDescriptor else { return nil }
        let place = Int(descriptor)
        while buckets.count <= place { buckets.append(Bucket()) }
        return place
    }
}

/// A connection that sends more than it may, and whose it is.
public struct QuotaBreach: Sendable, Equatable {
    public let descriptor: Int32
    /// Nodes heard on it, the first few; empty where nobody there named itself.
    public let nodeIDs: [String]
    public let shed: TelemetryQuota.Shed
}
