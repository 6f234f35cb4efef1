import ArgumentParser
import Domain
import Testing
import Wire

@testable import MeshCtl

@Suite("Requests and replies of trading")
struct RequestTests {
    private let now = Timestamp(milliseconds: 1_750_000_000_000)

    private func parsed<Command: ParsableCommand>(_ type: Command.Type, _ line: String) throws -> Command {
        try #require(try type.parseAsRoot(line.split(separator: " ").map(String.init)) as? Command)
    }

    private func fire(_ line: String) throws -> String {
        let command = try parsed(FireCommand.self, line)
        return FireCommand.request(command.target, command.order, now: now, randomness: 7).compactText
    }

    @Test("A fire carries prices digit for digit, and only what was said")
    func fireRequest() throws {
        let text = try fire(
            "--user u --symbol EURUSD --direction buy --sl 1.0800 --tp 1.0900 --lot 0.10 --fire-id f-1 --expires-in 30")
        #expect(
            text
                == #"{"type":"fire","fire_id":"f-1","user_uuid":"u","symbol":"EURUSD","direction":"BUY","sl":1.0800,"tp":1.0900,"lot":0.10,"expires_at_ms":1750000030000}"#
        )
    }

    @Test("A hybrid fire says its three parts")
    func hybridRequest() throws {
        let text = try fire("--user u --signal-id s --fire-id f --hybrid 8,12,10")
        #expect(
            text.contains(
                #""hybrid":{"enabled":true,"partial1":{"trigger":8},"partial2":{"trigger":12},"trail":{"distance":10}}"#
            ))
        for bad in ["8,12", "8,12,8,8", "8,,8", "8,12,x", "8.5,12,8"] {
            #expect(throws: (any Error).self) { try fire("--user u --signal-id s --fire-id f --hybrid \(bad)") }
        }
    }

    @Test("Many users, a tier, everybody")
    func targets() throws {
        #expect(
            try fire("--user a --user b --signal-id s --fire-id f").contains(#""user_uuid":["a","b"],"signal_id":"s""#))
        #expect(try fire("--tier MAJOR --signal-id s --fire-id f").contains(#""tier":"MAJOR""#))
        #expect(try fire("--all --signal-id s --fire-id f").contains(#""all":true"#))
    }

    @Test("Ids that are made up leave room for the number of many users", arguments: [0, 1, 46_655, .max] as [UInt64])
    func generatedID(randomness: UInt64) {
        let id = FireCommand.generatedID(now, randomness)
        #expect(id.hasPrefix("cli-"))
        #expect(id.utf8.count <= 24)
        #expect(id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D })
        #expect(id != FireCommand.generatedID(now.adding(milliseconds: 1), randomness))
        #expect(id != FireCommand.generatedID(now, randomness &+ 1))
    }

    @Test("Each way to close is its own request")
    func close() throws {
        func request(_ line: String) throws -> String { try parsed(CloseCommand.self, line).request.compactText }
        #expect(try request("--user u --ticket 21153092") == #"{"type":"close","user_uuid":"u","ticket":21153092}"#)
        #expect(try request("--all-of-user u") == #"{"type":"close_all","user_uuid":"u"}"#)
        #expect(try request("--symbol XAUUSD") == #"{"type":"close_all","symbol":"XAUUSD"}"#)
        #expect(try request("--all --yes") == #"{"type":"close_all","all":true}"#)
    }

    @Test("A brake is asked for, or set with its reason")
    func brake() throws {
        #expect(try parsed(BrakeCommand.self, "").request.compactText == #"{"type":"brake"}"#)
        let request = try parsed(BrakeCommand.self, "--state reducing --scope symbol:XAUUSD --reason news").request
        #expect(request.compactText == #"{"type":"brake","state":"REDUCING","scope":"symbol:XAUUSD","reason":"news"}"#)
        let lifted = try parsed(BrakeCommand.self, "ACTIVE --reason over").request
        #expect(lifted.compactText == #"{"type":"brake","state":"ACTIVE","scope":"all","reason":"over"}"#)
    }

    private func object(_ text: String) throws -> JSONObject { try #require(try JSON(text).object) }

    @Test(
        "Whether anything left",
        arguments: [
            (#"{"state":"sent"}"#, true), (#"{"state":"queued"}"#, true), (#"{"state":"denied"}"#, false),
            (#"{"sent":0,"queued":1,"denied":9,"fires":[]}"#, true),
            (#"{"sent":0,"queued":0,"denied":2,"fires":[]}"#, false),
            ("{}", false),
        ])
    func hasLeft(reply: String, expected: Bool) throws {
        #expect(FireCommand.hasLeft(try object(reply)) == expected)
    }

    @Test("A denial is shown with its word and its sentence")
    func denial() throws {
        let reply = try object(
            #"{"ok":true,"request_id":"1","state":"denied","reason":"no_slot","message":"1 of 1","fire_id":"f","slots_max":1}"#
        )
        #expect(FireCommand.lines(reply, coloured: false) == ["denied f: no_slot (1 of 1)", "  slots_max  1"])
    }

    @Test(
        "An error reply becomes its exit code",
        arguments: [("bad_value", 64), ("state_unavailable", 69), ("unknown_fire", 1)])
    func errors(code: String, exit: Int32) throws {
        let failure = RequestPort.failure(try object(#"{"ok":false,"error":{"code":"\#(code)","message":"m"}}"#))
        #expect(failure == ToolError(exit, "m (\(code))"))
    }

    @Test("Health is an exit code", arguments: [("pass", 0), ("warn", 1), ("fail", 2), ("odd", 3)])
    func health(status: String, code: Int32) throws {
        #expect(StatusCommand.verdict(try object(#"{"status":"\#(status)"}"#)).rawValue == code)
    }
}
