import Redis
import Testing

@Suite("Redis addresses") struct AddressTests {
    @Test(arguments: [
        ("redis://localhost", RedisAddress(host: "localhost", port: 6379)),
        ("redis://10.0.0.7:7000/4", RedisAddress(host: "10.0.0.7", port: 7000, database: 4)),
        ("redis://:secret@host:1", RedisAddress(host: "host", port: 1, password: "secret")),
        ("redis://mesh:p:w@host/", RedisAddress(host: "host", port: 6379, user: "mesh", password: "p:w")),
        ("redis://u:p@ss@host", RedisAddress(host: "host", port: 6379, user: "u", password: "p@ss")),
    ])
    func aGoodOneIsRead(text: String, address: RedisAddress) throws {
        #expect(try RedisAddress(url: text) == address)
    }

    @Test(arguments: [
        ("localhost:6379", "no scheme"), ("http://host", "unknown scheme 'http'"), ("rediss://host", "TLS"),
        ("redis://", "no host"), ("redis://host:0", "no port"), ("redis://host:70000", "no port"),
        ("redis://host:x", "no port"), ("redis://host/x", "not a database number"),
    ])
    func aBadOneIsNamedWithWhatIsRight(text: String, why: String) {
        let error = #expect(throws: RedisAddress.InvalidAddress.self) { _ = try RedisAddress(url: text) }
        #expect(error?.description.contains(why) == true, "\(String(describing: error))")
        #expect(error?.description.contains("redis://[user:password@]host:port[/database]") == true)
    }

    @Test func thePasswordIsNeverShown() throws {
        #expect(try RedisAddress(url: "redis://mesh:secret@host:7/2").description == "redis://host:7/2")
    }
}
