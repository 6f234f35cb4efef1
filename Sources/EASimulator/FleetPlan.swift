import Domain

/// Market, price sources and terminals, made from the options: everything but the sockets.
struct FleetPlan {
    let options: FleetOptions
    let market: Market
    let feed: MarketFeed
    let profiles: [TerminalProfile]

    /// - Parameters:
    ///   - wall: the wall clock in milliseconds.
    ///   - monotonic: the monotonic clock at the same moment.
    init(_ options: FleetOptions, wall: Int64, monotonic: Int64) throws(SimulatorError) {
        self.options = options
        let survey = try options.ticks.map { path throws(SimulatorError) in
            try TickSurvey(path: path, symbol: options.ticksSymbol)
        }
        let names = options.symbols ?? survey?.symbols ?? SymbolSpecification.defaultNames
        guard !names.isEmpty else { throw SimulatorError("no symbols: name some with --symbols") }
        let recorded = Set(survey?.symbols ?? [])
        if options.keepsOriginalTimestamps, let stranger = names.first(where: { !recorded.contains($0) }) {
            throw SimulatorError("--original-timestamps: \(stranger) is not in the tick file")
        }
        market = Market(
            names.map { name in
                var specification = SymbolSpecification.named(name)
                if let digits = survey?.digits[name], digits > specification.digits || !specification.isListed {
                    specification.digits = digits
                }
                return specification
            })
        feed = MarketFeed(
            try FleetPlan.sources(options, names: names, recorded: recorded, market: market), speed: options.speed,
            keepsRecordedTimes: options.keepsOriginalTimestamps, wall: wall, monotonic: monotonic)
        profiles = try FleetPlan.profiles(options, names: names, market: market)
    }

    private static func sources(
        _ options: FleetOptions, names: [String], recorded: Set<String>, market: Market
    ) throws(SimulatorError) -> [any QuoteSource] {
        let places = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
        var sources: [any QuoteSource] = []
        if let path = options.ticks {
            sources.append(
                try TickReplay(
                    path: path, indexByName: places.filter { recorded.contains($0.key) }, symbol: options.ticksSymbol,
                    isOnce: options.isOnce, brokerOffset: options.brokerOffsetSeconds * 1000,
                    longestPause: options.longestPause))
        }
        let walking = names.indices.filter { !recorded.contains(names[$0]) }
        if !walking.isEmpty {
            // Enough for a completed M1 bar; 7.01 sends M15 bars that are two hours old.
            let minutes = options.versions.contains(.v701) ? 160.0 : 3
            // A hurried market's history is hurried too; past twenty times it would only cost time.
            let history = Int64(minutes * 60_000 * max(1, min(20, options.speed)))
            let symbols = walking.map { (index: $0, specification: market.lines[$0].specification) }
            sources.append(RandomWalk(symbols, seed: options.seed, historyMilliseconds: history))
        }
        return sources
    }

    // MARK: - Terminals

    private static func profiles(
        _ options: FleetOptions, names: [String], market: Market
    ) throws(SimulatorError) -> [TerminalProfile] {
        var chart = 0
        if let name = options.chart {
            guard let index = names.firstIndex(of: name) else {
                throw SimulatorError("--chart \(name): it is not one of the symbols")
            }
            chart = index
        }
        let page = try CodePage(options.codePage)
        let result = (0..<options.terminals).map { index in
            let broker = options.scenario == .demo ? DemoBroker.number(index) : DemoBroker(options, index)
            let version = options.version(of: index)
            // 7.01 streams its own chart only, so a fleet of it covers the symbols; so does a demonstration.
            let charts = version == .v701 ? names.count : options.scenario == .demo ? 3 : 1
            return TerminalProfile(
                version: version, userUUID: page.encode(userUUID(options, index)),
                account: options.firstAccount + Int64(index), company: page.encode(broker.company),
                server: page.encode(broker.server), terminalName: page.encode(options.terminalName),
                currency: broker.currency, leverage: broker.leverage,
                balance: options.scenario == .demo ? DemoBroker.balance(index) : options.balance,
                symbols: names.enumerated().map { place, name in
                    WatchedSymbol(
                        name: page.encode(name + broker.suffix), marketIndex: place,
                        digits: market.lines[place].specification.digits)
                },
                chart: options.chart == nil ? index % min(names.count, charts) : chart,
                brokerOffsetSeconds: broker.offsetSeconds)
        }
        if let short = result.first(where: { $0.userUUID.bytes.count < 10 }) {
            throw SimulatorError("user '\(short.userUUID.text)': an EA does not start with less than 10 characters")
        }
        return result
    }

    /// The last character is one to lose: with the identity cut, users that differ only there would be one.
    private static func userUUID(_ options: FleetOptions, _ index: Int) -> String {
        if let fixed = options.userUUID { return fixed }
        let number = String(index + 1)
        return options.userPrefix + String(repeating: "0", count: max(0, 5 - number.count)) + number + "x"
    }
}

/// A broker as a demonstration's terminals have them: names, suffixes, currencies and clocks differ.
struct DemoBroker {
    let company: String
    let server: String
    let suffix: String
    let currency: String
    let leverage: Int
    let offsetSeconds: Int64

    private init(
        _ company: String, _ server: String, _ suffix: String, _ currency: String, _ leverage: Int, hours: Int64
    ) {
        self.company = company
        self.server = server
        self.suffix = suffix
        self.currency = currency
        self.leverage = leverage
        offsetSeconds = hours * 3600
    }

    init(_ options: FleetOptions, _ index: Int) {
        let number = index % max(1, options.brokers)
        let addition = options.brokers > 1 ? "-\(number + 1)" : ""
        company = options.company
        server = options.server + addition
        suffix = options.symbolSuffix
        currency = options.currency
        leverage = options.leverage
        offsetSeconds = options.brokerOffsetSeconds - Int64(number % 2) * 3600
    }

    private static let all = [
        DemoBroker("Northwind Markets Ltd", "Northwind-Demo", "", "USD", 500, hours: 3),
        DemoBroker("Harbour Capital Pty", "Harbour-Live02", ".r", "USD", 200, hours: 3),
        DemoBroker("Société Lumière", "Lumiere-Real", ".pro", "EUR", 30, hours: 2),
        DemoBroker("Kestrel FX", "Kestrel-Demo", "m", "USD", 1000, hours: 0),
        DemoBroker("Alpine Trading AG", "Alpine-Live", ".ecn", "EUR", 100, hours: 3),
    ]

    static func number(_ index: Int) -> DemoBroker { all[index % all.count] }

    /// From a few hundred to fifty thousand, as fleets are.
    static func balance(_ index: Int) -> Amount {
        let steps = [500, 1000, 2500, 5000, 7500, 10_000, 25_000, 50_000]
        return Amount(steps[index * 3 % steps.count]) + Amount(units: Int64(index) * 1_237_000_000)
    }
}
