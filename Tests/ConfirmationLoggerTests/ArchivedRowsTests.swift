import Domain
import Foundation
import Journal
import Redis
import TestKit
import Testing
import Trading

@testable import ConfirmationLogger

@Suite("Rows of trades end once they are archived", .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct ArchivedRowsTests {
    private func left(_ scripts: Scripts, _ key: String) throws -> Int64 {
        try scripts.redis.call("PTTL", key).integer ?? 0
    }

    private func row(_ event: TradeEvent, at time: Int64) -> ExpiryScript.Row {
        ExpiryScript.Row(event, bookedAt: Timestamp(milliseconds: time))
    }

    private var now: Int64 { Int64(Date.now.timeIntervalSince1970 * 1000) }

    @Test("booking gives no end; the archive does, by the moment of booking, and only to what the record told")
    func gate() throws {
        let scripts = try Scripts()
        var life = TradeLifecycle()
        (life.symbol, life.server, life.isClosed) = ("EURUSD", "S|x", true)
        let opened = Scripts.event(.opened, 7, "u|1|7|opened")
        let closed = Scripts.closed(8, Amount(1))
        _ = try scripts.book([opened, closed], expected: "", applied: 8, lifecycle: life)
        for key in ["trade:u|1|7|opened", "trade:u|1|8|closed|0.1", "lifecycle:u|1|7"] {
            #expect(try left(scripts, key) == -1)
        }
        let day: Int64 = 86_400_000
        var other = closed
        other.sequence = 99
        let rows = [row(opened, at: now - 10 * day), row(other, at: now)]
        #expect(try scripts.expire(expected: "", through: 20, booked: 8, rows).integer == 2)
        let rest = try left(scripts, "trade:u|1|7|opened")
        #expect(rest > 79 * day && rest <= 80 * day)
        #expect(try left(scripts, "lifecycle:u|1|7") > 79 * day)
        // The row has another number than this record: another record told it since.
        #expect(try left(scripts, "trade:u|1|8|closed|0.1") == -1)
        #expect(try scripts.redis.hash("journal:state")["archived_seq.j"] == "20")
    }

    @Test("the life of a position that is not over gets no end; the record of its last closing gives it one")
    func held() throws {
        let scripts = try Scripts()
        var life = TradeLifecycle()
        (life.symbol, life.server) = ("EURUSD", "S|x")
        let opened = Scripts.event(.opened, 7, "u|1|7|opened")
        _ = try scripts.book([opened], expected: "", applied: 7, lifecycle: life)
        let old = now - 200 * 86_400_000
        #expect(try scripts.expire(expected: "", through: 8, booked: 7, [row(opened, at: old)]).integer == 1)
        #expect(try scripts.redis.call("EXISTS", "trade:u|1|7|opened").integer == 0)
        #expect(try left(scripts, "lifecycle:u|1|7") == -1)
        // The tracker's books say that something of it is open still.
        var closed = Scripts.closed(7, Amount(1))
        closed.sequence = 9
        life.isClosed = true
        _ = try scripts.book([closed], expected: "7", applied: 9, lifecycle: life)
        try scripts.redis.call("SADD", "account_positions:S%7Cx|1", "S%7Cx|1|7")
        #expect(try scripts.expire(expected: "8", through: 10, booked: 9, [row(closed, at: now)]).integer == 1)
        #expect(try left(scripts, "lifecycle:u|1|7") == -1)
        try scripts.redis.call("DEL", "account_positions:S%7Cx|1")
        #expect(try scripts.expire(expected: "10", through: 11, booked: 9, [row(closed, at: now)]).integer == 2)
        #expect(try left(scripts, "lifecycle:u|1|7") > 0)
    }

    @Test("a correction, and a later closing of the position, take the end away until they are archived too")
    func renewed() throws {
        let scripts = try Scripts()
        var life = TradeLifecycle()
        (life.symbol, life.server, life.isClosed) = ("EURUSD", "S|x", true)
        var inferred = Scripts.closed(7, Amount(5))
        (inferred.source, inferred.witness) = (.inferred, "balance")
        _ = try scripts.book([inferred], expected: "", applied: 7, lifecycle: life)
        _ = try scripts.expire(expected: "", through: 10, booked: 7, [row(inferred, at: now)])
        #expect(try left(scripts, "trade:\(inferred.eventID)") > 0)
        #expect(try left(scripts, "lifecycle:u|1|7") > 0)
        var real = Scripts.closed(7, Amount(3))
        (real.source, real.witness, real.isCorrection, real.sequence) = (.merged, "balance", true, 20)
        real.corrects = inferred.fields.filter { !["profit", "lot"].contains($0.name) }
            .map { "\($0.name)=\(KeyPart.encode($0.value))" }.joined(separator: "|")
        #expect(
            try scripts.book([real], expected: "7", applied: 20, lifecycle: life) == .booked([true], complaints: []))
        #expect(try left(scripts, "trade:\(inferred.eventID)") == -1)
        #expect(try left(scripts, "lifecycle:u|1|7") == -1)
        #expect(try scripts.expire(expected: "10", through: 30, booked: 20, [row(real, at: now)]).integer == 2)
        #expect(try left(scripts, "trade:\(inferred.eventID)") > 0)
    }

    @Test("a Redis that was emptied, or has not booked as far, changes nothing", arguments: [true, false])
    func elsewhere(isEmptied: Bool) throws {
        let scripts = try Scripts()
        let event = Scripts.closed(7, Amount(5))
        _ = try scripts.book([event], expected: "", applied: 7)
        let reply =
            isEmptied
            ? try scripts.expire(expected: "10", through: 30, booked: 7, [row(event, at: now)])
            : try scripts.expire(expected: "", through: 30, booked: 8, [row(event, at: now)])
        #expect(reply.errorMessage?.hasPrefix("GAP") == true)
        #expect(try left(scripts, "trade:\(event.eventID)") == -1)
        #expect(try scripts.redis.hash("journal:state")["archived_seq.j"] == nil)
    }

    @Test("decisions are read up to what is archived and booked, in chunks that go on where they ended")
    func reading() throws {
        let place = try TemporaryDirectory("journal")
        let (frames, through): (UInt64, UInt64) = (600, 1100)
        let writer = try JournalWriter(directory: place.path, now: Timestamp(milliseconds: 1)) {}
        for number in 1...frames {
            writer.append(.confirmations, receivedAt: Timestamp(milliseconds: 5), [UInt8(ascii: "x")])
            var event = Scripts.closed(Int64(number), Amount(1))
            event.sequence = 2 * number - 1
            writer.append(
                .decision, receivedAt: Timestamp(milliseconds: 7),
                DecisionRecord(frame: 2 * number - 1, events: [event]).bytes)
        }
        writer.close()
        let decisions = ArchivedDecisions(directory: place.path) {}
        var (next, sequences): (UInt64, [UInt64]) = (1, [])
        func read(through: UInt64, booked: UInt64) throws -> ArchivedDecisions.Chunk {
            decisions.request(from: next, through: through, booked: booked)
            return try eventuallyValue("a chunk is read", within: 60) { decisions.take() }
        }
        while next <= through {
            let chunk = try read(through: through, booked: 5000)
            #expect(chunk.failure == nil && chunk.from == next && chunk.rows.count <= 256)
            sequences += chunk.rows.map(\.sequence)
            next = chunk.readTo + 1
        }
        #expect(sequences == (1...(through / 2)).map { 2 * $0 - 1 })
        // Not booked yet: not given an end, and asked for again.
        let early = try read(through: 1200, booked: 1103)
        #expect(early.rows.map(\.sequence) == [1101, 1103] && early.readTo == 1105)
        next = early.readTo + 1
        #expect(try read(through: 1200, booked: 5000).rows.first?.sequence == 1105)
    }
}
