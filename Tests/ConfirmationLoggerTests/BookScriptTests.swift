import Domain
import Redis
import TestKit
import Testing
import Trading

@testable import ConfirmationLogger

@Suite("Booking script", .enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct BookScriptTests {
    @Test("an event is booked with its sums, its stream entry and the mark; a second time it changes nothing")
    func once() throws {
        let scripts = try Scripts()
        var opened = Scripts.event(.opened, 7, "u|1|7|opened")
        opened.message = "%n\r\n*?[a]"
        var life = TradeLifecycle()
        life.symbol = "EURUSD"
        let closed = Scripts.closed(7, Amount(units: -150_000_000), duration: 60)
        let outcome = try scripts.book(
            [opened, closed, opened], expected: "", applied: 3, lifecycle: life, receipts: [("N", 4)])
        #expect(outcome == .booked([true, true, false], complaints: []))
        let before = try scripts.redis.hash("stats:global")
        #expect(before["opened"] == "1" && before["total_trades"] == "1" && before["losses"] == "1")
        #expect(before["gross_loss.USD"] == "150000000" && before["largest_loss.USD"] == "150000000")
        #expect(before["total_duration_s.USD"] == "60" && before["last_updated"] == "1000")
        #expect(try scripts.redis.integer("stats:account:1", "gross_loss.USD@S%7Cx") == 150_000_000)
        #expect(try scripts.redis.integer("stats:symbol:EURUSD", "losses.USD") == 1)
        #expect(try scripts.redis.members("stats_scopes") == ["account:1", "global", "symbol:EURUSD"])
        let row = try scripts.redis.hash("trade:u|1|7|opened")
        #expect(TradeEvent(fields: row) == opened)
        #expect(try scripts.redis.hash("lifecycle:u|1|7")["symbol"] == "EURUSD")
        #expect(try scripts.redis.hash("receipts:N")["last_seq"] == "4")
        #expect(try scripts.redis.hash("receipts:N")["above"] == "9,11")
        #expect(try scripts.redis.hash("receipts:N")["owner"] == "u")
        let entries = try #require(try scripts.redis.call("XRANGE", "events:trades", "-", "+").array)
        #expect(entries.count == 2)
        #expect(entries.allSatisfy { $0.array?.last?.dictionary?["journal"] == "j" })
        #expect(try scripts.redis.hash("journal:state")["applied_seq.j"] == "3")

        let again = try scripts.book([closed], expected: "3", applied: 9, receipts: [("N", 5)])
        #expect(again == .booked([false], complaints: []))
        #expect(try scripts.redis.hash("stats:global") == before)
        #expect(try scripts.redis.hash("receipts:N")["last_seq"] == "5")
        #expect(try scripts.redis.hash("journal:state")["applied_seq"] == "9")
    }

    @Test("whoever is at another mark books nothing", arguments: ["", "2", "30"])
    func gap(expected: String) throws {
        let scripts = try Scripts()
        #expect(try scripts.book([], expected: "", applied: 3) == .booked([], complaints: []))
        let outcome = try scripts.book([Scripts.closed(7, Amount(1))], expected: expected, applied: 9)
        #expect(outcome == .gap("3"))
        #expect(
            try scripts.redis.call("EXISTS", "trade:u|1|7|closed|0.1", "stats:global", "events:trades").integer == 0)
        #expect(try scripts.redis.hash("journal:state")["applied_seq.j"] == "3")
    }

    @Test("sums are exact past what doubles can hold, magnitudes compare as integers, an overflow harms nobody")
    func exact() throws {
        let scripts = try Scripts()
        let odd = Amount(units: 9_007_199_254_740_993)
        let nets = [odd, Amount(units: 9_007_199_254_740_992), Amount(units: 1), Amount(units: 90)]
        let events = nets.enumerated().map { Scripts.closed(Int64($0.offset + 1), $0.element) }
        _ = try scripts.book(events, expected: "", applied: 4)
        let sum = nets.reduce(Amount.zero, +)
        #expect(try scripts.redis.integer("stats:global", "gross_profit.USD") == sum.units)
        #expect(try scripts.redis.integer("stats:global", "largest_win.USD") == odd.units)
        let huge = [Scripts.closed(8, Amount(units: .max - 1)), Scripts.closed(9, Amount(units: 5))]
        let outcome = try scripts.book(huge, expected: "4", applied: 9)
        guard case .booked([true, true], let complaints) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(complaints.contains { $0.contains("overflow") })
        #expect(try scripts.redis.integer("stats:global", "gross_profit.USD") == .max)
        #expect(try scripts.redis.integer("stats:global", "overflows") == 1)
        #expect(try scripts.redis.integer("stats:global", "total_trades") == 6)
    }

    @Test("a key of a wrong type is complained about; a stream that takes nothing leaves the mark where it was")
    func wrongTypes() throws {
        let scripts = try Scripts()
        try scripts.redis.call("SET", "stats:global", "mine")
        let first = try scripts.book([Scripts.closed(1, Amount(1))], expected: "", applied: 1)
        guard case .booked([true], let complaints) = first, !complaints.isEmpty else {
            Issue.record("\(first)")
            return
        }
        #expect(try scripts.redis.integer("stats:symbol:EURUSD", "wins") == 1)
        try scripts.redis.call("RENAME", "events:trades", "kept")
        try scripts.redis.call("SET", "events:trades", "mine")
        let second = try scripts.book([Scripts.closed(2, Amount(1))], expected: "1", applied: 2)
        guard case .failed(let message) = second else {
            Issue.record("\(second)")
            return
        }
        #expect(message.contains("WRONGTYPE"))
        #expect(try scripts.redis.call("EXISTS", "trade:u|1|2|closed|0.1").integer == 0)
        try scripts.redis.call("DEL", "events:trades")
        #expect(try scripts.book([Scripts.closed(2, Amount(1))], expected: "1", applied: 2) != second)
        #expect(try scripts.redis.integer("stats:symbol:EURUSD", "wins") == 2)
    }

    @Test("scopes whose statistics have expired leave the list")
    func prune() throws {
        let scripts = try Scripts()
        _ = try scripts.book([Scripts.closed(1, Amount(1))], expected: "", applied: 1)
        try scripts.redis.call("DEL", "stats:symbol:EURUSD")
        let connection = RedisConnection(scripts.redis.address)
        let reply = try connection.call(PruneScript.make().arguments(keys: ["stats_scopes"], ["0"]))
        #expect(reply.text == "0")
        #expect(try scripts.redis.members("stats_scopes") == ["account:1", "global"])
    }

    @Test("random events in random batches, some told again: the sums of the script are the sums of the events")
    func sums() throws {
        var random = SeededGenerator(seed: 99, for: "booking script")
        let scripts = try Scripts()
        var applied: UInt64 = 0
        var known: [TradeEvent] = []
        var expected: [String: Int64] = [:]
        for _ in 0..<40 {
            var batch: [TradeEvent] = []
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                if let again = known.randomElement(using: &random), Int.random(in: 0..<4, using: &random) == 0 {
                    batch.append(again)
                    continue
                }
                let net = Amount(units: Int64.random(in: -1_000_000_000...1_000_000_000, using: &random))
                let currency = ["USD", "EUR", nil, "<b>"].randomElement(using: &random) ?? nil
                let event = Scripts.closed(Int64(known.count + 1), net, currency: currency)
                known.append(event)
                batch.append(event)
                let suffix = currency == "USD" || currency == "EUR" ? currency ?? "" : "unknown"
                expected["\(net.isNegative ? "gross_loss" : "gross_profit").\(suffix)", default: 0] +=
                    net.magnitude.units
                let largest = "\(net.isNegative ? "largest_loss" : "largest_win").\(suffix)"
                expected[largest] = max(expected[largest] ?? 0, net.magnitude.units)
                expected["total_trades", default: 0] += 1
            }
            let mark = applied == 0 ? "" : String(applied)
            applied += 1
            _ = try scripts.book(batch, expected: mark, applied: applied)
        }
        let seen = try scripts.redis.hash("stats:global")
        for (field, amount) in expected { #expect(seen[field] == String(amount), "\(field)") }
        #expect(try scripts.redis.call("XLEN", "events:trades").integer == Int64(known.count))
    }

    @Test("the stream is trimmed behind the slowest group, never before it")
    func trim() throws {
        let scripts = try Scripts()
        let connection = RedisConnection(scripts.redis.address)
        func trim() throws -> TrimScript.Outcome? {
            TrimScript.outcome(try connection.call(TrimScript.make().arguments(keys: ["events:trades"], [])))
        }
        #expect(try trim() == TrimScript.Outcome(trimmed: 0, waiting: 0))
        for number in 1...1000 { try scripts.redis.call("XADD", "events:trades", "\(number)-0", "n", "\(number)") }
        #expect(try trim() == TrimScript.Outcome(trimmed: 0, waiting: 1000))
        for group in ["fast", "slow"] { try scripts.redis.call("XGROUP", "CREATE", "events:trades", group, "0") }
        #expect(try trim() == TrimScript.Outcome(trimmed: 0, waiting: 1000))
        for (group, count) in [("fast", "1000"), ("slow", "700")] {
            try scripts.redis.call(
                "XREADGROUP", "GROUP", group, "c", "COUNT", count, "STREAMS", "events:trades", ">")
        }
        try scripts.redis.call("XACK", "events:trades", "fast", "1-0")
        for number in 1...500 { try scripts.redis.call("XACK", "events:trades", "slow", "\(number)-0") }
        // The fast one has acknowledged nothing behind the first: everything stays.
        #expect(try trim()?.trimmed == 0)
        for number in 2...1000 { try scripts.redis.call("XACK", "events:trades", "fast", "\(number)-0") }
        let outcome = try #require(try trim())
        // Whole nodes of a hundred are let go.
        #expect(outcome.trimmed >= 400 && outcome.trimmed <= 500 && outcome.waiting == 500)
        let first = try scripts.redis.call("XRANGE", "events:trades", "-", "+", "COUNT", "1").array?.first
        #expect(try #require(first?.array?.first?.text.flatMap { Int64($0.prefix { $0 != "-" }) }) <= 501)
    }
}
