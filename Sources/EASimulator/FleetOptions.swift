import Domain

/// A fleet as it was asked for, before anything is opened.
struct FleetOptions: Sendable {
    /// More than this needs more descriptors than a usual hard limit of 20,000 gives: three sockets each, two a socket.
    static let mostTerminals = 2500

    var terminals = 1
    var version: EAVersion = .v205
    /// Terminals of several versions side by side; empty: all are of `version`.
    var mix = FleetMix()
    /// Broker servers the terminals are spread over, their clocks an hour apart in turn.
    var brokers = 1
    var behaviour = SimulatorBehaviour()
    var seed: UInt64 = 1

    // Who they are
    var userPrefix = "demo_user_"
    /// One user for all terminals.
    var userUUID: String?
    var firstAccount: Int64 = 100_001
    var company = "Demo Broker Ltd"
    var server = "Demo-Server"
    var terminalName = "MetaTrader 5"
    var brokerOffsetHours = 3.0
    var currency = "USD"
    var balance = Amount(10_000)
    var leverage = 500
    var codePage = "CP1252"

    // What they watch
    /// Canonical names; nil takes those of the tick file, or the usual fifteen.
    var symbols: [String]?
    var symbolSuffix = ""
    /// The canonical name of the chart's symbol; nil takes the first.
    var chart: String?

    // Where prices come from
    var ticks: String?
    /// Whose prices a file of one symbol holds.
    var ticksSymbol = "EURUSD"
    var speed = 1.0
    var isOnce = false
    var keepsOriginalTimestamps = false
    /// In milliseconds.
    var longestPause: Int64?

    // What happens; in milliseconds
    var scenario: ScenarioName = .day
    var scenarioPeriod: Int64 = 60_000
    var scenarioPause: Int64 = 0
    /// Over how long the terminals start.
    var ramp: Int64 = 0
    /// How often a bot asks for a trade or a close.
    var orderInterval: Int64?

    var brokerOffsetSeconds: Int64 { Int64((brokerOffsetHours * 3600).rounded()) }

    /// Descriptors that the sockets need: a connection and a mailbox each.
    var descriptors: Int {
        // What is left half-open stays beside what came after it, and each socket is watched by another one.
        let copies = scenario == .halfOpen ? 4 : 1
        return sockets * 2 * copies + 64
    }

    /// Sockets of all terminals.
    var sockets: Int {
        (0..<terminals).reduce(0) { sum, index in
            let version = version(of: index)
            return sum + version.socketCount + (behaviour.usesReceipts || version == .own ? 1 : 0)
        }
    }

    func version(of index: Int) -> EAVersion { mix.versions.isEmpty ? version : mix.versions[index] }

    var versions: Set<EAVersion> { mix.versions.isEmpty ? [version] : Set(mix.versions) }
}
