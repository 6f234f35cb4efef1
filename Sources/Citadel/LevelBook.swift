/// The levels of one symbol: born from closed bars, pierced by ticks, decided by closed bars (`Sweeps.swift`).
struct LevelBook: Sendable {
    var levels: [LiquidityLevel] = []
    let configuration: CitadelConfiguration
    /// The nearest triggers of resting levels, so that a tick costs two comparisons until one is crossed.
    private var upperTrigger = Double.infinity
    private var lowerTrigger = -Double.infinity
    private(set) var nextIdentifier: Int
    /// What happened since the engine last collected it, in order.
    var changes: [LevelChange] = []

    /// Identifiers go on where an earlier book of the same symbol ended.
    init(configuration: CitadelConfiguration, firstIdentifier: Int = 1) {
        self.configuration = configuration
        nextIdentifier = firstIdentifier
    }

    /// What is measured at a birth: the deciding bars' average true range and the pip (price distances), the last close,
    /// the time.
    struct Surroundings: Sendable {
        var averageTrueRange: Double
        var pip: Double
        var close: Double
        var time: Int64
        /// What the spread usually is, a price distance; 0 where unknown.
        var usualSpread = 0.0
    }

    mutating func note(_ kind: LevelChange.Kind, _ place: Int, at time: Int64) {
        changes.append(LevelChange(kind: kind, level: levels[place], timeMilliseconds: time))
    }

    // MARK: births

    /// A new extreme: joins the resting pool it lies in, else becomes a level. One that price is already beyond is
    /// not born, because nothing rests there any more.
    mutating func add(_ member: LevelMember, side: LiquiditySide, in surroundings: Surroundings) {
        if let place = pool(of: member.price, side: side) {
            let sameExtreme = levels[place].members.firstIndex {
                abs($0.time - member.time) < Timeframe.m15.milliseconds && $0.origin != member.origin
            }
            if let sameExtreme {
                // The M5 and the M15 series see one and the same high: one member, the stronger origin.
                levels[place].origins.formUnion(member.origin)
                if (member.price - levels[place].members[sameExtreme].price) * side.sign > 0 {
                    levels[place].members[sameExtreme].price = member.price
                    levels[place].settle()
                }
            } else {
                levels[place].join(member)
            }
            note(.joined, place, at: surroundings.time)
            refreshTriggers()
            return
        }
        insert(price: member.price, side: side, origins: member.origin, members: [member], in: surroundings)
    }

    /// The extreme of a day or session. Where a level within its band was just run, the orders are gone: it would only
    /// stand again for what was collected.
    mutating func add(windowExtreme member: LevelMember, side: LiquiditySide, in surroundings: Surroundings) {
        let isRun = levels.contains {
            ($0.state == .taken || $0.state == .swept) && $0.side == side
                && PoolRule.admits(member.price, anchor: $0.anchor, band: $0.band)
        }
        if isRun, pool(of: member.price, side: side) == nil { return }
        add(member, side: side, in: surroundings)
    }

    /// A stronger neighbour stands for an earlier swing: the member moves, it is not a second one.
    mutating func replace(
        _ old: LevelMember, by new: LevelMember, side: LiquiditySide, in surroundings: Surroundings
    ) {
        for place in levels.indices where levels[place].state == .resting && levels[place].side == side {
            guard let index = levels[place].members.firstIndex(of: old) else { continue }
            levels[place].members[index] = new
            if levels[place].members.count == 1 { levels[place].anchor = new.price }
            levels[place].settle()
            note(.joined, place, at: surroundings.time)
            refreshTriggers()
            return
        }
        add(new, side: side, in: surroundings)
    }

    /// A round number beside the price, unless a level already stands for it.
    mutating func add(roundNumber price: Double, in surroundings: Surroundings) {
        let side: LiquiditySide = price > surroundings.close ? .buySide : .sellSide
        let present = levels.contains {
            $0.origins.contains(.roundNumber) && abs($0.anchor - price) <= max($0.band, surroundings.pip)
        }
        if present { return }
        if let place = pool(of: price, side: side) {
            levels[place].origins.formUnion(.roundNumber)
            note(.joined, place, at: surroundings.time)
            return
        }
        insert(price: price, side: side, origins: .roundNumber, members: [], in: surroundings)
    }

    /// The oldest resting pool that the price belongs to.
    private func pool(of price: Double, side: LiquiditySide) -> Int? {
        levels.firstIndex {
            $0.state == .resting && $0.side == side
                && PoolRule.admits(price, anchor: $0.anchor, band: $0.band)
        }
    }

    private mutating func insert(
        price: Double, side: LiquiditySide, origins: LevelOrigins, members: [LevelMember], in surroundings: Surroundings
    ) {
        let margin = max(
            configuration.pierceShare * surroundings.averageTrueRange,
            configuration.minimumPiercePips * surroundings.pip,
            configuration.pierceSpreads * surroundings.usualSpread)
        if (surroundings.close - price) * side.sign > margin { return }
        guard makeRoom(at: surroundings.time) else { return }
        levels.append(
            LiquidityLevel(
                identifier: nextIdentifier, side: side, origins: origins, anchor: price, price: price, outer: price,
                band: max(configuration.bandShare * surroundings.averageTrueRange, surroundings.pip / 2),
                pierceMargin: margin, members: members, born: surroundings.time))
        nextIdentifier += 1
        note(.born, levels.count - 1, at: surroundings.time)
        refreshTriggers()
    }

    /// The weakest level that is not being decided goes when the book is full.
    private mutating func makeRoom(at time: Int64) -> Bool {
        guard levels.count >= configuration.maximumLevels else { return true }
        var weakest: Int?
        var least = Double.infinity
        for place in levels.indices where levels[place].state != .taken {
            let ended = levels[place].state != .resting
            let value = levels[place].strength(at: time, configuration) - (ended ? 10 : 0)
            if value < least {
                least = value
                weakest = place
            }
        }
        guard let weakest else { return false }
        note(.evicted, weakest, at: time)
        levels.remove(at: weakest)
        return true
    }

    // MARK: ticks

    /// Marks every level that `price` is beyond as taken. `bar` is the start of the deciding bar it belongs to.
    @inline(__always)
    mutating func observe(_ price: Double, at time: Int64, bar: @autoclosure () -> Int64) {
        if price > upperTrigger || price < lowerTrigger { pierce(price, at: time, bar: bar()) }
    }

    private mutating func pierce(_ price: Double, at time: Int64, bar: Int64) {
        for place in levels.indices where levels[place].state == .resting {
            guard (price - levels[place].trigger) * levels[place].side.sign > 0 else { continue }
            guard levels[place].apply(.pierced) else { continue }
            levels[place].taken = time
            levels[place].takenBar = bar
            levels[place].extreme = price
            note(.taken, place, at: time)
        }
        refreshTriggers()
    }

    // MARK: ends

    /// Old levels retire, retired ones are forgotten. Called with the end and the start of each deciding
    /// bar: between the two may lie a weekend. `known` is when that was noticed, where not then.
    mutating func retire(at time: Int64, known: Int64? = nil) {
        var isAnyGone = false
        for place in levels.indices {
            let since: Int64
            let allowed: Int64
            switch levels[place].state {
            case .resting:
                since = levels[place].members.last?.time ?? levels[place].born
                allowed = levels[place].lifetime(configuration)
            case .swept, .broken:
                since = levels[place].ended ?? levels[place].born
                allowed = configuration.retireAfter
            case .taken, .expired:
                continue
            }
            if time - since >= allowed, levels[place].apply(.retired) {
                levels[place].ended = known ?? time
                note(.expired, place, at: known ?? time)
                isAnyGone = true
            }
        }
        guard isAnyGone else { return }
        levels.removeAll { $0.state == .expired }
        refreshTriggers()
    }

    mutating func refreshTriggers() {
        upperTrigger = .infinity
        lowerTrigger = -.infinity
        // By place: a level taken out of the list would be copied with its members.
        for place in levels.indices where levels[place].state == .resting {
            if levels[place].side == .buySide {
                upperTrigger = min(upperTrigger, levels[place].trigger)
            } else {
                lowerTrigger = max(lowerTrigger, levels[place].trigger)
            }
        }
    }
}
