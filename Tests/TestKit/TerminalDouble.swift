import Domain
import ServiceKit
public import Wire
public import ZeroMQ

/// Who a ``TerminalDouble`` is and what its account holds; money is the text the EA prints.
public struct TerminalProfile: Sendable {
    public var userUUID: String
    public var nodeID: String
    public var account: Int64
    public var server = "Test-Server"
    public var company = "Test Broker Ltd"
    public var chartSymbol = "EURUSD"
    public var symbols = ["EURUSD", "GBPUSD", "XAUUSD"]
    public var currency = "USD"
    public var balance = "10000.00"
    public var equity = "10000.00"
    public var leverage = 500
    public var margin = "0.00"
    public var freeMargin = "10000.00"
    public var marginLevel = "0.00"
    public var version = "2.05"
    /// The broker's clock minus UTC.
    public var brokerOffsetSeconds: Int64 = 3 * 3600

    /// - Parameter tickCount: GetTickCount() at the EA's start, which makes the node id.
    public init(userUUID: String, account: Int64, tickCount: UInt32) {
        self.userUUID = userUUID
        self.account = account
        nodeID = "NODE_\(account)_\(tickCount)"
    }
}

/// An EA 2.05 on real sockets, moved by its test: byte for byte what the terminal sends, one command read a call.
///
/// Source: ea-wire 1, 2. One thread owns it.
public final class TerminalDouble {
    public var profile: TerminalProfile
    public private(set) var ticksProcessed = 0
    let commands: ZMQSocket
    let telemetry: ZMQSocket
    let confirmations: ZMQSocket
    private let message = ZMQMessage()

    public init(_ context: ZMQContext, _ mesh: TestMesh, _ profile: TerminalProfile) throws(ZMQError) {
        self.profile = profile
        // What the EA leaves at libzmq's defaults is left at them here, but for the endless linger.
        let usual = SocketOptions().with { $0.linger = 0 }
        telemetry = try ZMQSocket(context, .push, usual)
        try telemetry.connect(mesh.endpoint(.eaTelemetry))
        let identity = Array(profile.userUUID.utf8.dropLast())
        commands = try ZMQSocket(context, .dealer, usual.with { $0.routingIdentifier = identity })
        try commands.connect(mesh.endpoint(.eaCommands))
        confirmations = try ZMQSocket(context, .push, usual)
        try confirmations.connect(mesh.endpoint(.eaConfirmations))
    }

    /// The broker's clock now, as the EA prints it. `secondsAgo` makes a stale one.
    public func brokerTime(secondsAgo: Int64 = 0) -> String {
        Timestamp.brokerText(seconds: SystemClock.now().seconds + profile.brokerOffsetSeconds - secondsAgo)
    }

    // MARK: - Telemetry

    /// HELLO on the command port, then the handshake: what OnInit does.
    public func start() throws {
        try put(helloText(), on: commands)
        try put(handshakeText(), on: telemetry)
    }

    /// The handshake alone, for example of another node through the same connection.
    public func handshake() throws { try put(handshakeText(), on: telemetry) }

    /// Both heartbeats of the 30 s beat, in the EA's order.
    public func heartbeat() throws {
        try put(heartbeatText(), on: telemetry)
        try put(commandHeartbeatText(), on: commands)
    }

    /// One quote; returns the bytes that left. A tick of the chart's symbol counts as processed.
    @discardableResult
    public func tick(_ symbol: String, bid: String, ask: String, secondsAgo: Int64 = 0) throws -> String {
        if symbol == profile.chartSymbol { ticksProcessed += 1 }
        let text = tickText(symbol, bid: bid, ask: ask, time: brokerTime(secondsAgo: secondsAgo))
        try put(text, on: telemetry)
        return text
    }

    public func disconnect() throws { try put(disconnectText(), on: telemetry) }

    // MARK: - Commands

    /// The frames of the command that waits, or nil when none comes in time. The EA reads one frame per chart tick.
    public func readCommand(within seconds: Double = 0) throws -> [[UInt8]]? {
        var items = [PollItem(socket: commands)]
        guard try poll(&items, timeout: Int(seconds * 1000)) > 0 else { return nil }
        return try commands.receiveFrames(message)
    }

    /// What arrived, as the object of its only frame.
    public func readCommandObject(within seconds: Double = 3) throws -> JSONObject? {
        guard let frames = try readCommand(within: seconds), frames.count == 1 else { return nil }
        return try JSON(frames[0]).object
    }

    // MARK: - Confirmations

    @discardableResult
    public func confirmFire(_ fireID: String, ticket: Int64, price: String, lot: String) throws -> String {
        try send(
            confirmationText(
                command: "fire", fireID: fireID, status: "success", ticket: ticket, price: price, lot: lot,
                message: "Trade executed successfully via DEALER"))
    }

    @discardableResult
    public func rejectFire(_ fireID: String, lot: String, result: Int = 10016) throws -> String {
        try send(
            confirmationText(
                command: "fire", fireID: fireID, status: "failed", ticket: 0, price: "0.00000", lot: lot,
                message: "Trade execution failed - Error: 4756 Result: \(result)"))
    }

    /// No symbol, no fire_id, and a close price that is always zero.
    @discardableResult
    public func confirmClose(ticket: Int64, lot: String) throws -> String {
        try send(
            closeConfirmationText(
                command: "close_ticket", status: "success", ticket: ticket, lot: lot,
                message: "Position closed successfully"))
    }

    @discardableResult
    public func pong(_ pingID: String) throws -> String { try send(pongText(pingID)) }

    /// Sends any text on the confirmation port.
    @discardableResult
    public func send(_ text: String) throws -> String {
        try put(text, on: confirmations)
        return text
    }

    private func put(_ text: String, on socket: borrowing ZMQSocket) throws {
        guard try socket.send(text) == .sent else {
            throw ConditionNotMet(description: "\(profile.nodeID) could not send: the high-water mark is reached")
        }
    }
}
