import Domain
import Redis
import ServiceKit
import TestKit
import Testing
import Wire
import ZeroMQ

private let areProductsBuilt = TestMesh.areServicesBuilt && RedisServer.isInstalled

/// The real services: Redis is emptied, and the trades and the ledger are there again, by themselves.
@Suite("a mesh whose Redis is emptied", .serialized, .enabled(if: areProductsBuilt, "the executables are missing"))
struct MeshRebuildTests {
    private let services: [ServiceName] = [
        .nodeRegistry, .handshakeProcessor, .confirmationLogger, .citadelMonitor, .positionTracker,
    ]
    private let profile = TerminalProfile(userUUID: "empty_user_000x", account: 920_001, tickCount: 4_172_424_203)

    /// What position-tracker and confirmation-logger answer for.
    private static func isOfTheLedger(_ key: String) -> Bool {
        let families = [
            "fire", "slots", "position", "user", "user_positions", "account_positions", "fire_batch", "user_day",
        ]
        let keys = ["users", "user_days", "brake", "ledger", "open_fires", "fires", "all_open_positions"]
        let booked = ["trade", "lifecycle", "stats"]
        let family = String(key.prefix { $0 != ":" })
        return keys.contains(key) || ["closed_positions", "events:audit", "stats_scopes"].contains(key)
            || key.contains(":") && (families + booked).contains(family)
    }

    private func copy(_ mesh: TestMesh) throws -> [String: String] {
        try mesh.redis.copy(where: MeshRebuildTests.isOfTheLedger).mapValues { text in
            // When a scope was last booked is said anew by whoever books it again.
            text.split(separator: "\n").filter { !$0.hasPrefix("last_updated=") }.joined(separator: "\n")
        }
    }

    private func waitUntilEqual(_ mesh: TestMesh, _ before: [String: String], _ what: String) throws {
        try eventually("\(what): everything is back\n\(mesh.logTails)", within: 20) {
            difference(before, try copy(mesh))
        } until: {
            $0.isEmpty
        }
        try eventually("\(what): nothing waits in the stream", within: 20) {
            try mesh.redis.call("XPENDING", "events:trades", "position-tracker").array?.first?.integer
        } until: {
            $0 == 0
        }
        let after = difference(before, try copy(mesh))
        #expect(after.isEmpty, "\(what): and stays as it was: \(after)")
    }

    @Test("while it is idle, while the tracker is stopped, after it was killed", .timeLimit(.minutes(2)))
    func emptied() throws {
        let mesh = try TestMesh()
        try mesh.start(services)
        let context = try ZMQContext()
        let terminal = try TerminalDouble(context, mesh, profile)
        try terminal.start()
        try terminal.heartbeat()
        try trade(mesh, terminal, try Client(context, mesh.endpoint(.orders)))
        let before = try copy(mesh)
        #expect(before.count > 20, "\(before.keys.sorted())")
        #expect(before["slots:\(profile.userUUID)"]?.contains("real-2") == true)

        try mesh.redis.call("FLUSHALL")
        try waitUntilEqual(mesh, before, "idle")
        try mesh.terminate(.positionTracker)
        try mesh.redis.call("FLUSHALL")
        try mesh.start(.positionTracker)
        try waitUntilEqual(mesh, before, "stopped")
        try mesh.kill(.positionTracker)
        try mesh.redis.call("FLUSHALL")
        try mesh.start(.positionTracker)
        try waitUntilEqual(mesh, before, "killed")

        // And it goes on: the position that is open can be closed, and only once.
        try terminal.confirmClose(ticket: 8002, lot: "0.02")
        try eventually("the close is booked\n\(mesh.logTails)", within: 10) {
            try mesh.redis.call("EXISTS", "slots:\(profile.userUUID)").integer
        } until: {
            $0 == 0
        }
        #expect(try mesh.redis.call("ZCARD", "closed_positions").integer == 2)
    }

    @Test("while fires, fills and closes are under way", .timeLimit(.minutes(2)))
    func emptiedUnderLoad() throws {
        let mesh = try TestMesh()
        try mesh.start(services)
        let context = try ZMQContext()
        let terminal = try TerminalDouble(context, mesh, profile)
        try terminal.start()
        try terminal.heartbeat()
        let orders = try Client(context, mesh.endpoint(.orders))
        var denied: [String: Int] = [:]
        func fire(_ identifier: String, stop: String?) throws -> JSONObject {
            try terminal.tick("EURUSD", bid: "1.08490", ask: "1.08500")
            var request: JSONObject = [
                "type": .string("fire"), "fire_id": .string(identifier), "user_uuid": .string(profile.userUUID),
                "symbol": .string("EURUSD"), "direction": .string("BUY"), "lot": .number("0.01"),
            ]
            if let stop { request.append("sl", .number(stop)) }
            return try orders.ask(request)
        }
        var probe = 0
        try eventually("the terminal may be fired at\n\(mesh.logTails)", within: 20) {
            probe += 1
            return try fire("probe-\(probe)", stop: nil)["reason"]?.text
        } until: {
            $0 == "no_stop"
        }
        let count = 40
        for number in 1...count {
            // Denied while the ledger is rebuilt and fired again under another id, as a caller does.
            var attempt = 0
            let fireID = try eventuallyValue("fire \(number) is sent\n\(mesh.logTails)", within: 20) { () -> String? in
                attempt += 1
                let reply = try fire("load-\(number)-\(attempt)", stop: "1.08000")
                if reply["state"]?.text == "sent" { return "load-\(number)-\(attempt)" }
                denied[reply["reason"]?.text ?? reply.compactText, default: 0] += 1
                return nil
            }
            let command = try #require(try terminal.readCommandObject())
            #expect(command["fire_id"]?.text == fireID)
            if number.isMultiple(of: 10) { try mesh.redis.call("FLUSHALL") }
            let ticket = 9000 + Int64(number)
            try terminal.confirmFire(fireID, ticket: ticket, price: "1.08500", lot: "0.01")
            if number % 10 == 5 { try mesh.redis.call("FLUSHALL") }
            try terminal.confirmClose(ticket: ticket, lot: "0.01")
        }
        try eventually("all is accounted for, each once; denied \(denied)\n\(mesh.logTails)", within: 20) {
            let counts = try mesh.redis.hash("ledger")
            let closed = try mesh.redis.call("ZCARD", "closed_positions").integer ?? 0
            let slots = try mesh.redis.call("EXISTS", "slots:\(profile.userUUID)").integer ?? 1
            return [counts["sent"] ?? "", counts["filled"] ?? "", "\(closed)", "\(slots)"]
        } until: {
            $0 == ["\(count)", "\(count)", "\(count)", "0"]
        }
        #expect(Set(denied.keys).isSubset(of: ["state_unavailable", "no_slot"]), "\(denied)")
        try eventually("nothing waits in the stream", within: 10) {
            try mesh.redis.call("XPENDING", "events:trades", "position-tracker").array?.first?.integer
        } until: {
            $0 == 0
        }
        let before = try copy(mesh)
        try mesh.redis.call("FLUSHALL")
        try waitUntilEqual(mesh, before, "after the load")
    }

    /// Two fills of which one is closed, a refusal by the terminal, a denial, a claim, a user, a brake.
    private func trade(_ mesh: TestMesh, _ terminal: TerminalDouble, _ orders: Client) throws {
        func fire(_ identifier: String, lot: String = "0.02", stop: Bool = true, _ user: JSON? = nil) throws
            -> JSONObject
        {
            try terminal.tick("EURUSD", bid: "1.08490", ask: "1.08500")
            var request: JSONObject = [
                "type": .string("fire"), "fire_id": .string(identifier),
                "user_uuid": user ?? .string(profile.userUUID), "symbol": .string("EURUSD"),
                "direction": .string("BUY"), "lot": .number(lot),
            ]
            if stop { request.append("sl", .number("1.08000")) }
            return try orders.ask(request)
        }
        func state(_ fireID: String, is wanted: String) throws {
            try eventually("\(fireID) is \(wanted)\n\(mesh.logTails)", within: 10) {
                try mesh.redis.hash("fire:\(fireID)")["state"]
            } until: {
                $0 == wanted
            }
        }
        var number = 0
        try eventually("the terminal may be fired at\n\(mesh.logTails)", within: 20) {
            number += 1
            return try fire("probe-\(number)", stop: false)["reason"]?.text
        } until: {
            $0 == "no_stop"
        }
        _ = try orders.ask([
            "type": .string("set_user"), "user_uuid": .string(profile.userUUID), "tier": .string("COMMANDER"),
        ])
        for ticket in 1...2 {
            let sent = try fire("real-\(ticket)")
            #expect(sent["state"]?.text == "sent", "\(sent.compactText)")
            #expect(try terminal.readCommandObject()?["fire_id"]?.text == "real-\(ticket)")
            try terminal.confirmFire("real-\(ticket)", ticket: 8000 + Int64(ticket), price: "1.08500", lot: "0.02")
            try state("real-\(ticket)", is: "filled")
        }
        try terminal.confirmClose(ticket: 8001, lot: "0.02")
        _ = try fire("real-3")
        #expect(try terminal.readCommandObject() != nil)
        try terminal.rejectFire("real-3", lot: "0.02")
        try state("real-3", is: "rejected")
        _ = try fire("many", .array([.string(profile.userUUID), .string("nobody")]))
        #expect(try terminal.readCommandObject() != nil)
        try terminal.rejectFire("many.1", lot: "0.02")
        try state("many.1", is: "rejected")
        _ = try orders.ask([
            "type": .string("brake"), "state": .string("HALTED"), "scope": .string("symbol:GBPUSD"),
            "reason": .string("a test"),
        ])
        try eventually("the first position is closed", within: 10) {
            try mesh.redis.call("ZCARD", "closed_positions").integer
        } until: {
            $0 == 1
        }
    }
}
