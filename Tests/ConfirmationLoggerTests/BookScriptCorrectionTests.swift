import Domain
import Redis
import TestKit
import Testing
import Trading

@testable import ConfirmationLogger

@Suite("Booking script: corrections", .enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct BookScriptCorrectionTests {
    @Test("a correction replaces the row, moves sums by the difference, takes a largest figure back, and is told once")
    func correction() throws {
        let scripts = try Scripts()
        var inferred = Scripts.closed(7, Amount("-50") ?? .zero)
        (inferred.source, inferred.witness) = (.inferred, "balance")
        let other = Scripts.closed(8, Amount("-20") ?? .zero)
        var events = [inferred, other]
        #expect(try scripts.book(events, expected: "", applied: 1) == .booked([true, true], complaints: []))
        #expect(try scripts.redis.integer("stats:global", "largest_loss.USD") == 5_000_000_000)
        var real = Scripts.closed(7, Amount("3") ?? .zero)
        (real.source, real.witness, real.isCorrection, real.sequence) = (.merged, "balance", true, 20)
        real.corrects = inferred.fields.filter { !["profit", "lot"].contains($0.name) }
            .map { "\($0.name)=\(KeyPart.encode($0.value))" }.joined(separator: "|")
        events = [real, real]
        #expect(try scripts.book(events, expected: "1", applied: 2) == .booked([true, false], complaints: []))
        let sums = try scripts.redis.hash("stats:global")
        #expect(sums["gross_loss.USD"] == "2000000000" && sums["gross_profit.USD"] == "300000000")
        #expect(sums["total_trades"] == "2" && sums["losses"] == "1" && sums["wins"] == "1")
        #expect(sums["largest_loss.USD"] == "2000000000" && sums["largest_win.USD"] == "300000000")
        let row = try scripts.redis.hash("trade:u|1|7|closed|0.1")
        #expect(row["source"] == "merged" && row["seq"] == "20" && row["profit"] == "3")
        #expect(try scripts.redis.call("XLEN", "events:trades").integer == 3)
    }

    /// A closing whose money is an estimate, and the exact word for it.
    private func estimated(_ ticket: Int64, _ net: Amount) -> TradeEvent {
        var event = Scripts.closed(ticket, net)
        event.profitSource = .quote
        return event
    }

    private func exact(_ estimate: TradeEvent, _ net: Amount) throws -> TradeEvent {
        var event = Scripts.closed(try #require(estimate.ticket), net)
        (event.isCorrection, event.sequence) = (true, estimate.sequence + 1_000_000)
        event.corrects = estimate.fields.filter { !["profit", "lot"].contains($0.name) }
            .map { "\($0.name)=\(KeyPart.encode($0.value))" }.joined(separator: "|")
        return event
    }

    @Test("many estimates: largest figures follow every correction, and no more is kept than can become the largest")
    func provisional() throws {
        let scripts = try Scripts()
        let estimates = (1...60).map { estimated(Int64($0), Amount(Int($0))) }
        _ = try scripts.book(estimates, expected: "", applied: 1)
        func largest() throws -> Int64? { try scripts.redis.integer("stats:global", "largest_win.USD") }
        #expect(try largest() == Amount(60).units)
        #expect(try scripts.redis.hash("stats_provisional:global").count == 16)
        // From the largest down, each turns out to be less than a certain one will be.
        var applied: UInt64 = 1
        for estimate in estimates.suffix(6).reversed() {
            _ = try scripts.book([exact(estimate, Amount(2))], expected: String(applied), applied: applied + 1)
            applied += 1
            #expect(try largest() == Amount(Int((estimate.ticket ?? 0) - 1)).units)
        }
        // A certain one above them all: nothing has to be kept any more.
        _ = try scripts.book([Scripts.closed(99, Amount(70))], expected: String(applied), applied: applied + 1)
        #expect(try largest() == Amount(70).units)
        #expect(try scripts.redis.hash("stats_provisional:global") == ["largest_win.USD": String(Amount(70).units)])
        #expect(try scripts.redis.integer("stats:global", "wins") == 61)
    }

    @Test("a part corrected behind the count moves the position from class to class, its largest figure with it")
    func recounted() throws {
        let scripts = try Scripts()
        var part = Scripts.closed(7, Amount(-20))
        part.eventID = "u|1|7|closed|0.04"
        (part.source, part.isCounted, part.isFinal, part.positionProfit) = (.inferred, false, false, nil)
        var last = Scripts.closed(7, Amount(10))
        (last.positionProfit, last.isRevisable, last.sequence) = (Amount(-10), true, 8)
        _ = try scripts.book([part, last], expected: "", applied: 1)
        var fields = try scripts.redis.hash("stats:global")
        #expect(fields["losses"] == "1" && fields["largest_loss.USD"] == String(Amount(10).units))
        var told = try exact(part, Amount(30))
        told.eventID = part.eventID
        (told.isCounted, told.isFinal) = (false, false)
        (told.recounted, told.positionProfit) = (CountedProfit(Amount(-10)), Amount(40))
        #expect(try scripts.book([told], expected: "1", applied: 2) == .booked([true], complaints: []))
        fields = try scripts.redis.hash("stats:global")
        #expect(fields["losses"] == "0" && fields["losses.USD"] == "0" && fields["wins"] == "1")
        #expect(fields["total_trades"] == "1" && fields["largest_loss.USD"] == "0")
        #expect(fields["largest_win.USD"] == String(Amount(40).units))
        #expect(fields["gross_profit.USD"] == String(Amount(40).units) && fields["gross_loss.USD"] == "0")
    }

    @Test("a part that was counted as the whole gives way to the whole: its class and its largest figure with it")
    func countedTooEarly() throws {
        let scripts = try Scripts()
        var part = Scripts.closed(7, Amount(30))
        part.eventID = "u|1|7|closed|0.04"
        part.isRevisable = true
        _ = try scripts.book([part, Scripts.closed(8, Amount(4))], expected: "", applied: 1)
        var fields = try scripts.redis.hash("stats:global")
        #expect(fields["wins"] == "2" && fields["largest_win.USD"] == String(Amount(30).units))
        var end = Scripts.closed(7, Amount(-50))
        (end.isCounted, end.recounted, end.positionProfit) = (false, CountedProfit(Amount(30)), Amount(-20))
        #expect(try scripts.book([end], expected: "1", applied: 2) == .booked([true], complaints: []))
        fields = try scripts.redis.hash("stats:global")
        #expect(fields["total_trades"] == "2" && fields["wins"] == "1" && fields["losses"] == "1")
        #expect(fields["wins.USD"] == "1" && fields["losses.USD"] == "1")
        #expect(fields["largest_win.USD"] == String(Amount(4).units))
        #expect(fields["largest_loss.USD"] == String(Amount(20).units))
        #expect(fields["gross_profit.USD"] == String(Amount(34).units))
        #expect(fields["gross_loss.USD"] == String(Amount(50).units))
    }
}
