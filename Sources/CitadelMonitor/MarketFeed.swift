import Citadel
import Domain

/// Turns terminals' quotes and bars into the engine's: which broker they come from, when they were in UTC, and
/// whether they are the present.
///
/// Quotes of a registered terminal belong to its broker server. A terminal nobody registered is held out for five
/// seconds, because its registration is usually under way; then it is a source of its own, `unknown:<node_id>`, which
/// the engine uses only where no other quotes. Pure but for its memory: the caller brings the time. One owner.
final class MarketFeed {
    /// Why a quote or bar does not reach the engine; raw values are the counters' names.
    enum Held: String, CaseIterable {
        case stale = "stale_ticks"
        case unknownNode = "ticks_unknown_node"
        case withoutTime = "ticks_without_time"
        /// Older than what another terminal of the same broker already sent.
        case behind = "ticks_behind"
        case symbolLimit = "ticks_symbol_limit"
        case barUnknownNode = "bars_unknown_node"
        case barWithoutClock = "bars_without_clock"
        case barOtherTimeframe = "bars_other_timeframe"
    }

    enum Verdict<Item: Equatable>: Equatable {
        case use(Item)
        case hold(Held)
    }

    /// One broker server, or one terminal that nobody registered.
    private final class Source {
        let name: String
        var clock = BrokerClock()
        /// Broker's symbol -> the newest quote's time that was passed on.
        var newest: [String: Int64] = [:]
        var lastCurrent = Timestamp(milliseconds: 0)
        var lastHeard = Timestamp(milliseconds: 0)

        init(_ name: String) { self.name = name }
    }

    static let registrationGrace: Int64 = 5_000
    private static let clockTrust: Int64 = 60_000
    private static let strangerSilence: Int64 = 600_000
    private static let maximumStrangers = 4_096
    private static let maximumSymbolsPerSource = 1_024
    private static let maximumNames = 4_096
    /// An offset this near to a whole quarter of an hour is a time zone; another is a clock that is wrong.
    private static let zoneTolerance: Int64 = 4_000

    private let instruments: InstrumentCatalogue
    private let maximumUnconfigured: Int
    private var servers: [String: Source] = [:]
    private var byNode: [String: Source] = [:]
    private var byUser: [String: Source] = [:]
    private var strangers: [String: (since: Timestamp, source: Source)] = [:]
    private var names: [String: String] = [:]
    private var unconfigured: Set<String> = []
    private(set) var held: [Held: Int] = [:]

    /// - Parameter maximumUnconfigured: symbols that `symbols.yaml` does not name but that may be followed: junk from
    ///   one terminal must leave room for the configured ones.
    init(instruments: InstrumentCatalogue, maximumUnconfigured: Int) {
        self.instruments = instruments
        self.maximumUnconfigured = max(0, maximumUnconfigured)
    }

    // MARK: - Terminals

    var nodeCount: Int { byNode.count }
    var sourceCount: Int { servers.count + strangers.count }

    /// A terminal is registered (again) with this broker server; says whether the server is new here.
    @discardableResult
    func assign(node: String, user: String?, server: String) -> Bool {
        guard !node.isEmpty, !server.isEmpty else { return false }
        let known = servers[server]
        let source = known ?? Source(server)
        servers[server] = source
        byNode[node] = source
        if let user, !user.isEmpty { byUser[user] = source }
        strangers[node] = nil
        return known == nil
    }

    /// What is known of a server's clock from before: its offset to UTC in milliseconds.
    func prime(server: String, offset: Int64, now: Timestamp) {
        guard let source = servers[server], source.clock.offset == nil else { return }
        // Readings are whole seconds. Rounded up, so that the first current quote is no jump forward.
        let seconds = now.adding(milliseconds: offset).adding(milliseconds: 999).seconds
        _ = source.clock.age(ofBrokerSeconds: seconds, now: now)
    }

    /// A terminal is gone; a user's newer terminal keeps the user's place.
    func forget(node: String, user: String?) {
        let source = byNode.removeValue(forKey: node)
        if let user, let source, byUser[user] === source { byUser[user] = nil }
    }

    private func source(node: String?, user: String?, _ now: Timestamp) -> Source? {
        if let node {
            if let source = byNode[node] { return source }
        } else if let user, let source = byUser[user] {
            return source
        }
        return stranger(node ?? user ?? "anonymous", now)
    }

    private func stranger(_ name: String, _ now: Timestamp) -> Source? {
        if let known = strangers[name] {
            known.source.lastHeard = now
            return now - known.since >= MarketFeed.registrationGrace ? known.source : nil
        }
        if strangers.count >= MarketFeed.maximumStrangers {
            strangers = strangers.filter { now - $0.value.source.lastHeard < MarketFeed.strangerSilence }
            guard strangers.count < MarketFeed.maximumStrangers else { return nil }
        }
        let source = Source("unknown:\(name)")
        source.lastHeard = now
        strangers[name] = (now, source)
        return nil
    }

    // MARK: - Symbols

    /// The canonical name of a broker's symbol, remembered.
    func canonical(_ symbol: String) -> String {
        if let name = names[symbol] { return name }
        let name = instruments.canonical(symbol)
        if names.count < MarketFeed.maximumNames { names[symbol] = name }
        return name
    }

    private func admits(_ canonical: String) -> Bool {
        if instruments.instruments[canonical] != nil || unconfigured.contains(canonical) { return true }
        guard unconfigured.count < maximumUnconfigured, !canonical.isEmpty, canonical.utf8.count <= 32 else {
            return false
        }
        unconfigured.insert(canonical)
        return true
    }

    /// An unconfigured symbol that was restored keeps its place.
    func restored(symbol: String) { _ = admits(symbol) }

    /// Decimals of a canonical symbol's prices before any quote of it: as configured, else eight, which fit all.
    func digits(of canonical: String) -> Int { instruments.instruments[canonical]?.digits ?? 8 }

    /// Whether signals for the symbol make sense: it is configured, or quotes of it were seen.
    func isKnown(_ canonical: String) -> Bool {
        instruments.instruments[canonical] != nil || unconfigured.contains(canonical)
    }

    // MARK: - Quotes and bars

    func accept(_ tick: Tick, now: Timestamp) -> Verdict<MarketTick> {
        guard let seconds = tick.brokerSeconds else { return hold(.withoutTime) }
        guard let source = source(node: tick.nodeID, user: tick.userUUID, now) else { return hold(.unknownNode) }
        guard source.clock.isCurrent(brokerSeconds: seconds, now: now) else { return hold(.stale) }
        source.lastCurrent = now
        let time = MarketFeed.utc(seconds, source.clock, now)
        if let newest = source.newest[tick.symbol] {
            guard time >= newest else { return hold(.behind) }
        } else if source.newest.count >= MarketFeed.maximumSymbolsPerSource {
            return hold(.symbolLimit)
        }
        let symbol = canonical(tick.symbol)
        guard admits(symbol) else { return hold(.symbolLimit) }
        source.newest[tick.symbol] = time
        return .use(
            MarketTick(
                symbol: symbol, source: source.name, timeMilliseconds: time, bid: tick.bid.double,
                ask: tick.ask.double, decimals: tick.decimals))
    }

    /// A bar counts only while the broker's clock is known from a quote of the last minute.
    func accept(_ bar: Domain.Bar, now: Timestamp) -> Verdict<MarketBar> {
        guard let timeframe = Timeframe(rawValue: bar.timeframe.uppercased()) else { return hold(.barOtherTimeframe) }
        guard let source = source(node: bar.nodeID, user: nil, now) else { return hold(.barUnknownNode) }
        guard now - source.lastCurrent <= MarketFeed.clockTrust, MarketFeed.isZone(source.clock),
            let start = source.clock.utc(brokerSeconds: bar.brokerSeconds)
        else { return hold(.barWithoutClock) }
        let symbol = canonical(bar.symbol)
        guard admits(symbol) else { return hold(.symbolLimit) }
        return .use(
            MarketBar(
                symbol: symbol, source: source.name, timeframe: timeframe, startMilliseconds: start.milliseconds,
                open: bar.open.double, high: bar.high.double, low: bar.low.double, close: bar.close.double))
    }

    private func hold<Item>(_ reason: Held) -> Verdict<Item> {
        held[reason, default: 0] += 1
        return .hold(reason)
    }

    private static func isZone(_ clock: BrokerClock) -> Bool {
        guard let offset = clock.offset, let zone = zone(of: clock) else { return false }
        return abs(offset - zone) <= zoneTolerance
    }

    /// The clock's offset to UTC as a time zone, milliseconds.
    private static func zone(of clock: BrokerClock) -> Int64? {
        clock.utc(brokerSeconds: 0).map { -$0.milliseconds }
    }

    /// Exact where the broker's clock is right but for its zone; else as far back as the quote is old.
    private static func utc(_ seconds: Int64, _ clock: BrokerClock, _ now: Timestamp) -> Int64 {
        let time = Timestamp(seconds: seconds)
        if isZone(clock), let utc = clock.utc(brokerSeconds: seconds) { return utc.milliseconds }
        return time.adding(milliseconds: -(clock.offset ?? 0)).milliseconds
    }
}
