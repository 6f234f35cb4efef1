import Testing

@testable import MeshCtl

/// Sums counted from the journal's decisions, against figures worked out by hand.
@Suite("Totals of the journal")
struct JournalTotalsTests {
    private static let decisions = [
        """
        {"of":"1","events":[{"event_id":"o1","kind":"opened","user_uuid":"u","account":"7","server":"S-1","currency":"USD",\
        "canonical_symbol":"EURUSD","ticket":"5","received_at":"10"}]}
        """,
        """
        {"of":"2","events":[{"event_id":"c1","kind":"closed","user_uuid":"u","account":"7","server":"S-1","currency":"usd",\
        "canonical_symbol":"EURUSD","ticket":"5","net_profit":"-2.50","swap":"-0.10","counted":"1","position_profit":"-2.50",\
        "duration_s":"60","received_at":"20"}]}
        """,
        // The same once more: one effect.
        """
        {"of":"3","events":[{"event_id":"c1","kind":"closed","user_uuid":"u","account":"7","server":"S-1","currency":"USD",\
        "canonical_symbol":"EURUSD","ticket":"5","net_profit":"-9.00","counted":"1","position_profit":"-9.00"}]}
        """,
        """
        {"of":"4","events":[{"event_id":"f1","kind":"failed","user_uuid":"v","account":"8","server":"T","currency":"EUR"},\
        {"event_id":"x1","kind":"closed","user_uuid":"v","account":"8","server":"T","currency":"EUR","ticket":"9",\
        "canonical_symbol":"XAUUSD","counted":"1","orphan":"1"}]}
        """,
    ]
    private static let correction = """
        {"of":"5","events":[{"event_id":"c1","correction":"1","kind":"closed","user_uuid":"u","account":"7","server":"S-1",\
        "currency":"USD","canonical_symbol":"EURUSD","ticket":"5","net_profit":"3.00","counted":"1","position_profit":"3.00",\
        "duration_s":"61"}]}
        """

    @Test("each scope has its own sums; an account's money carries the server")
    func scopes() {
        let totals = JournalTotals(decisions: Self.decisions)
        let sums = totals.statistics
        #expect(totals.count == 4)
        #expect(Set(sums.keys) == ["global", "symbol:EURUSD", "symbol:XAUUSD", "account:7", "account:8"])
        let account: [String: Int64] = [
            "opened": 1, "total_trades": 1, "losses": 1, "total_trades.USD@S-1": 1, "losses.USD@S-1": 1,
            "gross_loss.USD@S-1": 250_000_000, "swap.USD@S-1": -10_000_000, "total_duration_s.USD@S-1": 60,
            "timed_trades.USD@S-1": 1, "largest_loss.USD@S-1": 250_000_000,
        ]
        #expect(sums["account:7"] == account)
        #expect(sums["symbol:XAUUSD"]?["unknown_profit"] == 1 && sums["symbol:XAUUSD"]?["orphans"] == 1)
        #expect(sums["global"]?["failed"] == 1 && sums["global"]?["total_trades"] == 2)
    }

    @Test("a correction takes the place of what it corrects")
    func corrected() {
        let sums = JournalTotals(decisions: Self.decisions + [Self.correction]).statistics["symbol:EURUSD"] ?? [:]
        #expect(sums["gross_loss.USD"] == nil && sums["gross_profit.USD"] == 300_000_000)
        #expect(sums["wins"] == 1 && sums["losses"] == nil && sums["total_trades"] == 1)
        #expect(sums["largest_win.USD"] == 300_000_000 && sums["largest_loss.USD"] == nil)
    }

    @Test("the end of what was counted by a part of it puts its class right")
    func endOfWhatWasCountedTooEarly() {
        let end = """
            {"of":"6","events":[{"event_id":"c2","kind":"closed","user_uuid":"u","account":"7","server":"S-1",\
            "currency":"USD","canonical_symbol":"EURUSD","ticket":"5","net_profit":"4.00","counted":"0",\
            "recounted":"-2.50","position_profit":"1.50"}]}
            """
        let sums = JournalTotals(decisions: Self.decisions + [end]).statistics["symbol:EURUSD"] ?? [:]
        #expect(sums["total_trades"] == 1 && sums["wins"] == 1 && sums["losses"] == nil)
        #expect(sums["gross_profit.USD"] == 400_000_000 && sums["gross_loss.USD"] == 250_000_000)
        #expect(sums["largest_win.USD"] == 150_000_000 && sums["largest_loss.USD"] == nil)
    }

    @Test("a difference in any scope is named, marks of the script are none")
    func compared() {
        let journal = JournalTotals(decisions: Self.decisions).statistics
        var redis = journal.mapValues { $0.mapValues(String.init) }
        redis["account:7"]?["last_updated"] = "123"
        redis["symbol:EURUSD"]?["wins"] = "0"
        let equal = JournalComparison.scopes(journal, redis, isWhole: true)
        #expect(equal.allSatisfy { $0.isGood })
        #expect(equal.contains { $0.name == "stats:account" && $0.journal == "2 scopes" })
        redis["account:8"]?["failed"] = "2"
        redis["symbol:EURUSD"]?["opened"] = nil
        let wrong = JournalComparison.scopes(journal, redis, isWhole: true).filter { !$0.isGood }.map(\.name)
        #expect(
            Set(wrong) == ["stats:account", "stats:account:8 failed", "stats:symbol", "stats:symbol:EURUSD opened"])
        redis["account:99"] = ["opened": "1"]
        #expect(
            JournalComparison.scopes(journal, redis, isWhole: true).contains { $0.name == "stats:account:99 opened" })
    }
}
