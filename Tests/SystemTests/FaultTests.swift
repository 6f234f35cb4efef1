import Domain
import Foundation
import Redis
import ServiceKit
import TestKit
import Testing
import Wire
import ZeroMQ

private let areProductsBuilt = TestMesh.areServicesBuilt && RedisServer.isInstalled

/// Processes die in the middle: what was promised stays true.
@Suite("Faults", .serialized, .enabled(if: areProductsBuilt, "the executables or redis-server are missing"))
struct FaultTests {
    private let services: [ServiceName] = [
        .nodeRegistry, .handshakeProcessor, .confirmationLogger, .citadelMonitor, .positionTracker,
    ]

    private func profile() -> TerminalProfile {
        TerminalProfile(userUUID: "fault_user_000x", account: 910_001, tickCount: 4_172_424_203)
    }

    /// Every confirmation that got its receipt is booked once, whoever was killed meanwhile.
    @Test(.timeLimit(.minutes(2)))
    func receiptsAreKeptOverKillsOfEverybody() throws {
        let mesh = try TestMesh()
        try mesh.start(services)
        let context = try ZMQContext()
        let terminal = try TerminalDouble(context, mesh, profile())
        try terminal.start()
        var client = try Client(context, mesh.endpoint(.eaReceipts))
        var generator = SeededGenerator(seed: 11, for: "which confirmations are sent twice")
        let count = 60
        for number in 1...count {
            switch number {
            case 15, 35: try mesh.kill(.confirmationLogger)
            case 25: try mesh.redis.kill()
            case 45: try mesh.kill(.positionTracker)
            default: break
            }
            let text = terminal.confirmationText(
                command: "fire", fireID: "fault-\(number)", status: "success", ticket: 5000 + Int64(number),
                price: "1.08500", lot: "0.10", message: "Trade executed successfully via DEALER")
            let message = try #require(try JSON(String(text.dropLast()) + ",\"seq\":\(number)}").object)
            // As an EA with receipts does: repeated until the mesh says that it is durable.
            try eventually("confirmation \(number) gets its receipt\n\(mesh.logTails)", within: 20) {
                if mesh.process(.confirmationLogger) == nil { try mesh.start(.confirmationLogger) }
                do {
                    return try client.ask(message, within: 1)["ok"] == .bool(true)
                } catch is Client.NoAnswer {
                    client = try Client(context, mesh.endpoint(.eaReceipts))
                    return false
                }
            }
            if number == 30 { try mesh.redis.start() }
            if number == 50 { try mesh.start(.positionTracker) }
            if Int.random(in: 0..<4, using: &generator) == 0 { try terminal.send(text) }
        }
        let tickets = try eventually("all are booked\n\(mesh.logTails)", within: 20) {
            try booked(mesh)
        } until: {
            $0.count >= count
        }
        #expect(tickets.sorted() == (1...count).map { String(5000 + $0) }, "each once")
        try eventually("the position tracker took all of them\n\(mesh.logTails)", within: 20) {
            try mesh.redis.call("XPENDING", "events:trades", "position-tracker").array?.first?.integer
        } until: {
            $0 == 0
        }
        #expect(try booked(mesh).count == count, "and nothing came after")
        let verified = try mesh.run("meshctl", ["journal", "verify"])
        #expect(verified.exit == .exited(0), "\(verified.output) \(verified.errors)")
    }

    private func booked(_ mesh: TestMesh) throws -> [String] {
        let rows = try mesh.redis.call("XRANGE", "events:trades", "-", "+").array ?? []
        return rows.compactMap { $0.array?.last?.dictionary?["ticket"] }
    }

    /// A command leaves once: a tracker that is killed between command and confirmation neither repeats nor forgets it.
    @Test(.timeLimit(.minutes(2)))
    func aTrackerKilledBetweenCommandAndConfirmation() throws {
        let mesh = try TestMesh()
        try mesh.start(services)
        let context = try ZMQContext()
        let terminal = try TerminalDouble(context, mesh, profile())
        try terminal.start()
        try terminal.heartbeat()
        var orders = try Client(context, mesh.endpoint(.orders))
        func fire(_ identifier: String, stop: Bool = true) throws -> JSONObject {
            try terminal.tick("EURUSD", bid: "1.08490", ask: "1.08500")
            var request: JSONObject = [
                "type": .string("fire"), "fire_id": .string(identifier), "user_uuid": .string(profile().userUUID),
                "symbol": .string("EURUSD"), "direction": .string("BUY"), "lot": .number("0.01"),
            ]
            if stop { request.append("sl", .number("1.08000")) }
            return try orders.ask(request)
        }
        func waitForMarket(_ name: String) throws {
            var number = 0
            try eventually("\(name): the terminal may be fired at", within: 20) {
                number += 1
                return try fire("\(name)-\(number)", stop: false)["reason"]?.text
            } until: {
                $0 == "no_stop"
            }
        }
        try waitForMarket("before")
        let sent = try fire("killed-1")
        #expect(sent["state"]?.text == "sent", "\(sent.compactText)")
        let command = try #require(try terminal.readCommandObject())
        #expect(command["fire_id"]?.text == "killed-1")
        try mesh.kill(.positionTracker)
        try terminal.confirmFire("killed-1", ticket: 7001, price: "1.08500", lot: "0.01")
        try mesh.start(.positionTracker)
        orders = try Client(context, mesh.endpoint(.orders))
        try eventually("the fire is filled", within: 20) {
            try mesh.redis.hash("fire:killed-1")["state"]
        } until: {
            $0 == "filled"
        }
        try eventually("its position is open") {
            try mesh.redis.hash("position:Test-Server|910001|7001")["fire_id"] == "killed-1"
        }
        // EA 2.05 says HELLO once: the way to it is learned from its next HEARTBEAT.
        try eventually("the terminal reconnects and is heard", within: 20) {
            try terminal.heartbeat()
            return try fire("after", stop: false)["reason"]?.text == "no_stop"
        }
        #expect(try terminal.readCommand(within: 0.5) == nil, "nothing was sent twice")
        let again = try fire("killed-1")
        #expect(again["reason"]?.text == "duplicate_fire", "\(again.compactText)")
        let slots = try orders.ask(["type": .string("slots"), "user_uuid": .string(profile().userUUID)])
        #expect(slots["slots_used"]?.text == "1", "\(slots.compactText)")
    }

    /// Registrations pile up past libzmq's mark: prices flow on, and every node is registered when the registry comes.
    @Test(.timeLimit(.minutes(2)))
    func theRelayGoesOnWhileTheRegistryIsAway() throws {
        let mesh = try TestMesh()
        try mesh.start(.handshakeProcessor)
        let context = try ZMQContext()
        let relay = try Subscriber(context, mesh.endpoint(.marketRelay))
        let terminal = try TerminalDouble(context, mesh, profile())
        let count = 400
        for number in 0..<count {
            terminal.profile = TerminalProfile(
                userUUID: "fault_many_\(number)x", account: 920_000 + Int64(number), tickCount: UInt32(number))
            try terminal.handshake()
        }
        // Repeated each second, 200 at a time, they reach the mark of 1000 after some five seconds.
        let end = SystemClock.monotonicMilliseconds() + 8000
        var ticks = 0
        while SystemClock.monotonicMilliseconds() < end {
            ticks += 1
            let bid = "1.\(10_000 + ticks)"
            try eventually("tick \(ticks) is relayed\n\(mesh.logTails)", within: 3) {
                // The first may go before the subscription has come through.
                if ticks == 1 || !relay.texts.contains(where: { $0.contains("\"bid\":\(bid)") }) {
                    try terminal.tick("EURUSD", bid: bid, ask: "1.20000")
                }
                return try relay.listen().contains { String(decoding: $0, as: UTF8.self).contains("\"bid\":\(bid)") }
            }
        }
        #expect(ticks > 20)
        try mesh.start(.nodeRegistry)
        try eventually("all nodes are registered\n\(mesh.logTails)", within: 20) {
            try mesh.redis.call("SCARD", "active_nodes").integer
        } until: {
            $0 == Int64(count)
        }
        #expect(try mesh.terminate(.handshakeProcessor) == .exited(0))
    }

    /// What a service needs is named in one line when it can't start.
    @Test func aServiceThatCantStartSaysWhyAndEnds() throws {
        let mesh = try TestMesh()
        let context = try ZMQContext()
        let holder = try ZMQSocket(context, .pull, SocketOptions())
        try holder.bind(mesh.endpoint(.registry))
        try mesh.launch(.nodeRegistry)
        let process = try #require(mesh.process(.nodeRegistry))
        #expect(try process.wait(within: 10) != .exited(0))
        #expect(process.errors.contains("\(mesh.ports[.registry].port)"), "\(process.errors)")
        #expect(holder.type == .pull)
        let unsafe = try TestMesh(redisSettings: ["--appendfsync", "everysec"])
        try unsafe.launch(.confirmationLogger)
        let refused = try #require(unsafe.process(.confirmationLogger))
        #expect(try refused.wait(within: 10) != .exited(0))
        #expect(refused.errors.contains("appendfsync is 'everysec'"), "\(refused.errors)")
        let check = try mesh.run("node-registry", ["--check"])
        #expect(check.exit == .exited(0) && check.output.contains("configuration is good"))
    }
}
