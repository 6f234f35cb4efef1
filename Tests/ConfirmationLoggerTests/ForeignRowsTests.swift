import Domain
import Foundation
import Journal
import Redis
import TestKit
import Testing

@testable import ConfirmationLogger

@Suite("Rows of another journal", .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct ForeignRowsTests {
    private let day: Int64 = 86_400_000
    private let now = Int64(Date.now.timeIntervalSince1970 * 1000)
    private let marks = ForeignMarks(["applied_seq.a": "7", "applied_seq.b": "9"], "a")

    private func walk(_ redis: RedisServer, before: Int64) throws -> Int64 {
        let connection = RedisConnection(redis.address)
        let script = ForeignRowsScript.make()
        var (cursor, rows, calls) = ("0", Int64(0), 0)
        repeat {
            let values = ForeignRowsScript.values(
                marks, cursor: cursor, before: Timestamp(milliseconds: before), now: Timestamp(milliseconds: now))
            let reply = try connection.call(script.arguments(keys: [], values))
            let outcome = try #require(ForeignRowsScript.outcome(reply))
            (cursor, rows, calls) = (outcome.cursor, rows + outcome.rows, calls + 1)
            // Where it is stands in Redis: the next connection goes on there.
            let state = try redis.hash("journal:state")
            #expect(state["foreign_rows_cursor.a"] == cursor)
            #expect(state["foreign_rows_ended.a"] == (cursor == "0" ? "b:9" : nil))
        } while cursor != "0"
        #expect(calls > 1)
        return rows
    }

    @Test("rows without an end that are old enough get one, however old they are; others keep what they have")
    func ends() throws {
        let redis = try RedisServer()
        let since = now - 5 * day
        for number in 0..<2000 {
            try redis.call("HSET", "trade:old|\(number)", "received_at", String(now - 200 * day))
        }
        try redis.call("HSET", "trade:young", "received_at", String(now - day))
        try redis.call("HSET", "trade:ended", "received_at", String(now - 10 * day))
        try redis.call("PEXPIRE", "trade:ended", "5000000")
        try redis.call("SET", "trade:of another type", "x")
        try redis.call("HSET", "stats:u", "received_at", String(now - 200 * day))
        #expect(try walk(redis, before: since) == 2000)
        func left(_ key: String) throws -> Int64 { try redis.call("PTTL", key).integer ?? 0 }
        for number in 0..<2000 {
            let rest = try left("trade:old|\(number)")
            #expect(rest > 89 * day && rest <= 90 * day)
        }
        for key in ["trade:young", "trade:of another type", "stats:u"] { #expect(try left(key) == -1) }
        #expect(try left("trade:ended") <= 5_000_000)
    }

    @Test("lives of positions that are over get an end; one that is held, and of which parts may close, gets none")
    func lives() throws {
        let redis = try RedisServer()
        for number in 0..<2000 { try redis.call("SET", "other:\(number)", "x") }
        func life(_ ticket: Int, closed: String, volume: String) throws {
            try redis.call(
                "HSET", "lifecycle:u|1|\(ticket)", "opened_at", String(now - 200 * day), "server", "S x", "closed",
                closed, "closed_volume", volume)
        }
        try redis.call("HSET", "trade:u|1|6|closed|0.1", "received_at", String(now - day))
        try life(6, closed: "1", volume: "0.1")
        try life(7, closed: "1", volume: "0.1")
        try life(8, closed: "0", volume: "0.1")
        try life(9, closed: "", volume: "0")
        try life(10, closed: "1", volume: "0.1")
        try redis.call("SADD", "account_positions:S%20x|1", "S%20x|1|10")
        #expect(try walk(redis, before: now - 5 * day) == 1)
        for ticket in [6, 8, 9, 10] { #expect(try redis.call("PTTL", "lifecycle:u|1|\(ticket)").integer == -1) }
        #expect(try redis.call("PTTL", "lifecycle:u|1|7").integer ?? 0 > 89 * day)
    }

    @Test("it begins when the others' marks stand still and this journal has archived past that, and is done once")
    func due() {
        let now = Timestamp(milliseconds: 5000)
        var archive = JournalArchive()
        func step(_ state: [String: String]) -> ForeignMarks.Step { ForeignMarks(state, "a").step(archive, now: now) }
        #expect(step([:]) == .nothing)
        #expect(step(["applied_seq.a": "7", "applied_seq": "7"]) == .nothing)
        // A new journal in front of the Redis of a mesh that works: only looked at.
        var state = ["applied_seq.c": "2", "applied_seq.b": "9"]
        let note = ["foreign_rows_seen.a", "5000 b:9,c:2", "foreign_rows_cursor.a", "0"]
        #expect(step(state) == .note(note))
        state[note[0]] = note[1]
        state[note[2]] = note[3]
        #expect(step(state) == .nothing)
        (archive.through, archive.before) = (40, Timestamp(milliseconds: 5001))
        #expect(step(state) == .nothing)
        state["archived_seq.a"] = "39"
        #expect(step(state) == .nothing)
        state["archived_seq.a"] = "40"
        #expect(step(state) == .walk(before: now, cursor: "0"))
        archive.before = now
        #expect(step(state) == .nothing)
        archive.before = Timestamp(milliseconds: 9000)
        state["foreign_rows_cursor.a"] = "17"
        #expect(step(state) == .walk(before: now, cursor: "17"))
        state["foreign_rows_ended.a"] = "b:9,c:2"
        #expect(step(state) == .nothing)
        // That journal was in use in between: its rows of that time get their end too.
        state["applied_seq.b"] = "12"
        #expect(step(state) == .note(["foreign_rows_seen.a", "5000 b:12,c:2", "foreign_rows_cursor.a", "0"]))
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
