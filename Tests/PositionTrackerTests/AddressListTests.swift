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
        #expect(try redis.hash("list") == ["anna": "1", "bert": "3", "cleo": "4"])
        #expect(try write([("cleo", "5")], isWhole: true) == 1)
        #expect(try redis.hash("list") == ["cleo": "5"])
    }
}
