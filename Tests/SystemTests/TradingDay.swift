import Domain
import Glibc
import Redis
import ServiceKit
import TestKit
import Wire
import ZeroMQ

/// A mesh with simulated terminals on recorded prices, and what the story asks of it.
final class TradingDay {
    let mesh: TestMesh
    let context: ZMQContext
    let orders: Client
    let signals: Client
    let http: HTTP
    let relay: Subscriber
    let events: Subscriber
    let published: Subscriber
    let users: [String]
    private let eventFile: String
    private let simulator: ChildProcess
    private let first: Int64 = 700_001

    /// - Parameters:
    ///   - ticks: a file of recorded prices.
    ///   - arguments: more of the simulator's command line.
    init(ticks: String, terminals: Int, _ arguments: [String]) throws {
        mesh = try TestMesh()
        try mesh.start(ServiceName.startOrder)
        context = try ZMQContext()
        orders = try Client(context, mesh.endpoint(.orders), usesDelimiter: true)
        signals = try Client(context, mesh.endpoint(.signalIntake))
        http = try HTTP(port: mesh.ports[.health].port)
        relay = try Subscriber(context, mesh.endpoint(.marketRelay))
        events = try Subscriber(context, mesh.endpoint(.tradeEvents))
        published = try Subscriber(context, mesh.endpoint(.signals))
        users = (1...terminals).map { "story_0000\($0)x" }
        eventFile = mesh.directory.path + "/simulator.jsonl"
        simulator = try mesh.tool(
            "ea-simulator",
            [
                "--ticks", ticks, "--terminals", String(terminals), "--user-prefix", "story_", "--first-account",
                String(first), "--server", "Story-Server", "--events", eventFile, "--longest-pause", "5",
                "--duplicate-confirmations", "0.3", "--heartbeat-seconds", "5", "--seed", "7",
            ] + arguments)
    }

    /// What the simulated terminals did so far, by kind.
    func told(_ event: String) throws -> [JSONObject] {
        guard simulator.isRunning || !simulator.errors.isEmpty || !simulator.output.isEmpty else {
            throw ConditionNotMet(description: "the simulator has ended: \(simulator.tail())")
        }
        let text = try ConfigurationFile.text(path: eventFile)
        return text.split(separator: "\n").compactMap { (try? JSON(String($0)))?.object }
            .filter { $0["event"]?.text == event }
    }

    /// Waits with the subscribers listening: what they are sent must not pile up.
    @discardableResult
    func eventually<Value>(
        _ what: String, within seconds: Double = 10, _ observe: () throws -> Value, until isMet: (Value) -> Bool
    ) throws -> Value {
        do {
            return try TestKit.eventually(what, within: seconds, { try listen(observe) }, until: isMet)
        } catch {
            throw ConditionNotMet(description: "\(error)\n\(mesh.logTails)\n\(simulator.tail())")
        }
    }

    private func listen<Value>(_ observe: () throws -> Value) throws -> Value {
        try relay.listen()
        try events.listen()
        try published.listen()
        return try observe()
    }

    // MARK: - Steps

    /// All terminals are known and their users may hold positions.
    func connect(tier: String) throws {
        try eventually("all terminals are active") {
            try http.get("/nodes?status=active&limit=1000").items.compactMap { $0["user_uuid"]?.text }.sorted()
        } until: {
            $0 == users.sorted()
        }
        for user in users {
            let reply = try orders.ask([
                "type": .string("set_user"), "user_uuid": .string(user), "tier": .string(tier),
            ])
            guard reply["ok"] == .bool(true) else { throw ConditionNotMet(description: reply.compactText) }
        }
    }

    /// The position tracker knows every terminal and finds its market live: a wish without a stop is denied for that.
    func waitForMarket(_ symbol: String) throws {
        var number = 0
        for user in users {
            try eventually("the market of \(user) is live", within: 30) {
                number += 1
                return try orders.ask([
                    "type": .string("fire"), "fire_id": .string("probe-\(symbol)-\(number)"),
                    "user_uuid": .string(user), "symbol": .string(symbol), "direction": .string("BUY"),
                    "lot": .number("0.01"),
                ])["reason"]?.text
            } until: {
                $0 == "no_stop"
            }
        }
    }

    /// The newest relayed quote of a broker's symbol.
    func quote(_ symbol: String) throws -> (bid: Amount, ask: Amount) {
        let texts = try eventually("\(symbol) is quoted", within: 30) {
            relay.texts.last { $0.contains(#""type":"TICK""#) && $0.contains(#""symbol":"\#(symbol)""#) }
        } until: {
            $0 != nil
        }
        let object = try JSON(texts ?? "").object
        guard let bid = object?["bid"]?.text.flatMap({ Amount($0) }),
            let ask = object?["ask"]?.text.flatMap({ Amount($0) })
        else { throw ConditionNotMet(description: "no prices in \(texts ?? "")") }
        return (bid, ask)
    }

    /// Puts a signal in whose stop and target are far enough never to be reached; returns its scored reply.
    func submit(_ identifier: String, canonical: String, broker: String, _ direction: Direction, distance: Amount)
        throws -> JSONObject
    {
        let quote = try quote(broker)
        let isBuy = direction == .buy
        let entry = isBuy ? quote.ask : quote.bid
        let now = SystemClock.now()
        return try signals.ask([
            "signal_id": .string(identifier), "symbol": .string(canonical), "direction": .string(direction.rawValue),
            "pattern": .string("STORY"), "confidence": .number("75.0"), "entry_price": .number(entry.description),
            "stop_loss": .number((isBuy ? entry - distance : entry + distance).description),
            "take_profit": .number((isBuy ? entry + distance : entry - distance).description),
            "timestamp": .string(now.description), "expires_at": .string(now.adding(milliseconds: 600_000).description),
        ])
    }

    /// Fires a live signal at everybody; returns the reply.
    func fire(_ fireID: String, signal: String, lot: String) throws -> JSONObject {
        try orders.ask([
            "type": .string("fire"), "fire_id": .string(fireID), "signal_id": .string(signal), "all": .bool(true),
            "lot": .number(lot),
        ])
    }

    func positions(_ state: String) throws -> [JSONObject] {
        try http.get("/positions?state=\(state)&limit=1000").items
    }

    /// Asks every open position to be closed and waits until all are.
    func closeAll(expecting count: Int) throws {
        let open = try eventually(
            "\(count) positions are open", { try positions("open") }, until: { $0.count == count })
        for position in open {
            let reply = try orders.ask([
                "type": .string("close"), "user_uuid": position["user_uuid"] ?? .null,
                "ticket": position["ticket"] ?? .null,
            ])
            guard reply["state"]?.text == "sent" else { throw ConditionNotMet(description: reply.compactText) }
        }
        try eventually("all are closed", { try positions("open").count }, until: { $0 == 0 })
    }

    /// Ends the fleet as an operator does; returns the simulator's own counts.
    func end() throws -> String {
        simulator.kill(SIGTERM)
        try simulator.wait(within: 10)
        return simulator.output.split(separator: "\n").last.map(String.init) ?? ""
    }
}
