import Domain
import Fleet

/// One broker server with terminals of several markets, looked at once a second.
struct MixedFleet {
    struct Terminal {
        let nodeID: String
        let markets: WatchedMarkets
        var lastSeen: Timestamp
        var connections: Int64 = 1
        var heartbeats: Int64 = 0
        var user: String?
        var bearsWitness = true
        var connection = ConnectionState.up
    }

    static let catalogue = InstrumentCatalogue(instruments: [
        instrument("EURUSD", .forex), instrument("GBPUSD", .forex), instrument("XAUUSD", .metal),
        instrument("BTCUSD", .crypto), instrument("GER40", .index), instrument("US30", .index),
    ])

    private static func instrument(_ symbol: String, _ kind: Instrument.Kind) -> Instrument {
        Instrument(
            symbol: symbol, kind: kind, digits: 5, pip: Amount(1), contractSize: Amount(1), quoteCurrency: "USD",
            lotStep: Amount(1), minimumLot: Amount(1), maximumLot: Amount(1))
    }

    static func markets(_ list: String, count: Int? = nil) -> WatchedMarkets {
        let chart = list.split(separator: ",").first.map(String.init)
        return WatchedMarkets(chart: chart, list: list, count: count, catalogue: catalogue)
    }

    var engine = LivenessEngine()
    var terminals: [String: Terminal] = [:]
    var quotedAt: Timestamp?
    var deaths: [String: LivenessEngine.Cause] = [:]
    /// Seconds of the story at which it begins.
    let start: Timestamp

    init(at text: String) { start = Timestamp(rfc3339: text) ?? at(0) }

    mutating func add(_ nodeID: String, _ list: String, count: Int? = nil, user: String? = nil) {
        terminals[nodeID] = Terminal(
            nodeID: nodeID, markets: MixedFleet.markets(list, count: count), lastSeen: start, user: user)
    }

    /// - Parameter speaking: who gives a sign of life every ten seconds; one of them makes the server's quotes.
    mutating func run(_ seconds: ClosedRange<Int>, speaking: (String, Int) -> Bool) {
        for second in seconds {
            let now = start.adding(milliseconds: Int64(second) * 1000)
            for nodeID in terminals.keys where second % 10 == 0 && speaking(nodeID, second) {
                terminals[nodeID]?.lastSeen = now
                terminals[nodeID]?.heartbeats += 1
                quotedAt = now
            }
            var effects: [LivenessEngine.Effect] = []
            engine.look(
                sightings: terminals.values.map { ($0.nodeID, $0.lastSeen) }.sorted { $0.0 < $1.0 },
                quotes: quotedAt.map { [("Mixed", $0)] } ?? [], listeningSince: start.adding(milliseconds: -1000),
                at: now, into: &effects)
            for effect in effects {
                switch effect {
                case .ask(let nodeID): tell(nodeID, now)
                case .dead(let death):
                    deaths[death.nodeID] = death.cause
                    terminals[death.nodeID] = nil
                case .appeared, .liveness: break
                }
            }
        }
    }

    private mutating func tell(_ nodeID: String, _ now: Timestamp) {
        guard let terminal = terminals[nodeID] else { return }
        var detail = LivenessEngine.Detail()
        detail.server = "Mixed"
        detail.connection = terminal.connection
        detail.userUUID = terminal.user
        detail.bearsWitness = terminal.bearsWitness
        detail.connections = terminal.connections
        detail.heartbeats = terminal.heartbeats
        detail.markets = terminal.markets
        engine.learn(nodeID, detail, earlier: nil, at: now)
    }
}
