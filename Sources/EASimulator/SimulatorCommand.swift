import ArgumentParser
import Domain
import ServiceKit

/// `ea-simulator`: a fleet of EA terminals as they really behave.
struct SimulatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ea-simulator",
        abstract: "A fleet of MetaTrader terminals whose EAs behave as they do in the field.",
        discussion: """
            Users are PREFIX, five digits and an 'x': EA 2.05 loses the last character of its identity.
            Prices are replayed from --ticks or walk at random, the same for the same --seed.

            Scenarios: day (just live), weekend (quotes freeze, connections stay), restart (new node ids),
            switch-account, silent (every third terminal hangs), storm (all reconnect at once),
            half-open (each starts anew while the mesh still holds its old connections), backlog (all away for
            --pause-seconds, then back within 2 s with 1,000 queued ticks each), flood (the first sends --flood-rate),
            demo (20 terminals at five brokers, now and then one hangs, reconnects or restarts).

            Examples:
              ea-simulator --terminals 20 --scenario demo --duration 0
              ea-simulator --mix 2.05:10,2.06H:2,2.02:1,7.01:7,own:1 --brokers 2
              ea-simulator --ticks eurusd.csv.gz --symbol EURUSD --speed 10 --events -
              ea-simulator --user-uuid COMMANDER_DEV_001 --first-account 843859 --stale-first-ticks 7200
            """)

    @OptionGroup(title: "The fleet") var fleet: FleetArguments
    @OptionGroup(title: "Prices") var prices: PriceArguments
    @OptionGroup(title: "Habits of the EA") var habits: HabitArguments

    @Option(help: "The host of the mesh.") var host = "127.0.0.1"
    @Option(help: "The mesh's configuration file; its ports are used.") var config: String?
    @Option(help: "A ports.yaml to use instead.") var ports: String?
    @Option(help: "Seconds to run; 0 runs until SIGTERM.") var duration = 0.0
    @Option(help: "Write what happens as JSON lines to this file; '-' is standard output.") var events: String?

    @Option(help: "At the end, write what the brokers know to this file: one JSON object, accounts in it.")
    var ledger: String?

    func validate() throws {
        try fleet.check()
        try prices.check()
        try habits.check()
        guard duration >= 0 else { throw ValidationError("--duration must not be negative") }
    }

    func run() throws {
        var signals = StopSignals()
        var options = try fleet.options()
        try prices.apply(to: &options)
        habits.apply(to: &options.behaviour)
        options.behaviour.floodRate = fleet.floodRate
        options.behaviour.isNeverReconnecting = options.scenario == .halfOpen
        try OpenFileLimit.raise(to: options.descriptors)
        let books = ledger.map { _ in BrokerLedger() }
        let simulation = try SimulatedFleet(
            options, endpoints: Endpoints(ports: portList(), host: host), events: EventLog(path: events),
            ledger: books)
        let end = duration > 0 ? SystemClock.monotonicMilliseconds() + Int64(duration * 1000) : Int64.max
        while SystemClock.monotonicMilliseconds() < end {
            try simulation.round()
            if signals.arrive(withinMilliseconds: simulation.cadence) { break }
        }
        // Whoever wants receipts waits for them, but not for ever.
        let patience = SystemClock.monotonicMilliseconds() + SimulatorCommand.settlingMilliseconds
        while !options.behaviour.exitsAbruptly, !simulation.isSettled,
            SystemClock.monotonicMilliseconds() < patience, !signals.arrive(withinMilliseconds: simulation.cadence)
        {
            try simulation.round()
        }
        try simulation.stop()
        if let ledger { try books?.write(to: ledger, seed: options.seed, now: SystemClock.now()) }
        if events != "-" { print(simulation.summary) }
    }

    private static let settlingMilliseconds: Int64 = 3000

    private func portList() throws -> PortList {
        if let ports { return try PortList.load(path: ports) }
        var overrides = MeshConfiguration.Overrides()
        overrides.config = config
        return try MeshConfiguration.load(overrides).ports
    }
}
