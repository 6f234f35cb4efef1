import Foundation
import Redis
import TestKit
import Testing

/// What a crash in the middle of Redis's write leaves: the first part of a script's transaction at the file's end.
@Suite("a torn transaction", .enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct TornTransactionTests {
    private static let book = """
        if redis.call('EXISTS', 'row:' .. ARGV[1]) == 1 then return 'duplicate' end
        redis.call('XADD', 'stream', 'MAXLEN', '~', '1000', '*', 'id', ARGV[1])
        redis.call('HSET', 'row:' .. ARGV[1], 'id', ARGV[1])
        redis.call('HINCRBY', 'sums', 'booked', '1')
        return 'booked'
        """

    private func entries(_ redis: RedisServer) throws -> [String] {
        try redis.call("XRANGE", "stream", "-", "+").array?.compactMap { $0.array?.last?.texts.last } ?? []
    }

    @Test("is taken back whole, whatever its last byte is, and stays away at the restart after the next")
    func everyCut() throws {
        let redis = try RedisServer()
        for number in 1...3 { try redis.call("EVAL", Self.book, "0", "\(number)") }
        try redis.kill()
        let whole = try Data(contentsOf: URL(filePath: redis.appendOnlyFile))
        let start = try #require(whole.range(of: Data("MULTI".utf8), options: .backwards)).lowerBound - 8
        var generator = SeededGenerator(seed: 20_261_121, for: "torn transactions")
        var cuts = [start + 1, start + 20, whole.count - 1, whole.count - 9]
        cuts += (0..<6).map { _ in Int.random(in: start + 1..<whole.count, using: &generator) }
        for cut in cuts {
            try whole.prefix(cut).write(to: URL(filePath: redis.appendOnlyFile))
            try redis.start()
            #expect(try entries(redis) == ["1", "2"], "cut at \(cut) of \(whole.count)")
            #expect(try redis.call("EVAL", Self.book, "0", "3").text == "booked")
            #expect(try redis.call("EVAL", Self.book, "0", "4").text == "booked")
            try redis.kill()
            try redis.start()
            #expect(try entries(redis) == ["1", "2", "3", "4"], "cut at \(cut) of \(whole.count)")
            #expect(try redis.integer("sums", "booked") == 4)
            try redis.kill()
        }
    }

    @Test("is not looked for in the middle: damage there stops the start and nothing is cut")
    func damageInside() throws {
        let redis = try RedisServer()
        for number in 1...3 { try redis.call("EVAL", Self.book, "0", "\(number)") }
        try redis.kill()
        var bytes = try Data(contentsOf: URL(filePath: redis.appendOnlyFile))
        let first = try #require(bytes.range(of: Data("MULTI".utf8))).upperBound
        bytes[first + 3] = UInt8(ascii: "?")
        try bytes.write(to: URL(filePath: redis.appendOnlyFile))
        #expect(throws: (any Error).self) { try redis.start() }
        #expect(try Data(contentsOf: URL(filePath: redis.appendOnlyFile)) == bytes)
    }
}
