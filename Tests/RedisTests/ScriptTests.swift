import Redis
import TestKit
import Testing

@Suite("Server-side scripts", .enabled(if: RedisServer.isInstalled)) struct ScriptTests {
    let server: RedisServer
    let connection: RedisConnection
    let reserve = RedisScript(
        name: "reserve",
        source: """
            if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
            return redis.call('HSETNX', KEYS[1], ARGV[2], 'reserved')
            """)

    init() throws {
        server = try RedisServer()
        connection = RedisConnection(server.address)
        try connection.open()
    }

    private func run(_ values: String...) throws -> RedisValue {
        try connection.call(reserve.arguments(keys: ["slots:u"], values))
    }

    @Test func itRunsBeforeAndAfterItsDigestIsKnown() throws {
        #expect(reserve.arguments(keys: ["slots:u"], ["1"]).first == "EVAL")
        #expect(try run("2", "a") == .integer(1))
        var failures: [String] = []
        reserve.load(on: connection) { failures.append($0) }
        try connection.drain(milliseconds: 1000)
        #expect(reserve.arguments(keys: ["slots:u"], ["1"]).first == "EVALSHA")
        #expect(try run("2", "b") == .integer(1))
        #expect(try run("2", "c") == .integer(0))
        #expect(failures.isEmpty)
    }

    @Test func aServerThatLostItsScriptsSaysSoAndTheSourceHelps() throws {
        reserve.load(on: connection) { _ in }
        try connection.drain(milliseconds: 1000)
        try server.call("SCRIPT", "FLUSH")
        #expect(try run("1", "a").errorMessage?.hasPrefix("NOSCRIPT") == true)
        reserve.forget()
        #expect(try run("1", "a") == .integer(1))
    }

    @Test func aBrokenScriptIsToldWithItsName() throws {
        let broken = RedisScript(name: "broken", source: "return (")
        var failures: [String] = []
        broken.load(on: connection) { failures.append($0) }
        try connection.drain(milliseconds: 1000)
        #expect(failures.count == 1)
        #expect(failures.first?.hasPrefix("script broken: ") == true)
    }
}
