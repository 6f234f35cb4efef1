import Domain
import ServiceKit
import Wire
import ZeroMQ

/// Plays a terminal: says HELLO, takes a command, answers it durably, quotes a price, is seen, and goes.
///
/// Each hop is measured by what comes back of it. Nothing is traded or counted: the terminal has no account and the price
/// no symbol of the catalogue (``ProbeTerminal``). Uses its sockets from the thread that calls ``run()``.
final class RoundTrip {
    struct Hop: Sendable, Equatable {
        let name: String
        let milliseconds: Double
    }

    /// So long one hop may take before the way ends there, in milliseconds.
    static let patience: Int64 = 2000
    /// So long all of them together: what is left of the checkup's own limit is for taking leave.
    static let limit: Int64 = 5500

    private let mesh: Mesh
    private let deadline = SystemClock.monotonicMilliseconds() + RoundTrip.limit
    /// Whether node-registry took the terminal's goodbye; it forgets the terminal with that.
    private(set) var hasLeft = true
    /// Those that answered, in order.
    private(set) var hops: [Hop] = []

    init(_ mesh: Mesh) { self.mesh = mesh }

    /// - Throws: ``ToolError`` naming the hop that did not answer.
    func run() throws {
        let context = try ZMQContext()
        var options = SocketProfile.requestClient
        options.routingIdentifier = Array(ProbeTerminal.userUUID.utf8.dropLast())
        let commands = try ZMQSocket(context, .dealer, options)
        try commands.connect(mesh.configuration.connectEndpoint(.eaCommands))
        let mark = "\(SystemClock.monotonicNanoseconds())"
        defer { leave() }
        try hop("ea-commands to registry") { try register(commands) }
        try hop("orders to terminal") { try takeCommand(commands, mark) }
        try hop("ea-receipts to trade-events") { try answer(context, mark) }
        try hop("ea-telemetry to market-relay") { try quote(context, mark) }
        try hop("citadel") {
            _ = try port(.citadelQueries).ask(["symbol": .string("EURUSD"), "entry_price": .number("1.1")])
        }
        try hop("dashboard") { try beSeen() }
    }

    private var patience: Int64 {
        max(1, min(RoundTrip.patience, deadline - SystemClock.monotonicMilliseconds()))
    }

    private func hop(_ name: String, _ body: () throws -> Void) throws {
        let began = SystemClock.monotonicNanoseconds()
        do { try body() } catch {
            let why = ToolError(error)?.message ?? "\(error)"
            throw ToolError(ExitStatus.unavailable, "\(name): \(why)")
        }
        hops.append(Hop(name: name, milliseconds: Double(SystemClock.monotonicNanoseconds() - began) / 1e6))
    }

    private func port(_ name: PortList.Name) -> RequestPort {
        var port = RequestPort(mesh, name)
        port.timeoutMilliseconds = patience
        return port
    }

    // MARK: - The hops

    /// HELLO on the command port is in the registry, which is asked until it has it.
    private func register(_ commands: borrowing ZMQSocket) throws {
        let hello: JSONObject = [
            "type": .string("HELLO"), "target_uuid": .string(ProbeTerminal.userUUID),
            "node_id": .string(ProbeTerminal.nodeID), "version": .string("2.05"),
        ]
        guard try commands.send(hello.bytes) == .sent else { throw silence("position-tracker takes no HELLO") }
        let question: JSONObject = ["type": .string("node"), "node_id": .string(ProbeTerminal.nodeID)]
        try until("node-registry never heard of it from position-tracker") {
            let node = try port(.registry).ask(question)
            return node["ok"]?.bool == true && node["status"]?.text == "active"
        }
    }

    private func takeCommand(_ commands: borrowing ZMQSocket, _ mark: String) throws {
        let reply = try port(.orders).demand([
            "type": .string("ping"), "user_uuid": .string(ProbeTerminal.userUUID), "ping_id": .string(mark),
        ])
        guard reply["state"]?.text != "denied" else {
            throw silence("position-tracker can't reach it: \(Fields.text(reply["message"] ?? reply["reason"]))")
        }
        try receive(commands, "the ping never came to the terminal") { $0.contains(mark) }
    }

    /// The answer is durable once `ea-receipts` answers, and told on `trade-events`. A subscription takes a moment: told again.
    private func answer(_ context: ZMQContext, _ mark: String) throws {
        let events = try ZMQSocket(context, .subscribe, SocketProfile.subscriber)
        try events.connect(mesh.configuration.connectEndpoint(.tradeEvents))
        try events.subscribe("TRADE_EVENT")
        let pong: JSONObject = [
            "type": .string("pong"), "ping_id": .string(mark), "user_uuid": .string(ProbeTerminal.userUUID),
        ]
        try receive(
            events, "trade-events did not tell it",
            again: { _ = try self.port(.eaReceipts).demand(pong) }, where: { $0.contains(mark) })
    }

    private func quote(_ context: ZMQContext, _ mark: String) throws {
        let head = "{\"type\":\"tick\",\"symbol\":\"\(ProbeTerminal.symbol)\""
        let relay = try ZMQSocket(context, .subscribe, SocketProfile.subscriber)
        try relay.connect(mesh.configuration.connectEndpoint(.marketRelay))
        try relay.subscribe(head)
        let telemetry = try ZMQSocket(context, .push, SocketProfile.requestClient)
        try telemetry.connect(mesh.configuration.connectEndpoint(.eaTelemetry))
        let tick = Array(
            (head + ",\"bid\":1.00000,\"ask\":1.00001,\"spread\":1.0,\"volume\":0,\"mark\":\"\(mark)\"}").utf8)
        try receive(
            relay, "market-relay did not pass it on",
            again: { _ = try telemetry.send(tick) }, where: { $0.contains(mark) })
    }

    private func beSeen() throws {
        var client = HTTPClient(port: mesh.configuration.ports[.health].port)
        client.timeoutMilliseconds = patience
        try until("the dashboard does not know it") {
            try client.get("/nodes/\(ProbeTerminal.nodeID)").status == 200
        }
    }

    /// Goes in good order, so that nobody misses it; node-registry forgets it.
    private func leave() {
        var registry = RequestPort(mesh, .registry)
        registry.timeoutMilliseconds = RoundTrip.patience
        hasLeft =
            (try? registry.ask([
                "type": .string("disconnect"), "node_id": .string(ProbeTerminal.nodeID),
                "reason": .string(ProbeTerminal.disconnectReason),
            ])) != nil
    }

    // MARK: - Waiting

    private func silence(_ why: String) -> ToolError { ToolError(ExitStatus.unavailable, why) }

    private func until(_ complaint: String, _ condition: () throws -> Bool) throws {
        let deadline = SystemClock.monotonicMilliseconds() + patience
        while try !condition() {
            guard SystemClock.monotonicMilliseconds() < deadline else { throw silence(complaint) }
            var nothing: [PollItem] = []
            _ = try poll(&nothing, timeout: 2)
        }
    }

    /// - Parameter again: done first, and every 100 ms until the answer came.
    private func receive(
        _ socket: borrowing ZMQSocket, _ complaint: String, again: () throws -> Void = {},
        where isWanted: (String) -> Bool
    ) throws {
        let deadline = SystemClock.monotonicMilliseconds() + patience
        let message = ZMQMessage()
        while SystemClock.monotonicMilliseconds() < deadline {
            try again()
            let pause = min(deadline, SystemClock.monotonicMilliseconds() + 100)
            while true {
                while let frames = try socket.receiveFrames(message) {
                    if frames.contains(where: { isWanted(String(decoding: $0, as: UTF8.self)) }) { return }
                }
                let left = pause - SystemClock.monotonicMilliseconds()
                guard left > 0 else { break }
                var items = [PollItem(socket: socket)]
                _ = try poll(&items, timeout: Int(left))
            }
        }
        throw silence(complaint)
    }
}
