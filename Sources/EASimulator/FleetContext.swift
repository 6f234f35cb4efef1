import Domain
import Wire

/// What all terminals of a fleet share: the prices, the habits, the clock reading of this round, the counters.
///
/// One thread owns it and everything that hangs on it.
final class FleetContext {
    let market: Market
    let behaviour: SimulatorBehaviour
    let events: EventLog
    /// What the brokers know; nil where nobody asked for it.
    let ledger: BrokerLedger?
    var statistics = SimulatorStatistics()
    var generator: SeededGenerator
    /// The wall clock, read once in each round.
    var now: Timestamp
    /// Milliseconds of the monotonic clock at the same moment.
    var monotonic: Int64
    private var ticketBooks: [String: TicketBook] = [:]

    init(
        market: Market, behaviour: SimulatorBehaviour, events: EventLog, ledger: BrokerLedger? = nil, seed: UInt64,
        now: Timestamp
    ) {
        self.market = market
        self.behaviour = behaviour
        self.events = events
        self.ledger = ledger
        self.now = now
        generator = SeededGenerator(seed: seed)
        monotonic = 0
    }

    /// Whether something of that probability happens now.
    func happens(_ probability: Double) -> Bool { probability > 0 && generator.unit() < probability }

    /// Accounts of one broker server draw from one book, so that no ticket repeats there.
    func tickets(server: TerminalText) -> TicketBook {
        if let book = ticketBooks[server.text] { return book }
        let book = TicketBook(seed: generator.next(), startedAt: now)
        ticketBooks[server.text] = book
        return book
    }

    func log(_ event: String, _ terminal: Terminal, _ fields: [(String, JSON)] = []) {
        guard events.isOn else { return }
        let identity: [(String, JSON)] = [
            ("terminal", .integer(terminal.index)), ("user_uuid", .string(terminal.profile.userUUID.text)),
            ("node_id", .string(terminal.nodeID.text)), ("account", .integer(terminal.profile.account)),
        ]
        events.write(event, at: now, identity + fields)
    }
}
