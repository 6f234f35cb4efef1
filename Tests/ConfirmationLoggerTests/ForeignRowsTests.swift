import Domain
import Foundation
import Journal
import Redis
import TestKit
import Testing

@testable import ConfirmationLogger

@Suite("Rows of another journal", .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct ForeignRowsTests {
    private func walk(_ redis: RedisServer, _ family: ForeignRowsScript.Family, before: Int64) throws -> Int64 {
        let connection = RedisConnection(redis.address)
        let script = ForeignRowsScript.make()
        var (cursor, rows) = ("0", Int64(0))
        repeat {
            let values = ForeignRowsScript.values(family, cursor: cursor, before: Timestamp(milliseconds: before))
            let reply = try connection.call(script.arguments(keys: [], values))
            let outcome = try #require(ForeignRowsScript.outcome(reply))
            (cursor, rows) = (outcome.cursor, rows + outcome.rows)
        } while cursor != "0"
        return rows
    }

    @Test("rows without an end that are older than the journal get one; younger ones and such with an end keep theirs")
    func ends() throws {
        let redis = try RedisServer()
        let day: Int64 = 86_400_000
        let now = Int64(Date.now.timeIntervalSince1970 * 1000)
        let since = now - 5 * day
        for number in 0..<500 {
            try redis.call("HSET", "trade:old|\(number)", "received_at", String(now - 10 * day))
        }
        try redis.call("HSET", "trade:young", "received_at", String(now - day))
        try redis.call("HSET", "trade:ended", "received_at", String(now - 10 * day))
        try redis.call("PEXPIRE", "trade:ended", "5000000")
        try redis.call("SET", "trade:of another type", "x")
        try redis.call("HSET", "trade:u|1|7|closed|0.1", "received_at", String(now - 6 * day))
        try redis.call("HSET", "lifecycle:u|1|7", "opened_at", String(now - 30 * day), "closed_volume", "0.1")
        try redis.call("HSET", "lifecycle:u|1|8", "opened_at", String(now - 30 * day), "closed_volume", "0")
        try redis.call("HSET", "lifecycle:u|1|9", "opened_at", String(now - day), "closed_volume", "0")
        #expect(try walk(redis, .trade, before: since) == 501)
        #expect(try walk(redis, .lifecycle, before: since) == 2)
        func left(_ key: String) throws -> Int64 { try redis.call("PTTL", key).integer ?? 0 }
        for number in 0..<500 {
            let rest = try left("trade:old|\(number)")
            #expect(rest > 79 * day && rest <= 80 * day)
        }
        #expect(try left("trade:young") == -1 && left("trade:of another type") == -1)
        #expect(try left("trade:ended") <= 5_000_000)
        // By its last closing, not by its opening.
        let life = try left("lifecycle:u|1|7")
        #expect(life > 83 * day && life <= 84 * day)
        #expect(try left("lifecycle:u|1|8") <= 60 * day && left("lifecycle:u|1|9") == -1)
        #expect(try walk(redis, .trade, before: since) == 0)
    }

    @Test("they are looked for where Redis has another journal's mark, once")
    func due() {
        #expect(!ForeignRows.isDue([:], "a"))
        #expect(!ForeignRows.isDue(["applied_seq.a": "7", "applied_seq": "7"], "a"))
        #expect(ForeignRows.isDue(["applied_seq.a": "7", "applied_seq.b": "9"], "a"))
        #expect(ForeignRows.isDue(["applied_seq.b": "9"], "a"))
        #expect(!ForeignRows.isDue(["applied_seq.b": "9", "foreign_rows_ended.a": "5"], "a"))
        #expect(ForeignRows.isDue(["applied_seq.b": "9", "foreign_rows_ended.b": "5"], "a"))
    }

    @Test("a journal says since when it has records")
    func since() throws {
        let place = try TemporaryDirectory("journal")
        func open(at milliseconds: Int64) throws -> Timestamp? {
            let writer = try eventuallyValue("the journal is free", within: 30) {
                try JournalWriter(directory: place.path, now: Timestamp(milliseconds: milliseconds)) {}
            }
            writer.append(.confirmations, receivedAt: Timestamp(milliseconds: milliseconds), [1])
            writer.close()
            return writer.recovery.since
        }
        #expect(try open(at: 1000) == Timestamp(milliseconds: 1000))
        #expect(try open(at: 2000) == Timestamp(milliseconds: 1000))
    }
}
