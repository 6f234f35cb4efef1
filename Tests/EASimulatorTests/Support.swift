import Domain
import ZeroMQ

@testable import EASimulator

/// A market with the prices a test gives it.
func market(_ prices: [(name: String, bid: String, ask: String)], utcSeconds: Int64 = 1_757_954_363) -> Market {
    let market = Market(prices.map { SymbolSpecification.named($0.name) })
    for (index, price) in prices.enumerated() { quote(market, index, price.bid, price.ask, utcSeconds) }
    return market
}

func quote(_ market: Market, _ index: Int, _ bid: String, _ ask: String, _ utcSeconds: Int64) {
    market.apply(index, bid: amount(bid), ask: amount(ask), utcSeconds: utcSeconds)
}

func amount(_ text: String) -> Amount { Amount(text) ?? .zero }

func profile(
    _ version: EAVersion = .v205, _ market: Market, suffix: String = "", uuid: TerminalText = "COMMANDER_DEV_001",
    currency: String = "USD"
) -> TerminalProfile {
    let symbols = market.lines.enumerated().map { index, line in
        WatchedSymbol(
            name: TerminalText(line.specification.name + suffix), marketIndex: index,
            digits: line.specification.digits)
    }
    return TerminalProfile(
        version: version, userUUID: uuid, account: 843_859, company: "Coinexx Limited", server: "Coinexx-Demo",
        currency: currency, symbols: symbols)
}

func terminal(
    _ version: EAVersion = .v205, _ market: Market, behaviour: SimulatorBehaviour = SimulatorBehaviour(),
    suffix: String = "", currency: String = "USD", ledger: BrokerLedger? = nil
) throws -> Terminal {
    let context = FleetContext(
        market: market, behaviour: behaviour, events: try EventLog(path: nil), ledger: ledger, seed: 7,
        now: Timestamp(seconds: 1_757_954_363))
    let profile = profile(version, market, suffix: suffix, currency: currency)
    return Terminal(index: 0, profile: profile, context: context)
}

/// What an expert wrote, as text, oldest first.
func written(_ terminal: Terminal) -> [String] {
    terminal.takeOutbox().map { String(decoding: $0.bytes, as: UTF8.self) }
}

/// Binds a socket to a port that nobody has, below those the system gives to connections.
func bindFree(_ socket: borrowing ZMQSocket) throws -> String {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
        let endpoint = "tcp://127.0.0.1:\(Int.random(in: 20_000..<32_000, using: &generator))"
        do throws(ZMQError) {
            try socket.bind(endpoint)
            return endpoint
        } catch {
            guard error.code == .addressInUse else { throw error }
        }
    }
    throw SimulatorError("no free port found in 200 tries")
}

/// The mesh's EA ports, as far as a test needs them.
struct MeshPorts: ~Copyable {
    let commands: ZMQSocket
    let telemetry: ZMQSocket
    let confirmations: ZMQSocket
    let receipts: ZMQSocket
    let endpoints: Endpoints
    let scratch = ZMQMessage()

    init(_ context: ZMQContext) throws {
        let commands = try ZMQSocket(context, .router, SocketOptions().with { $0.routerHandover = true })
        let telemetry = try ZMQSocket(context, .pull)
        let confirmations = try ZMQSocket(context, .pull)
        let receipts = try ZMQSocket(context, .router)
        let endpoints = Endpoints(
            commands: try bindFree(commands), telemetry: try bindFree(telemetry),
            confirmations: try bindFree(confirmations), receipts: try bindFree(receipts), orders: "")
        self.commands = commands
        self.telemetry = telemetry
        self.confirmations = confirmations
        self.receipts = receipts
        self.endpoints = endpoints
    }
}

/// Runs a fleet's rounds until the condition holds; false when the deadline passes first.
func drive(_ fleet: SimulatedFleet, seconds: Double = 20, until isDone: () throws -> Bool) throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var nothing: [PollItem] = [PollItem(descriptor: -1)]
    while ContinuousClock.now < deadline {
        try fleet.round()
        if try isDone() { return true }
        // Gives the I/O threads a turn; the condition, not this, decides when it is over.
        _ = try poll(&nothing, timeout: 1)
    }
    return false
}
