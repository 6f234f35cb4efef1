import ArgumentParser
import Domain

/// Who and how many.
struct FleetArguments: ParsableArguments {
    @Option(help: "How many terminals; 1, or 20 in the scenario demo.") var terminals: Int?
    @Option(help: "The EA's version: 2.05, 2.06H, 2.02, 2.01, 7.01, or own, which keeps the whole contract.")
    var version: EAVersion = .v205
    @Option(help: "Versions side by side with their numbers, such as 2.05:10,2.02:5,7.01:7; instead of the two above.")
    var mix: FleetMix?
    @Option(help: "Broker servers the terminals are spread over; every other one's clock is an hour behind.")
    var brokers = 1
    @Option(help: "Ticks a second of the terminal that floods.") var floodRate = 50_000
    @Option(help: "What happens: \(ScenarioName.allCases.map(\.rawValue).joined(separator: ", ")).")
    var scenario: ScenarioName = .day
    @Option(help: "Seconds until the scenario strikes, and between two strikes; 60, or 45 in demo.")
    var scenarioSeconds: Double?
    @Option(help: "Seconds a weekend or a silence lasts; 0 is for ever. In demo 90.") var pauseSeconds: Double?
    @Option(help: "Seconds over which the terminals start.") var rampSeconds: Double?
    @Option(help: "Seeds everything that is random.") var seed: UInt64 = 1
    @Option(help: "What the users' UUIDs begin with.") var userPrefix = "demo_user_"
    @Option(help: "One user for all terminals.") var userUUID: String?
    @Option(help: "The first terminal's account; the others count up.") var firstAccount: Int64 = 100_001
    @Option(help: "ACCOUNT_SERVER.") var server = "Demo-Server"
    @Option(help: "ACCOUNT_COMPANY.") var broker = "Demo Broker Ltd"
    @Option(help: "TERMINAL_NAME.") var terminalName = "MetaTrader 5"
    @Option(help: "The broker's clock minus UTC, in hours.") var brokerOffsetHours = 3.0
    @Option(help: "The accounts' currency.") var currency = "USD"
    @Option(help: "The accounts' balance.") var balance = "10000"
    @Option(help: "The accounts' leverage.") var leverage = 500
    @Option(help: "The terminals' Windows code page, as iconv calls it: CP1252, CP1251, CP932.")
    var codePage = "CP1252"
    @Option(help: "Seconds between a bot's orders to the mesh (fire, later close); without it nobody orders.")
    var fireEvery: Double?

    private var count: Int { mix?.versions.count ?? terminals ?? (scenario == .demo ? 20 : 1) }

    func check() throws {
        guard (1...FleetOptions.mostTerminals).contains(count) else {
            throw ValidationError(
                "--terminals must be 1 to \(FleetOptions.mostTerminals): each has three sockets, and a process may "
                    + "usually open 20,000 files; start several processes with different --first-account and "
                    + "--user-prefix for more")
        }
        guard mix == nil || terminals == nil else {
            throw ValidationError("--mix says how many terminals there are; leave --terminals out")
        }
        guard (1...1000).contains(brokers) else { throw ValidationError("--brokers must be 1 to 1000") }
        guard (1...10_000_000).contains(floodRate) else {
            throw ValidationError("--flood-rate must be 1 to 10,000,000")
        }
        guard let money = Amount(balance), !money.isNegative else {
            throw ValidationError("--balance must be an amount such as 10000 or 9405.62")
        }
        guard leverage > 0 else { throw ValidationError("--leverage must be above 0") }
        guard (-12...14).contains(brokerOffsetHours) else {
            throw ValidationError("--broker-offset-hours must be -12 to 14")
        }
        let times = [scenarioSeconds, pauseSeconds, rampSeconds, fireEvery].compactMap { $0 }
        guard times.allSatisfy({ $0 >= 0 && $0 <= 1e7 }) else { throw ValidationError("seconds must not be negative") }
    }

    func options() throws -> FleetOptions {
        func milliseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1000) }
        let isDemo = scenario == .demo
        var options = FleetOptions()
        options.terminals = count
        options.version = version
        options.mix = mix ?? FleetMix()
        options.brokers = brokers
        options.seed = seed
        options.userPrefix = userPrefix
        options.userUUID = userUUID
        options.firstAccount = firstAccount
        options.company = broker
        options.server = server
        options.terminalName = terminalName
        options.brokerOffsetHours = brokerOffsetHours
        options.currency = currency
        options.balance = Amount(balance) ?? options.balance
        options.leverage = leverage
        options.codePage = codePage
        options.scenario = scenario
        options.scenarioPeriod = milliseconds(scenarioSeconds ?? (isDemo ? 45 : 60))
        options.scenarioPause = milliseconds(pauseSeconds ?? (isDemo ? 90 : 0))
        // A thousand a second, and never all in one instant: timers spread as starts do.
        options.ramp = milliseconds(rampSeconds ?? (count > 1 ? max(0.5, Double(count) / 1000) : 0))
        options.orderInterval = fireEvery.map { milliseconds($0) }
        return options
    }
}

/// Where prices come from and which symbols there are.
struct PriceArguments: ParsableArguments {
    @Option(help: "Real ticks: 'ts_ms_utc,bid,ask', 'timestamp,bid,ask' or EA JSON lines; plain or .gz.")
    var ticks: String?
    @Option(help: "Whose prices a file of one symbol holds.") var symbol = "EURUSD"
    @Option(help: "How fast time passes for prices: 10 replays ten seconds in one.") var speed = 1.0
    @Flag(help: "Stop quoting at the end of the file instead of starting over.") var once = false
    @Flag(help: "Quotes keep the times of the recording.") var originalTimestamps = false
    @Option(help: "Cut longer silences of the recording to so many seconds.") var longestPause: Double?
    @Option(help: "Comma-separated canonical names; those missing in --ticks walk at random.") var symbols: String?
    @Option(help: "What the broker adds to a symbol's name, for instance .r") var symbolSuffix = ""
    @Option(help: "The symbol the EA's chart shows; by default the first.") var chart: String?

    func check() throws {
        guard speed > 0, speed <= 1e6 else { throw ValidationError("--speed must be above 0") }
        guard !originalTimestamps || ticks != nil else {
            throw ValidationError("--original-timestamps needs --ticks")
        }
        guard (longestPause ?? 0) >= 0 else { throw ValidationError("--longest-pause must not be negative") }
    }

    func apply(to options: inout FleetOptions) throws {
        options.ticks = ticks
        options.ticksSymbol = symbol
        options.speed = speed
        options.isOnce = once
        options.keepsOriginalTimestamps = originalTimestamps
        options.longestPause = longestPause.map { Int64($0 * 1000) }
        options.symbols = symbols.map { text in
            text.split(separator: ",").map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty }
        }
        options.symbolSuffix = symbolSuffix
        options.chart = chart
    }
}
