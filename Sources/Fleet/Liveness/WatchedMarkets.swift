public import Domain

/// The markets a terminal watches: it speaks when one of them quotes, and stands still when all of them do.
///
/// All pairs of foreign exchange are one market, so are all metals and all of crypto; each index, each kind of energy and
/// each symbol nobody knows has hours of its own. Source: ea-wire 1.3, `TimeCurrent()` is the time of the last quote of
/// any symbol in Market Watch.
public struct WatchedMarkets: Sendable, Hashable {
    public private(set) var names: Set<String> = []
    /// Whether these are all of its markets; terminals name twenty symbols at most.
    public private(set) var isComplete = false
    /// Whether all of them are known to follow the week of foreign exchange, or a shorter one.
    private var isWeekly = false
    private static let limit = 64

    public init() {}

    /// - Parameters:
    ///   - chart: the symbol of the chart the EA runs on.
    ///   - list: the symbols of Market Watch, by commas.
    ///   - count: how many there are in Market Watch.
    public init(chart: String?, list: String?, count: Int?, catalogue: InstrumentCatalogue) {
        let listed = (list ?? "").split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
        var isKnown = true
        for symbol in Set(listed + [chart ?? ""]).prefix(WatchedMarkets.limit) where !symbol.isEmpty {
            let instrument = catalogue.instrument(for: symbol)
            names.insert(WatchedMarkets.name(instrument, symbol))
            let kind = instrument?.kind ?? .other
            if kind == .crypto || kind == .other { isKnown = false }
        }
        isComplete = !listed.isEmpty && (count ?? listed.count) <= listed.count && listed.count < WatchedMarkets.limit
        isWeekly = isKnown && isComplete
    }

    private static func name(_ instrument: Instrument?, _ symbol: String) -> String {
        switch instrument?.kind {
        case .forex, .metal, .crypto: instrument?.kind.rawValue ?? symbol
        default: "\(instrument?.kind.rawValue ?? "unknown") \(instrument?.symbol ?? symbol)"
        }
    }

    /// Whether another terminal with those markets has to speak when one with these does.
    public func speaks(for other: WatchedMarkets) -> Bool {
        self == other || (isComplete && names.isSubset(of: other.names))
    }

    /// Whether all it watches is traded round the clock, all week.
    public var neverCloses: Bool { names == [Instrument.Kind.crypto.rawValue] }

    /// False where no market of it can be open: outside the week of foreign exchange.
    public func mayBeOpen(at time: Timestamp) -> Bool { !isWeekly || MarketCalendar.forex.isOpen(at: time) }
}

/// Which groups of a broker server's terminals, by the markets they watch, have been speaking and since when.
///
/// A terminal bears witness once it has spoken for a while without a pause and on one connection: news of a
/// connection that comes and goes is no speech. Times are of a clock that never steps.
struct MarketBook: Sendable {
    /// Groups told apart; terminals of further ones are compared with nobody.
    static let limit = 64

    private struct Group: Sendable {
        var markets: WatchedMarkets
        var nodes = 0
        var since: Int64 = 0
        var at: Int64?
        /// Of the look that is under way, and of the last whole one.
        var present = Attendance()
        var attendance = Attendance()
        /// Places of the groups that speak for this one.
        var witnesses: [Int] = []
    }

    private var groups: [Group] = []
    private var places: [WatchedMarkets: Int] = [:]

    mutating func beginLook() {
        for place in groups.indices {
            groups[place].nodes = 0
            groups[place].present = Attendance()
        }
    }

    mutating func endLook() { for place in groups.indices { groups[place].attendance = groups[place].present } }

    mutating func count(_ place: Int) { if groups.indices.contains(place) { groups[place].nodes += 1 } }

    /// A connected terminal of a group; `speaks` where it has spoken for a while and does now.
    mutating func note(_ place: Int, _ user: String, speaks: Bool) {
        if groups.indices.contains(place) { groups[place].present.note(user, speaks: speaks) }
    }

    /// The place of a group, made where there is none; -1 where there is no room.
    mutating func place(_ markets: WatchedMarkets) -> Int {
        if let known = places[markets] { return known }
        var place = groups.count
        if place >= MarketBook.limit {
            guard let empty = groups.firstIndex(where: { $0.nodes == 0 }) else { return -1 }
            place = empty
            places[groups[place].markets] = nil
            groups[place] = Group(markets: markets)
        } else {
            groups.append(Group(markets: markets))
        }
        // Nobody may have been counted yet: it is not to be taken by the next one of the same look.
        groups[place].nodes = 1
        places[markets] = place
        // In its place another one may have been: whom that spoke for is worked out anew.
        for index in groups.indices where index != place {
            groups[index].witnesses.removeAll { $0 == place }
            if markets.speaks(for: groups[index].markets) { groups[index].witnesses.append(place) }
        }
        groups[place].witnesses = groups.indices.filter { groups[$0].markets.speaks(for: markets) }
        return place
    }

    /// A terminal of a group has spoken from one moment to another; a longer pause than given begins anew.
    mutating func note(_ place: Int, from: Int64, to: Int64, pause: Int64) {
        guard groups.indices.contains(place) else { return }
        let last = groups[place].at
        if last.map({ to - $0 > pause }) ?? true { groups[place].since = from }
        groups[place].since = min(groups[place].since, from)
        groups[place].at = max(last ?? to, to)
    }

    /// Whether terminals that speak for a group did so for long enough since a moment.
    func hasSpoken(for place: Int, since moment: Int64, during milliseconds: Int64) -> Bool {
        guard groups.indices.contains(place) else { return false }
        return groups[place].witnesses.contains { witness in
            guard let at = groups[witness].at else { return false }
            return at - max(moment, groups[witness].since) >= milliseconds
        }
    }

    /// Whether so many of the terminals that speak for a group do, that its market is open although it should not be.
    ///
    /// - Parameter user: whose terminal is silent. Crypto never closes: against the only other terminal one is enough.
    func isOpen(for place: Int, _ user: String) -> Bool {
        guard groups.indices.contains(place) else { return false }
        var all = Attendance()
        var neverCloses = true
        for witness in groups[place].witnesses {
            all.add(groups[witness].attendance)
            if groups[witness].attendance.speaking > 0, !groups[witness].markets.neverCloses { neverCloses = false }
        }
        return all.isBroad(against: user, one: neverCloses)
    }
}
