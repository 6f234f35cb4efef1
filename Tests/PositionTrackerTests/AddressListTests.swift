import Domain
import Redis
import TestKit
import Testing

@testable import PositionTracker

@Suite("The list of addresses", .enabled(if: RedisServer.isInstalled)) struct AddressListTests {
    @Test("written whole it is all there is; a part is only added to a list that is there")
    func whole() throws {
        let redis = try RedisServer()
        let connection = RedisConnection(redis.address)
        let script = AddressListScript.make()
        func write(_ rows: [(String, String)], isWhole: Bool) throws -> Int64? {
            let values = AddressListScript.values(isWhole: isWhole, seconds: "60", rows)
            return try connection.call(script.arguments(keys: ["list"], values)).integer
        }
        #expect(try write([("anna", "1")], isWhole: false) == 0)
        #expect(try redis.call("EXISTS", "list").integer == 0)
        #expect(try write([("anna", "1"), ("bert", "2")], isWhole: true) == 1)
        #expect(try write([("bert", "3"), ("cleo", "4")], isWhole: false) == 1)
        #expect(try redis.hash("list") == ["": "", "anna": "1", "bert": "3", "cleo": "4"])
        #expect(try write([("cleo", "5")], isWhole: true) == 1)
        #expect(try redis.hash("list") == ["": "", "cleo": "5"])
    }

    @Test("with nobody in it, it is still there and frees whoever was in it; of another type it is written anew")
    func emptied() throws {
        let redis = try RedisServer()
        let connection = RedisConnection(redis.address)
        let script = AddressListScript.make()
        func write(_ rows: [(String, String)], isWhole: Bool) throws {
            let values = AddressListScript.values(isWhole: isWhole, seconds: "60", rows)
            _ = try connection.call(script.arguments(keys: ["list"], values))
        }
        func list() throws -> [String: String]? { AddressListScript.list(try redis.call("HGETALL", "list")) }
        var book = TerminalAddressBook()
        try write([("anna", "192.0.2.1"), ("bert", "192.0.2.2"), ("cleo", "192.0.2.3")], isWhole: true)
        book.replace(with: try #require(try list()))
        #expect(book.addresses.count == 3)
        // Emptied: nobody is freed by that.
        try redis.call("DEL", "list")
        book.replace(with: try #require(try list()))
        #expect(book.addresses.count == 3)
        try write([], isWhole: true)
        #expect(try redis.call("TTL", "list").integer ?? -1 > 0)
        book.replace(with: try #require(try list()))
        #expect(book.addresses.isEmpty)
        // Taken out one by one, it does not go with the last.
        try write([("anna", "192.0.2.1")], isWhole: false)
        try redis.call("HDEL", "list", "anna")
        #expect(try redis.call("EXISTS", "list").integer == 1)
        try redis.call("DEL", "list")
        try redis.call("SET", "list", "x")
        #expect(AddressListScript.list(try connection.call(["HGETALL", "list"])) == [:])
        try write([("anna", "192.0.2.1")], isWhole: true)
        #expect(try redis.hash("list") == ["": "", "anna": "192.0.2.1"])
    }
}
